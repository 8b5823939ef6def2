"""What waits for one client that does not read: bounded, synchronous, and nothing of sockets.

Of states the newest is owed: one slot per key, rendered when the client reads again, however many changes went
by. Of what is told to everybody (the source lost, versions anew) the newest of each kind. Answers may not be
left out: they wait in a queue of `MAX_ANSWERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from seatcast.gateway.facts import Key

MAX_ANSWERS: Final = 64
"""Answers that may wait for one client."""

MAX_NOTICES: Final = 1_000
"""Kinds of notices that may wait for one client: as many conversations may change while one of the team does not read."""

CHUNK_BYTES: Final = 64 * 1024
"""What a client that reads again is given at once before looking whether it still reads."""

CHUNK_KEYS: Final = 500
"""Slots that are rendered at once, at most."""


class Slot(NamedTuple):
    """How a key is owed. One value serves every key and client of a flush, so that a slot costs a dict entry."""

    initial: bool
    """As the state to start from (INITIAL_STATE), not as a change of it."""
    since: float
    """Since when, on the owner's clock."""


Render = Callable[[Key, bool], bytes | None]
"""Returns the newest frame of a key, as INITIAL_STATE or as a change; None where there is nothing to tell."""


class Owed:
    """What one client is owed. It is given in this order: answers, notices, states."""

    __slots__ = ("answers", "notices", "slots")

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.notices: dict[str, bytes] = {}
        self.slots: dict[Key, Slot] = {}

    def __len__(self) -> int:
        """Return how many frames are owed."""
        return len(self.answers) + len(self.notices) + len(self.slots)

    @property
    def since(self) -> float | None:
        """Since when the oldest state is owed; None where none is."""
        # Dicts keep the order in which keys came, and a key that is owed already stays in its place.
        return next(iter(self.slots.values())).since if self.slots else None

    def push(self, frame: bytes) -> bool:
        """Owe an answer. Returns False, and does not owe it, if too many wait."""
        if len(self.answers) >= MAX_ANSWERS:
            return False
        self.answers.append(frame)
        return True

    def notify(self, kind: str, frame: bytes) -> bool | None:
        """Owe a notice in place of an earlier one of its kind. Returns whether there was one; None, and does not owe
        it, if too many kinds wait.
        """
        replaced = kind in self.notices
        if not replaced and len(self.notices) >= MAX_NOTICES:
            return None
        self.notices[kind] = frame
        return replaced

    def offer(self, keys: Sequence[Key], since: float) -> None:
        """Owe the state to start from under these keys."""
        slots = self.slots
        for key in keys:
            known = slots.get(key)
            slots[key] = Slot(True, since if known is None else known.since)

    def update(self, keys: Sequence[Key], slot: Slot) -> int:
        """Owe a change of these keys. Returns how many of them were owed already: these were conflated."""
        slots = self.slots
        before = len(slots)
        for key in keys:
            slots.setdefault(key, slot)
        return before + len(keys) - len(slots)

    def drop(self, tour_id: str | None) -> int:
        """Owe nothing more under this tour's keys, None: under any. Returns how many slots that were."""
        before = len(self.slots)
        if tour_id is None:
            self.slots.clear()
        else:
            for key in [key for key in self.slots if key[0] == tour_id]:
                del self.slots[key]
        return before - len(self.slots)

    def keep(self, tour_id: str) -> int:
        """Owe nothing more under any other tour's keys. Returns how many slots that were."""
        before = len(self.slots)
        self.slots = {key: slot for key, slot in self.slots.items() if key[0] == tour_id}
        return before - len(self.slots)

    def take(self, render: Render) -> list[bytes]:
        """Return the frames to be written next, which are no longer owed; none if nothing is owed."""
        if self.answers or self.notices:
            frames = [*self.answers, *self.notices.values()]
            self.answers, self.notices = [], {}
            return frames
        frames = []
        while self.slots and not frames:
            self._take_slots(render, frames)
        return frames

    def _take_slots(self, render: Render, frames: list[bytes]) -> None:
        size = 0
        # A batch of keys at a time: finding the first one of a dict gets slow once many before it were deleted.
        for key in list(islice(self.slots, CHUNK_KEYS)):
            frame = render(key, self.slots.pop(key).initial)
            if frame is not None:
                frames.append(frame)
                size += len(frame)
                if size >= CHUNK_BYTES:
                    return
