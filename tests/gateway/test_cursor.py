"""States that gateways have in common, what changed since one of them, and the cursors that name them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast.gateway.cursor import cursor, place
from seatcast.gateway.history import History
from seatcast.gateway.truth import Truth

from .model import Database, join

TOURS = ("a", "b", "c")


def make_truth(**more):
    return Truth(lambda _: None, lambda: None, **more)


def read(truth, database):
    join(truth, database.snapshot())


def shown(truth):
    """Everything that is sold, and its versions."""
    return sorted(
        (
            tour.id,
            tour.part.version,
            sorted((id, tour.departures[id].version) for id in tour.open_departures()),
        )
        for tour in truth._ledger.tours.values()
        if tour.open
    )


@pytest.fixture
def database():
    made = Database()
    for departures, id in enumerate(TOURS):
        made.add(id, departures)
    return made


@pytest.fixture
def truth(database):
    made = make_truth()
    read(made, database)
    return made


def publish(truth, events):
    for event in events:
        truth.publish(event)


commit = st.tuples(
    st.sampled_from(["book", "book", "rename", "toggle", "toggle_departure", "add_departure"]),
    st.sampled_from(TOURS), st.integers(0, 2), st.integers(0, 9),
)  # fmt: skip


def apply(database, what, tour, departure, seats):
    if what == "book":
        return database.book(tour, departure, seats)
    if what == "add_departure":
        return database.add_departure(tour, departure) if database.tours[tour]["departures"] else []
    return getattr(database, what)(tour, *([departure] if what == "toggle_departure" else []))


@given(commits=st.lists(commit, max_size=20), orders=st.lists(st.randoms(use_true_random=False), min_size=2, max_size=2),
       lost=st.integers(0, 3), reads=st.sets(st.integers(0, 1)))  # fmt: skip
def test_what_is_sold_decides_the_state_and_the_order_it_was_learnt_in_does_not(commits, orders, lost, reads):
    """Also after events lost, snapshots joined late and tours closed that one of them never heard of."""
    database = Database()
    log = [event for departures, id in enumerate(TOURS) for event in database.add(id, departures)]
    early = database.snapshot()
    for one in commits:
        log += apply(database, *one)
    truths = []
    for number, order in enumerate(orders):
        truth = make_truth()
        events = list(log)
        order.shuffle(events)
        join(truth, early)
        publish(truth, events[lost if number else 0 :])
        if number in reads:
            read(truth, database)
        truths.append(truth)
    one, other = truths
    assert (one.history.state == other.history.state) == (shown(one) == shown(other))
    assert (cursor(one, None) == cursor(other, None)) == (shown(one) == shown(other))
    for truth in truths:
        assert truth.history.state == truth.history.state_of(TOURS)
        assert truth.history.state == sum(truth.history.state_of([id]) for id in TOURS) % 2**64
        assert (place(truth, None, cursor(other, None)) == truth.clock) or shown(truth) != shown(other)


def test_nothing_is_the_state_of_whoever_knows_nothing():
    assert make_truth().history.state == 0
    assert place(make_truth(), None, cursor(make_truth(new_epoch=lambda: "x"), None)) is None


def test_everything_told_since_is_found_and_nothing_else(database, truth):
    before = cursor(truth, None)
    assert truth.history.since(place(truth, None, before)) == []
    publish(truth, database.book("c", 0, 3) + database.book("a", 0, 4) + database.book("c", 0, 2))
    assert truth.history.since(place(truth, None, before)) == [("a", None), ("c", "c_0")]
    between = cursor(truth, None)
    publish(truth, database.toggle("b"))
    assert truth.history.since(place(truth, None, between)) == [("b", None)]
    assert truth.history.since(place(truth, None, before)) == [("a", None), ("c", "c_0"), ("b", None)]


def test_a_cursor_of_another_gateway_is_continued(database, truth):
    other = make_truth()
    read(other, database)
    given = cursor(other, None)
    publish(truth, database.book("a", 0, 4))
    assert truth.history.since(place(truth, None, given)) == [("a", None)]
    ahead = cursor(truth, None)
    assert place(other, None, ahead) is None, "it never was where the other is"


def test_named_tours_have_a_state_of_their_own(database, truth):
    mine = frozenset({"a", "b"})
    lasting, full = cursor(truth, mine, lasting=True), cursor(truth, mine)
    publish(truth, database.book("c", 0, 3))
    assert cursor(truth, mine, lasting=True) == lasting
    assert cursor(truth, mine) != full
    assert place(truth, mine, lasting) == place(truth, mine, full) == truth.clock
    publish(truth, database.book("a", 0, 4))
    assert place(truth, mine, lasting) is None
    assert truth.history.since(place(truth, mine, full), mine) == [("a", None)]


def test_named_tours_outlive_what_is_remembered_of_all(database, truth):
    mine = frozenset({"a"})
    given = cursor(truth, mine)
    truth.history._max_states = 3
    for seats in range(5):
        publish(truth, database.book("c", 0, seats))
    assert place(truth, mine, given) == truth.clock


def test_a_cursor_is_good_for_its_own_tours_and_epoch_only(database, truth):
    mine = frozenset({"a"})
    assert place(truth, frozenset({"a", "b"}), cursor(truth, mine)) is None
    assert place(truth, None, cursor(truth, mine)) is None
    assert place(truth, mine, cursor(truth, None)) is None
    given = cursor(truth, None)
    database.restore()
    read(truth, database)
    assert place(truth, None, given) is None


@pytest.mark.parametrize(
    "garbage",
    [None, "", "x", "0" * 16, "é" * 33, f"{'0' * 16}.{'0' * 16}", f"{'0' * 16}.{'0' * 16}\n", "." * 9],
)
def test_garbage_means_nothing(truth, garbage):
    assert place(truth, None, garbage) is None
    right = cursor(truth, None)
    assert place(truth, None, right + "0") is None
    assert place(truth, None, f"{right}.zzzz") is None


def test_a_cursor_can_stand_in_an_address_and_in_a_header():
    """Whatever epoch and tours another publisher thought of."""
    truth = make_truth(new_epoch=lambda: "épo\r\nque: \ud800")
    for tours in (None, frozenset({"à\nb", "\ud800", "&"})):
        assert re.fullmatch(r"[0-9a-f.]+", cursor(truth, tours))


def test_what_was_told_without_a_change_of_state_is_no_news_later(database, truth):
    """A departure closes that was never seen: whoever comes with the same state misses nothing, and would come for ever."""
    given = cursor(truth, None)
    database.add_departure("b", 7)
    (closing, _) = database.toggle_departure("b", sorted(database.tours["b"]["departures"]).index("b_7"))
    publish(truth, [closing])
    assert cursor(truth, None) == given
    assert truth.history.since(place(truth, None, given)) == []


def test_states_and_closed_tours_are_remembered_up_to_a_bound():
    history = History(max_states=2)
    for version in range(3):
        history.sold(("a", None), version)
        history.told(("a", None), version + 1)
        history.rest(version + 1)
    assert len(history._states) == 2
    assert history.clock_of(0) is None
    assert history.clock_of(history.state) == 3


def test_whoever_might_miss_what_is_forgotten_is_given_everything():
    database, truth = Database(), make_truth(max_tombstones=1)
    for id in TOURS:
        publish(truth, database.add(id))
    given = cursor(truth, None)
    publish(truth, database.toggle("a"))
    assert truth.history.since(place(truth, None, given)) == [("a", None)]
    later = cursor(truth, None)
    publish(truth, database.toggle("b"))
    assert truth.history.since(place(truth, None, given)) is None
    assert truth.history.since(place(truth, None, later)) == [("b", None)]
    assert ("a", None) not in truth.history._told


def test_nothing_is_kept_of_what_is_gone():
    database, truth = Database(), make_truth(max_tombstones=2)
    for number in range(20):
        publish(truth, database.add(f"t{number}", 2))
        publish(truth, database.toggle_departure(f"t{number}", 0))
        publish(truth, database.toggle(f"t{number}"))
    history = truth.history
    assert history.state == 0
    assert not history._shares
    assert not history._weights
    assert not history._tours
    assert len(history._told) <= 2 * 3


def test_a_gateway_that_began_anew_is_where_a_new_one_is(database, truth):
    """Nothing of the database before counts: else two gateways would never again agree on a cursor."""
    database.restore()
    del database.tours["c"]
    read(truth, database)
    fresh = make_truth()
    read(fresh, database)
    assert cursor(truth, None) == cursor(fresh, None)
    assert ("c", "c_0") not in truth.history._told
