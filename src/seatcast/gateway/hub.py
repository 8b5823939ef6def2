"""Who follows what, and who has to be told: synchronous, without loop, sockets, SQL or AMQP.

Changed keys are collected; the owner is woken once, and calls `flush` once per turn of its loop. Followers of
the same tours form a group, so that what goes to one of them can be built once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

from seatcast.gateway.facts import Key
from seatcast.gateway.truth import MAX_TOMBSTONES, Truth

Follower = Hashable
"""Whoever follows tours, told apart by identity."""

Way = Callable[[bytes], int]
"""The shortest way of bytes to a follower, as `socket.send`: returns how many were taken."""


class Outlet(Protocol):
    """The hub's owner: takes what has to be told. None of its methods may follow, unfollow or change the truth."""

    def wake(self) -> None:
        """Something changed: call `Hub.flush` at the end of this turn."""

    def updated(self, followers: Collection[Follower], keys: Sequence[Key]) -> None:
        """The newest frames of these keys (`Truth.update`) are for these followers."""

    def spread(self, ways: Mapping[Way, Follower], keys: Sequence[Key]) -> None:
        """As `updated`, for followers with a way (`Hub.route`)."""

    def restarted(self, followers: Collection[Follower], keys: Sequence[Key]) -> None:
        """Versions start anew under `Truth.epoch`; these are the keys that these followers start from."""


class _Group:
    """Followers of exactly the same tours: what one of them gets, all of them get. `tours` None: everything.

    Each is in one of three: in `ways` with the way to it; in `others`; or in `late`, until the next flush, since
    it has been told already of what changed before it came.
    """

    __slots__ = ("late", "others", "tours", "ways")

    def __init__(self, tours: frozenset[str] | None) -> None:
        self.tours = tours
        self.ways: dict[Way, Follower] = {}
        self.others: dict[Follower, None] = {}
        self.late: dict[Follower, int] = {}

    def __len__(self) -> int:
        return len(self.ways) + len(self.others) + len(self.late)

    def __iter__(self) -> Iterator[Follower]:
        return chain(self.ways.values(), self.others, self.late)

    def add(self, follower: Follower, way: Way | None) -> None:
        if way is None:
            self.others[follower] = None
        else:
            self.ways[way] = follower

    def remove(self, follower: Follower, way: Way | None) -> None:
        if self.late.pop(follower, None) is None:
            if way is None:
                del self.others[follower]
            else:
                del self.ways[way]


