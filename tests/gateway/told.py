"""A truth whose keys are told to a list, and short words for what it may hear."""

import itertools
import json

from seatcast import rest, wire, wire_events
from seatcast.gateway.truth import Truth

from .model import NOW, join

numbers = itertools.count(1)


class Told:
    """A truth, and what it told."""

    def __init__(self, **more):
        self.keys, self.restarts = [], 0
        epochs = (f"own{n}" for n in itertools.count(1))
        self.truth = Truth(self.keys.append, self._restart, new_epoch=lambda: next(epochs), **more)

    def _restart(self):
        self.restarts += 1

    def take(self):
        keys, self.keys[:] = list(self.keys), []
        return keys

    def seats(self, tour, departure=None):
        frame = self.frame(tour, departure)
        return frame["version"], frame["departure"]["availableSeats"] if departure else frame[
            "availableSeats"
        ]

    def frame(self, tour, departure=None):
        encoded = self.truth.update((tour, departure))
        return None if encoded is None else json.loads(encoded.payload)

    def publish(self, event):
        return self.truth.publish(event)

    def read(self, *tours, epoch="e1", mark=None):
        return join(self.truth, rest.Snapshot(epoch, list(tours)), mark)


def update(tour="t", version=None, seats=5, epoch="e1", departure=None, **more):
    if departure is not None:
        id, dep_version, dep_seats = departure
        more["departure"] = wire.Departure(
            id=id, starts_at=NOW, available_seats=dep_seats, capacity=20, held=0, version=dep_version
        )
    if version is not None:
        more["version"] = version
        if epoch is not None:
            more["epoch"] = epoch
    more.setdefault("event_id", f"evt_{next(numbers)}")
    return wire_events.AvailabilityUpdated(tour_id=tour, available_seats=seats, timestamp=NOW, **more)


def closed(tour="t", version=None, departure=None, epoch="e1"):
    more = {} if version is None else {"version": version, "epoch": epoch}
    if departure is not None:
        more["departure_id"] = departure
    return wire_events.TourClosedEvent(event_id=f"evt_{next(numbers)}", tour_id=tour, timestamp=NOW, **more)


def row(id="t", version=None, seats=5, departures=None, **more):
    if version is not None:
        more["version"] = version
    if departures is not None:
        more["departures"] = [
            rest.TourDeparture(id=d, starts_at=NOW, available_seats=s, capacity=20, held=0, version=v)
            for d, v, s in departures
        ]
    return rest.Tour(id=id, name=id.upper(), available_seats=seats, **more)
