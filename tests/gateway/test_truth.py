"""Joining facts: versions, closes, snapshots, epochs, and tour services that have no versions."""

import itertools
import json

import pytest

from seatcast import rest, wire
from seatcast.gateway.truth import Truth

NOW = "2026-06-01T10:00:00.000Z"
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
        mark = self.truth.clock if mark is None else mark
        return self.truth.join_snapshot(rest.Snapshot(epoch, list(tours)), mark, NOW)


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
    return wire.AvailabilityUpdated(tour_id=tour, available_seats=seats, timestamp=NOW, **more)


def closed(tour="t", version=None, departure=None, epoch="e1"):
    more = {} if version is None else {"version": version, "epoch": epoch}
    if departure is not None:
        more["departure_id"] = departure
    return wire.TourClosedEvent(event_id=f"evt_{next(numbers)}", tour_id=tour, timestamp=NOW, **more)


def row(id="t", version=None, seats=5, departures=None, **more):
    if version is not None:
        more["version"] = version
    if departures is not None:
        more["departures"] = [
            rest.TourDeparture(id=d, starts_at=NOW, available_seats=s, capacity=20, held=0, version=v)
            for d, v, s in departures
        ]
    return rest.Tour(id=id, name=id.upper(), available_seats=seats, **more)


# Versions


def test_only_a_higher_version_changes_anything():
    told = Told()
    assert told.publish(update(version=2, seats=4)) == "applied"
    assert told.publish(update(version=1, seats=9)) == "ignored"
    assert told.publish(update(version=2, seats=9)) == "ignored"
    assert told.seats("t") == (2, 4)
    assert told.take() == [("t", None)] * 2  # the change, and that it is sold


def test_the_two_parts_of_an_event_are_joined_each_by_its_own_version():
    """A departure's older event arrives late: its numbers are news, the tour's are not."""
    told = Told()
    told.publish(update(version=7, seats=30, departure=("d2", 3, 20)))
    told.publish(update(version=6, seats=35, departure=("d1", 2, 10)))
    assert told.seats("t") == (7, 30)
    assert told.seats("t", "d1") == (7, 10)
    assert told.take()[-1] == ("t", "d1")


def test_a_change_of_the_tour_alone_is_told_without_a_departure():
    told = Told()
    told.publish(update(version=1, departure=("d1", 1, 10)))
    told.take()
    told.publish(update(version=2, tour_name="New"))
    assert told.take() == [("t", None)]
    assert "departure" not in told.frame("t")


def test_the_two_frames_of_a_key_differ_in_name_only_and_are_encoded_once():
    told = Told()
    told.publish(update(version=1))
    initial, changed = told.truth.initial(("t", None)), told.truth.update(("t", None))
    assert initial is told.truth.initial(("t", None))
    assert json.loads(initial.payload) == json.loads(changed.payload) | {"type": "INITIAL_STATE"}


def test_the_catalogue_has_a_key_per_open_departure_or_the_tours_own():
    told = Told()
    told.read(row("a", 1), row("b", 1, departures=[("d1", 1, 1), ("d2", 1, 1)]), row("c", 1, departures=[]))
    assert list(told.truth.catalogue()) == [("a", None), ("b", "d1"), ("b", "d2"), ("c", None)]
    told.publish(closed("b", 2, departure="d1"))
    told.publish(closed("a", 2))
    assert list(told.truth.catalogue()) == [("b", "d2"), ("c", None)]


# Closing


def test_closed_wins_at_an_equal_version_and_a_higher_one_reopens():
    told = Told()
    told.publish(update(version=3))
    assert told.publish(closed(version=3)) == "applied"
    assert told.frame("t") == {"type": "TOUR_CLOSED", "tourId": "t", "version": 3, "timestamp": NOW}
    assert told.publish(update(version=3)) == "ignored"
    assert told.publish(update(version=4, seats=2)) == "applied"
    assert told.seats("t") == (4, 2)


def test_a_closing_that_arrives_before_what_it_closes_still_wins():
    told = Told()
    told.publish(closed(version=5))
    assert told.publish(update(version=4)) == "ignored"
    assert told.frame("t")["type"] == "TOUR_CLOSED"


def test_a_departure_closes_alone_and_brings_the_tours_numbers():
    """A frame of the departure that was due in this turn would have brought them; its closing does not."""
    told = Told()
    told.publish(update(version=1, seats=9, departure=("d1", 1, 9)))
    told.take()
    told.publish(update(version=2, seats=8, departure=("d1", 2, 8)))
    told.publish(closed(version=3, departure="d1"))
    assert set(told.take()) == {("t", "d1"), ("t", None)}
    assert told.frame("t", "d1")["departureId"] == "d1"
    assert told.seats("t") == (2, 8)


