"""The SQL of selling: many wishes in one transaction, on PostgreSQL in one statement, with the same effect on both."""

import json

import pytest

from seatcast import wire, wire_events
from seatcast.domain import new_id
from seatcast.tours import outbox
from seatcast.tours.announcements import availability_event
from seatcast.tours.driver import driver_of
from seatcast.tours.selling import KeyInUse, Taking
from seatcast.tours.selling_postgresql import take_all
from seatcast.tours.selling_sqlite import take_each


def wish(tour_id, seats=1, departure_id=None, *, key=None, traceparent=None):
    return Taking(
        booking_id=new_id("bkg"),
        tour_id=tour_id,
        departure_id=departure_id or tour_id,
        seats=seats,
        user_id="ana",
        key_scope=None if key is None else "user:ana",
        key=key,
        request_hash=None if key is None else "hash",
        traceparent=traceparent,
    )


async def sell(office, *wishes):
    return (await take(office, wishes)).taken


async def take(office, wishes):
    epoch, now = office.desk.epoch, office.clock()
    if office.database.postgresql:
        async with office.database.transaction() as tx:
            return await take_all(await driver_of(tx), wishes, epoch, now)
    return await office.database.write_through_driver(lambda driver: take_each(driver, wishes, epoch, now))


async def test_wishes_for_many_departures_are_sold_together(office):
    await office.undated("louvre", capacity=10)
    await office.dated("paris", capacities=(5, 5))
    before = len(await office.events())

    results = await sell(
        office,
        wish("paris", 2, "dep_2"),
        wish("louvre", 1),
        wish("paris", 1, "dep_1"),
        wish("paris", 3, "dep_2"),
        wish("louvre", 4),
    )

    assert all(results)
    # Everybody is told the rows as they are after the whole transaction.
    assert [taken.departure.available for taken in results] == [0, 5, 4, 0, 5]
    assert [taken.tour.available for taken in results] == [4, 5, 4, 4, 5]
    assert [(await office.tour(tour)).version for tour in ("louvre", "paris")] == [3, 4]
    events = (await office.events())[before:]
    assert sorted((e.tour_id, e.departure.id if e.departure else None) for e in events) == [
        ("louvre", None),
        ("paris", "dep_1"),
        ("paris", "dep_2"),
    ]
    await office.check()


async def test_wishes_are_met_in_the_order_in_which_they_came(office):
    await office.undated("louvre", capacity=5)

    first, second, third = await sell(office, wish("louvre", 3), wish("louvre", 2), wish("louvre", 1))

    assert first
    assert second
    assert third is None
    await office.check()


async def test_a_wish_larger_than_what_is_left_stands_in_nobodys_way(office):
    await office.undated("louvre", capacity=5)

    results = await sell(office, wish("louvre", 6), wish("louvre", 5), wish("louvre", 6))

    assert [taken is not None for taken in results] == [False, True, False]
    await office.check()


async def test_wishes_that_cannot_be_met_change_nothing(office):
    await office.undated("louvre", capacity=5)
    await office.dated("paris", capacities=(5, 5))
    await office.execute("UPDATE departures SET closed_at = :now WHERE id = 'dep_2'", now=office.clock())
    before = await office.everything()

    wishes = [wish("louvre", 6), wish("nowhere"), wish("paris")]
    wishes += [wish("paris", departure_id="dep_9"), wish("paris", departure_id="dep_2")]

    assert await sell(office, *wishes) == [None] * 5
    # A wish alone takes another road on PostgreSQL.
    assert [await sell(office, one) for one in wishes] == [[None]] * 5
    assert await office.everything() == before


async def test_a_departure_that_starts_now_is_not_sold(office):
    await office.dated("paris", capacities=(5,))
    await office.execute("UPDATE departures SET starts_at = :now", now=office.clock())

    assert await sell(office, wish("paris", 1, "dep_1")) == [None]
    assert await sell(office, wish("paris", 1, "dep_1"), wish("paris", 2, "dep_1")) == [None, None]


async def test_a_key_in_use_takes_nobodys_seats(office):
    await office.undated("louvre", capacity=5)
    await sell(office, wish("louvre", key="k"))
    before = await office.everything()

    if office.database.postgresql:
        with pytest.raises(KeyInUse):
            await sell(office, wish("louvre"), wish("louvre", key="k"))
        with pytest.raises(KeyInUse):
            await sell(office, wish("louvre", key="k"))
    else:
        assert await sell(office, wish("louvre", key="k")) == [None]

    assert await office.everything() == before


