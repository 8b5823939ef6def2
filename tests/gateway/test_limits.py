"""Token buckets: for any history, nobody gets more than his due."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast.gateway.limits import Buckets, Rate

KEYS = st.sampled_from("abcdefgh")
PAUSES = st.floats(0, 20) | st.just(0.0) | st.floats(0, 0.01)
RATES = st.builds(Rate, per_second=st.floats(0.1, 50), burst=st.integers(1, 8))
HISTORIES = st.lists(st.tuples(KEYS, PAUSES), max_size=150)


def takes(buckets, history):
    """Play a history of (key, pause before it); return each key's moments of success, and the last moment."""
    got = {}
    moments = list(accumulate((pause for _, pause in history), initial=1_000.0))[1:]
    for (key, _), now in zip(history, moments, strict=True):
        if not buckets.take(key, now):
            got.setdefault(key, []).append(now)
    return got


def assert_within(rate, moments):
    """In no stretch of time more than `burst + per_second * t`."""
    for first, begin in enumerate(moments):
        for last in range(first, len(moments)):
            due = rate.burst + rate.per_second * (moments[last] - begin)
            assert last - first + 1 <= due + 0.01


@given(RATES, HISTORIES, st.integers(0, 4), st.integers(1, 3))
def test_no_key_ever_gets_more_than_its_due(rate, history, most, shared):
    """However crowded the table is, and whatever is forgotten."""
    buckets = Buckets(rate, most=most, shared=shared)
    for moments in takes(buckets, history).values():
        assert_within(rate, moments)
    assert len(buckets) <= most


@given(RATES, HISTORIES)
def test_a_key_gets_its_due_where_there_is_room(rate, history):
    """Others take nothing from it: it gets exactly what it would get alone."""
    together = takes(Buckets(rate, most=8), history)
    moments = list(accumulate((pause for _, pause in history), initial=1_000.0))[1:]
    for key in "abcdefgh":
        alone = Buckets(rate, most=1)
        mine = [now for (one, _), now in zip(history, moments, strict=True) if one == key]
        assert together.get(key, []) == [now for now in mine if not alone.take(key, now)]


@given(RATES, st.lists(PAUSES, max_size=50))
def test_whoever_waits_as_told_is_let_through(rate, pauses):
    buckets = Buckets(rate)
    now = 1_000.0
    for pause in pauses:
        now += pause
        if wait := buckets.take("a", now):
            assert 0 < wait <= 1 / rate.per_second + 1e-3
            now += wait
            assert buckets.take("a", now) == 0


@pytest.mark.parametrize("moment", [0.0, 12_345.678, 3e8])
def test_a_whole_burst_is_had_at_once_and_no_more(moment):
    """Also where sums of 0.6 s are not exact."""
    buckets = Buckets(Rate(100 / 60, 100))
    assert [bool(buckets.take("a", moment)) for _ in range(102)] == [False] * 100 + [True] * 2
    assert buckets.take("a", moment) == pytest.approx(0.6, abs=1e-3)


def test_crowding_the_table_refills_nobody():
    """An empty bucket outlives any number of others that come after it."""
    buckets = Buckets(Rate(0.001, 2), most=100, shared=8)
    assert [buckets.take("attacker", 0) for _ in range(2)] == [0, 0]
    for n in range(10_000):
        buckets.take(f"other {n}", n / 1_000)
    assert buckets.take("attacker", 10)
    assert len(buckets) == 100


def test_full_buckets_are_forgotten():
    buckets = Buckets(Rate(1, 1), most=1_000)
    for n in range(500):
        buckets.take(f"early {n}", 0)
    for n in range(400):
        buckets.take(f"late {n}", 5)
    assert len(buckets) == 400


def test_one_that_is_always_in_use_keeps_no_other_from_being_forgotten():
    buckets = Buckets(Rate(1, 2), most=1_000)
    for n in range(300):
        buckets.take("busy", n)
        buckets.take(f"once {n}", n)
    assert len(buckets) < 10


def test_refusals_cost_no_memory():
    buckets = Buckets(Rate(1, 1), most=2, shared=1)
    for n in range(10):
        buckets.take(f"{n}", 0)
    before = len(buckets)
    assert buckets.take("another", 0) > 0
    assert len(buckets) == before


@given(RATES, HISTORIES, st.integers(0, 3), st.floats(0, 20))
def test_a_fine_only_takes_away(rate, history, most, tokens):
    buckets = Buckets(rate, most=most, shared=2)
    buckets.drain("a", 999.0, tokens)
    for moments in takes(buckets, history).values():
        assert_within(rate, moments)


def test_a_fine_empties_a_bucket_at_most():
    buckets = Buckets(Rate(10, 20))
    buckets.drain("a", 0, 5)
    assert [bool(buckets.take("a", 0)) for _ in range(16)] == [False] * 15 + [True]
    buckets.drain("a", 0, 1_000)
    assert buckets.take("a", 0) == pytest.approx(0.1, abs=1e-3)
