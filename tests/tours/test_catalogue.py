"""Operators' changes: each is whole or not at all, says what it did in version order, and keeps the sums."""

import asyncio

import pytest

from seatcast import rest, wire_events
from seatcast.domain import (
    CapacityBelowSold,
    CapacityTooLarge,
    DepartureClosed,
    DepartureExists,
    DepartureNotFound,
    DeparturePast,
    TourClosed,
    TourDated,
    TourExists,
    TourNotFound,
    TourUndated,
)
from seatcast.tours import store
from seatcast.tours.store import DepartureRow

CLOSE = rest.TourPatch(closed=True)
REOPEN = rest.TourPatch(closed=False)
CLOSE_DEPARTURE = rest.DeparturePatch(closed=True)
REOPEN_DEPARTURE = rest.DeparturePatch(closed=False)


def said(events):
    """Events in short: what, of which departure, version and seats of the tour."""
    return [
        ("closed", event.departure_id or None, event.version)
        if isinstance(event, wire_events.TourClosedEvent)
        else (event.available_seats, event.departure.id if event.departure else None, event.version)
        for event in events
    ]


# Making


async def test_an_undated_tour_is_its_own_departure(office):
    assert await office.undated("louvre", capacity=20, price=39.5, currency="CHF") == "louvre"

    tour, departure = await office.tour("louvre"), await office.departure("louvre")
    assert (tour.price_minor, tour.currency, tour.dated, tour.capacity) == (3_950, "CHF", False, 20)
    assert (departure.id, departure.starts_at, departure.capacity) == ("louvre", None, 20)
    assert said(await office.events()) == [(20, None, 1)]
    assert office.woken
    await office.check()


async def test_a_dated_tour_says_each_of_its_departures(office):
    await office.dated("paris", capacities=(5, 8))

    assert (await office.tour("paris")).capacity == 13
    assert said(await office.events()) == [(13, "dep_1", 1), (13, "dep_2", 1)]
    await office.check()


async def test_a_dated_tour_may_begin_without_departures(office):
    await office.dated("paris", capacities=())

    assert said(await office.events()) == [(0, None, 1)]
    await office.check()


async def test_ids_are_made_where_none_are_given(office):
    departure = rest.NewDeparture(starts_at=office.clock.ahead(days=1), capacity=3)
    new = rest.NewTour(name=" Rome ", departures=[departure, departure])
    one, other = await office.catalogue.create(new), await office.catalogue.create(new)

    assert one != other
    assert (await office.tour(one)).name == "Rome"
    assert len(await office.rows("SELECT DISTINCT id FROM departures")) == 4


async def test_what_cannot_be_made_is_refused_and_leaves_nothing(office, subtests):
    await office.undated("taken")
    soon = office.clock.ahead(days=1)
    before = await office.everything()
    refused = {
        TourExists: rest.NewTour(id="taken", name="x", capacity=1),
        DepartureExists: rest.NewTour(
            id="a", name="x", departures=[rest.NewDeparture(id="d", starts_at=soon, capacity=1)] * 2
        ),
        DeparturePast: rest.NewTour(
            id="b", name="x", departures=[rest.NewDeparture(starts_at=office.clock(), capacity=1)]
        ),
        CapacityTooLarge: rest.NewTour(
            id="c", name="x", departures=[rest.NewDeparture(starts_at=soon, capacity=100_000)] * 101
        ),
    }
    for refusal, new in refused.items():
        with subtests.test(refusal.code), pytest.raises(refusal):
            await office.catalogue.create(new)
        assert await office.everything() == before


async def test_of_many_who_make_the_same_tour_at_once_one_does(office):
    made, refused = await office.race(office.undated("louvre", capacity=n) for n in range(8))

    assert made == ["louvre"]
    assert refused == {"TOUR_EXISTS": 7}
    assert len(await office.events()) == 1
    await office.check()


# Changing a tour


