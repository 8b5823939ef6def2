"""Under which epoch versions are told: the database's, or one of our own while any version is our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MAX_RETIRED: Final = 64
"""Former epochs that are remembered, so that their late events are recognised."""

INSISTENT_TICKS: Final = 3
"""Ticks in a row of another epoch than the one that is known, after which it is that one."""


class Epochs:
    """The epochs of one truth. `new_epoch` makes one of our own."""

    def __init__(self, new_epoch: Callable[[], str]) -> None:
        self._new_epoch = new_epoch
        self.database: str | None = None
        """That of the database which speaks; None while none has."""
        self.own_versions = False
        """Whether any version that is told is not the database's."""
        self._ours = new_epoch()
        self._announced = self._ours
        self._retired: dict[str, None] = {}
        self._ticks = 0

    @property
    def present(self) -> str:
        """The epoch in which the versions told to clients are to be read."""
        return self._ours if self.own_versions or self.database is None else self.database

    def unheard_of(self, epoch: str) -> bool:
        """Return whether an epoch is neither the present database's nor a former one's."""
        return epoch != self.database and epoch not in self._retired

    def insists(self, epoch: str) -> bool:
        """A relay ticks under an epoch. Returns whether relays have insisted for long enough on another than is known."""
        self._ticks = 0 if self.database in (None, epoch) else self._ticks + 1
        return self._ticks >= INSISTENT_TICKS

    def begin(self, epoch: str) -> bool:
        """Go on with a database's epoch. Returns whether it takes the place of another one's, which is a former one now."""
        former, self.database = self.database, epoch
        self._ticks = 0
        self._retired.pop(epoch, None)
        if former is None:
            return False
        self._retired[former] = None
        if len(self._retired) > MAX_RETIRED:
            del self._retired[next(iter(self._retired))]
        self.own_versions = False
        # Anew as well: versions of our own from before must not be compared with later ones.
        self._ours = self._new_epoch()
        return True

    def announce(self) -> bool:
        """Return whether the present epoch is another than the last time."""
        before, self._announced = self._announced, self.present
        return before != self._announced
