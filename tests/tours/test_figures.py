"""Figures of the shop: exact in every currency, without what is past, and the same as bookings themselves would say."""

import pytest

from seatcast import rest
from seatcast.tours import figures
from seatcast.tours.bookings import now_iso


async def shop_of(office):
    async with office.database.reading() as connection:
        return await figures.shop(figures.asking(connection), office.clock())


async def mark_of(office):
    async with office.database.reading() as connection:
        return await figures.mark(figures.asking(connection))


async def test_money_is_exact(office):
    await office.undated("louvre", capacity=1_000, price=0.1)
    await office.undated("orsay", capacity=1_000, price=1_000_000)
    for _ in range(3):
        await office.book("louvre")
    await office.book("orsay", 999)

    assert (await shop_of(office)).revenue_minor == {"EUR": 30 + 99_900_000_000}


async def test_a_booking_keeps_its_price_and_a_cancelled_one_costs_nothing(office):
    await office.undated("louvre", capacity=10, price=10)
    kept = await office.book("louvre", 2)
    gone = await office.book("louvre", 1)
    await office.catalogue.change("louvre", rest.TourPatch(price=99))
    await office.book("louvre", 1)

    await office.desk.cancel(gone.details.booking.id, user=None, any_user=False)

    shop = await shop_of(office)
    assert shop.revenue_minor == {"EUR": 2_000 + 9_900}
    assert (shop.active_bookings, shop.seats_sold, shop.seats_held) == (2, 3, 0)
    assert kept.details.booking.total_minor == 2_000


async def test_bookings_of_departures_that_have_started_are_not_active_but_their_money_stays(office):
    await office.dated("paris", capacities=(5, 5), price=3)
    for departure in ("dep_1", "dep_2", "dep_2"):
        await office.book("paris", 1, departure)
    office.clock.forward(days=1)

    shop = await shop_of(office)

    assert (shop.active_bookings, shop.revenue_minor) == (2, {"EUR": 900})


async def test_bookings_of_a_closed_departure_that_is_still_to_come_are_active(office):
    await office.dated("paris", capacities=(5,), price=3)
    await office.book("paris", 2, "dep_1")
    await office.catalogue.change_departure("paris", "dep_1", rest.DeparturePatch(closed=True))

    shop = await shop_of(office)

    assert (shop.active_bookings, shop.seats_sold, shop.revenue_minor) == (1, 0, {"EUR": 600})


async def test_different_currencies_are_not_added_up_and_that_of_most_tours_comes_first(office):
    for number, currency in enumerate(["EUR", "GBP", "GBP"]):
        await office.undated(f"t{number}", capacity=9, price=1 + number, currency=currency)
        await office.book(f"t{number}")

    assert list((await shop_of(office)).revenue_minor.items()) == [("GBP", 500), ("EUR", 100)]


async def test_an_empty_shop_has_figures_too(office):
    shop = await shop_of(office)

    assert shop[2:] == (0, 0, 0, {})


async def test_the_moment_is_the_wires(office):
    before = now_iso()
    at = (await shop_of(office)).at

    assert len(at) == len(before)
    assert abs(int(at[17:19]) - int(before[17:19])) in (0, 1, 59)
    assert at[:13] == before[:13] or at > before


async def test_bookings_of_the_last_minute_are_counted_whatever_became_of_them(office):
    await office.undated("louvre", capacity=10)
    await office.book("louvre")
    office.clock.forward(seconds=30)
    booked = await office.book("louvre")
    await office.desk.cancel(booked.details.booking.id, user=None, any_user=False)

    async def counted():
        async with office.database.reading() as connection:
            return await figures.booked_in_a_minute(figures.asking(connection), office.clock())

    assert await counted() == 2
    office.clock.forward(seconds=45)
    assert await counted() == 1
    office.clock.forward(seconds=45)
    assert await counted() == 0


@pytest.mark.parametrize("what", ["book", "cancel", "change"])
async def test_the_mark_moves_with_every_change_and_with_nothing_else(office, what):
    await office.undated("louvre", capacity=10)
    booking = await office.book("louvre")
    before = await mark_of(office)
    assert await mark_of(office) == before

    if what == "book":
        await office.book("louvre")
    elif what == "cancel":
        await office.desk.cancel(booking.details.booking.id, user=None, any_user=False)
    else:
        await office.catalogue.change("louvre", rest.TourPatch(capacity=20))

    assert await mark_of(office) != before


async def test_each_tour_has_its_own_figures(office):
    await office.dated("paris", capacities=(5, 5), price=2.5)
    await office.undated("louvre", capacity=7, price=10)
    await office.book("paris", 3, "dep_2")
    await office.book("paris", 1, "dep_1")
    await office.catalogue.change_departure("paris", "dep_1", rest.DeparturePatch(closed=True))
    await office.catalogue.change("louvre", rest.TourPatch(closed=True))

    async with office.database.reading() as connection:
        louvre, paris = await figures.by_tour(figures.asking(connection))

    assert louvre == ("louvre", "louvre", "EUR", 0, 0, 0, 0, 0, 0, True)
    assert paris == ("paris", "paris", "EUR", 5, 2, 0, 3, 1_000, 2, False)