async def test_a_new_name_and_price_are_said_at_once(office):
    await office.undated("louvre", capacity=20)

    await office.catalogue.change("louvre", rest.TourPatch(name=" Louvre by night ", price=12.34))

    event = (await office.events())[-1]
    assert (event.tour_name, event.version) == ("Louvre by night", 2)
    assert (await office.tour("louvre")).price_minor == 1_234
    booked = await office.book("louvre", 2)
    assert booked.details.booking.total_minor == 2_468


async def test_a_booking_keeps_the_price_it_was_made_at(office):
    await office.undated("louvre", capacity=20, price=10)
    booking = (await office.book("louvre", 2)).details.booking
    await office.catalogue.change("louvre", rest.TourPatch(price=99))

    found = await office.desk.find(booking.id, user=None, any_user=False)

    assert found.booking.total_minor == 2_000


async def test_a_capacity_moves_the_free_seats_and_never_the_sold(office):
    await office.undated("louvre", capacity=20)
    await office.book("louvre", 4)

    await office.catalogue.change("louvre", rest.TourPatch(capacity=30))
    assert (await office.tour("louvre")).available == 26
    await office.catalogue.change("louvre", rest.TourPatch(capacity=4))
    assert (await office.tour("louvre")).available == 0
    with pytest.raises(CapacityBelowSold) as refusal:
        await office.catalogue.change("louvre", rest.TourPatch(capacity=3))
    assert refusal.value.details == {"sold": 4, "held": 0}
    assert said(await office.events()) == [(20, None, 1), (16, None, 2), (26, None, 3), (0, None, 4)]
    await office.check()


async def test_a_patch_is_done_wholly_or_not_at_all(office):
    await office.undated("louvre", capacity=20)
    await office.book("louvre", 4)
    await office.dated("paris")
    before = await office.everything()

    with pytest.raises(CapacityBelowSold):
        await office.catalogue.change("louvre", rest.TourPatch(name="New", closed=True, capacity=3))
    with pytest.raises(TourDated):
        await office.catalogue.change("paris", rest.TourPatch(name="New", capacity=3))
    with pytest.raises(TourNotFound):
        await office.catalogue.change("nowhere", CLOSE)
    with pytest.raises(TourNotFound):
        await office.catalogue.change("nowhere", rest.TourPatch(capacity=3))

    assert await office.everything() == before


async def test_closing_an_undated_tour_takes_its_seats_off_sale_until_it_is_reopened(office):
    await office.undated("louvre", capacity=20)
    await office.book("louvre", 4)

    await office.catalogue.change("louvre", CLOSE)

    tour = await office.tour("louvre")
    assert (tour.available, tour.capacity) == (0, 0)
    assert said(await office.events())[-1] == ("closed", None, tour.version)
    await office.check()
    await office.catalogue.change("louvre", REOPEN)
    assert (await office.tour("louvre")).available == 16
    assert said(await office.events())[-1] == (16, None, (await office.tour("louvre")).version)
    await office.check()


async def test_closing_a_tour_closes_its_departures_and_reopening_opens_just_those(office):
    await office.dated("paris", capacities=(5, 6, 7))
    await office.catalogue.change_departure("paris", "dep_1", CLOSE_DEPARTURE)
    office.clock.forward(seconds=1)
    before = len(await office.events())

    await office.catalogue.change("paris", CLOSE)

    closing = said(await office.events())[before:]
    tour = await office.tour("paris")
    assert closing == [("closed", "dep_2", 2), ("closed", "dep_3", 2), ("closed", None, tour.version)]
    await office.check()

    office.clock.forward(days=2)  # dep_2 has left meanwhile
    await office.catalogue.change("paris", REOPEN)

    assert (await office.tour("paris")).available == 7
    reopening = said(await office.events())[before + 3 :]
    assert [departure for _, departure, _ in reopening] == [None, "dep_3"]
    assert [version for *_, version in reopening] == [tour.version + 1, tour.version + 2]
    await office.check()


