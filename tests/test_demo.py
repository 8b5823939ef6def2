"""The small servers, seen through a stock WebSocket client."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
import websockets

from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.demo import ThreeTours, numbers, random_numbers, three_tours
from seatcast.gateway.app import gateway
from seatcast.tokens import Tokens

# Whatever the environment says of tokens: nobody could have one here.
SETTINGS = Settings(port=0, drain_seconds=0.2, auth="required")


async def _next(client: websockets.ClientConnection, kind: str) -> dict[str, object]:
    async with asyncio.timeout(10):
        while True:
            frame: dict[str, object] = json.loads(await client.recv())
            if frame["type"] == kind:
                return frame


async def test_random_numbers_reach_everyone_and_are_the_same_for_all():
    async with random_numbers(SETTINGS, every=0.05) as port:
        url = f"ws://127.0.0.1:{port}"
        async with websockets.connect(url) as one, websockets.connect(url) as two:
            for client in (one, two):
                assert json.loads(await client.recv())["type"] == "WELCOME"
            heard = [[await _next(client, "RANDOM_NUMBER") for _ in range(6)] for client in (one, two)]
    for frame in heard[0]:
        assert 1 <= frame["value"] <= 100
        assert frame["timestamp"].endswith("Z")
    # The second connected a moment later: it hears a tail of what the first did.
    assert heard[1][0] in heard[0] or heard[0][-1] in heard[1]


async def test_a_page_that_asks_for_random_numbers_works_with_both_servers():
    """The demo of numbers tells everybody, and answers those who ask as `serve --demo` does."""
    async with (
        random_numbers(SETTINGS, every=0.05) as port,
        websockets.connect(f"ws://127.0.0.1:{port}") as page,
    ):
        await page.send('{"type":"SUBSCRIBE","channel":"random-numbers","id":1}')
        assert await _next(page, "SUBSCRIBED") == {"type": "SUBSCRIBED", "channel": "random-numbers", "id": 1}
        assert 1 <= (await _next(page, "RANDOM_NUMBER"))["value"] <= 100


async def test_the_channel_of_numbers_tells_its_followers_and_nobody_else():
    async with (
        MemoryBroker() as broker,
        gateway(Settings(port=0, drain_seconds=0.2), broker, None, Tokens(None)) as running,
        numbers(running, every=0.05),
        websockets.connect(f"ws://127.0.0.1:{running.port}") as page,
        websockets.connect(f"ws://127.0.0.1:{running.port}") as other,
    ):
        await page.send('{"type":"SUBSCRIBE","channel":"random-numbers","id":1}')
        await _next(page, "SUBSCRIBED")
        await _next(page, "RANDOM_NUMBER")
        await _next(page, "RANDOM_NUMBER")
        await other.send('{"type":"PING"}')
        kinds = []
        while "PONG" not in kinds:
            kinds.append(json.loads(await other.recv())["type"])
        assert "RANDOM_NUMBER" not in kinds
        await page.send('{"type":"UNSUBSCRIBE","channel":"random-numbers"}')
        await _next(page, "UNSUBSCRIBED")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await _next(page, "RANDOM_NUMBER")


async def test_three_tours_are_there_at_once_and_lose_seats_with_their_names():
    async with (
        three_tours(SETTINGS, every=0.02) as port,
        websockets.connect(f"ws://127.0.0.1:{port}") as client,
    ):
        assert json.loads(await client.recv())["type"] == "WELCOME"
        first = [await _next(client, "INITIAL_STATE") for _ in range(3)]
        seats = {frame["tourId"]: frame["availableSeats"] for frame in first}
        assert set(seats) == {"tour_paris", "tour_london", "tour_rome"}
        for _ in range(5):
            frame = await _next(client, "AVAILABILITY_UPDATE")
            assert frame["tourName"] in {"Paris City Tour", "London Eye Experience", "Rome Colosseum Tour"}
            assert 0 <= frame["availableSeats"] < seats[frame["tourId"]]
            seats[frame["tourId"]] = frame["availableSeats"]


def test_seats_fall_by_one_to_three_and_never_below_none():
    shop = ThreeTours(random.Random(3))
    before = {tour.id: tour.available_seats for tour in shop.tours.values()}
    while (event := shop.sell()) is not None:
        lost = before[event.tour_id] - event.available_seats
        assert 1 <= lost <= 3
        before[event.tour_id] = event.available_seats
    assert set(before.values()) == {0}


async def test_a_page_opened_from_a_file_may_connect_unless_pages_are_listed():
    async with (
        random_numbers(SETTINGS) as port,
        websockets.connect(f"ws://127.0.0.1:{port}", origin="null") as client,
    ):
        assert json.loads(await client.recv())["type"] == "WELCOME"
    listed = Settings(port=0, drain_seconds=0.2, allowed_origins=("https://tours.example",))
    async with random_numbers(listed) as port:
        with pytest.raises(websockets.InvalidStatus, match="403"):
            await websockets.connect(f"ws://127.0.0.1:{port}", origin="null")
