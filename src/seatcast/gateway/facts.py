"""Joining facts: what a tour or a departure is, given everything that was ever said about it.

Joining is taking the higher version, and closed over open at an equal one: idempotent, commutative and
associative, so duplicates, reordering and late snapshots are harmless. What has no version (a tour service
that is not ours) is ordered by arrival; then the version that clients are told is the gateway's own.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from msgspec import UNSET, UnsetType

from seatcast import rest, wire
from seatcast.gateway.messages import Encoded

Key = tuple[str, str | None]
"""What a frame is about: a tour's id and, for a dated one, a departure's."""


class Seats(NamedTuple):
    """A tour's numbers. Absent is what its publisher has never told."""

    available: int
    name: str | UnsetType = UNSET
    capacity: int | UnsetType = UNSET
    held: int | UnsetType = UNSET

    def over(self, known: Seats | None) -> Seats:
        """Return these numbers, completed by what was known of the parts they do not tell."""
        if known is None or UNSET not in self:
            return self
        capacity = known.capacity if self.capacity is UNSET else self.capacity
        if capacity is not UNSET and self.available > capacity:
            # The publisher that tells seats alone knows better than an older capacity does.
            capacity = UNSET
        return Seats(
            self.available,
            known.name if self.name is UNSET else self.name,
            capacity,
            known.held if self.held is UNSET else self.held,
        )


class DepartureSeats(NamedTuple):
    """A departure's numbers."""

    starts_at: str
    available: int
    capacity: int
    held: int


C = TypeVar("C", Seats, DepartureSeats)


class Part(Generic[C]):
    """One joined fact.

    `base` is the database's version, None while none was heard; `version` is what clients are told: the same,
    plus one for every time that something without a version was shown instead. `assumed` says that what is
    shown is not the database's word, so that a snapshot with an equal version may correct it. `changed` is
    the hub's clock at the last change.
    """

    __slots__ = ("assumed", "base", "changed", "closed", "content", "timestamp", "version")

    def __init__(
        self, version: int | None, content: C | None, timestamp: str, *, closed: bool, changed: int
    ) -> None:
        self.base = version
        self.version = 1 if version is None else version
        self.content: C | None = content
        self.timestamp = timestamp
        self.closed = closed
        self.assumed = False
        self.changed = changed

    @property
    def own(self) -> bool:
        """Whether the version told to clients is not the database's."""
        return self.version != self.base

    @property
    def open(self) -> bool:
        """Whether seats are sold under this fact."""
        return not self.closed and self.content is not None

    def hear(
        self, version: int | None, content: C | None, timestamp: str, *, closed: bool, changed: int
    ) -> bool:
        """Join what an event says, and return whether anything changed. `content` is None where it closes."""
        if version is None:
            if closed and self.base is not None:
                return self._close(timestamp, changed)
            self.version += 1
            self.assumed = True
        elif self.base is None:
            self.version = max(version, self.version + 1)
            self.base = version
            self.assumed = False
        elif version > self.base:
            self.version += version - self.base
            self.base = version
            self.assumed = False
        elif version == self.base and closed and not self.closed:
            self.closed, self.timestamp, self.changed, self.assumed = True, timestamp, changed, False
            return True
        else:
            return False
        self._show(content, timestamp, closed, changed)
        return True

    def read(self, version: int | None, content: C, timestamp: str, *, changed: int, mark: int) -> bool:
        """Join what a snapshot says that was begun when the hub's clock stood at `mark`."""
        meanwhile = self.changed > mark
        same = not self.closed and content == self.content
        if version is None:
            if meanwhile or same:
                return False
            return self.hear(None, content, timestamp, closed=False, changed=changed)
        if version == self.base and self.assumed and not meanwhile:
            self.assumed = False
            if same:
                return False
            self.version += 1
            self._show(content, timestamp, False, changed)
            return True
        return self.hear(version, content, timestamp, closed=False, changed=changed)

    def vanish(self, timestamp: str, *, changed: int) -> None:
        """Close it because a complete snapshot does not have it."""
        if self.base is None:
            self.version += 1
        self._close(timestamp, changed)

    def _close(self, timestamp: str, changed: int) -> bool:
        # Closed wins at an equal version, so that the version stays the database's.
        if self.closed:
            return False
        self.closed, self.timestamp, self.changed, self.assumed = True, timestamp, changed, True
        return True

    def _show(self, content: C | None, timestamp: str, closed: bool, changed: int) -> None:
        if content is not None:
            self.content = content
        self.timestamp, self.closed, self.changed = timestamp, closed, changed


