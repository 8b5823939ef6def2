"""The queue of a subscription, and what other publishers may put into it."""

import signal

import pytest
from pamqp import commands

from seatcast.broker import SubscriptionLost
from seatcast.broker.rabbitmq import RabbitBroker

from .contract import KEYS, numbered, take


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


async def test_every_subscription_has_a_new_exclusive_queue_that_goes_with_it(private_rabbitmq, eventually):
    ctl = private_rabbitmq.ctl

    def queues():
        rows = ctl("list_queues", "--silent", "name", "exclusive", "auto_delete", "arguments").splitlines()
        return [row.split("\t") for row in rows if ".gateway-7." in row and ".overflow\t" not in row]

    seen = set()
    async with RabbitBroker(private_rabbitmq.url) as broker:
        for _ in range(2):
            async with broker.subscribe("gateway-7", KEYS):
                ((name, exclusive, auto_delete, arguments),) = queues()
                assert name.startswith("websocket_availability_updates.gateway-7.")
                assert (exclusive, auto_delete) == ("true", "true")
                assert '"x-max-length",10000' in arguments.replace(" ", "")
                assert '"x-overflow","drop-head"' in arguments.replace(" ", "")
                seen.add(name)
            await eventually(lambda: queues() == [])
    assert len(seen) == 2


async def test_a_connection_without_a_heartbeat_is_a_lost_subscription(private_rabbitmq):
    """The server hangs and its system still acknowledges: nothing but heartbeats can tell."""
    broker = RabbitBroker(f"{private_rabbitmq.url}?heartbeat=1")
    async with broker, broker.subscribe("gateway", KEYS) as subscription:
        await broker.wait_connected(10)
        private_rabbitmq.send(signal.SIGSTOP)
        try:
            with pytest.raises(SubscriptionLost):
                await take(subscription, 1, timeout=15)
        finally:
            private_rabbitmq.send(signal.SIGCONT)
