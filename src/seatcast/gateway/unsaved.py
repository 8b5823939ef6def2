"""What the peers of a room brought and nobody has stored yet: bounded, in each one's order. Synchronous, without loop or sockets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from seatcast.domain import MAX_UPDATE_BYTES
from seatcast.wire import CloseCode
from seatcast.yjs import InvalidUpdate, merged

MAX_UNSAVED_BYTES: Final = 1024 * 1024
"""Of one peer, what may wait to be stored."""

MAX_BATCH_BYTES: Final = 1024 * 1024
"""What is sent to be stored at once."""

MAX_BATCH_PARTS: Final = 200


class Peer(Protocol):
    """One client's socket. Told apart by identity."""

    token: str
    counts: bool
    """Whether it wants to be told what is stored (`SAVED`)."""

    def __hash__(self) -> int: ...

    def send(self, message: bytes) -> None:
        """Deliver a message that may not be left out."""

    def mention(self, message: bytes) -> None:
        """Deliver a message that may be left out while the client does not read."""

    def close(self, code: int, reason: str) -> None:
        """End it."""


class Part(NamedTuple):
    """What one peer wants stored; `updates` is how many of its updates are stored with it."""

    peer: Peer
    update: bytes
    updates: int


@dataclass(slots=True)
class Brought:
    """What one peer brought. It stays when the peer leaves."""

    waiting: list[tuple[bytes, int]] = field(default_factory=list)
    """Each update that is not stored, with how many of the peer's there were by then."""
    size: int = 0
    updates: int = 0
    """How many updates the peer has brought."""
    asked: bool = True
    """Whether it is to answer STEP_1: what it sends before its answer is in the answer too."""
    resyncs: int = 0
    """How often in a row it was asked because it built on what nobody has."""

    def add(self, update: bytes) -> bool:
        """Have an update wait; returns False, and does not, where too much waits."""
        if self.size + len(update) > MAX_UNSAVED_BYTES:
            return False
        self.waiting.append((update, self.updates))
        self.size += len(update)
        return True

    def take(self) -> tuple[list[bytes], int]:
        """Return the updates that are to be stored together next, and how many of the peer's there were by then."""
        taken: list[bytes] = []
        size = updates = 0
        for update, number in self.waiting:
            if taken and size + len(update) > MAX_UPDATE_BYTES:
                break
            taken.append(update)
            size += len(update)
            updates = number
        del self.waiting[: len(taken)]
        self.size -= size
        return taken, updates

    def forget(self) -> None:
        """Nothing of it is to be stored any more."""
        self.waiting.clear()
        self.size = 0


class Unsaved:
    """What is to be stored of one room."""

    def __init__(self) -> None:
        self.here: dict[Peer, Brought] = {}
        self._left: dict[Peer, Brought] = {}

    @property
    def any(self) -> bool:
        """Whether anything waits."""
        return bool(self._left) or any(brought.waiting for brought in self.here.values())

    def leave(self, peer: Peer) -> bool:
        """A peer is gone, what it brought is not. Returns whether it was there."""
        brought = self.here.pop(peer, None)
        if brought is not None and brought.waiting:
            self._left[peer] = brought
        return brought is not None

    def take(self) -> list[Part]:
        """Return what is to be stored next, those who left first."""
        parts: list[Part] = []
        size = 0
        for peer, brought in [*self._left.items(), *self.here.items()]:
            if size > MAX_BATCH_BYTES - MAX_UPDATE_BYTES or len(parts) >= MAX_BATCH_PARTS:
                break
            taken, updates = brought.take()
            if not brought.waiting:
                self._left.pop(peer, None)
            if not taken:
                continue
            size += sum(map(len, taken))
            try:
                parts.append(Part(peer, merged(taken) if len(taken) > 1 else taken[0], updates))
            except InvalidUpdate as error:
                peer.close(CloseCode.BAD_REQUEST, str(error))
        return parts

    def put_back(self, parts: Sequence[Part]) -> None:
        """Have these wait again, before what came after them."""
        for part in parts:
            brought = self.here.get(part.peer) or self._left.setdefault(part.peer, Brought())
            brought.waiting.insert(0, (part.update, part.updates))
            brought.size += len(part.update)