class Tour:
    """Everything known of one tour, and its frames, each encoded once for everybody.

    `part` is None while only departures of it were heard of.
    """

    __slots__ = ("_frames", "departures", "id", "part")

    def __init__(self, id: str) -> None:
        self.id = id
        self.part: Part[Seats] | None = None
        self.departures: dict[str, Part[DepartureSeats]] = {}
        self._frames: dict[tuple[str | None, bool], Encoded | None] = {}

    @property
    def open(self) -> bool:
        return self.part is not None and self.part.open

    def open_departures(self) -> list[str]:
        """Return the ids of the departures that are sold."""
        return [id for id, part in self.departures.items() if part.open]

    def frame_keys(self) -> list[Key]:
        """Return the keys that tell all of it: its open departures', or its own."""
        departures = self.open_departures() if self.open else []
        return [(self.id, id) for id in departures] or [(self.id, None)]

    def hear(self, version: int | None, seats: Seats, timestamp: str, *, changed: int) -> bool:
        """Join what an event says of the tour itself."""
        if self.part is None:
            self.part = Part(version, seats, timestamp, closed=False, changed=changed)
            return True
        seats = seats.over(self.part.content)
        return self.part.hear(version, seats, timestamp, closed=False, changed=changed)

    def read(self, version: int | None, seats: Seats, timestamp: str, *, changed: int, mark: int) -> bool:
        """Join what a snapshot says of the tour itself."""
        if self.part is None:
            return self.hear(version, seats, timestamp, changed=changed)
        seats = seats.over(self.part.content)
        return self.part.read(version, seats, timestamp, changed=changed, mark=mark)

    def hear_departure(
        self,
        departure: wire.Departure | rest.TourDeparture,
        timestamp: str,
        *,
        changed: int,
        mark: int | None = None,
    ) -> bool:
        """Join a departure, of an event or (with `mark`) of a snapshot."""
        content = DepartureSeats(
            departure.starts_at, departure.available_seats, departure.capacity, departure.held
        )
        version = departure.version
        part = self.departures.get(departure.id)
        if part is None:
            self.departures[departure.id] = Part(version, content, timestamp, closed=False, changed=changed)
            return True
        if mark is not None:
            return part.read(version, content, timestamp, changed=changed, mark=mark)
        return part.hear(version, content, timestamp, closed=False, changed=changed)

    def close(self, version: int | None, timestamp: str, *, changed: int) -> bool:
        """Join that the tour is closed."""
        if self.part is None:
            self.part = Part(version, None, timestamp, closed=True, changed=changed)
            return True
        return self.part.hear(version, None, timestamp, closed=True, changed=changed)

    def close_departure(self, id: str, version: int | None, timestamp: str, *, changed: int) -> bool:
        """Join that a departure is closed."""
        part = self.departures.get(id)
        if part is None:
            self.departures[id] = Part(version, None, timestamp, closed=True, changed=changed)
            return True
        return part.hear(version, None, timestamp, closed=True, changed=changed)

    def forget_frames(self) -> None:
        """After any change: a departure's frame holds the tour's numbers too."""
        self._frames.clear()

    def frame(self, departure: str | None, *, initial: bool) -> Encoded | None:
        """Return the newest truth under a key; None where there is nothing to tell.

        Nothing is told of a departure of a closed tour: the tour's own frame says it all.
        """
        try:
            return self._frames[departure, initial]
        except KeyError:
            frame = self._render(departure, initial)
            encoded = None if frame is None else Encoded(wire.encode(frame))
            self._frames[departure, initial] = encoded
            return encoded

    def _render(
        self, departure: str | None, initial: bool
    ) -> wire.InitialState | wire.AvailabilityUpdate | wire.TourClosed | None:
        part = self.part
        if part is None:
            return None
        if departure is None:
            if part.closed:
                return wire.TourClosed(tour_id=self.id, version=part.version, timestamp=part.timestamp)
            dated: wire.Departure | UnsetType = UNSET
        else:
            own = self.departures.get(departure)
            if part.closed or own is None:
                return None
            if own.closed:
                return wire.TourClosed(
                    tour_id=self.id, version=own.version, timestamp=own.timestamp, departure_id=departure
                )
            numbers = own.content
            if numbers is None:
                return None
            dated = wire.Departure(
                id=departure,
                starts_at=numbers.starts_at,
                available_seats=numbers.available,
                capacity=numbers.capacity,
                held=numbers.held,
                version=own.version,
            )
        seats = part.content
        if seats is None:
            return None
        return (wire.InitialState if initial else wire.AvailabilityUpdate)(
            tour_id=self.id,
            available_seats=seats.available,
            timestamp=part.timestamp,
            tour_name=seats.name,
            capacity=seats.capacity,
            held=seats.held,
            version=part.version,
            departure=dated,
        )
