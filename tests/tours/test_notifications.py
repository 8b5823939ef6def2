"""Users are told of their bookings, in the transaction that makes or cancels them: once each, in order, and nobody else."""

import asyncio
import json
import random
from collections import Counter, defaultdict

import pytest

from seatcast import wire, wire_events
from seatcast.domain import new_id
from seatcast.tours import streams
from seatcast.tours.driver import driver_of
from seatcast.tours.selling import KeyInUse, Taking
from seatcast.tours.selling_postgresql import take_all
from seatcast.tours.selling_sqlite import take_each

CONFIRMED, CANCELLED = wire_events.BookingConfirmedEvent, wire_events.BookingCancelledEvent


def wish(tour_id, seats=1, departure_id=None, *, user, key=None, traceparent=None):
    return Taking(
        booking_id=new_id("bkg"),
        tour_id=tour_id,
        departure_id=departure_id or tour_id,
        seats=seats,
        user_id=user,
        key_scope=None if key is None else f"user:{user}",
        key=key,
        request_hash=None if key is None else "hash",
        traceparent=traceparent,
    )


async def sell(office, *wishes):
    epoch, now = office.desk.epoch, office.clock()
    if office.database.postgresql:
        async with office.database.transaction() as tx:
            return await take_all(await driver_of(tx), wishes, epoch, now)
    return await office.database.write_through_driver(lambda driver: take_each(driver, wishes, epoch, now))


async def stored(office, user):
    """A user's messages as they are kept: numbered from 1 without a gap."""
    async with office.database.reading() as connection:
        page = await streams.read(connection, streams.stream_of(user), limit=1_000)
    assert [seq for seq, _ in page.messages] == list(range(1, page.head + 1))
    return [event for _, event in page.messages]


@pytest.mark.parametrize("alone", [False, True], ids=["together", "alone"])
async def test_a_user_is_told_what_the_booking_says(office, alone):
    """On PostgreSQL the JSON is made in SQL; names need escaping there."""
    name = 'Le "Grand" Tour \\ d\'été : 100 % 🎉'
    user = 'ana "la grande" \\ é'
    await office.undated("louvre", capacity=5)
    await office.dated("paris", capacities=(5,))
    await office.execute("UPDATE tours SET name = :name", name=name)
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    wishes = [
        wish("louvre", 2, user=user, traceparent=traceparent),
        wish("paris", 1, "dep_1", user=user),
    ]

    sales = [await sell(office, *batch) for batch in ([[w] for w in wishes] if alone else [wishes])]

    events = await stored(office, user)
    assert events == [
        CONFIRMED(
            event_id=event.message_id,
            message_id=event.message_id,
            user_id=user,
            timestamp=office.clock(),
            seq=seq,
            booking_id=wished.booking_id,
            tour_name=name,
            tour_id=wished.tour_id,
            seats=wished.seats,
            **({"departure_id": "dep_1"} if wished.tour_id == "paris" else {}),
        )
        for seq, (wished, event) in enumerate(zip(wishes, events, strict=True), 1)
    ]
    assert len({event.message_id for event in events}) == 2
    rows = [row for sale in sales for row in sale.events if row.routing_key == "booking.confirmed"]
    assert [json.loads(row.payload) for row in rows] == [json.loads(wire.encode(event)) for event in events]
    assert [row.traceparent for row in rows] == [traceparent, None]
    assert [row.event_id for row in rows] == [event.message_id for event in events]
    columns = await office.rows("SELECT id, kind, created_at, support_seq, sender FROM messages ORDER BY seq")
    assert columns == [(e.message_id, "booking.confirmed", office.clock(), None, None) for e in events]


async def test_an_anonymous_booking_tells_nobody(office):
    await office.undated("louvre", capacity=10)

    await office.book("louvre")
    await sell(office, wish("louvre", user=None), wish("louvre", user="ana"), wish("louvre", user=None))

    assert await office.rows("SELECT user_id, seq FROM messages") == [("ana", 1)]
    assert await office.rows("SELECT id, head FROM streams") == [("user:ana", 1)]


