"""The rules that need no database: moments, partitions, refusals."""

import inspect
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast import domain
from seatcast.domain import OUTBOX_PARTITIONS, DomainError, NotEnoughSeats, iso, partition_of, utc

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets)


@given(moments)
def test_a_moment_has_one_form_of_fixed_width(moment):
    text = iso(moment)

    assert len(text) == 24
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment - timedelta(microseconds=moment.microsecond % 1000)


@given(moments, moments)
def test_texts_sort_as_their_moments_do(one, other):
    """Both databases compare departures with now as text."""
    if one <= other:
        assert iso(one) <= iso(other)


@given(moments)
def test_utc_reads_its_own_form_and_any_offset(moment):
    assert utc(iso(moment)) == iso(moment)
    assert utc(moment.isoformat()) == iso(moment)


@pytest.mark.parametrize(
    ("moment", "problem"),
    [
        ("2026-07-14T10:30:00", "no offset"),
        ("2026-02-30T10:30:00Z", "day is out of range"),
        ("2026-07-14T24:30:00Z", "hour must be"),
        ("2026-07-14T10:30:00+25:00", "offset must be"),
        ("9999-12-31T23:59:00-12:00", "outside the years"),
        ("0001-01-01T00:00:00+12:00", "outside the years"),
        ("tomorrow", "Invalid isoformat"),
        ("", "Invalid isoformat"),
    ],
)
def test_a_moment_that_does_not_exist_is_refused_with_the_reason(moment, problem):
    with pytest.raises(ValueError, match=problem):
        utc(moment)


@pytest.mark.parametrize(
    ("moment", "same"),
    [
        ("2026-07-14T10:30:00+02:00", "2026-07-14T08:30:00.000Z"),
        ("2026-07-14T10:30Z", "2026-07-14T10:30:00.000Z"),
        ("2026-07-14T10:30:00.123999Z", "2026-07-14T10:30:00.123Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000Z"),
    ],
)
def test_moments_are_brought_into_the_wires_form(moment, same):
    assert utc(moment) == same


def test_the_present_is_written_in_utc_whatever_its_zone():
    assert iso(datetime(2026, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))) == "2026-06-01T10:00:00.000Z"
    assert iso(datetime(2026, 6, 1, 10, tzinfo=UTC)) == "2026-06-01T10:00:00.000Z"


@given(st.text())
def test_every_key_has_a_partition(key):
    assert 0 <= partition_of(key) < OUTBOX_PARTITIONS


def test_partitions_never_change():
    """Rows keep theirs over an upgrade, and processes of two versions share them by lock."""
    assert [partition_of(key) for key in ("tour_paris", "tour_london", "tour_rome", "")] == [10, 15, 11, 0]


def test_partitions_spread_tours():
    assert {partition_of(f"tour_{number}") for number in range(200)} == set(range(OUTBOX_PARTITIONS))


def test_every_refusal_has_a_stable_code_of_its_own():
    kinds = [
        kind for _, kind in inspect.getmembers(domain, inspect.isclass)
        if issubclass(kind, DomainError) and kind is not DomainError
    ]  # fmt: skip
    codes = [kind.code for kind in kinds]

    assert len(codes) == len(set(codes)) > 15
    assert all(code.isupper() and code != DomainError.code for code in codes)


def test_a_refusal_says_its_code_and_numbers():
    assert str(NotEnoughSeats(availableSeats=2)) == "NOT_ENOUGH_SEATS {'availableSeats': 2}"
    assert str(NotEnoughSeats()) == "NOT_ENOUGH_SEATS"
    assert NotEnoughSeats(availableSeats=2).details == {"availableSeats": 2}