async def test_closing_what_is_closed_and_reopening_what_is_open_change_nothing(office):
    await office.undated("louvre")
    await office.dated("paris")
    before = await office.everything()
    await office.catalogue.change("louvre", REOPEN)
    await office.catalogue.change_departure("paris", "dep_1", REOPEN_DEPARTURE)
    await office.catalogue.change("louvre", rest.TourPatch())
    assert await office.everything() == before

    await office.catalogue.change("louvre", CLOSE)
    await office.catalogue.change_departure("paris", "dep_1", CLOSE_DEPARTURE)
    before = await office.everything()
    await office.catalogue.change("louvre", CLOSE)
    await office.catalogue.change_departure("paris", "dep_1", CLOSE_DEPARTURE)
    assert await office.everything() == before


async def test_many_who_close_and_reopen_at_once_leave_the_sums_right(office):
    await office.dated("paris", capacities=(5, 6, 7))

    await office.race(
        office.catalogue.change("paris", CLOSE if number % 2 else REOPEN) for number in range(12)
    )

    await office.check()
    versions = [event.version for event in await office.events() if not event_of_departure(event)]
    assert versions == sorted(versions)


def event_of_departure(event):
    return isinstance(event, wire_events.TourClosedEvent) and bool(event.departure_id)


async def test_a_departure_added_while_its_tour_is_closed_is_closed_with_it(postgres_office, eventually):
    """It has no row to lock when closing begins, and is there when it ends."""
    office = postgres_office
    await office.dated("paris", capacities=(5,))
    now = office.clock()
    async with office.database.transaction() as tx:
        row = DepartureRow("paris", "late", office.clock.ahead(days=9), 4, 4, 0, 0, 1, now, None)
        await store.insert_departure(tx, row)
        await store.change_tour(tx, "paris", now, capacity=4, available=4)
        closing = asyncio.create_task(office.catalogue.change("paris", CLOSE))

        async def waits():
            return await office.rows("SELECT 1 FROM pg_locks WHERE NOT granted")

        await eventually(waits)
    await closing

    assert (await office.departure("paris", "late")).closed_at is not None
    with pytest.raises(TourClosed):
        await office.book("paris", 1, "late")
    await office.check()


# Departures


async def test_adding_a_departure_adds_its_seats(office):
    await office.dated("paris", capacities=(5,))

    new = rest.NewDeparture(id="late", starts_at=office.clock.ahead(days=9), capacity=4)
    assert await office.catalogue.add_departure("paris", new) == "late"

    assert said(await office.events())[-1] == (9, "late", 2)
    await office.check()


async def test_departures_that_cannot_be_added_are_refused_and_leave_nothing(office, subtests):
    await office.undated("louvre")
    await office.dated("paris")
    await office.dated("closed")
    await office.catalogue.change("closed", CLOSE)
    await office.dated("full", capacities=(100_000,) * 100)
    before = await office.everything()
    soon, past = office.clock.ahead(days=1), office.clock.ahead(days=-1)
    for tour_id, departure_id, moment, capacity, refusal in [
        ("nowhere", None, soon, 1, TourNotFound),
        ("louvre", None, soon, 1, TourUndated),
        ("paris", "dep_1", soon, 1, DepartureExists),
        ("paris", None, past, 1, DeparturePast),
        ("closed", None, soon, 1, TourClosed),
        ("full", None, soon, 1, CapacityTooLarge),
    ]:
        new = rest.NewDeparture(id=departure_id, starts_at=moment, capacity=capacity)
        with subtests.test(refusal.code), pytest.raises(refusal):
            await office.catalogue.add_departure(tour_id, new)
        assert await office.everything() == before


async def test_closing_a_departure_says_so_and_takes_its_seats_off_the_tour(office):
    await office.dated("paris", capacities=(5, 8))
    await office.book("paris", 2, "dep_1")

    await office.catalogue.change_departure("paris", "dep_1", CLOSE_DEPARTURE)

    assert said(await office.events())[-2:] == [("closed", "dep_1", 3), (8, None, 3)]
    await office.check()
    await office.catalogue.change_departure("paris", "dep_1", REOPEN_DEPARTURE)
    assert said(await office.events())[-1] == (11, "dep_1", 4)
    await office.check()


