"""How one connection is opened, and what is said when it cannot be."""

import asyncio
import signal
import socket
import time

import pytest
import uvloop

from seatcast.broker import BrokerUnavailable, Message
from seatcast.broker import rabbitmq_connection as module
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.broker.rabbitmq_connection import BrokerRefuses, RabbitConnection

from .contract import KEYS, take


async def test_a_server_that_accepts_and_says_nothing_is_given_up(free_port, monkeypatch):
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="cannot connect to RabbitMQ: no answer in time"):
            await RabbitConnection.open(f"amqp://127.0.0.1:{port}", "test")
        assert time.monotonic() - started < 2


async def test_a_url_that_is_none_is_final():
    with pytest.raises(BrokerRefuses, match="cannot connect to RabbitMQ: "):
        await RabbitConnection.open("amqp://127.0.0.1:99999", "test")


async def test_opening_can_be_cancelled(free_port):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        opening = asyncio.ensure_future(RabbitConnection.open(f"amqp://127.0.0.1:{port}", "test"))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


async def test_closing_does_not_wait_for_a_server_that_hangs(private_rabbitmq):
    connection = await RabbitConnection.open(private_rabbitmq.url, "test")
    private_rabbitmq.send(signal.SIGSTOP)
    try:
        started = time.monotonic()
        await connection.close()
        assert time.monotonic() - started < 5
    finally:
        private_rabbitmq.send(signal.SIGCONT)


async def test_operators_see_who_is_connected(private_rabbitmq):
    async with RabbitBroker(private_rabbitmq.url, connection_name="seatcast tours") as broker:
        await broker.wait_connected(10)
        async with broker.subscribe("gateway-1", KEYS):
            shown = private_rabbitmq.ctl("list_connections", "--silent", "client_properties", "timeout")

    assert '"connection_name","seatcast tours"' in shown
    assert '"connection_name","seatcast tours gateway-1"' in shown
    assert {row.rsplit("\t", 1)[1] for row in shown.splitlines() if "seatcast tours" in row} == {"10"}


async def test_it_runs_on_uvloop_as_well(amqp_url):
    async def round_trip():
        broker = RabbitBroker(amqp_url)
        async with broker, broker.subscribe("gateway", KEYS) as subscription:
            await broker.wait_connected(10)
            assert await broker.publish([Message(KEYS[0], b"{}")]) == [None]
            return await take(subscription, 1)

    (delivery,) = await asyncio.to_thread(uvloop.run, round_trip())
    assert delivery.body == b"{}"