async def test_bookings_of_one_batch_are_numbered_in_the_order_of_their_wishes(office):
    await office.undated("louvre", capacity=7)
    await office.dated("paris", capacities=(5, 5))
    await sell(office, wish("paris", 1, "dep_1", user="ana"))
    wishes = [
        wish("paris", 1, "dep_2", user="ana"),
        wish("louvre", 2, user="ben"),
        wish("louvre", 9, user="ana"),  # refused
        wish("louvre", 2, user="ana"),
        wish("paris", 1, "dep_2", user="ben"),
        wish("paris", 1, "dep_1", user="ana"),
    ]

    sale = await sell(office, *wishes)

    assert [taken is not None for taken in sale.taken] == [True, True, False, True, True, True]
    told = {user: [event.booking_id for event in await stored(office, user)] for user in ("ana", "ben")}
    assert told["ana"][1:] == [wishes[n].booking_id for n in (0, 3, 5)]
    assert told["ben"] == [wishes[n].booking_id for n in (1, 4)]
    for user in told:
        assert [event.booking_id for event in await office.told(user)] == told[user]


async def test_a_hundred_callers_at_once_are_told_of_each_booking_once(office):
    await office.undated("louvre", capacity=80)
    await office.dated("paris", capacities=(20, 20))
    users = ["ana", "ben", "eve", None]

    async def call(number):
        where = ("louvre", None) if number % 2 else ("paris", f"dep_{1 + number // 2 % 2}")
        return await office.book(where[0], 1, where[1], user=users[number % 4], key=f"key {number // 2}")

    done, refused = await office.race(call(number) for number in range(100))

    assert refused["NOT_ENOUGH_SEATS"] == 100 - len(done) - refused["IDEMPOTENCY_KEY_REUSED"]
    for user in users[:3]:
        events = await stored(office, user)
        rows = await office.rows("SELECT id FROM bookings WHERE user_id = :user", user=user)
        assert Counter(event.booking_id for event in events) == {row.id: 1 for row in rows}
        assert [event.seq for event in await office.told(user)] == list(range(1, len(events) + 1))
    assert len(await office.rows("SELECT 1 FROM messages")) == sum(
        1 for booked in done if booked.details.booking.user_id is not None
    )


async def test_a_booking_that_is_asked_for_again_is_told_once(office):
    await office.undated("louvre", capacity=5)

    first = await office.book("louvre", user="ana", key="k")
    await office.race(office.book("louvre", user="ana", key="k") for _ in range(5))

    [event] = await stored(office, "ana")
    assert event.booking_id == first.details.booking.id


async def test_a_batch_that_fails_for_a_key_in_use_leaves_no_message_and_no_gap(office):
    await office.undated("louvre", capacity=5)
    await sell(office, wish("louvre", user="ana", key="k"))
    before = await office.everything()

    if office.database.postgresql:
        with pytest.raises(KeyInUse):
            await sell(office, wish("louvre", user="ben"), wish("louvre", user="ana", key="k"))
        with pytest.raises(KeyInUse):
            await sell(office, wish("louvre", user="ana", key="k"))
    else:
        await sell(office, wish("louvre", user="ana", key="k"))

    assert await office.everything() == before


async def test_a_refused_wish_tells_nobody(office):
    await office.undated("louvre", capacity=5)
    before = await office.everything()

    await sell(office, wish("louvre", 6, user="ana"))
    await sell(office, wish("louvre", 6, user="ana"), wish("nowhere", user="ben"))

    assert await office.everything() == before


@pytest.mark.parametrize("staff", [False, True], ids=["by its user", "by staff"])
async def test_whoever_cancels_a_booking_its_user_is_told(office, staff):
    await office.dated("paris", capacities=(5,))
    booking = (await office.book("paris", 2, "dep_1", user="ana")).details.booking
    user = "olga" if staff else "ana"

    office.clock.forward(minutes=5)
    for _ in range(2):
        await office.desk.cancel(booking.id, user=user, any_user=staff, traceparent="00-trace")

    confirmed, cancelled = await stored(office, "ana")
    assert cancelled == CANCELLED(
        event_id=cancelled.message_id, message_id=cancelled.message_id, user_id="ana",
        timestamp=office.clock(), seq=2, booking_id=booking.id, tour_name="paris", tour_id="paris", seats=2,
        departure_id="dep_1",
    )  # fmt: skip
    assert await office.told("ana") == [confirmed, cancelled]
    assert await stored(office, "olga") == []
    [row] = await office.rows("SELECT traceparent FROM outbox WHERE routing_key = 'booking.cancelled'")
    assert row.traceparent == "00-trace"


async def test_cancelling_what_is_nobodys_tells_nobody(office):
    await office.undated("louvre")
    booking = (await office.book("louvre")).details.booking

    await office.desk.cancel(booking.id, user=None, any_user=False)

    assert await office.rows("SELECT * FROM messages") == []