async def test_a_departure_that_is_moved_says_when_it_starts(office):
    await office.dated("paris", capacities=(5,))
    moment = office.clock.ahead(days=20)

    await office.catalogue.change_departure("paris", "dep_1", rest.DeparturePatch(starts_at=moment))

    event = (await office.events())[-1]
    assert (event.departure.starts_at, event.departure.version, event.version) == (moment, 2, 2)


async def test_one_that_has_left_can_be_moved_and_reopened_in_one_patch(office):
    await office.dated("paris", capacities=(5,))
    office.clock.forward(days=2)
    assert await office.catalogue.close_past() == 1
    with pytest.raises(DeparturePast):
        await office.catalogue.change_departure("paris", "dep_1", REOPEN_DEPARTURE)

    patch = rest.DeparturePatch(starts_at=office.clock.ahead(days=1), closed=False, capacity=6)
    await office.catalogue.change_departure("paris", "dep_1", patch)

    assert (await office.book("paris", 6)).tour.available == 0
    await office.check()


async def test_changes_of_departures_that_cannot_be_are_refused_whole(office, subtests):
    await office.undated("louvre")
    await office.dated("paris", capacities=(5, 5))
    await office.book("paris", 3, "dep_1")
    await office.dated("closed", capacities=(5,))
    await office.catalogue.change("closed", CLOSE)
    await office.dated("full", capacities=(100_000,) * 100)
    await office.catalogue.change_departure("full", "dep_1", CLOSE_DEPARTURE)
    soon = office.clock.ahead(days=1)
    new = rest.NewDeparture(starts_at=soon, capacity=99_999)
    await office.catalogue.add_departure("full", new)
    before = await office.everything()
    for tour_id, departure_id, patch, refusal in [
        ("paris", "dep_9", CLOSE_DEPARTURE, DepartureNotFound),
        ("nowhere", "dep_1", CLOSE_DEPARTURE, DepartureNotFound),
        ("louvre", "louvre", CLOSE_DEPARTURE, TourUndated),
        ("paris", "dep_1", rest.DeparturePatch(starts_at=soon, capacity=2), CapacityBelowSold),
        ("paris", "dep_1", rest.DeparturePatch(starts_at=office.clock.ahead(days=-1)), DeparturePast),
        ("closed", "dep_1", REOPEN_DEPARTURE, TourClosed),
        ("full", "dep_1", REOPEN_DEPARTURE, CapacityTooLarge),
    ]:
        with subtests.test(f"{refusal.code} {tour_id}"), pytest.raises(refusal):
            await office.catalogue.change_departure(tour_id, departure_id, patch)
        assert await office.everything() == before


# The sweep


async def test_departures_that_have_started_are_closed_once(office):
    await office.dated("paris", capacities=(5, 6, 7))
    await office.undated("louvre")
    assert await office.catalogue.close_past() == 0
    office.clock.forward(days=2)
    before = len(await office.events())

    swept, _ = await office.race(office.catalogue.close_past() for _ in range(5))

    assert sum(swept) == 2
    assert [departure for _, departure, _ in said(await office.events())[before:]] == [
        "dep_1",
        None,
        "dep_2",
        None,
    ]
    assert (await office.tour("paris")).available == 7
    with pytest.raises((DeparturePast, DepartureClosed)):
        await office.book("paris", 1, "dep_1")
    assert (await office.book("paris", 1)).departure.id == "dep_3"
    await office.check()


async def test_a_departure_moved_while_the_sweep_looks_is_left_alone(office, monkeypatch):
    await office.dated("paris", capacities=(5,))
    office.clock.forward(days=2)
    looked = store.past_departures

    async def look_and_lose(connection, now):
        found = await looked(connection, now)
        patch = rest.DeparturePatch(starts_at=office.clock.ahead(days=1))
        await office.catalogue.change_departure("paris", "dep_1", patch)
        return found

    monkeypatch.setattr(store, "past_departures", look_and_lose)

    assert await office.catalogue.close_past() == 0
    assert (await office.departure("paris", "dep_1")).closed_at is None
    await office.check()
