"""Every tour that anything is known of; each change of one is counted, told and remembered here.

What decides whether something is a change is `truth.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seatcast.gateway.epochs import Epochs
from seatcast.gateway.facts import Key, Tour
from seatcast.gateway.history import History

Tell = Callable[[Key], None]
"""Hears of every key whose truth changed."""


class Ledger:
    """The tours of one truth. Of closed tours and closed departures `max_tombstones` each are kept."""

    def __init__(self, epochs: Epochs, max_tombstones: int) -> None:
        self._epochs = epochs
        self._max_tombstones = max_tombstones
        self.listeners: list[Tell] = []
        self.clock = 0
        """Grows with every change."""
        self.tours: dict[str, Tour] = {}
        self.closed_tours: dict[str, None] = {}
        self.closed_departures: dict[tuple[str, str], None] = {}
        self._catalogue: list[Key] | None = None
        self.history = History()

    def catalogue(self) -> Sequence[Key]:
        """Return the keys of everything sold: the same list until something opens or closes."""
        if self._catalogue is None:
            self._catalogue = [key for tour in self.tours.values() if tour.open for key in tour.frame_keys()]
        return self._catalogue

    def whole(self, keys: Sequence[Key]) -> bool:
        """Return whether these keys are the present catalogue, which is not made for it."""
        return keys is self._catalogue

    def tour(self, id: str) -> Tour:
        """Return a tour; one that was not known is from now on."""
        tour = self.tours.get(id)
        if tour is None:
            tour = self.tours[id] = Tour(id)
        return tour

    def changed(self, tour: Tour, departure: str | None) -> None:
        """Count one change of a part of a tour, and have it told."""
        self.clock += 1
        tour.forget_frames()
        part = tour.part if departure is None else tour.departures.get(departure)
        if (tour.part is not None and tour.part.own) or (part is not None and part.own):
            self._epochs.own_versions = True
        self._sold(tour, None)
        if departure is not None:
            self._sold(tour, departure)
        self._tell((tour.id, departure))

    def _sold(self, tour: Tour, departure: str | None) -> None:
        part = tour.part if departure is None else tour.departures.get(departure)
        sold = part is not None and part.open and tour.open
        self.history.sold((tour.id, departure), part.version if part is not None and sold else None)

    def _tell(self, key: Key) -> None:
        self.history.told(key, self.clock)
        for tell in self.listeners:
            tell(key)

    def opened(self, tour: Tour) -> None:
        """A tour is sold that was not: its departures, of which nothing was told meanwhile, are told anew."""
        self.closed_tours.pop(tour.id, None)
        self._catalogue = None
        for id in tour.departures:
            self._sold(tour, id)
            self._tell((tour.id, id))
        if not tour.open_departures():
            self._tell((tour.id, None))

    def opened_departure(self, tour: Tour, id: str) -> None:
        """A departure is sold that was not."""
        self.closed_departures.pop((tour.id, id), None)
        self._catalogue = None

    def closed(self, tour: Tour) -> None:
        """A tour is sold no more. That is remembered, and forgotten of the tour that was closed first."""
        self.changed(tour, None)
        self._catalogue = None
        for id in tour.departures:
            self._sold(tour, id)
        self.closed_tours[tour.id] = None
        if len(self.closed_tours) > self._max_tombstones:
            oldest = next(iter(self.closed_tours))
            del self.closed_tours[oldest]
            self.history.forget((oldest, None))
            for id in self.tours.pop(oldest).departures:
                self.closed_departures.pop((oldest, id), None)
                self.history.forget((oldest, id))

    def closed_departure(self, tour: Tour, id: str) -> None:
        """A departure is sold no more: as `closed`."""
        self.changed(tour, id)
        self._catalogue = None
        self.closed_departures[tour.id, id] = None
        if len(self.closed_departures) > self._max_tombstones:
            self._forget_departure(*next(iter(self.closed_departures)))
        if tour.open:
            # A frame of this departure that was due, or waits for a client that is behind, would have brought
            # the tour's numbers as well; its closing does not.
            self._tell((tour.id, None))

    def _forget_departure(self, tour_id: str, id: str) -> None:
        del self.closed_departures[tour_id, id]
        tour = self.tours[tour_id]
        tour.departures.pop(id, None)
        self.history.forget((tour_id, id))
        if tour.part is None and not tour.departures:
            del self.tours[tour_id]
            self.history.forget((tour_id, None))

    def forget_everything(self) -> None:
        """Nothing of what was known is so any more."""
        self.tours.clear()
        self.closed_tours.clear()
        self.closed_departures.clear()
        self._catalogue = None
        self.clock += 1
        self.history = History(self.clock)
