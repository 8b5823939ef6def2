"""Brings messages to people's connections: what the broker brings as `mailboxes.py` has it, and what it did not, read
from the tour service with the token of somebody who may read it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Final, cast

import httpx
import structlog

from seatcast import rest, wire
from seatcast.backoff import full_jitter
from seatcast.gateway.channels import Follower
from seatcast.gateway.connection import Connection
from seatcast.gateway.conversations import Conversations
from seatcast.gateway.mailbox import Letter, Mailbox
from seatcast.gateway.mailboxes import TEAM, Mailboxes
from seatcast.gateway.message_service import (
    MessageService,
    Unreadable,
    after,
    letters_of,
    since_moment,
)
from seatcast.gateway.messages import text_frame
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.session import Session
from seatcast.message_frames import MessageEvent, message_frame
from seatcast.wire import CloseCode

log = structlog.get_logger(__name__)

CATCH_UP_SECONDS: Final = 3.0
"""How long a client waits for what it missed before it is told that it cannot be had."""

CATCH_UPS_AT_ONCE: Final = 32

READERS: Final = 8
"""Streams that are read at once because something may have been missed."""

MOST_MISSED: Final = 500
"""Messages that a client is told because it missed them; with more it reads them itself."""


Then = Callable[[bool, list[MessageEvent]], None]
"""Called with whether all that was missed could be had, and with what was."""


class Post:
    """The messages of one gateway. `client` knows the tour service's address; without it nothing can be read."""

    def __init__(self, client: httpx.AsyncClient | None, metrics: Metrics) -> None:
        self._service = None if client is None else MessageService(client)
        self._metrics = metrics
        self.mailboxes = Mailboxes(self, time.time, readable=client is not None)
        self.conversations = Conversations(self.mailboxes)
        self._turns = asyncio.Semaphore(CATCH_UPS_AT_ONCE)
        # To be read, the first that was asked for first.
        self._asking: dict[Mailbox, None] = {}
        self._asked = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading_conversations: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        """Read from now on what is asked for, until `stop`."""
        self._group = group
        self._tasks = {group.create_task(self._read_for_ever(), name="reader") for _ in range(READERS)}

    def stop(self) -> None:
        """Read nothing more."""
        self._group = None
        for task in self._tasks:
            task.cancel()

    def doubt(self) -> None:
        """Something may have been missed: read what people here have been told and said, and how their conversations
        stand.
        """
        self.mailboxes.doubt()
        if self._group is not None and self._service is not None:
            if self._reading_conversations is not None:
                # It may have begun before.
                self._reading_conversations.cancel()
            self._reading_conversations = self._task(self._read_conversations(), "conversations")

    def restart(self) -> None:
        """Another database: its numbers and versions begin anew."""
        self.mailboxes.restart()
        self.conversations.restart()

    @property
    def _read_by(self) -> MessageService:
        assert self._service is not None  # noqa: S101 - for the type checker: else nothing is readable
        return self._service

    def _task(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        assert self._group is not None  # noqa: S101 - for the type checker: nobody connects before `start`
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # From mailboxes

    def tell(self, stream: str, followers: Collection[Follower], event: MessageEvent) -> None:
        """Deliver a message to connections, each in its language."""
        frames: dict[tuple[str, bool], bytes] = {}
        for connection in cast(Collection[Connection], followers):
            session = connection.session
            user = session.user
            # Who has a conversation of their own beside the team's is told of it once.
            if stream == TEAM and user == event.user_id:
                continue
            key = session.language, user == getattr(event, "sender", None)
            if key not in frames:
                frames[key] = _frame(event, session)
            session.told = True
            connection.push(frames[key])

    def ask(self, mailbox: Mailbox) -> None:
        """Have a mailbox's stream read."""
        self._asking[mailbox] = None
        self._asked.set()

    # What was missed by one client

    def catch_up(
        self, session: Session, streams: Sequence[str], since: Sequence[str], then: Then, *, silent: bool
    ) -> None:
        """Read what a client missed after these messages, in streams that it joined for it; call `then`.

        Meanwhile nothing is read from the client, and nothing told to it if `silent`.
        """
        connection = cast(Connection, session.peer)
        if self._service is None or self._group is None:
            self._caught_up(session, streams, {}, False, then)
            return
        connection.hold(silent=silent)
        self._task(self._catch_up(session, streams, since, then, silent), "catching up of a client")

    async def _catch_up(
        self, session: Session, streams: Sequence[str], since: Sequence[str], then: Then, silent: bool
    ) -> None:
        found: dict[str, tuple[list[Letter], int]] = {}
        unknown = set(since)
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS), self._turns:
                for stream in streams:
                    letters, head, known = await self._missed(session, stream, since)
                    unknown -= known
                    found[stream] = letters, head
            self._metrics.catch_ups["unknown" if unknown else "resumed"] += 1
        except (Unreadable, TimeoutError) as error:
            log.warning("A client could not be told what it missed", reason=str(error) or "no answer in time")
            self._metrics.catch_ups["failed"] += 1
            unknown.update(since)
        resumed = not unknown

        def done() -> None:
            self._caught_up(session, streams, found, resumed, then)

        connection = cast(Connection, session.peer)
        try:
            connection.release(done, silent=silent)
        except Exception:
            # One client's trouble, not everybody's.
            log.exception("A connection failed")
            connection.close(CloseCode.INTERNAL_ERROR, "", "error")

    async def _missed(
        self, session: Session, stream: str, since: Sequence[str]
    ) -> tuple[list[Letter], int, set[str]]:
        """Return a stream's messages after the last of these that is in it, its head, and which of these are.

        A moment is where to begin in a stream of which none of the messages is known.
        """
        moments = {word: query for word in since if (query := since_moment(word)) is not None}
        ids = [word for word in since if word not in moments]
        known: set[str] = set()
        first: rest.Messages | None = None
        head = 0
        for id in ids:
            page = await self._read_by.page(session, stream, {"since": id})
            head = page.head
            if page.resumed:
                known.add(id)
                if first is None or _begin(page) > _begin(first):
                    first = page
        for moment, query in moments.items():
            if first is None:
                page = await self._read_by.page(session, stream, query)
                head = page.head
                if not page.resumed:
                    break
                first = page
            known.add(moment)
        if first is None:
            return [], head, known
        letters, page = letters_of(first, session), first
        while page.more and letters and len(letters) < MOST_MISSED:
            page = await self._read_by.page(session, stream, {"afterSeq": letters[-1].seq})
            letters += letters_of(page, session)
        if page.more:
            raise Unreadable(f"missed more than {MOST_MISSED}")
        return letters, page.head, known

    def _caught_up(
        self,
        session: Session,
        streams: Sequence[str],
        found: dict[str, tuple[list[Letter], int]],
        resumed: bool,
        then: Then,
    ) -> None:
        missed: list[MessageEvent] = []
        for stream in streams:
            letters, head = found.get(stream, ([], None))
            late, whole = self.mailboxes[stream].caught_up(session.peer, letters, head)
            resumed = resumed and whole
            own = None if stream == TEAM else session.user
            missed += [letter.event for letter in late if own or letter.event.user_id != session.user]
        then(resumed, missed)

    def deliver(self, session: Session, missed: Sequence[MessageEvent]) -> None:
        """Tell one client several messages at once."""
        if missed:
            session.told = True
            frames = b"".join(_frame(event, session) for event in missed)
            cast(Connection, session.peer).push(frames, len(missed))

    # What may have been missed by a mailbox

    async def _read_for_ever(self) -> None:
        while True:
            while not self._asking:
                self._asked.clear()
                await self._asked.wait()
            mailbox = next(iter(self._asking))
            del self._asking[mailbox]
            await self._read(mailbox)

    async def _read(self, mailbox: Mailbox) -> None:
        failures = 0
        while mailbox.followers and not await self._reads(mailbox):
            await full_jitter(failures)
            failures += 1

    async def _read_conversations(self) -> None:
        for stream in self.conversations.readers():
            failures = 0
            while (followers := self.mailboxes.followers(stream)) and not await self._reads_conversations(
                followers
            ):
                await full_jitter(failures)
                failures += 1

    async def _reads_conversations(self, followers: Collection[Follower]) -> bool:
        """Read as one of these how the newest conversations stand; return whether that worked."""
        try:
            states = await self._read_by.conversations(_any_of(followers))
        except Unreadable:
            return False
        for state in states:
            self.conversations.stands(state)
        return True

    async def _reads(self, mailbox: Mailbox) -> bool:
        """Read a mailbox's stream as somebody who follows it; return whether that worked."""
        reader = _any_of(mailbox.followers)
        try:
            more = True
            while more:
                place = mailbox.place
                page = await self._read_by.page(reader, mailbox.stream, after(place))
                more = page.more and bool(page.messages)
                mailbox.read(place, letters_of(page, reader), page.head, more=more)
        except Unreadable as error:
            self._metrics.message_reads["failed"] += 1
            log.warning("Messages cannot be read", reason=str(error))
            return False
        self._metrics.message_reads["joined"] += 1
        return True


def _any_of(followers: Collection[Follower]) -> Session:
    return cast(Connection, random.SystemRandom().choice(tuple(followers))).session


def _begin(page: rest.Messages) -> int:
    """Return the first number of a page, or which would be."""
    return page.messages[0].seq if page.messages else page.head + 1


def _frame(event: MessageEvent, session: Session) -> bytes:
    frame = message_frame(event, language=session.language, reader=session.user or "")
    return text_frame(wire.encode(frame))
