"""RabbitMQ keeps the contract, and what it is told is what stock AMQP clients expect. On the shared server."""

import asyncio
import time

import pytest
from pamqp import commands

from seatcast import wire_events
from seatcast.broker import BrokerUnavailable, Message
from seatcast.broker.rabbitmq import RabbitBroker

from .contract import KEYS, BrokerContract


@pytest.fixture
async def dead_letters(amqp_url, amqp):
    channel = await amqp(amqp_url)
    letters = []

    async def read():
        while True:
            message = await channel.basic_get(f"{wire_events.EXCHANGE}.dead", no_ack=True)
            if isinstance(message.delivery, commands.Basic.GetEmpty):
                return letters
            headers = message.header.properties.headers
            letters.append((headers["x-original-routing-key"], message.body, headers["x-reason"]))

    return read


class TestRabbitBroker(BrokerContract):
    pass


async def test_the_body_s_own_error_comes_out_of_the_context_as_it_is(amqp_url):
    with pytest.raises(LookupError, match="mine"):
        async with RabbitBroker(amqp_url):
            raise LookupError("mine")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("guest:guest@", "guest:hunter2@"), "user or password refused"),
        (("/seatcast-test-", "/no-such-vhost-"), "virtual host does not exist"),
    ],
)
async def test_a_wrong_password_or_virtual_host_is_final_and_said_in_one_line_without_the_password(
    amqp_url, change, reason
):
    started = time.monotonic()
    async with RabbitBroker(amqp_url.replace(*change)) as broker:
        with pytest.raises(BrokerUnavailable, match=reason) as raised:
            await broker.wait_connected(30)
        with pytest.raises(BrokerUnavailable, match=reason):
            async with broker.subscribe("gateway", KEYS):
                pass
        (outcome,) = await broker.publish([Message(KEYS[0], b"{}")])

    assert isinstance(outcome, BrokerUnavailable)
    assert time.monotonic() - started < 10
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_nobody_listening_is_said_after_the_timeout_and_not_before(free_port):
    async with RabbitBroker(f"amqp://guest:guest@127.0.0.1:{free_port()}") as broker:
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=r"cannot connect to RabbitMQ: .*Connect call failed"):
            await broker.wait_connected(0.5)
        assert time.monotonic() - started >= 0.5
        assert not broker.connected


async def test_a_server_that_speaks_something_else_is_an_unavailable_broker(free_port):
    port = free_port()

    async def answer(reader, writer):
        await reader.read(8)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server, RabbitBroker(f"amqp://127.0.0.1:{port}") as broker:
        with pytest.raises(BrokerUnavailable, match="cannot connect to RabbitMQ"):
            await broker.wait_connected(0.5)
