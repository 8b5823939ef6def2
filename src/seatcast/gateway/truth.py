"""What is true now: every tour and departure that was ever heard of, joined, under the epoch it belongs to.

Synchronous, without loop, sockets, SQL or AMQP. A key is `(tour id, departure id or None)`. What is rendered
under a key is always the newest truth, so top-level numbers never go back in time even when events arrive
reordered.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Final, Literal

from msgspec import UNSET

from seatcast import rest, wire
from seatcast.gateway.facts import Key, Seats, Tour
from seatcast.gateway.history import History
from seatcast.gateway.messages import Encoded

Outcome = Literal["applied", "ignored", "doubt"]
"""What became of an event. `doubt`: it cannot be placed without reading a snapshot."""

MAX_TOMBSTONES: Final = 10_000
"""Closed tours and closed departures that are remembered, each; past it the ones closed first are forgotten."""

MAX_RECENT_IDS: Final = 10_000
"""Ids of versionless events that are remembered, so that a repeat has no effect."""

MAX_RETIRED: Final = 64
"""Former epochs that are remembered, so that their late events are recognised."""


class Truth:
    """The joined facts.

    `tell` hears of every key whose truth changed, `restart` of every change of `epoch`. `snapshots` says whether
    there is a source of snapshots: with one, only a snapshot changes the epoch.
    """

    def __init__(
        self,
        tell: Callable[[Key], None],
        restart: Callable[[], None],
        *,
        snapshots: bool = True,
        max_tombstones: int = MAX_TOMBSTONES,
        new_epoch: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self._listeners = [(tell, restart)]
        self._snapshots = snapshots
        self._max_tombstones = max_tombstones
        self._new_epoch = new_epoch
        self._clock = 0
        self._tours: dict[str, Tour] = {}
        self._closed_tours: dict[str, None] = {}
        self._closed_departures: dict[tuple[str, str], None] = {}
        self._recent: dict[tuple[str, str], None] = {}
        # The database's epoch; ours, announced while any version is our own; and which one was announced last.
        self._database: str | None = None
        self._ours = new_epoch()
        self._own_versions = False
        self._announced = self._ours
        self._retired: dict[str, None] = {}
        self._restarted_at = 0
        self._catalogue: list[Key] | None = None
        self.history = History()
        self.complete = False
        """Whether a whole catalogue was ever read: only then is a tour that is not here known not to exist."""

    def listen(self, tell: Callable[[Key], None], restart: Callable[[], None]) -> None:
        """Have somebody else hear of changes too, as `tell` and `restart` of the constructor do."""
        self._listeners.append((tell, restart))

    @property
    def epoch(self) -> str:
        """The epoch in which the versions told to clients are to be read."""
        return self._ours if self._own_versions or self._database is None else self._database

    @property
    def awaited(self) -> bool:
        """Whether the first snapshot is still to come: until then an empty catalogue means nothing."""
        return self._snapshots and not self.complete

    @property
    def clock(self) -> int:
        """Grows with every change. Taken before a snapshot is read, it tells what changed meanwhile."""
        return self._clock

    def __contains__(self, tour_id: str) -> bool:
        return tour_id in self._tours

    def update(self, key: Key) -> Encoded | None:
        """Return the newest frame of a key, as a change of it."""
        tour = self._tours.get(key[0])
        return None if tour is None else tour.frame(key[1], initial=False)

    def initial(self, key: Key) -> Encoded | None:
        """Return the newest frame of a key, as the state to start from."""
        tour = self._tours.get(key[0])
        return None if tour is None else tour.frame(key[1], initial=True)

    def catalogue(self) -> Sequence[Key]:
        """Return the keys of everything sold: one per open departure, or the tour's own."""
        if self._catalogue is None:
            self._catalogue = [key for tour in self._tours.values() if tour.open for key in tour.frame_keys()]
        return self._catalogue

    def keys(self, tours: frozenset[str] | None) -> Sequence[Key]:
        """Return the keys that a follower of these tours starts from; a closed tour's says that it is closed."""
        if tours is None:
            return self.catalogue()
        known = (self._tours.get(id) for id in sorted(tours))
        return [key for tour in known if tour is not None for key in tour.frame_keys()]

    # Facts

    def doubts(self, epoch: str) -> bool:
        """Return whether an epoch is another than the one known, and not a former one."""
        return self._database not in (None, epoch) and epoch not in self._retired

    def publish(self, event: wire.AvailabilityUpdated | wire.TourClosedEvent) -> Outcome:
        """Join an event."""
        if event.epoch is not UNSET and event.epoch != self._database:
            if event.epoch in self._retired:
                return "ignored"
            if self._database is not None:
                if self._snapshots:
                    return "doubt"
                self._restart(event.epoch)
            self._database = event.epoch
        version = None if event.version is UNSET else event.version
        if version is None and self._repeated(event.event_id, event.tour_id):
            return "ignored"
        if isinstance(event, wire.TourClosedEvent):
            changed = self._close(event, version)
        else:
            changed = self._update(event, version)
        self._rest()
        return "applied" if changed else "ignored"

    def _repeated(self, event_id: str, tour_id: str) -> bool:
        # With the tour: publishers that make ids of the clock give two tours the same one.
        if (event_id, tour_id) in self._recent:
            return True
        self._recent[event_id, tour_id] = None
        if len(self._recent) > MAX_RECENT_IDS:
            del self._recent[next(iter(self._recent))]
        return False

    def _update(self, event: wire.AvailabilityUpdated, version: int | None) -> bool:
        tour = self._tour(event.tour_id)
        seats = Seats(event.available_seats, event.tour_name, event.capacity, event.held)
        was_open = tour.open
        changed = tour.hear(version, seats, event.timestamp, changed=self._clock + 1)
        departure = event.departure
        if departure is UNSET or not self._hear_departure(tour, departure, event.timestamp):
            if not changed:
                return False
            self._changed(tour, None)
        if tour.open and not was_open:
            self._opened(tour)
        return True

    def _hear_departure(
        self,
        tour: Tour,
        departure: wire.Departure | rest.TourDeparture,
        timestamp: str,
        mark: int | None = None,
    ) -> bool:
        known = tour.departures.get(departure.id)
        was_open = known is not None and known.open
        if not tour.hear_departure(departure, timestamp, changed=self._clock + 1, mark=mark):
            return False
        if not was_open:
            self._closed_departures.pop((tour.id, departure.id), None)
            self._catalogue = None
        self._changed(tour, departure.id)
        return True

    def _close(self, event: wire.TourClosedEvent, version: int | None) -> bool:
        tour = self._tour(event.tour_id)
        if event.departure_id is UNSET:
            if not tour.close(version, event.timestamp, changed=self._clock + 1):
                return False
            self._changed(tour, None)
            self._bury(tour, None)
        else:
            id = event.departure_id
            if not tour.close_departure(id, version, event.timestamp, changed=self._clock + 1):
                return False
            self._close_departure(tour, id)
        return True

    # Snapshots

    def join_snapshot(self, snapshot: rest.Snapshot, mark: int, now: str) -> bool:
        """Join a snapshot whose reading began when `clock` stood at `mark`. `now` dates what has no date.

        Returns False for one that was read before the epoch changed and says another epoch: read again.
        """
        if snapshot.epoch is not None and snapshot.epoch != self._database:
            if mark < self._restarted_at:
                return False
            if self._database is not None:
                self._restart(snapshot.epoch)
            self._database = snapshot.epoch
            self._retired.pop(snapshot.epoch, None)
        listed = set()
        for row in snapshot.tours:
            if row.closed is True:
                continue
            listed.add(row.id)
            self._read(self._tour(row.id), row, mark, now)
        for tour in list(self._tours.values()):
            part = tour.part
            if tour.id not in listed and part is not None and not part.closed and part.changed <= mark:
                part.vanish(now, changed=self._clock + 1)
                self._changed(tour, None)
                self._bury(tour, None)
        self.complete = True
        self._rest()
        return True

    def _read(self, tour: Tour, row: rest.Tour, mark: int, now: str) -> None:
        version = None if row.version is UNSET else row.version
        timestamp = now if row.timestamp is UNSET else row.timestamp
        seats = Seats(row.available_seats, row.name, row.capacity, row.held)
        was_open = tour.open
        changed = tour.read(version, seats, timestamp, changed=self._clock + 1, mark=mark)
        departures = [] if row.departures is UNSET else row.departures
        told = False
        for departure in departures:
            dated = timestamp if departure.timestamp is UNSET else departure.timestamp
            told = self._hear_departure(tour, departure, dated, mark) or told
        listed = {departure.id for departure in departures}
        for id, known in list(tour.departures.items()):
            if id not in listed and not known.closed and known.changed <= mark:
                known.vanish(now, changed=self._clock + 1)
                self._close_departure(tour, id)
        if changed and not told:
            self._changed(tour, None)
        if tour.open and not was_open:
            self._opened(tour)

    # Changes

    def _tour(self, tour_id: str) -> Tour:
        tour = self._tours.get(tour_id)
        if tour is None:
            tour = self._tours[tour_id] = Tour(tour_id)
        return tour

    def _changed(self, tour: Tour, departure: str | None) -> None:
        """Count one change of a part of a tour, and have it told."""
        self._clock += 1
        tour.forget_frames()
        part = tour.part if departure is None else tour.departures.get(departure)
        if (tour.part is not None and tour.part.own) or (part is not None and part.own):
            self._own_versions = True
        self._sold(tour, None)
        if departure is not None:
            self._sold(tour, departure)
        self._tell((tour.id, departure))

    def _sold(self, tour: Tour, departure: str | None) -> None:
        part = tour.part if departure is None else tour.departures.get(departure)
        sold = part is not None and part.open and tour.open
        self.history.sold((tour.id, departure), part.version if part is not None and sold else None)

    def _tell(self, key: Key) -> None:
        self.history.told(key, self._clock)
        for tell, _ in self._listeners:
            tell(key)

    def _close_departure(self, tour: Tour, id: str) -> None:
        self._changed(tour, id)
        self._bury(tour, id)
        if tour.open:
            # A frame of this departure that was due, or waits for a client that is behind, would have brought
            # the tour's numbers as well; its closing does not.
            self._tell((tour.id, None))

    def _opened(self, tour: Tour) -> None:
        """A tour is sold that was not: its departures, of which nothing was told meanwhile, are told anew."""
        self._closed_tours.pop(tour.id, None)
        self._catalogue = None
        for id in tour.departures:
            self._sold(tour, id)
            self._tell((tour.id, id))
        if not tour.open_departures():
            self._tell((tour.id, None))

    def _bury(self, tour: Tour, departure: str | None) -> None:
        """Remember that something is closed, and forget what was closed first."""
        self._catalogue = None
        if departure is not None:
            self._closed_departures[tour.id, departure] = None
            if len(self._closed_departures) > self._max_tombstones:
                first = next(iter(self._closed_departures))
                del self._closed_departures[first]
                tour = self._tours[first[0]]
                tour.departures.pop(first[1], None)
                self.history.forget(first)
                if tour.part is None and not tour.departures:
                    del self._tours[tour.id]
                    self.history.forget((tour.id, None))
            return
        for id in tour.departures:
            self._sold(tour, id)
        self._closed_tours[tour.id] = None
        if len(self._closed_tours) > self._max_tombstones:
            oldest = next(iter(self._closed_tours))
            del self._closed_tours[oldest]
            self.history.forget((oldest, None))
            for id in self._tours.pop(oldest).departures:
                self._closed_departures.pop((oldest, id), None)
                self.history.forget((oldest, id))

    def _restart(self, epoch: str) -> None:
        """Forget everything: another database speaks."""
        if self._database is not None:
            self._retired[self._database] = None
            if len(self._retired) > MAX_RETIRED:
                del self._retired[next(iter(self._retired))]
        self._database = epoch
        self._tours.clear()
        self._closed_tours.clear()
        self._closed_departures.clear()
        self._catalogue = None
        self._own_versions = False
        # Anew as well: versions of our own from before must not be compared with later ones.
        self._ours = self._new_epoch()
        self._clock += 1
        self._restarted_at = self._clock
        self.history = History(self._clock)

    def _rest(self) -> None:
        """A whole event or snapshot is joined."""
        self.history.rest(self._clock)
        if self.epoch != self._announced:
            self._announced = self.epoch
            for _, restart in self._listeners:
                restart()