async def test_the_user_is_told_also_where_the_seats_are_not_for_sale_any_more(office):
    await office.dated("paris", capacities=(5,))
    booking = (await office.book("paris", 2, "dep_1", user="ana")).details.booking
    office.clock.forward(days=2)
    await office.catalogue.close_past()

    await office.desk.cancel(booking.id, user="ana", any_user=False)

    assert [type(event) for event in await stored(office, "ana")] == [CONFIRMED, CANCELLED]


async def test_processes_that_tell_the_same_users_never_wait_for_each_other_in_a_circle(postgres_office):
    """Users in all orders, on tours of each process's own, and cancellations between; a deadlock would raise."""
    office = postgres_office
    users = [f"user_{number}" for number in range(12)]
    for number in range(4):
        await office.undated(f"tour_{number}", capacity=5_000)

    async def one(number):
        chance = random.Random(number)
        bookings = []
        for _ in range(25):
            batch = [wish(f"tour_{number}", user=user) for user in chance.sample(users, 10)]
            await sell(office, *batch)
            bookings += batch
            await office.desk.cancel(chance.choice(bookings).booking_id, user=None, any_user=True)

    await asyncio.gather(*map(one, range(4)))

    told = [event for user in users for event in await stored(office, user)]
    assert Counter(map(type, told))[CONFIRMED] == 4 * 25 * 10


@pytest.mark.parametrize("others", [0, 2], ids=["alone", "together"])
async def test_a_key_is_waited_for_before_a_stream_is_held(postgres_office, monkeypatch, others):
    """Cancelling holds the booking and needs the stream; a wish with the booking's key waits for the booking."""
    office = postgres_office
    await office.undated("louvre")
    await office.undated("orsay")
    booking = (await office.book("louvre", user="ana", key="k")).details.booking
    reached, go_on, add_message = asyncio.Event(), asyncio.Event(), streams.add_message

    async def add_later(*args, **more):
        reached.set()
        await go_on.wait()
        return await add_message(*args, **more)

    monkeypatch.setattr(streams, "add_message", add_later)
    cancelling = asyncio.create_task(office.desk.cancel(booking.id, user="ana", any_user=False))
    await reached.wait()
    wishes = [wish("orsay", user="ana", key="k"), *(wish("orsay", user="ana") for _ in range(others))]
    selling = asyncio.create_task(sell(office, *wishes))

    async def waiting():
        return await office.rows(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

    while not await waiting():
        await asyncio.sleep(0.01)
    go_on.set()

    await cancelling
    with pytest.raises(KeyInUse):
        await selling
    assert [type(event) for event in await stored(office, "ana")] == [CONFIRMED, CANCELLED]


async def test_bookings_reach_their_user_over_rest_and_the_broker(service, bearer, eventually):
    await service.create("louvre", 5)
    booked = await service.book("louvre", 2, headers=service.user)
    booking_id = booked.json()["booking"]["id"]
    await service.client.delete(f"/api/bookings/{booking_id}", headers=service.staff)
    await service.book("louvre", 1)

    answer = await service.client.get("/api/messages", headers=service.user | {"Accept-Language": "en"})
    frames = [message["frame"] for message in answer.json()["messages"]]

    assert [(f["type"], f["bookingId"], f["message"]) for f in frames] == [
        ("BOOKING_CONFIRMED", booking_id, "Your booking is confirmed: Louvre, 2 seats"),
        ("BOOKING_CANCELLED", booking_id, "Your booking is cancelled: Louvre, 2 seats"),
    ]
    await eventually(lambda: len(service.told) >= 2 and len(service.of("louvre")) == 4)
    assert [(event.message_id, event.user_id, event.seq) for event in service.told] == [
        (frames[0]["messageId"], "ana", 1),
        (frames[1]["messageId"], "ana", 2),
    ]


async def test_a_relay_that_dies_between_commit_and_publishing_tells_users_later(
    clean_url, opened, running, eventually
):
    async with opened(clean_url) as office:
        await office.undated("louvre", capacity=50)
        for number in range(10):
            await office.book("louvre", user=("ana", "ben")[number % 2])

    async with running(clean_url) as service:
        await eventually(lambda: len(service.told) == 10)

    numbers = defaultdict(list)
    for event in service.told:
        numbers[event.user_id].append(event.seq)
    assert numbers == {"ana": [1, 2, 3, 4, 5], "ben": [1, 2, 3, 4, 5]}
