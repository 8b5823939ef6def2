"""The desk: what a booking and a cancellation change, when they are refused, and that a retry is safe."""

import asyncio
import re

import pytest

from seatcast import rest
from seatcast.domain import (
    BookingNotFound,
    DepartureClosed,
    DepartureNotFound,
    DeparturePast,
    DepartureRequired,
    IdempotencyKeyReused,
    NotEnoughSeats,
    TourClosed,
    TourNotFound,
)
from seatcast.tours import store

CLOSED = rest.TourPatch(closed=True)
OPEN = rest.TourPatch(closed=False)
DEPARTURE_CLOSED = rest.DeparturePatch(closed=True)
DEPARTURE_OPEN = rest.DeparturePatch(closed=False)


# Booking


async def test_a_booking_takes_its_seats_and_says_so_in_one_event(office):
    await office.undated(capacity=10, price=39.5)
    office.clock.forward(minutes=1)

    booked = await office.book("tour_louvre", 3, user="ana")

    assert (booked.tour.available, booked.tour.sold, booked.tour.version) == (7, 3, 2)
    assert (booked.departure.id, booked.departure.available) == ("tour_louvre", 7)
    booking = booked.details.booking
    assert re.fullmatch(r"bkg_[\w-]{22}", booking.id)
    assert (booking.seats, booking.total_minor, booking.currency) == (3, 11_850, "EUR")
    assert (booking.status, booking.user_id, booking.created_at) == ("confirmed", "ana", office.clock())
    assert await office.desk.find(booking.id, user="ana", any_user=False) == booked.details
    event = (await office.events())[-1]
    assert (event.available_seats, event.version, event.capacity) == (7, 2, 10)
    assert event.timestamp == office.clock()
    assert office.woken
    await office.check()


async def test_a_dated_booking_changes_its_departure_and_the_tours_sum(office):
    await office.dated(capacities=(5, 8))

    booked = await office.book("tour_paris", 2, "dep_2")

    assert (booked.tour.available, booked.departure.available) == (11, 6)
    assert booked.details.starts_at == booked.departure.starts_at
    event = (await office.events())[-1]
    assert (event.available_seats, event.departure.id, event.departure.available_seats) == (11, "dep_2", 6)
    assert (await office.departure("tour_paris", "dep_1")).available == 5
    await office.check()


async def test_the_only_open_departure_is_chosen_by_itself(office):
    await office.dated(capacities=(5, 8))
    await office.catalogue.change_departure("tour_paris", "dep_1", DEPARTURE_CLOSED)

    booked = await office.book("tour_paris", 2)

    assert booked.departure.id == "dep_2"
    await office.check()


async def test_the_last_seats_can_be_sold_and_then_none(office):
    await office.undated(capacity=4)
    await office.book("tour_louvre", 4)

    with pytest.raises(NotEnoughSeats) as refusal:
        await office.book("tour_louvre", 1)
    assert refusal.value.details == {"availableSeats": 0}
    await office.check()


async def _refusals(office):
    await office.undated("undated", capacity=4)
    await office.undated("closed")
    await office.catalogue.change("closed", CLOSED)
    await office.dated("dated", capacities=(5, 8, 3))
    await office.catalogue.change_departure("dated", "dep_3", DEPARTURE_CLOSED)
    await office.dated("closed_dated")
    await office.catalogue.change("closed_dated", CLOSED)
    await office.dated("empty", capacities=())
    await office.dated("sold_out", capacities=(2,))
    await office.book("sold_out", 2)


_REFUSED = [
    ("nowhere", None, 1, TourNotFound, {}),
    ("nowhere", "dep_1", 1, TourNotFound, {}),
    ("undated", None, 5, NotEnoughSeats, {"availableSeats": 4}),
    ("undated", "undated", 5, NotEnoughSeats, {"availableSeats": 4}),
    ("undated", "dep_1", 1, DepartureNotFound, {}),
    ("closed", None, 1, TourClosed, {}),
    ("closed_dated", None, 1, TourClosed, {}),
    ("closed_dated", "dep_1", 1, TourClosed, {}),
    ("dated", None, 1, DepartureRequired, {"departures": ["dep_1", "dep_2"]}),
    ("dated", "dep_9", 1, DepartureNotFound, {}),
    ("dated", "dated", 1, DepartureNotFound, {}),
    ("dated", "dep_1", 6, NotEnoughSeats, {"availableSeats": 5}),
    ("dated", "dep_3", 1, DepartureClosed, {}),
    ("empty", None, 1, NotEnoughSeats, {"availableSeats": 0}),
    ("sold_out", None, 1, NotEnoughSeats, {"availableSeats": 0}),
]


async def test_a_refusal_says_why_and_changes_nothing(office, subtests):
    await _refusals(office)
    before = await office.everything()

    for tour, departure, seats, refusal, details in _REFUSED:
        with subtests.test(f"{tour} {departure} {seats}"):
            with pytest.raises(refusal) as caught:
                await office.book(tour, seats, departure, key="k")
            assert caught.value.details == details
            assert await office.everything() == before


