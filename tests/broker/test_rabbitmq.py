"""RabbitMQ keeps the contract, and what it is told is what stock AMQP clients expect. On the shared server."""

import asyncio
import time

import pytest
from pamqp import commands

from seatcast import wire
from seatcast.broker import BrokerUnavailable, Message
from seatcast.broker.rabbitmq import RabbitBroker

from .contract import KEYS, BrokerContract, numbered, take


@pytest.fixture
async def broker(amqp_url):
    async with RabbitBroker(amqp_url, connection_name="seatcast-test") as broker:
        await broker.wait_connected(10)
        yield broker


@pytest.fixture
async def dead_letters(amqp_url, amqp):
    channel = await amqp(amqp_url)
    letters = []

    async def read():
        while True:
            message = await channel.basic_get(f"{wire.EXCHANGE}.dead", no_ack=True)
            if isinstance(message.delivery, commands.Basic.GetEmpty):
                return letters
            headers = message.header.properties.headers
            letters.append((headers["x-original-routing-key"], message.body, headers["x-reason"]))

    return read


class TestRabbitBroker(BrokerContract):
    pass


async def test_a_stock_consumer_sees_the_exchange_and_the_properties_of_the_contract(broker, amqp_url, amqp):
    channel = await amqp(amqp_url)
    await channel.exchange_declare("tour_booking_events", exchange_type="topic", durable=True)
    queue = (await channel.queue_declare(exclusive=True)).queue
    await channel.queue_bind(queue, "tour_booking_events", "tour.#")
    await broker.publish([Message("tour.availability.updated", b"{}", "the event", "the trace")])

    message = await channel.basic_get(queue, no_ack=True)

    properties = message.header.properties
    assert message.body == b"{}"
    assert message.delivery.routing_key == "tour.availability.updated"
    assert (properties.content_type, properties.delivery_mode) == ("application/json", 2)
    assert (properties.message_id, properties.headers) == ("the event", {"traceparent": "the trace"})


async def test_a_stock_publisher_is_heard_whatever_headers_it_sends(broker, amqp_url, amqp):
    channel = await amqp(amqp_url)
    async with broker.subscribe("gateway", KEYS) as subscription:
        for headers in (None, {}, {"traceparent": 7}, {"traceparent": "abc", "nested": {"a": [1, 2]}}):
            await channel.basic_publish(
                b"x",
                exchange="tour_booking_events",
                routing_key=KEYS[0],
                properties=commands.Basic.Properties(headers=headers),
            )

        assert [d.traceparent for d in await take(subscription, 4)] == [None, None, None, "abc"]


async def test_a_burst_is_acknowledged_so_that_the_broker_keeps_sending(broker):
    """Many times the prefetch, with a reader that stops at every odd place."""
    async with broker.subscribe("gateway", KEYS) as subscription:
        await broker.publish(numbered(1_337))
        bodies = []
        for size in (1, 199, 1, 50, 49, 37, 1_000):
            bodies += [int(delivery.body) for delivery in await take(subscription, size)]
            assert subscription.waiting <= 200

    assert bodies == list(range(1_337))


async def test_five_hundred_messages_are_confirmed_together_and_not_one_by_one(broker):
    await broker.publish(numbered(500))
    started = time.perf_counter()

    assert await broker.publish(numbered(500)) == [None] * 500

    # About 20 ms on a quiet machine; one by one it is 300 ms and more.
    assert time.perf_counter() - started < 0.25


async def test_a_queue_that_is_full_and_refuses_is_no_reason_to_give_a_message_up(broker, amqp_url, amqp):
    channel = await amqp(amqp_url)
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    queue = (await channel.queue_declare(exclusive=True, arguments=full)).queue
    await channel.queue_bind(queue, wire.EXCHANGE, "tour.closed")

    outcomes = await broker.publish(numbered(3, key="tour.closed"))

    assert outcomes[0] is None
    assert isinstance(outcomes[2], BrokerUnavailable)
    assert "nack" in str(outcomes[2])


async def test_a_publish_that_is_cancelled_leaves_the_numbering_of_confirms_right(broker):
    for _ in range(20):
        publishing = asyncio.ensure_future(broker.publish(numbered(400)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        publishing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publishing

    assert await broker.publish(numbered(400)) == [None] * 400


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
