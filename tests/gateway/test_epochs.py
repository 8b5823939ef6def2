"""Joining facts: whose versions they are, the database's, a former one's, or our own where there are none."""

import pytest

from .told import Told, closed, row, update

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
    assert told.truth.tick("e2")
    assert told.publish(update(version=9, epoch="e2")) == "doubt"
    told.read(row(version=1), epoch="e2")
    assert told.publish(update(version=9, epoch="e1")) == "ignored"
    assert not told.truth.tick("e1")
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


def test_without_a_source_of_snapshots_the_relays_tell_which_epoch_is_the_present_one():
    """It began to listen after the database was replaced, and then came a late event of the former one."""
    told = Told(snapshots=False)
    told.publish(update(version=1, epoch="e2"))
    told.publish(update(version=9, epoch="e1"))
    assert (told.truth.epoch, told.publish(update(version=2, epoch="e2"))) == ("e1", "ignored")
    # One tick may be late as well, and where relays of both still run nobody is believed.
    for epoch in ("e2", "e2", "e1", "e2", "e2"):
        assert not told.truth.tick(epoch)
        assert told.truth.epoch == "e1"
    told.truth.tick("e2")
    assert told.truth.epoch == "e2"
    assert told.publish(update(version=2, seats=4, epoch="e2")) == "applied"
    assert told.seats("t") == (2, 4)
    assert told.restarts == 3


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
