"""A room: everybody here who edits one shared document, and what they are owed. Synchronous, without loop or sockets.

A change is not a fact before it is stored. So the room's own document holds what the tour service has stored and
nothing else; what its peers type waits here until the tour service takes it, and comes back to everybody, numbered,
by the broker. Where a number is missing the room says that it has to read. What peers say of themselves (cursors and
names: awareness) is stored nowhere, and is kept in `awareness.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pycrdt import Doc

from seatcast.domain import MAX_UPDATE_BYTES
from seatcast.gateway.awareness import Awareness
from seatcast.gateway.unsaved import Brought, Part, Peer, Unsaved
from seatcast.wire import CloseCode
from seatcast.yjs import (
    EMPTY,
    InvalidUpdate,
    Kind,
    Sync,
    awareness_message,
    guarded,
    merged,
    read_sized,
    read_varuint,
    sync_message,
    varuint,
)

SAVED: Final = 100
"""Kind of a message of ours: how many of the updates that this socket brought are stored. It is told only to who asks
for it in the address, `?saved=1`: y-websocket ignores a kind that it does not know, but complains to the console."""

MAX_RESYNCS: Final = 3
"""How often in a row a peer may build on changes that nobody has, and be asked for them."""


class Room:
    """One document. `due` is called whenever there may be something to read or to store, or somebody to be told of."""

    def __init__(self, document_id: str, due: Callable[[], None]) -> None:
        self.document_id = document_id
        self.awareness = Awareness()
        self._due = due
        self._doc: Doc[Any] = Doc()
        self.head: int | None = None
        """The number of the last stored update that the document has; None while it was never read."""
        self.epoch = ""
        self.doubts = 1
        """Grows whenever something may have been stored that was not heard of."""
        self._read_doubts = 0
        self._asked: dict[Peer, bytes] = {}
        """What peers know who asked, before the document was read, for what they lack."""
        self._unsaved = Unsaved()

    # Peers

    @property
    def peers(self) -> Mapping[Peer, Brought]:
        """Everybody in the room, with what each has brought."""
        return self._unsaved.here

    def join(self, peer: Peer) -> None:
        """Have somebody in the room."""
        self._unsaved.here[peer] = Brought()
        if self.head is not None:
            self._greet(peer)
        self._due()

    def _greet(self, peer: Peer) -> None:
        # What it has that we lack it is asked for, and what we have it asks for itself.
        peer.send(sync_message(Sync.STEP_1, self._doc.get_state()))
        known = self.awareness.everybody()
        if known is not None:
            peer.mention(awareness_message(known))

    def leave(self, peer: Peer) -> None:
        """Somebody is gone: what it brought is stored all the same, and nobody sees its cursor any more."""
        if not self._unsaved.leave(peer):
            return
        self._asked.pop(peer, None)
        self.awareness.leave(peer)
        self._due()

    def receive(self, peer: Peer, message: bytes) -> None:
        """Act on a message of a peer in the room. Kinds that nobody knows are ignored."""
        try:
            kind, at = read_varuint(message, 0)
            if kind == Kind.SYNC:
                step, at = read_varuint(message, at)
                self._sync(peer, step, read_sized(message, at)[0])
            elif kind == Kind.AWARENESS:
                if self.awareness.hear(peer, read_sized(message, at)[0]):
                    self._due()
            elif kind == Kind.QUERY_AWARENESS:
                known = self.awareness.everybody()
                if known is not None:
                    peer.mention(awareness_message(known))
        except InvalidUpdate as error:
            peer.close(CloseCode.BAD_REQUEST, str(error))

    def _sync(self, peer: Peer, step: int, data: bytes) -> None:
        if step == Sync.STEP_1:
            if self.head is None:
                self._asked[peer] = data
            else:
                self._answer(peer, data)
        elif step in (Sync.STEP_2, Sync.UPDATE):
            self._bring(peer, data, counted=step == Sync.UPDATE)

    def _answer(self, peer: Peer, state: bytes) -> None:
        """Send what a peer lacks that has this state."""
        peer.send(sync_message(Sync.STEP_2, guarded(lambda: self._doc.get_update(state))))

    def _bring(self, peer: Peer, update: bytes, *, counted: bool) -> None:
        brought = self.peers[peer]
        brought.updates += counted
        if counted and brought.asked:
            return
        brought.asked = False
        if len(update) > MAX_UPDATE_BYTES:
            peer.close(CloseCode.TOO_LARGE, "update too large")
            return
        if update == EMPTY and not counted:
            self._count(peer, brought.updates)
            return
        merged([update])  # raises for what is no update
        if brought.add(update):
            self._due()
        else:
            peer.close(CloseCode.TRY_AGAIN_LATER, "too much waits to be stored")

    # What is to be stored

    @property
    def unsaved(self) -> bool:
        """Whether anything waits to be stored."""
        return self._unsaved.any

    def take(self) -> list[Part]:
        """Return what is to be stored next. It is given back by `settle` or `put_back`."""
        return self._unsaved.take()

    def put_back(self, parts: Sequence[Part]) -> None:
        """Nobody knows whether these are stored: they are to be sent again, which does no harm."""
        self._unsaved.put_back(parts)

    def settle(self, parts: Sequence[Part], refused: Mapping[int, str]) -> None:
        """These are stored, but for those that were refused, each with a code."""
        for index, part in enumerate(parts):
            code = refused.get(index)
            if code is None:
                if part.peer in self.peers:
                    self.peers[part.peer].resyncs = 0
                    self._count(part.peer, part.updates)
            elif code == "DOCUMENT_UPDATE_INCOMPLETE" and part.peer in self.peers:
                self._resync(part.peer)
            else:
                part.peer.close(_CLOSING.get(code, CloseCode.BAD_REQUEST), code)

    def _count(self, peer: Peer, updates: int) -> None:
        if peer.counts:
            peer.send(varuint(SAVED) + varuint(updates))

    def _resync(self, peer: Peer) -> None:
        """A peer builds on what is not stored: ask it for all that it has and the document has not."""
        brought = self.peers[peer]
        brought.resyncs += 1
        if brought.resyncs > MAX_RESYNCS:
            peer.close(CloseCode.TRY_AGAIN_LATER, "changes are missing")
        else:
            brought.forget()
            brought.asked = True
            peer.send(sync_message(Sync.STEP_1, self._doc.get_state()))

    # What is stored

    @property
    def behind(self) -> bool:
        """Whether the document has to be read, from its head on."""
        return self._read_doubts < self.doubts

    def doubt(self) -> None:
        """Something may have been stored that was not heard of."""
        self.doubts += 1
        self._due()

    def stored(self, epoch: str, seq: int, update: bytes) -> None:
        """An update was stored. Where one before it is missing, the document is read.

        Raises `InvalidUpdate` for one that somebody else announced; the room is then of no use any more.
        """
        if self.head is None or epoch != self.epoch or seq > self.head + 1:
            self.doubt()
        elif seq == self.head + 1:
            self._apply(update)
            self.head = seq
            self._tell(update)

    def read(self, epoch: str, head: int, updates: Sequence[bytes], doubts: int) -> bool:
        """Take what was read from the head on; `doubts` is what it was when the reading began. Returns False where
        the document is another one now: the database was restored or replaced, and everybody has to begin anew.

        Raises `InvalidUpdate` as `stored` does.
        """
        if self.head is not None and (epoch != self.epoch or head < self.head):
            return False
        for update in updates:
            self._apply(update)
        first, self.head, self.epoch = self.head is None, head, epoch
        self._read_doubts = doubts
        if first:
            asked, self._asked = self._asked, {}
            for peer in list(self.peers):
                self._greet(peer)
            for peer, state in asked.items():
                try:
                    self._answer(peer, state)
                except InvalidUpdate as error:
                    peer.close(CloseCode.BAD_REQUEST, str(error))
        elif updates:
            self._tell(merged(list(updates)))
        return True

    def _apply(self, update: bytes) -> None:
        guarded(lambda: self._doc.apply_update(update))

    def _tell(self, update: bytes) -> None:
        # Who brought it as well: for the others it is news, for that one a sign that the socket lives.
        message = sync_message(Sync.UPDATE, update)
        for peer in list(self.peers):
            peer.send(message)

    def spread(self) -> bytes | None:
        """Tell everybody here what changed of who is there; return what other gateways have to be told."""
        here, elsewhere = self.awareness.take()
        if here is not None:
            message = awareness_message(here)
            for peer in list(self.peers):
                peer.mention(message)
        return elsewhere

    def end(self, code: int, reason: str) -> None:
        """Send everybody away."""
        for peer in list(self.peers):
            peer.close(code, reason)


_CLOSING: Final[dict[str, int]] = {
    "UNAUTHENTICATED": CloseCode.UNAUTHENTICATED,
    "FORBIDDEN": CloseCode.FORBIDDEN,
    "DOCUMENT_TOO_LARGE": CloseCode.TOO_LARGE,
    "DOCUMENT_UPDATE_INVALID": CloseCode.BAD_REQUEST,
    "DOCUMENT_UPDATE_INCOMPLETE": CloseCode.TRY_AGAIN_LATER,
}