def test_nothing_is_told_of_departures_of_a_closed_tour_until_it_reopens():
    told = Told()
    told.publish(update(version=1, departure=("d1", 1, 9)))
    told.publish(update(version=2, departure=("d2", 1, 9)))
    told.publish(closed(version=3))
    told.publish(closed(version=2, departure="d1"))
    assert told.frame("t", "d1") is None
    told.take()
    told.publish(update(version=4))
    assert set(told.take()) == {("t", None), ("t", "d1"), ("t", "d2")}
    assert told.frame("t", "d1")["type"] == "TOUR_CLOSED"


def test_tombstones_are_bounded():
    told = Told(max_tombstones=3)
    for n in range(10):
        told.publish(update(f"t{n}", 1, departure=("d", 1, 1)))
        told.publish(closed(f"t{n}", 2, departure="d"))
        told.publish(closed(f"t{n}", 2))
        told.publish(closed(f"never{n}", 2, departure="d"))
    assert len(told.truth._tours) <= 6
    assert len(told.truth._closed_tours) == 3
    assert len(told.truth._closed_departures) <= 3
    assert sum(len(tour.departures) for tour in told.truth._tours.values()) <= 3


# Snapshots


def test_a_snapshot_read_early_and_joined_late_takes_nothing_back():
    told = Told()
    told.read(row(version=1, seats=5))
    mark = told.truth.clock
    told.publish(update(version=2, seats=4))
    told.read(row(version=1, seats=5), mark=mark)
    assert told.seats("t") == (2, 4)


def test_what_a_complete_snapshot_lacks_is_closed():
    told = Told()
    told.read(row("a", 1), row("b", 4, departures=[("d1", 2, 1), ("d2", 3, 1)]))
    told.take()
    told.read(row("b", 5, departures=[("d2", 3, 1)]))
    assert told.frame("a") == {"type": "TOUR_CLOSED", "tourId": "a", "version": 1, "timestamp": NOW}
    assert told.frame("b", "d1")["version"] == 2
    assert set(told.take()) == {("a", None), ("b", "d1"), ("b", None)}
    assert told.truth.epoch == "e1"


def test_what_changed_while_a_snapshot_was_read_is_not_closed_by_it():
    told = Told()
    told.read(row("a", 1, departures=[("d1", 1, 1)]))
    mark = told.truth.clock
    told.publish(update("new", 1))
    told.publish(update("a", 2, departure=("d2", 1, 1)))
    told.read(row("a", 1, departures=[("d1", 1, 1)]), mark=mark)
    assert told.frame("new")["type"] == "AVAILABILITY_UPDATE"
    assert told.frame("a", "d2")["type"] == "AVAILABILITY_UPDATE"


def test_what_was_closed_for_its_absence_alone_comes_back_with_a_later_snapshot():
    """Under an epoch of our own: the version has to grow although the database's did not."""
    told = Told()
    told.read(row(version=3, seats=5))
    told.read()
    assert told.publish(update(version=3, seats=5)) == "ignored"
    told.read(row(version=3, seats=5))
    assert told.seats("t") == (4, 5)
    assert told.truth.epoch.startswith("own")


def test_an_equal_snapshot_tells_nothing():
    told = Told()
    rows = [row("a", 1), row("b", 1, departures=[("d1", 1, 1)])]
    told.read(*rows)
    told.take()
    told.read(*rows)
    assert told.take() == []


# Epochs


def test_the_first_epoch_is_taken_from_whoever_tells_it():
    told = Told()
    assert told.truth.epoch == "own1"
    told.publish(update(version=1))
    assert (told.truth.epoch, told.restarts) == ("e1", 1)


def test_a_snapshot_of_another_epoch_forgets_everything():
    told = Told()
    told.read(row("a", 50), row("b", 50))
    told.read(row("a", 2, seats=1), epoch="e2")
    assert (told.truth.epoch, told.restarts) == ("e2", 2)
    assert told.seats("a") == (2, 1)
    assert "b" not in told.truth


def test_an_event_of_an_unknown_epoch_is_a_doubt_and_one_of_a_former_epoch_is_nothing():
    told = Told()
    told.read(row(version=1))
    assert told.truth.doubts("e2")
    assert told.publish(update(version=9, epoch="e2")) == "doubt"
    told.read(row(version=1), epoch="e2")
    assert told.publish(update(version=9, epoch="e1")) == "ignored"
    assert not told.truth.doubts("e1")
    assert (told.truth.epoch, told.seats("t")) == ("e2", (1, 5))


def test_a_snapshot_read_before_the_epoch_changed_is_read_again():
    told = Told()
    told.read(row(version=9))
    mark = told.truth.clock
    told.read(row(version=1), epoch="e2")
    assert not told.read(row(version=9), epoch="e1", mark=mark)
    assert told.truth.epoch == "e2"


