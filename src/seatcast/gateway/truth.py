"""What is true now: every tour and departure that was ever heard of, joined, under the epoch it belongs to.

Synchronous, without loop, sockets, SQL or AMQP. A key is `(tour id, departure id or None)`. What is rendered
under a key is always the newest truth, so top-level numbers never go back in time even when events arrive
reordered.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

from msgspec import UNSET

from seatcast import rest, wire, wire_events
from seatcast.gateway.epochs import Epochs
from seatcast.gateway.facts import Key, Seats, Tour
from seatcast.gateway.history import History
from seatcast.gateway.ledger import Ledger, Tell
from seatcast.gateway.messages import Encoded

Outcome = Literal["applied", "ignored", "doubt"]
"""What became of an event. `doubt`: it cannot be placed without reading a snapshot."""

MAX_TOMBSTONES: Final = 10_000
"""Closed tours and closed departures that are remembered, each; past it the ones closed first are forgotten."""

MAX_RECENT_IDS: Final = 10_000
"""Ids of versionless events that are remembered, so that a repeat has no effect."""

SLICE_KEYS: Final = 250
"""Tours and departures of a snapshot that are joined at once. A tour and its departures are never apart."""


class Truth:
    """The joined facts.

    `tell` hears of every key whose truth changed, `restart` of every change of `epoch`. `snapshots` says whether
    there is a source of snapshots: with one, only a snapshot changes the epoch.
    """

    def __init__(
        self,
        tell: Tell,
        restart: Callable[[], None],
        *,
        snapshots: bool = True,
        max_tombstones: int = MAX_TOMBSTONES,
        new_epoch: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self._snapshots = snapshots
        self._epochs = Epochs(new_epoch)
        self._ledger = Ledger(self._epochs, max_tombstones)
        self._restarts: list[Callable[[], None]] = []
        self._restarted_at = 0
        self._recent: dict[tuple[str, str], None] = {}
        self.complete = False
        """Whether a whole catalogue of this database was ever read: only then is a tour that is not here known not to
        exist.
        """
        self.listen(tell, restart)

    def listen(self, tell: Tell, restart: Callable[[], None]) -> None:
        """Have somebody else hear of changes too, as `tell` and `restart` of the constructor do."""
        self._ledger.listeners.append(tell)
        self._restarts.append(restart)

    @property
    def epoch(self) -> str:
        """The epoch in which the versions told to clients are to be read."""
        return self._epochs.present

    @property
    def awaited(self) -> bool:
        """Whether the first snapshot of this database is still to be joined: until then what is missing means nothing."""
        return self._snapshots and not self.complete

    @property
    def clock(self) -> int:
        """Grows with every change. Taken before a snapshot is read, it tells what changed meanwhile."""
        return self._ledger.clock

    @property
    def history(self) -> History:
        """What changed since when."""
        return self._ledger.history

    def __contains__(self, tour_id: str) -> bool:
        return tour_id in self._ledger.tours

    def frame(self, key: Key, *, initial: bool) -> Encoded | None:
        """Return the newest frame of a key, as the state to start from or as a change; None for nothing to tell."""
        tour = self._ledger.tours.get(key[0])
        return None if tour is None else tour.frame(key[1], initial=initial)

    def update(self, key: Key) -> Encoded | None:
        """Return the newest frame of a key, as a change of it."""
        return self.frame(key, initial=False)

    def initial(self, key: Key) -> Encoded | None:
        """Return the newest frame of a key, as the state to start from."""
        return self.frame(key, initial=True)

    def catalogue(self) -> Sequence[Key]:
        """Return the keys of everything sold: one per open departure, or the tour's own.

        Made anew after something opened or closed, for whoever follows everything.
        """
        return self._ledger.catalogue()

    def whole(self, keys: Sequence[Key]) -> bool:
        """Return whether these keys are the catalogue of this instant."""
        return self._ledger.whole(keys)

    @property
    def departures(self) -> int:
        """How many keys the catalogue has; it is not made for it."""
        return self._ledger.history.size

    def keys(self, tours: frozenset[str] | None) -> Sequence[Key]:
        """Return the keys that a follower of these tours starts from; a closed tour's says that it is closed."""
        if tours is None:
            return self.catalogue()
        known = (self._ledger.tours.get(id) for id in sorted(tours))
        return [key for tour in known if tour is not None for key in tour.frame_keys()]

    # Facts

    def tick(self, epoch: str) -> bool:
        """A relay lives that sends this epoch's events. Returns whether that is a doubt: only a snapshot can resolve it.

        Without snapshots it is resolved here: events tell no former epoch from a new one by themselves.
        """
        if self._snapshots:
            return self._epochs.database is not None and self._epochs.unheard_of(epoch)
        if self._epochs.insists(epoch):
            self._begin(epoch)
            self._rest()
        return False

    def publish(self, event: wire_events.AvailabilityUpdated | wire_events.TourClosedEvent) -> Outcome:
        """Join an event."""
        if event.epoch is not UNSET and event.epoch != self._epochs.database:
            if not self._epochs.unheard_of(event.epoch):
                return "ignored"
            if self._snapshots and self._epochs.database is not None:
                return "doubt"
            self._begin(event.epoch)
        version = None if event.version is UNSET else event.version
        if version is None and self._repeated(event.event_id, event.tour_id):
            return "ignored"
        if isinstance(event, wire_events.TourClosedEvent):
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

    def _update(self, event: wire_events.AvailabilityUpdated, version: int | None) -> bool:
        tour = self._ledger.tour(event.tour_id)
        seats = Seats(event.available_seats, event.tour_name, event.capacity, event.held)
        was_open = tour.open
        changed = tour.hear(version, seats, event.timestamp, changed=self.clock + 1)
        departure = event.departure
        if departure is UNSET or not self._hear_departure(tour, departure, event.timestamp):
            if not changed:
                return False
            self._ledger.changed(tour, None)
        if tour.open and not was_open:
            self._ledger.opened(tour)
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
        if not tour.hear_departure(departure, timestamp, changed=self.clock + 1, mark=mark):
            return False
        if not was_open:
            self._ledger.opened_departure(tour, departure.id)
        self._ledger.changed(tour, departure.id)
        return True

    def _close(self, event: wire_events.TourClosedEvent, version: int | None) -> bool:
        tour = self._ledger.tour(event.tour_id)
        if event.departure_id is UNSET:
            if not tour.close(version, event.timestamp, changed=self.clock + 1):
                return False
            self._ledger.closed(tour)
        else:
            id = event.departure_id
            if not tour.close_departure(id, version, event.timestamp, changed=self.clock + 1):
                return False
            self._ledger.closed_departure(tour, id)
        return True

    # Snapshots

    def join_snapshot(self, snapshot: rest.Snapshot, mark: int, now: str) -> Iterator[None] | None:
        """Join a snapshot whose reading began when `clock` stood at `mark`: a slice of it at each step of the iterator,
        which has to be followed to its end, and before another snapshot is joined. `now` dates what has no date.

        Between the slices events may be joined and followers told. Returns None for a snapshot that was read before
        the epoch changed and says another epoch: read again.
        """
        if snapshot.epoch is not None and snapshot.epoch != self._epochs.database:
            if mark < self._restarted_at:
                return None
            self._begin(snapshot.epoch)
        return self._join(snapshot.tours, mark, now)

    def _join(self, rows: Sequence[rest.Tour], mark: int, now: str) -> Iterator[None]:
        listed, keys = set(), 0
        for row in rows:
            if row.closed is True:
                continue
            listed.add(row.id)
            keys += self._read(self._ledger.tour(row.id), row, mark, now)
            if keys >= SLICE_KEYS:
                keys = 0
                self._rest()
                yield
        # Last: before every row is read, nothing is known of what is not listed.
        for tour in list(self._ledger.tours.values()):
            part = tour.part
            if tour.id not in listed and part is not None and not part.closed and part.changed <= mark:
                part.vanish(now, changed=self.clock + 1)
                self._ledger.closed(tour)
                keys += 1 + len(tour.departures)
            if keys >= SLICE_KEYS:
                keys = 0
                self._rest()
                yield
        self.complete = True
        self._rest()

    def _read(self, tour: Tour, row: rest.Tour, mark: int, now: str) -> int:
        """Join what a snapshot says of a tour; returns of how many keys that is."""
        version = None if row.version is UNSET else row.version
        timestamp = now if row.timestamp is UNSET else row.timestamp
        seats = Seats(row.available_seats, row.name, row.capacity, row.held)
        was_open = tour.open
        changed = tour.read(version, seats, timestamp, changed=self.clock + 1, mark=mark)
        departures = [] if row.departures is UNSET else row.departures
        told = False
        for departure in departures:
            dated = timestamp if departure.timestamp is UNSET else departure.timestamp
            told = self._hear_departure(tour, departure, dated, mark) or told
        listed = {departure.id for departure in departures}
        for id, known in list(tour.departures.items()):
            if id not in listed and not known.closed and known.changed <= mark:
                known.vanish(now, changed=self.clock + 1)
                self._ledger.closed_departure(tour, id)
        if changed and not told:
            self._ledger.changed(tour, None)
        if tour.open and not was_open:
            self._ledger.opened(tour)
        return 1 + len(departures)

    # Epochs

    def _begin(self, epoch: str) -> None:
        """A database speaks that did not: what another one said is forgotten."""
        if self._epochs.begin(epoch):
            self._ledger.forget_everything()
            self._restarted_at = self.clock
            self.complete = False

    def _rest(self) -> None:
        """A whole event or slice of a snapshot is joined."""
        self.history.rest(self.clock)
        if self._epochs.announce():
            for restart in self._restarts:
                restart()