async def test_a_departure_that_has_left_is_not_sold_even_before_it_is_closed(office):
    await office.dated(capacities=(5, 5))
    starts_at = (await office.departure("tour_paris", "dep_1")).starts_at
    office.clock.forward(days=1, milliseconds=-1)
    await office.book("tour_paris", 1, "dep_1")
    office.clock.forward(milliseconds=1)
    before = await office.everything()

    with pytest.raises(DeparturePast) as refusal:
        await office.book("tour_paris", 1, "dep_1")

    assert refusal.value.details == {"startsAt": starts_at}
    assert await office.everything() == before


# Retrying


async def test_the_same_request_with_the_same_key_is_one_booking(office):
    await office.undated(capacity=10)

    first = await office.book("tour_louvre", 2, user="ana", key="click-1")
    before = await office.everything()
    second = await office.book("tour_louvre", 2, user="ana", key="click-1")

    assert second.details == first.details
    assert await office.everything() == before


async def test_twenty_at_once_with_one_key_are_one_booking(office):
    await office.dated(capacities=(10,))

    booked, refused = await office.race(
        office.book("tour_paris", 2, "dep_1", user="ana", key="click-1") for _ in range(20)
    )

    assert len({b.details.booking.id for b in booked}) == 1
    assert not refused
    assert (await office.tour("tour_paris")).sold == 2
    await office.check()


async def test_a_key_that_waits_with_other_wishes_does_not_lose_theirs(office):
    """One statement sells to all who wait; the key that fails it must not take the others down with it."""
    await office.undated(capacity=100)
    await office.book("tour_louvre", 1, user="ana", key="used")

    booked, refused = await office.race(
        office.book("tour_louvre", 1, user="ana", key="used" if number == 10 else None)
        for number in range(30)
    )

    assert len(booked) == 30
    assert not refused
    assert (await office.tour("tour_louvre")).sold == 30
    await office.check()


async def test_a_retry_after_the_first_try_took_the_last_seat_gets_that_booking(office):
    await office.undated(capacity=1)
    first = await office.book("tour_louvre", 1, key="click-1")

    again = await office.book("tour_louvre", 1, key="click-1")

    assert again.details == first.details
    with pytest.raises(NotEnoughSeats):
        await office.book("tour_louvre", 1, key="click-2")


async def test_a_retry_after_the_tour_was_closed_gets_its_booking(office):
    await office.dated(capacities=(3,))
    first = await office.book("tour_paris", 1, key="click-1")
    await office.catalogue.change("tour_paris", CLOSED)

    assert (await office.book("tour_paris", 1, key="click-1")).details == first.details


async def test_a_refused_request_does_not_use_up_its_key(office):
    await office.undated(capacity=1)
    first = await office.book("tour_louvre", 1)
    with pytest.raises(NotEnoughSeats):
        await office.book("tour_louvre", 1, key="click-1")
    await office.desk.cancel(first.details.booking.id, user=None, any_user=False)

    assert (await office.book("tour_louvre", 1, key="click-1")).tour.available == 0


_OTHER_REQUESTS = [
    ("tour_louvre", None, 3),
    ("tour_louvre", "tour_louvre", 2),
    ("tour_paris", "dep_1", 2),
    ("nowhere", None, 2),
    ("tour_louvre", None, 99),
]


async def test_a_key_reused_for_another_request_is_refused_whatever_it_asks(office, subtests):
    await office.undated(capacity=10)
    await office.dated(capacities=(5,))
    await office.book("tour_louvre", 2, user="ana", key="click-1")
    before = await office.everything()

    for tour, departure, seats in _OTHER_REQUESTS:
        with subtests.test(f"{tour} {departure} {seats}"):
            with pytest.raises(IdempotencyKeyReused):
                await office.book(tour, seats, departure, user="ana", key="click-1")
            assert await office.everything() == before


async def test_keys_belong_to_their_user(office):
    await office.undated(capacity=10)

    of_ana, of_bo, of_nobody, of_one_called_anonymous = [
        await office.book("tour_louvre", 1, user=user, key="1") for user in ("ana", "bo", None, "anonymous")
    ]

    ids = {b.details.booking.id for b in (of_ana, of_bo, of_nobody, of_one_called_anonymous)}
    assert len(ids) == 4
    assert (await office.tour("tour_louvre")).sold == 4


# Cancelling


async def test_cancelling_returns_the_seats_and_says_so(office):
    await office.undated(capacity=10)
    booking = (await office.book("tour_louvre", 3, user="ana")).details.booking
    office.clock.forward(seconds=5)

    cancelled = (await office.desk.cancel(booking.id, user="ana", any_user=False)).booking

    assert (cancelled.status, cancelled.cancelled_at) == ("cancelled", office.clock())
    tour = await office.tour("tour_louvre")
    assert (tour.available, tour.sold, tour.version) == (10, 0, 3)
    assert [event.available_seats for event in await office.events()] == [10, 7, 10]
    await office.check()


