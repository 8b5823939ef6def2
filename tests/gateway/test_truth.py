"""Joining facts: versions, closes and snapshots."""

import json

from .model import NOW
from .told import Told, closed, row, update

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
    assert len(told.truth._ledger.tours) <= 6
    assert len(told.truth._ledger.closed_tours) == 3
    assert len(told.truth._ledger.closed_departures) <= 3
    assert sum(len(tour.departures) for tour in told.truth._ledger.tours.values()) <= 3


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