def test_a_snapshot_may_go_back_to_a_former_epoch():
    """Failing over and back: the snapshot is the truth."""
    told = Told()
    told.read(row(version=9))
    told.read(row(version=1), epoch="e2")
    assert told.read(row(version=10), epoch="e1")
    assert told.publish(update(version=11, epoch="e1")) == "applied"


def test_without_a_source_of_snapshots_a_new_epoch_is_believed_once():
    told = Told(snapshots=False)
    told.publish(update(version=9, epoch="e1"))
    assert told.publish(update(version=1, epoch="e2")) == "applied"
    assert told.publish(update(version=10, epoch="e1")) == "ignored"
    assert (told.truth.epoch, told.seats("t")) == ("e2", (1, 5))


# Without versions


def test_versionless_events_are_ordered_by_arrival_under_versions_and_an_epoch_of_our_own():
    told = Told(snapshots=False)
    told.publish(update(seats=8))
    told.publish(update(seats=6))
    assert told.seats("t") == (2, 6)
    assert (told.truth.epoch, told.restarts) == ("own1", 0)


def test_the_same_event_id_twice_has_one_effect():
    told = Told(snapshots=False)
    told.publish(update(seats=8, event_id="x"))
    told.publish(update(seats=6, event_id="y"))
    assert told.publish(update(seats=8, event_id="x")) == "ignored"
    assert told.seats("t") == (2, 6)
    # Ids made of the clock collide between tours: those are two events.
    assert told.publish(update("other", seats=1, event_id="x")) == "applied"


def test_a_versionless_snapshot_joins_and_an_equal_one_changes_nothing():
    told = Told()
    told.read(row(seats=15), epoch=None)
    told.publish(update(seats=8))
    assert told.frame("t")["tourName"] == "T"
    assert told.seats("t") == (2, 8)
    told.take()
    told.read(row(seats=8), epoch=None)
    assert told.take() == []
    told.read(row(seats=7), epoch=None)
    assert told.seats("t") == (3, 7)
    told.read(epoch=None)
    assert told.frame("t")["type"] == "TOUR_CLOSED"
    assert told.frame("t")["version"] == 4


def test_a_versionless_snapshot_does_not_undo_what_arrived_while_it_was_read():
    told = Told()
    told.read(row(seats=15), epoch=None)
    mark = told.truth.clock
    told.publish(update(seats=8))
    told.read(row(seats=15), epoch=None, mark=mark)
    assert told.seats("t") == (2, 8)


def test_more_seats_than_a_capacity_known_from_before_leave_the_capacity_out():
    told = Told()
    told.read(row(version=1, seats=5, capacity=10))
    told.publish(update(seats=8))
    assert told.frame("t")["capacity"] == 10
    told.publish(update(seats=12))
    assert "capacity" not in told.frame("t")


@pytest.mark.parametrize("by", ["event", "snapshot"])
def test_a_versionless_event_among_versions_shows_until_the_database_speaks(by):
    told = Told()
    told.read(row(version=5, seats=10))
    told.publish(update(seats=9))
    assert told.seats("t") == (6, 9)
    assert (told.truth.epoch, told.restarts) == ("own1", 2)
    assert told.publish(update(version=5, seats=10)) == "ignored"
    if by == "event":
        told.publish(update(version=6, seats=8))
        assert told.seats("t") == (7, 8)
    else:
        told.read(row(version=5, seats=10))
        assert told.seats("t") == (7, 10)
    told.publish(update(version=9, seats=3))
    assert told.seats("t")[1] == 3
    assert told.restarts == 2


def test_a_versionless_close_holds_until_the_database_speaks():
    told = Told()
    told.read(row(version=5, seats=10))
    told.publish(closed())
    assert told.frame("t")["type"] == "TOUR_CLOSED"
    told.read(row(version=5, seats=10))
    assert told.seats("t") == (6, 10)


def test_versions_of_our_own_give_way_when_the_database_begins_to_tell_its_own():
    told = Told()
    for seats in (9, 8, 7):
        told.publish(update(seats=seats))
    told.read(row(version=1, seats=6))
    assert told.seats("t") == (4, 6)
    assert told.truth.epoch == "own1"
    told.publish(update(version=2, seats=5))
    assert told.seats("t") == (5, 5)


def test_a_restart_begins_a_new_epoch_of_our_own_too():
    """Versions of our own from before a restart must never be compared with later ones."""
    told = Told()
    told.read(row(version=5))
    told.publish(update(seats=9))
    before = told.truth.epoch
    told.read(row(version=1), epoch="e2")
    told.publish(update(seats=9))
    assert told.truth.epoch.startswith("own")
    assert told.truth.epoch != before