async def test_cancelling_twice_returns_the_seats_once(office):
    await office.undated(capacity=10)
    booking = (await office.book("tour_louvre", 3)).details.booking
    first = await office.desk.cancel(booking.id, user=None, any_user=False)
    before = await office.everything()

    assert await office.desk.cancel(booking.id, user=None, any_user=False) == first
    assert await office.everything() == before


async def test_cancelling_at_once_returns_the_seats_once(office):
    await office.dated(capacities=(10, 10))
    booking = (await office.book("tour_paris", 3, "dep_1")).details.booking

    cancelled, _ = await office.race(
        office.desk.cancel(booking.id, user=None, any_user=False) for _ in range(20)
    )

    assert {c.booking.status for c in cancelled} == {"cancelled"}
    assert len(cancelled) == 20
    assert (await office.tour("tour_paris")).version == 3
    await office.check()


async def test_cancelling_and_booking_at_once_add_up(office):
    await office.dated(capacities=(40, 40))
    ids = [(await office.book("tour_paris", 1, f"dep_{1 + n % 2}")).details.booking.id for n in range(40)]

    await office.race(
        call
        for number, booking_id in enumerate(ids)
        for call in (
            office.desk.cancel(booking_id, user=None, any_user=False),
            office.book("tour_paris", 1, f"dep_{1 + number % 2}"),
        )
    )

    assert (await office.tour("tour_paris")).sold == 40
    await office.check()


async def test_seats_of_a_closed_departure_go_back_to_it_and_not_on_sale(office):
    await office.dated(capacities=(5, 5))
    booking = (await office.book("tour_paris", 2, "dep_1")).details.booking
    await office.catalogue.change_departure("tour_paris", "dep_1", DEPARTURE_CLOSED)
    events = await office.events()

    await office.desk.cancel(booking.id, user=None, any_user=False)

    assert (await office.departure("tour_paris", "dep_1")).available == 5
    assert (await office.tour("tour_paris")).available == 5
    assert await office.events() == events
    await office.catalogue.change_departure("tour_paris", "dep_1", DEPARTURE_OPEN)
    assert (await office.tour("tour_paris")).available == 10
    await office.check()


async def test_somebody_elses_booking_is_not_found(office):
    await office.undated(capacity=10)
    anas = (await office.book("tour_louvre", 1, user="ana")).details.booking.id
    nobodys = (await office.book("tour_louvre", 1)).details.booking.id
    before = await office.everything()

    for user in ("bo", None):
        with pytest.raises(BookingNotFound):
            await office.desk.find(anas, user=user, any_user=False)
        with pytest.raises(BookingNotFound):
            await office.desk.cancel(anas, user=user, any_user=False)
    with pytest.raises(BookingNotFound):
        await office.desk.cancel("bkg_unknown", user="ana", any_user=True)
    assert await office.everything() == before

    assert (await office.desk.find(anas, user="olga", any_user=True)).booking.user_id == "ana"
    assert (await office.desk.find(nobodys, user="bo", any_user=False)).booking.user_id is None
    assert (await office.desk.cancel(nobodys, user=None, any_user=False)).booking.status == "cancelled"


async def test_a_retry_of_a_booking_that_was_cancelled_meanwhile_says_so(office):
    await office.undated(capacity=10)
    booking = (await office.book("tour_louvre", 1, key="click-1")).details.booking
    await office.desk.cancel(booking.id, user=None, any_user=False)

    assert (await office.book("tour_louvre", 1, key="click-1")).details.booking.status == "cancelled"
    assert (await office.tour("tour_louvre")).sold == 0


async def test_a_retry_and_a_cancellation_of_its_booking_do_not_wait_for_each_other(
    postgres_office, monkeypatch, eventually
):
    """The retry holds the departure while it looks at the key, which is in the row that is being cancelled."""
    office = postgres_office
    await office.dated(capacities=(5,))
    booking = (await office.book("tour_paris", 1, "dep_1", key="click-1")).details.booking
    reached, go_on, lock = asyncio.Event(), asyncio.Event(), store.lock_departures

    async def lock_later(*arguments):
        reached.set()
        await go_on.wait()
        return await lock(*arguments)

    monkeypatch.setattr(store, "lock_departures", lock_later)
    cancelling = asyncio.create_task(office.desk.cancel(booking.id, user=None, any_user=False))
    await reached.wait()
    retrying = asyncio.create_task(office.book("tour_paris", 1, "dep_1", key="click-1"))

    async def waits():
        query = (
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return retrying.done() or await office.rows(query)

    await eventually(waits)
    go_on.set()

    assert (await cancelling).booking.status == "cancelled"
    assert (await retrying).details.booking.id == booking.id
    await office.check()
