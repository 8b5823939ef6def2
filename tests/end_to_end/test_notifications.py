"""Users are told of exactly what happened, also when the tour service is killed while they book and cancel."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict

import httpx

from seatcast import wire_events
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.tokens import Tokens

from .conftest import SECRET

USERS = [f"user_{number}" for number in range(4)]
HEADERS = {
    user: {"Authorization": f"Bearer {Tokens(SECRET).mint(user, [], 3600)}", "Accept-Language": "en"}
    for user in USERS
}
KINDS = {"booking.confirmed": "BOOKING_CONFIRMED", "booking.cancelled": "BOOKING_CANCELLED"}


async def test_a_tour_service_killed_while_users_book_has_told_them_neither_more_nor_less(
    world, postgres_url, amqp_url, create_tour, eventually
):
    """kill -9 twice, under load: every booking that there is has its message, no other, and each is published."""
    tours, api = world.tours(postgres_url, amqp_url)
    create_tour(api, "tour_metz", 100_000)
    published: dict[str, list[wire_events.BookingConfirmedEvent | wire_events.BookingCancelledEvent]]
    published = defaultdict(list)
    answered = Counter()
    enough = asyncio.Event()

    async def listen(deliveries):
        async for delivery in deliveries:
            event = wire_events.decode_event(delivery.routing_key, delivery.body)
            published[event.user_id].append(event)

    async def caller(seed):
        chance = random.Random(seed)
        async with httpx.AsyncClient(base_url=str(api.base_url), timeout=5) as client:
            while not enough.is_set():
                user = chance.choice(USERS)
                try:
                    answer = await client.post(
                        "/api/tours/tour_metz/book", json={"seatsToBook": 1}, headers=HEADERS[user]
                    )
                    answered[user] += answer.status_code == 200
                    if chance.random() < 0.4:
                        booking = answer.json()["booking"]["id"]
                        await client.delete(f"/api/bookings/{booking}", headers=HEADERS[user])
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    async with RabbitBroker(amqp_url) as broker:
        await broker.wait_connected(10)
        async with broker.subscribe("test", list(KINDS)) as deliveries:
            listening = asyncio.create_task(listen(deliveries))
            callers = [asyncio.create_task(caller(seed)) for seed in range(16)]
            for _ in range(2):
                await asyncio.sleep(1.0)
                tours.kill()
                tours, _ = await asyncio.to_thread(
                    world.tours, postgres_url, amqp_url, port=api.base_url.port
                )
            await asyncio.sleep(0.5)
            enough.set()
            await asyncio.gather(*callers)

            for user in USERS:
                messages = _messages(api, user)
                bookings = _bookings(api, user)
                assert len(bookings) >= answered[user] > 10
                told = Counter((frame["bookingId"], frame["type"]) for _, frame in messages)
                expected = Counter((booking["id"], "BOOKING_CONFIRMED") for booking in bookings)
                expected += Counter(
                    (booking["id"], "BOOKING_CANCELLED")
                    for booking in bookings
                    if booking["status"] == "cancelled"
                )
                assert told == expected
                assert [seq for seq, _ in messages] == list(range(1, len(messages) + 1))

                ids = [frame["messageId"] for _, frame in messages]
                await eventually(
                    lambda user=user, ids=ids: {e.message_id for e in published[user]} == set(ids)
                )
                first = list(dict.fromkeys(event.message_id for event in published[user]))
                assert first == ids, "events of a user out of order"
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def _messages(api, user):
    found, more, place = [], True, 0
    while more:
        answer = api.get("/api/messages", params={"afterSeq": place, "limit": 500}, headers=HEADERS[user])
        page = answer.json()
        assert page["resumed"]
        found += [(message["seq"], message["frame"]) for message in page["messages"]]
        place, more = found[-1][0], page["more"]
    return found


def _bookings(api, user):
    found, before = [], {}
    while True:
        page = api.get("/api/bookings", params={"limit": 200, **before}, headers=HEADERS[user]).json()
        found += page
        if len(page) < 200:
            return found
        before = {"before": page[-1]["id"]}
