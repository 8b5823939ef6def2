"""The rooms of a gateway, with what they have around them: the tour service, the other gateways, and the time.

Each room has at most one request under way that stores, which carries everything that came while the one before it was
answered, and one that reads. What cannot be stored for the moment waits, and is tried again.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import structlog

from seatcast import wire_events
from seatcast.backoff import ceiling
from seatcast.gateway import document_requests
from seatcast.gateway.admission import Admission, Visitor
from seatcast.gateway.auth import Rejected
from seatcast.gateway.company import Company
from seatcast.gateway.document_requests import Refused
from seatcast.gateway.editor import Editor
from seatcast.gateway.handshake import Accepted
from seatcast.gateway.messages import CLOSE_SECONDS
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.rooms import Room
from seatcast.gateway.shared import Whisper
from seatcast.tokens import Identity, Tokens
from seatcast.wire import CloseCode
from seatcast.yjs import InvalidUpdate

log = structlog.get_logger(__name__)

MAX_PAUSE_SECONDS: Final = 2.0
"""How long to wait before trying again, at most."""

MAX_EDITORS: Final = 500
"""Of one document, at one gateway."""

EMPTY_SECONDS: Final = 30.0
"""How long a room without anybody is kept."""


@dataclass(eq=False, slots=True)
class _Kept:
    """A room, and what is under way for it."""

    room: Room
    company: Company
    storing: bool = False
    reading: bool = False
    stored: int = 0
    """The highest head that an answer told."""
    stored_at: float = 0.0
    empty_since: float | None = None


class Documents:
    """The documents that are edited here. `client` knows the tour service's address."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        whisper: Whisper,
        tokens: Tokens,
        metrics: Metrics,
        *,
        gateway_id: str,
        heartbeat_seconds: float,
    ) -> None:
        self._client = client
        self._whisper = whisper
        self._tokens = tokens
        self.metrics = metrics
        self._name = f"{gateway_id[:80]}.{secrets.token_urlsafe(6)}"
        self._heartbeat = heartbeat_seconds
        self._loop = asyncio.get_running_loop()
        self.clock = self._loop.time
        self._rooms: dict[str, _Kept] = {}
        self._editors: dict[Editor, None] = {}
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep rooms inside the context."""
        async with asyncio.TaskGroup() as self._group:
            sweeping = self._group.create_task(self._sweep_for_ever(), name="documents")
            try:
                yield
            finally:
                # Nobody was told that what is still unsaved is saved: its authors have it.
                rooms, self._rooms = self._rooms, {}
                for task in (sweeping, *self._tasks):
                    task.cancel()
                for editor in list(self._editors):
                    editor.abort()
                for kept in rooms.values():
                    kept.company.end()

    async def drain(self, seconds: float) -> None:
        """Send everybody away, and store what they brought, within `seconds`."""
        until = self.clock() + seconds
        for kept in list(self._rooms.values()):
            kept.room.end(CloseCode.SERVICE_RESTART, "restarting")
        while self.clock() < until and (self._editors or any(k.storing for k in self._rooms.values())):
            await asyncio.sleep(0.02)
            self._abort_closing(self.clock())

    # Editors

    def editor(
        self,
        admission: Admission,
        visitor: Visitor,
        accepted: Accepted,
        identity: Identity | Rejected | None,
    ) -> Editor:
        """Return the owner of a socket whose handshake succeeds."""
        return Editor(self, admission, visitor, accepted, identity)

    def connected(self, editor: Editor) -> None:
        self._editors[editor] = None
        self.metrics.handshakes += 1
        self.metrics.document_connections = len(self._editors)

    def disconnected(self, editor: Editor) -> None:
        self._editors.pop(editor, None)
        self.metrics.document_connections = len(self._editors)

    def enter(self, editor: Editor) -> Room | None:
        """Let an editor into the room of its document, which is made where there is none."""
        kept = self._rooms.get(editor.document_id)
        if kept is None:
            room = Room(editor.document_id, lambda: self._due(made))
            made = _Kept(room, Company(room, self._whisper, self._name, self._loop))
            kept = self._rooms[editor.document_id] = made
            made.company.ask()
        if len(kept.room.peers) >= MAX_EDITORS:
            editor.close(CloseCode.TRY_AGAIN_LATER, "too many editors")
            return None
        kept.empty_since = None
        kept.room.join(editor)
        return kept.room

    # From the broker

    def take(self, event: wire_events.DocumentUpdated | wire_events.DocumentAwareness) -> None:
        """Act on an event, if its document has a room here."""
        kept = self._rooms.get(event.document_id)
        if kept is None:
            return
        if isinstance(event, wire_events.DocumentUpdated):
            try:
                kept.room.stored(event.epoch, event.seq, event.update)
            except InvalidUpdate:
                log.error("An update that cannot be was announced as stored", document=event.document_id[:64])
                self._give_up(kept, "the document has to be read again")
        else:
            kept.company.hear(event)

    def resubscribed(self) -> None:
        """Something may have been missed in every room."""
        for kept in self._rooms.values():
            kept.room.doubt()
            kept.company.ask()

    # What rooms need

    def _due(self, kept: _Kept) -> None:
        """Begin what a room needs and is not under way."""
        if self._rooms.get(kept.room.document_id) is not kept:
            return
        if kept.room.unsaved and not kept.storing:
            kept.storing = True
            self.begin(self._store(kept), "changes of a document")
        if kept.room.behind and kept.room.peers and not kept.reading:
            kept.reading = True
            self.begin(self._read(kept), "reading of a document")
        kept.company.spread_soon()

    def begin(self, work: Coroutine[None, None, None], name: str) -> None:
        """Begin a task that ends with the gateway at the latest."""
        assert self._group is not None  # noqa: S101 - for the type checker: nobody connects before `running`
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store(self, kept: _Kept) -> None:
        failures = 0
        try:
            while parts := kept.room.take():
                # In their own turn: everything that arrives in this one goes along with the next.
                try:
                    answer = await document_requests.store(self._client, kept.room.document_id, parts)
                except Refused as refused:
                    # It was asked for with the first part's token.
                    kept.room.put_back(parts[1:])
                    parts[0].peer.close(refused.code, "refused")
                    continue
                except (httpx.HTTPError, ValueError) as error:
                    kept.room.put_back(parts)
                    failures = await self._pause(failures, "Changes of a document wait", error)
                    continue
                failures = 0
                kept.stored, kept.stored_at = max(kept.stored, answer.head), self.clock()
                kept.room.settle(parts, {one.index: one.code for one in answer.refused})
        finally:
            kept.storing = False

    async def _read(self, kept: _Kept) -> None:
        room, failures = kept.room, 0
        try:
            while room.behind and room.peers:
                peer = random.SystemRandom().choice(list(room.peers))
                doubts = room.doubts
                try:
                    read = await document_requests.read(self._client, room.document_id, room.head or 0, peer)
                except Refused as refused:
                    peer.close(refused.code, "refused")
                except (httpx.HTTPError, ValueError) as error:
                    failures = await self._pause(failures, "A document cannot be read", error)
                else:
                    failures = 0
                    try:
                        same = room.read(read.epoch, read.head, read.updates, doubts)
                    except InvalidUpdate:
                        log.error("A document is stored that cannot be read", document=room.document_id)
                        same = False
                    if not same:
                        self._give_up(kept, "the document was replaced")
        finally:
            kept.reading = False

    def _give_up(self, kept: _Kept, why: str) -> None:
        """Send everybody in a room away, to come back into a new one."""
        if self._rooms.get(kept.room.document_id) is kept:
            del self._rooms[kept.room.document_id]
        kept.room.end(CloseCode.SERVICE_RESTART, why)

    async def _pause(self, failures: int, what: str, error: Exception) -> int:
        # The kind alone: texts of errors may hold URLs.
        if not failures:
            log.warning(what, reason=type(error).__name__)
        longest = ceiling(failures, MAX_PAUSE_SECONDS)
        await asyncio.sleep(random.SystemRandom().uniform(longest / 2, longest))
        return failures + 1

    # In turn

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(min(0.5, self._heartbeat / 8))
            now = self.clock()
            self._abort_closing(now)
            for editor in list(self._editors):
                editor.beat(now, self._tokens.clock(), self._heartbeat)
            for kept in list(self._rooms.values()):
                self._tend(kept, now)
            self.metrics.document_rooms = len(self._rooms)

    def _abort_closing(self, now: float) -> None:
        for editor in [e for e in self._editors if e.closing is not None and now > e.closing + CLOSE_SECONDS]:
            editor.abort()

    def _tend(self, kept: _Kept, now: float) -> None:
        room = kept.room
        if room.head is not None and kept.stored > room.head and now - kept.stored_at > 1.0:
            # It was stored, and the broker did not bring it.
            room.doubt()
            kept.stored_at = now
        kept.company.tend(now)
        if room.peers or room.unsaved or kept.storing:
            kept.empty_since = None
        elif kept.empty_since is None:
            kept.empty_since = now
        elif now - kept.empty_since >= EMPTY_SECONDS:
            del self._rooms[room.document_id]
