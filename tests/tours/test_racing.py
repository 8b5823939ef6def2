"""Many callers at once: no seat is sold twice, none is left that somebody wanted, and every event is possible."""

import pytest

from seatcast import rest
from seatcast.domain import (
    TourClosed,
)

CLOSED = rest.TourPatch(closed=True)


async def test_a_thousand_callers_race_for_a_hundred_seats_and_exactly_a_hundred_get_one(office):
    await office.undated(capacity=100)

    booked, refused = await office.race(office.book("tour_louvre") for _ in range(1_000))

    assert len(booked) == len({b.details.booking.id for b in booked}) == 100
    assert refused == {"NOT_ENOUGH_SEATS": 900}
    tour = await office.tour("tour_louvre")
    assert (tour.available, tour.sold, tour.version) == (0, 100, 101)
    await _check_events(office, "tour_louvre")
    await office.check()


async def test_departures_of_one_tour_booked_at_once_keep_the_tours_sums_right(office):
    await office.dated(capacities=(40, 40, 40, 40))
    wishes = [office.book("tour_paris", 1 + number % 3, f"dep_{1 + number % 4}") for number in range(160)]

    booked, refused = await office.race(wishes)

    sold = sum(b.details.booking.seats for b in booked)
    tour = await office.tour("tour_paris")
    assert (tour.sold, tour.available, tour.version) == (sold, 160 - sold, 1 + len(booked))
    assert tour.available <= 2 * 4  # nobody was turned away from seats that fit
    assert set(refused) <= {"NOT_ENOUGH_SEATS"}
    await _check_events(office, "tour_paris")
    await office.check()


async def test_wishes_that_can_never_fit_do_not_crowd_out_those_that_do(office):
    await office.undated(capacity=10)

    booked, refused = await office.race(
        office.book("tour_louvre", 11 if number % 2 == 0 else 1) for number in range(300)
    )

    assert len(booked) == 10
    assert {b.details.booking.seats for b in booked} == {1}
    assert refused == {"NOT_ENOUGH_SEATS": 290}
    await office.check()


async def test_a_booking_that_races_a_close_is_before_it_or_refused(office):
    """Ten rounds of both at once: what the tour's last event says is what was sold."""
    for round_ in range(10):
        tour_id = f"tour_{round_}"
        await office.undated(tour_id, capacity=50)
        closing = office.catalogue.change(tour_id, CLOSED)
        booked, refused = await office.race(
            [
                *(office.book(tour_id) for _ in range(round_)),
                closing,
                *(office.book(tour_id) for _ in range(10)),
            ]
        )
        assert set(refused) <= {"TOUR_CLOSED"}
        assert (await office.departure(tour_id)).sold == len(booked) - 1
        with pytest.raises(TourClosed):
            await office.book(tour_id)
        await office.check()


async def test_a_booking_that_races_a_smaller_capacity_never_oversells(office):
    await office.undated(capacity=100)

    booked, refused = await office.race(
        [
            *(office.book("tour_louvre") for _ in range(40)),
            office.catalogue.change("tour_louvre", rest.TourPatch(capacity=50)),
            *(office.book("tour_louvre") for _ in range(40)),
        ]
    )

    tour = await office.tour("tour_louvre")
    assert tour.sold == len([b for b in booked if b is not None])
    assert tour.capacity in {50, 100}
    assert set(refused) <= {"NOT_ENOUGH_SEATS", "CAPACITY_BELOW_SOLD"}
    await office.check()


async def _check_events(office, tour_id):
    """Every event alone is possible, and together they go forward to what is in the database."""
    events = await office.events(tour_id)
    seats_at, last = {}, {}
    for event in events:
        assert event.available_seats + event.held <= event.capacity
        # Departures sold in one transaction each have an event, and the same version of their tour.
        assert event.version >= max(seats_at, default=0)
        assert seats_at.setdefault(event.version, event.available_seats) == event.available_seats
        if event.departure:
            assert event.departure.available_seats + event.departure.held <= event.departure.capacity
            assert event.departure.version > last.get(event.departure.id, 0)
            last[event.departure.id] = event.departure.version
    tour = await office.tour(tour_id)
    assert (events[-1].version, events[-1].available_seats) == (tour.version, tour.available)
