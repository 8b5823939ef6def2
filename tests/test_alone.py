"""A tour service and a gateway as processes of their own, joined by RabbitMQ and HTTP alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets

from seatcast.alone import Listening, gateway_alone, open_broker, tours_alone
from seatcast.broker import BrokerUnavailable
from seatcast.broker.memory import MemoryBroker
from seatcast.client_commands import publish
from seatcast.config import Settings
from seatcast.tokens import Tokens

from .running import UPGRADE

SECRET = "a secret of more than sixteen bytes"


async def _frame(client: websockets.ClientConnection, kind: str) -> dict[str, object]:
    while True:
        frame: dict[str, object] = json.loads(await client.recv())
        if frame["type"] == kind:
            return frame


def _gateway(amqp_url: str, tours_url: str | None = None) -> Settings:
    return Settings(port=0, http_port=0, broker_url=amqp_url, tours_url=tours_url, drain_seconds=0.2)


async def test_a_booking_travels_from_one_to_the_other(sqlite_url, amqp_url):
    settings = Settings(api_port=0, database_url=sqlite_url, broker_url=amqp_url, jwt_secret=SECRET)
    staff = {"Authorization": f"Bearer {Tokens(SECRET).mint('me', ['staff'], 60)}"}
    async with tours_alone(settings) as api, httpx.AsyncClient(base_url=api) as http:
        new = {"id": "tour_oslo", "name": "Oslo", "capacity": 9}
        assert (await http.post("/api/tours", json=new, headers=staff)).status_code == 201
        async with gateway_alone(_gateway(amqp_url, api)) as where, websockets.connect(where.url) as client:
            assert (await _frame(client, "INITIAL_STATE"))["availableSeats"] == 9
            assert (await http.post("/api/tours/tour_oslo/book", json={"seatsToBook": 2})).is_success
            assert (await _frame(client, "AVAILABILITY_UPDATE"))["availableSeats"] == 7


async def test_a_gateway_without_a_tour_service_starts_from_events_alone(amqp_url):
    async with gateway_alone(_gateway(amqp_url)) as where, websockets.connect(where.url) as client:
        assert (await _frame(client, "WELCOME"))["following"] == "all"
        heard = asyncio.create_task(_frame(client, "AVAILABILITY_UPDATE"))
        # Again, because nothing gives back what was sent before the gateway's queue was there.
        while not heard.done():
            await publish(amqp_url, "tour_elsewhere", 5, "Elsewhere")
            await asyncio.wait([heard], timeout=0.5)
        frame = heard.result()
        assert (frame["tourId"], frame["availableSeats"]) == ("tour_elsewhere", 5)


async def test_the_http_port_says_unready_while_the_gateway_drains(amqp_url, eventually):
    """A load balancer that asks there then sends nobody here any more."""
    settings = Settings(port=0, http_port=0, broker_url=amqp_url, drain_seconds=20)
    listening: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def run() -> None:
        async with gateway_alone(settings) as where:
            listening.set_result(where)
            await stop.wait()

    running = asyncio.create_task(run())
    where = await listening
    # It will not answer the CLOSE, so it is waited for.
    _, writer = await asyncio.open_connection("127.0.0.1", int(where.url.rpartition(":")[2]))
    writer.write(UPGRADE)
    async with httpx.AsyncClient(base_url=where.health) as http:

        async def connections(count: int) -> bool:
            return f"seatcast_gateway_connections {count}.0" in (await http.get("/metrics")).text

        await eventually(lambda: connections(1))
        stop.set()
        answer = await eventually(lambda: _unready(http))
        assert answer["checks"]["gateway"] == "draining"
        assert await connections(1), "and not only at the end"
    await running
    writer.close()


async def _unready(http: httpx.AsyncClient) -> dict[str, Any] | None:
    answer = await http.get("/health/ready")
    return answer.json() if answer.status_code == 503 else None


async def test_a_tour_service_without_a_secret_takes_no_token(sqlite_url, amqp_url):
    settings = Settings(api_port=0, database_url=sqlite_url, broker_url=amqp_url)
    token = Tokens(SECRET).mint("me", ["staff"], 60)
    async with tours_alone(settings) as api, httpx.AsyncClient(base_url=api) as http:
        answer = await http.get("/api/bookings", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


async def test_without_a_broker_url_the_broker_is_in_the_process():
    async with open_broker(Settings()) as broker:
        assert isinstance(broker, MemoryBroker)


async def test_a_broker_that_is_not_there_is_given_up_after_the_start(free_port):
    settings = Settings(broker_url=f"amqp://127.0.0.1:{free_port()}", start_seconds=0.3)
    with pytest.raises(BrokerUnavailable):
        async with open_broker(settings):
            pass