class Hub:
    """The truth and its followers. The parameters are `Truth`'s, or else `beside` is a hub whose truth this one
    shares, for followers that another outlet serves.
    """

    def __init__(
        self,
        outlet: Outlet,
        *,
        snapshots: bool = True,
        max_tombstones: int = MAX_TOMBSTONES,
        new_epoch: Callable[[], str] | None = None,
        beside: Hub | None = None,
    ) -> None:
        self._outlet = outlet
        if beside is None:
            more = {} if new_epoch is None else {"new_epoch": new_epoch}
            self.truth = Truth(
                self._tell, self._restart, snapshots=snapshots, max_tombstones=max_tombstones, **more
            )
        else:
            self.truth = beside.truth
            self.truth.listen(self._tell, self._restart)
        # Each changed key with a number that grows, in the order of the numbers.
        self._dirty: dict[Key, int] = {}
        self._changes = 0
        self._restarted = False
        self._groups: dict[frozenset[str] | None, _Group] = {}
        self._by_tour: dict[str, dict[_Group, None]] = {}
        self._place: dict[Follower, tuple[_Group, Way | None]] = {}
        self._late: dict[_Group, None] = {}

    def _tell(self, key: Key) -> None:
        if not self._place:
            return
        if not self._dirty and not self._restarted:
            self._outlet.wake()
        self._changes += 1
        self._dirty.pop(key, None)
        self._dirty[key] = self._changes

    def _restart(self) -> None:
        if not self._place:
            return
        if not self._dirty and not self._restarted:
            self._outlet.wake()
        self._restarted = True

    def flush(self) -> None:
        """Tell the followers what changed since the last time."""
        dirty, self._dirty = self._dirty, {}
        late, self._late = self._late, {}
        if self._restarted:
            self._restarted = False
            for group in self._groups.values():
                self._outlet.restarted(list(group), self.truth.keys(group.tours))
            dirty = {}
        touched = {group: self._of(group, dirty) for group in late}
        for key in dirty:
            for group in self._by_tour.get(key[0], ()):
                if group not in late:
                    touched.setdefault(group, []).append(key)
        if dirty and None in self._groups:
            touched[self._groups[None]] = list(dirty)
        for group, keys in touched.items():
            self._spread(group, keys, dirty)

    def _of(self, group: _Group, keys: Iterable[Key]) -> list[Key]:
        return [key for key in keys if group.tours is None or key[0] in group.tours]

    def _spread(self, group: _Group, keys: Sequence[Key], dirty: dict[Key, int]) -> None:
        latecomers, group.late = group.late, {}
        if keys:
            # Those without a way first: a way that turns out to be full makes another of them.
            if group.others:
                self._outlet.updated(group.others, keys)
            if group.ways:
                self._outlet.spread(group.ways, keys)
        for follower, since in latecomers.items():
            group.add(follower, self._place[follower][1])
            unheard = [key for key in keys if dirty[key] > since]
            if unheard:
                self._outlet.updated((follower,), unheard)

    def settle(self, follower: Follower) -> None:
        """Tell one follower, alone, what changed since the last flush; the others hear of it with the next."""
        if self._restarted:
            self.flush()
        if not self._dirty or follower not in self._place:
            return
        group, way = self._place[follower]
        since = group.late.get(follower, 0)
        group.remove(follower, way)
        self._be_late(group, follower)
        unheard = [key for key in self._of(group, self._dirty) if self._dirty[key] > since]
        if unheard:
            self._outlet.updated((follower,), unheard)

    def _be_late(self, group: _Group, follower: Follower) -> None:
        group.late[follower] = self._changes
        self._late[group] = None

    def __len__(self) -> int:
        """Return how many follow."""
        return len(self._place)

    @property
    def following_everything(self) -> int:
        """How many follow everything."""
        return len(self._groups[None]) if None in self._groups else 0

    @property
    def followed_tours(self) -> int:
        """How many tours somebody follows by name."""
        return len(self._by_tour)

    def followers(self, tour_id: str) -> list[Follower]:
        """Return who follows a tour, by name or with everything."""
        groups = [*self._by_tour.get(tour_id, ()), *([self._groups[None]] if None in self._groups else ())]
        return [follower for group in groups for follower in group]

    def follow(self, follower: Follower, tours: frozenset[str] | None) -> None:
        """Make a follower follow these tours and no others (None: everything), from `Truth.keys` of this instant on.

        Of what changed before, it is told first what it followed already, and not told again what it starts from.
        """
        self.settle(follower)
        way = self._leave(follower)
        group = self._groups.get(tours)
        if group is None:
            group = self._groups[tours] = _Group(tours)
            for tour_id in tours or ():
                self._by_tour.setdefault(tour_id, {})[group] = None
        self._place[follower] = (group, way)
        if self._dirty:
            self._be_late(group, follower)
        else:
            group.add(follower, way)

    def route(self, follower: Follower, way: Way | None) -> None:
        """Reach a follower by this way from now on, also when it follows something else; None: by `Outlet.updated`.

        Harmless for one that follows nothing.
        """
        if follower not in self._place:
            return
        group, before = self._place[follower]
        self._place[follower] = (group, way)
        if follower not in group.late:
            group.remove(follower, before)
            group.add(follower, way)

    def unfollow(self, follower: Follower) -> None:
        """Forget a follower; nothing of it stays. Harmless for one that follows nothing."""
        self._leave(follower)

    def _leave(self, follower: Follower) -> Way | None:
        """Take a follower out of its group, and return the way to it."""
        if follower not in self._place:
            return None
        group, way = self._place.pop(follower)
        group.remove(follower, way)
        if not group:
            self._late.pop(group, None)
            del self._groups[group.tours]
            for tour_id in group.tours or ():
                groups = self._by_tour[tour_id]
                del groups[group]
                if not groups:
                    del self._by_tour[tour_id]
        return way