@pytest.mark.parametrize("alone", [False, True], ids=["together", "alone"])
async def test_an_event_says_what_the_wire_structs_say(office, alone):
    """On PostgreSQL its JSON is made in SQL; it must be byte for byte as readable, with names that need escaping."""
    name = 'Le "Grand" Tour \\ d\'été : 100 % 🎉'
    await office.undated("louvre", capacity=5)
    await office.dated("paris", capacities=(5,))
    await office.execute("UPDATE tours SET name = :name", name=name)
    before = len(await office.events())
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    wishes = [wish("louvre", 2, traceparent=traceparent), wish("paris", 1, "dep_1")]
    for batch in [[one] for one in wishes] if alone else [wishes]:
        await sell(office, *batch)

    rows = await office.rows(
        "SELECT * FROM outbox WHERE routing_key = 'tour.availability.updated' ORDER BY id"
    )
    rows = rows[before:]
    for row in rows:
        event = wire_events.decode_event(row.routing_key, row.payload.encode())
        assert json.loads(wire.encode(event)) == json.loads(row.payload)
        tour = await office.tour(event.tour_id)
        departure = await office.departure(event.tour_id, event.departure.id if event.departure else None)
        expected = availability_event(event.event_id, office.desk.epoch, tour, departure, office.clock())
        assert event == expected
        assert event.tour_name == name
        assert row.event_id == event.event_id
        assert row.created_at == office.clock()
    assert {row.traceparent for row in rows} == {traceparent, None}
    assert len({row.event_id for row in rows}) == 2


async def test_a_booking_is_written_as_it_was_wished(office):
    await office.undated("louvre", capacity=5, price=12.5)
    wished = wish("louvre", 2, key="k")

    await sell(office, wished)

    [row] = await office.rows("SELECT * FROM bookings")
    assert tuple(row) == (
        wished.booking_id, "louvre", "louvre", 2, "ana", "confirmed", 2_500, "EUR", office.clock(), None,
        "user:ana", "k", "hash",
    )  # fmt: skip


async def test_the_largest_tour_can_be_counted(office):
    """Sums are wider than the columns they go into, and must fit them again."""
    await office.dated("paris", capacities=(100_000,) * 100, price=1_000_000)

    [taken] = await sell(office, wish("paris", 100_000, "dep_100"))

    assert taken.tour.available == 9_900_000
    assert await office.rows("SELECT total_minor FROM bookings") == [(100_000 * 100_000_000,)]
    await office.check()


async def test_two_processes_sell_one_tour_to_the_last_seat(postgres_office, clean_postgres_url, opened):
    """Each locks the newest rows, not those of its statement's snapshot."""
    async with opened(clean_postgres_url) as other:
        await postgres_office.dated("paris", capacities=(40, 60))
        desks = (postgres_office, other)

        booked, refused = await postgres_office.race(
            desks[number % 2].book("paris", 1, f"dep_{1 + number // 2 % 2}") for number in range(300)
        )

        assert len(booked) == 100
        assert refused == {"NOT_ENOUGH_SEATS": 200}
        await postgres_office.check()
        versions = [event.version for event in await postgres_office.events()]
        assert versions == sorted(versions)
        assert versions[-1] == 101


async def test_the_events_of_a_sale_are_the_rows_now_in_the_outbox(office):
    """They are handed to the relay, which must not have to read them back to send the same."""
    await office.undated("louvre", capacity=10)
    await office.dated("paris", capacities=(5, 5))

    async with office.database.reading() as tx:
        last = (await outbox.waiting(tx, 100))[-1].id
    wishes = [
        wish("paris", 2, "dep_2", traceparent="00-trace"),
        wish("louvre", 1),
        wish("paris", 1, "dep_1"),
    ]
    sale = await take(office, wishes)
    alone = await take(office, [wish("paris", 1, "dep_2", traceparent="00-trace")])
    async with office.database.reading() as tx:
        waiting = [row for row in await outbox.waiting(tx, 100) if row.id > last]
    assert waiting == sale.events + alone.events

    assert len(sale.events) == 3 + 3
    assert len(alone.events) == 1 + 1
