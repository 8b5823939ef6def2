"""Live figures over two gateways and two tour services as separate processes, and what is left when some are killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import httpx
from websockets.asyncio.client import connect

from seatcast.tokens import Tokens

from .conftest import SECRET


def token(user, *roles):
    return Tokens(SECRET).mint(user, list(roles), 3600)


class Admin:
    """Somebody who follows `metrics`."""

    def __init__(self, socket):
        self._socket = socket
        self.latest = None

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, url):
        async with connect(f"{url}?token={token('ada', 'admin')}") as socket:
            admin = cls(socket)
            await socket.send('{"type":"SUBSCRIBE","channel":"metrics","id":1}')
            task = asyncio.create_task(admin._listen())
            try:
                yield admin
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _listen(self):
        async for message in self._socket:
            frame = json.loads(message)
            if frame["type"] == "METRICS_UPDATE":
                assert self.latest is None or frame["timestamp"] > self.latest["timestamp"]
                self.latest = frame


async def test_figures_are_those_of_all_gateways_and_outlive_whoever_tells_them(
    world, postgres_url, amqp_url, create_tour, book, eventually
):
    first, api = world.tours(postgres_url, amqp_url)
    create_tour(api, "tour_lyon", 30)
    staff = {"Authorization": f"Bearer {token('ops', 'staff')}"}
    api.patch("/api/tours/tour_lyon", json={"price": 19.99}, headers=staff).raise_for_status()
    _, other = world.tours(postgres_url, amqp_url)
    _, here = world.gateway(amqp_url, api, "--gateway-id", "here")
    dying, there = world.gateway(amqp_url, api, "--gateway-id", "there")

    async with Admin.at(here) as admin, contextlib.AsyncExitStack() as stack:
        for url in (f"{here}?token={token('ana')}", f"{there}?token={token('ana')}", there, there):
            await stack.enter_async_context(connect(url))
        book(api, "tour_lyon", 3)

        def shows(**expected):
            assert admin.latest is not None
            assert {name: admin.latest[name] for name in expected} == expected
            return True

        sold = {"activeBookings": 1, "totalRevenue": 59.97, "seatsSold": 3}
        await eventually(lambda: shows(activeUsers=2 + 2, **sold))
        assert [(g["id"], g["connections"], g["users"]) for g in admin.latest["gateways"]] == [
            ("here", 2, 2),
            ("there", 3, 1),
        ]

        # A gateway without a word: its anonymous connections are gone within 10 s, ana is still on the other one.
        dying.kill()
        killed = time.monotonic()
        await eventually(lambda: shows(activeUsers=2, **sold), timeout=12)
        assert time.monotonic() - killed < 10.5
        assert time.monotonic() - killed > 5

        # Whichever of the two tells: the other one goes on, and knows who is there.
        first.kill()
        book(other, "tour_lyon", 1)
        await eventually(lambda: shows(activeBookings=2, totalRevenue=79.96, activeUsers=2))
        answer = httpx.get(
            f"{other.base_url}/api/metrics", headers={"Authorization": f"Bearer {token('ada', 'admin')}"}
        ).json()
        assert (answer["activeBookings"], answer["totalRevenue"], answer["activeUsers"]) == (2, 79.96, 2)
        assert [tour["revenue"] for tour in answer["tours"]] == [79.96]


async def test_a_restarted_tour_service_tells_the_right_number_of_users_from_its_first_message_on(
    world, postgres_url, amqp_url, create_tour, eventually
):
    first, api = world.tours(postgres_url, amqp_url)
    create_tour(api, "tour_lyon", 30)
    gateways = [world.gateway(amqp_url, api)[1] for _ in range(3)]
    async with Admin.at(gateways[0]) as admin, contextlib.AsyncExitStack() as stack:
        for number, url in enumerate(gateways):
            await stack.enter_async_context(connect(f"{url}?token={token(f'user-{number}')}"))
        await eventually(lambda: admin.latest and admin.latest["activeUsers"] == 4)
        first.kill()
        admin.latest = None

        world.tours(postgres_url, amqp_url)

        await eventually(lambda: admin.latest is not None)
        assert admin.latest["activeUsers"] == 4


async def test_after_a_broker_that_was_killed_the_figures_are_right_from_the_first_message_on(
    world, postgres_url, private_rabbitmq, create_tour, book, eventually
):
    _, api = world.tours(postgres_url, private_rabbitmq.url)
    create_tour(api, "tour_lyon", 30)
    gateways = [world.gateway(private_rabbitmq.url, api)[1] for _ in range(2)]
    async with Admin.at(gateways[0]) as admin, contextlib.AsyncExitStack() as stack:
        for number, url in enumerate(gateways):
            await stack.enter_async_context(connect(f"{url}?token={token(f'user-{number}')}"))
        await eventually(lambda: admin.latest and admin.latest["activeUsers"] == 3)

        private_rabbitmq.kill()
        book(api, "tour_lyon", 2)
        await asyncio.sleep(1)
        admin.latest = None
        await asyncio.to_thread(private_rabbitmq.start)

        await eventually(lambda: admin.latest is not None, timeout=40)
        assert (admin.latest["activeUsers"], admin.latest["seatsSold"]) == (3, 2)
