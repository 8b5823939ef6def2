"""What is left of the guarantees while RabbitMQ itself is killed, stopped, hung, in alarm or tampered with.

On a private node. What was confirmed is read back from a durable queue that wants everything; what a subscriber
sees is either every message or `SubscriptionLost`.
"""

import asyncio
import signal
import time

import aiormq
import pytest
from pamqp import commands

from seatcast import wire_events
from seatcast.broker import BrokerUnavailable, Message, MessageRefused, SubscriptionLost
from seatcast.broker.rabbitmq import RabbitBroker

from .contract import KEYS, numbered, take

KEPT = "everything"


@pytest.fixture
async def broker(private_rabbitmq):
    async with RabbitBroker(private_rabbitmq.url, confirm_seconds=2.0) as broker:
        await broker.wait_connected(30)
        yield broker


async def until_published(broker, messages):
    """Publish as the relay does: what is unknown goes again, until all of it is held. Returns how often it was unknown."""
    unknown = 0
    async with asyncio.timeout(60):
        while messages:
            outcomes = await broker.publish(messages)
            messages = [message for message, outcome in zip(messages, outcomes, strict=True) if outcome]
            unknown += bool(messages)
            if messages:
                await asyncio.sleep(0.05)
    return unknown


async def keep_everything(channel):
    await channel.queue_declare(KEPT, durable=True)
    await channel.queue_purge(KEPT)
    await channel.queue_bind(KEPT, wire_events.EXCHANGE, "tour.#")


async def kept(url):
    """Every body in the durable queue."""
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    bodies = []
    while isinstance((message := await channel.basic_get(KEPT, no_ack=True)).delivery, commands.Basic.GetOk):
        bodies.append(int(message.body))
    await channel.queue_delete(KEPT)
    await connection.close()
    return bodies


class Listener:
    """Subscribes again after every loss, as a gateway does; between losses it must see every message in order."""

    def __init__(self, broker):
        self.broker = broker
        self.epochs = []
        self.losses = []

    async def run(self):
        while True:
            try:
                async with self.broker.subscribe("listener", KEYS) as subscription:
                    self.epochs.append([])
                    async for delivery in subscription:
                        self.epochs[-1].append(int(delivery.body))
            except SubscriptionLost as error:
                self.losses.append(str(error))
            except BrokerUnavailable:
                await asyncio.sleep(0.05)

    @property
    def newest(self):
        return self.epochs[-1][-1] if self.epochs and self.epochs[-1] else -1


@pytest.fixture
async def listener(broker, eventually):
    listener = Listener(broker)
    task = asyncio.ensure_future(listener.run())
    await eventually(lambda: listener.epochs)
    yield listener
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_a_restart_under_load_loses_nothing_that_was_confirmed(
    private_rabbitmq, broker, listener, amqp, eventually, how
):
    await keep_everything(await amqp(private_rabbitmq.url))
    confirmed = 0
    unknown = 0
    stop = asyncio.Event()

    async def publish():
        nonlocal confirmed, unknown
        while not stop.is_set():
            unknown += await until_published(broker, numbered(20, start=confirmed))
            confirmed += 20
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publish())
        await eventually(lambda: confirmed > 200)
        await asyncio.to_thread(getattr(private_rabbitmq, how))
        await eventually(lambda: not broker.connected)
        before = confirmed
        await asyncio.to_thread(private_rabbitmq.start)
        # Both connections come back by themselves, and the newest message gets through.
        await eventually(lambda: confirmed > before + 400 and len(listener.epochs) > 1, timeout=30)
        await eventually(lambda: listener.newest > before, timeout=15)
        stop.set()
    await eventually(lambda: listener.newest == confirmed - 1)

    assert unknown > 0, "the restart was not noticed: the test proved nothing"
    assert set(await kept(private_rabbitmq.url)) >= set(range(confirmed))
    assert listener.losses
    for epoch in listener.epochs:
        # From its first to its last message a subscription has no gap; repeats are allowed.
        assert set(epoch) == set(range(epoch[0], max(epoch) + 1)) if epoch else True


async def test_a_subscription_whose_queue_is_deleted_says_so(private_rabbitmq, broker):
    async with broker.subscribe("deleted", KEYS) as subscription:
        await broker.publish(numbered(3))
        assert len(await take(subscription, 3)) == 3
        names = private_rabbitmq.ctl("list_queues", "--silent", "name").split()
        (queue,) = [n for n in names if ".deleted." in n and not n.endswith(".overflow")]
        private_rabbitmq.ctl(
            "eval",
            f'{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"{queue}">>)),'
            ' rabbit_amqqueue:delete(Q, false, false, <<"test">>).',
        )

        with pytest.raises(SubscriptionLost, match="queue was deleted"):
            await take(subscription, 1)


async def test_connections_closed_by_an_operator_come_back(private_rabbitmq, broker, listener, eventually):
    await until_published(broker, numbered(10))
    await eventually(lambda: listener.newest == 9)

    await asyncio.to_thread(private_rabbitmq.ctl, "close_all_connections", "maintenance")

    await eventually(lambda: listener.losses and len(listener.epochs) > 1)
    assert "maintenance" in listener.losses[0]
    await until_published(broker, numbered(10, start=10))
    await eventually(lambda: listener.newest == 19)


async def test_an_alarm_makes_publishing_fail_in_time_and_passes(
    private_rabbitmq, broker, listener, eventually
):
    ctl = private_rabbitmq.ctl
    await asyncio.to_thread(ctl, "set_vm_memory_high_watermark", "0.00001")
    try:
        started = time.monotonic()
        outcomes = await broker.publish(numbered(300))
        assert all(isinstance(outcome, BrokerUnavailable) for outcome in outcomes)
        assert time.monotonic() - started < 2.5
        assert not broker.connected

        started = time.monotonic()
        (outcome,) = await broker.publish(numbered(1))
        assert "alarm" in str(outcome)
        assert time.monotonic() - started < 0.1
        async with broker.subscribe("other", KEYS) as subscription:
            await subscription.probe()
            assert subscription.waiting == 0
    finally:
        await asyncio.to_thread(ctl, "set_vm_memory_high_watermark", "0.4")

    await eventually(lambda: broker.connected)
    await until_published(broker, numbered(300))
    await eventually(lambda: listener.newest == 299)
    assert listener.losses == [], "consuming goes on in an alarm"


async def test_a_broker_that_hangs_is_left_and_found_again(private_rabbitmq, broker, listener, eventually):
    await until_published(broker, numbered(10))
    private_rabbitmq.send(signal.SIGSTOP)
    try:
        started = time.monotonic()
        outcomes = await broker.publish(numbered(300, start=10))
        assert all(isinstance(outcome, BrokerUnavailable) for outcome in outcomes)
        assert time.monotonic() - started < 2.5
        await eventually(lambda: not broker.connected)
        (outcome,) = await broker.publish(numbered(1, start=10))
        assert isinstance(outcome, BrokerUnavailable)
    finally:
        private_rabbitmq.send(signal.SIGCONT)

    await until_published(broker, numbered(300, start=10))
    await eventually(lambda: listener.newest == 309, timeout=30)


async def test_an_exchange_that_is_deleted_is_made_again(private_rabbitmq, broker, amqp, eventually):
    channel = await amqp(private_rabbitmq.url)
    await channel.exchange_delete(wire_events.EXCHANGE)

    outcomes = await broker.publish(numbered(120))

    assert all(isinstance(outcome, BrokerUnavailable) for outcome in outcomes)
    await until_published(broker, numbered(120))


async def test_a_body_above_the_broker_s_own_limit_is_refused_once_it_has_said_so(private_rabbitmq, broker):
    limit = "application:set_env(rabbit, max_message_size, {}), persistent_term:put(max_message_size, {})."
    private_rabbitmq.ctl("eval", limit.format(5_000, 5_000))
    try:
        private_rabbitmq.ctl("close_all_connections", "new limit")
        await until_published(broker, numbered(1))
        large = Message(KEYS[0], bytes(6_000), "large")

        outcomes = await broker.publish([*numbered(10), large, *numbered(10)])

        assert isinstance(outcomes[10], MessageRefused)
        await until_published(broker, numbered(10))
        assert [type(outcome) for outcome in await broker.publish([large, *numbered(1)])] == [
            MessageRefused,
            type(None),
        ]
    finally:
        private_rabbitmq.ctl("eval", limit.format(134217728, 134217728))


async def test_an_exchange_of_another_kind_is_a_final_reason(private_rabbitmq, amqp):
    private_rabbitmq.ctl("add_vhost", "other-kind")
    private_rabbitmq.ctl("set_permissions", "-p", "other-kind", "guest", ".*", ".*", ".*")
    url = f"{private_rabbitmq.url}/other-kind"
    await (await amqp(url)).exchange_declare(wire_events.EXCHANGE, exchange_type="fanout", durable=True)

    async with RabbitBroker(url) as broker:
        with pytest.raises(BrokerUnavailable, match="PRECONDITION_FAILED - inequivalent arg 'type'"):
            await broker.wait_connected(20)


async def test_a_broker_that_starts_late_is_waited_for(private_rabbitmq):
    await asyncio.to_thread(private_rabbitmq.stop)
    async with RabbitBroker(private_rabbitmq.url) as broker, asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.to_thread(private_rabbitmq.start))
        await broker.wait_connected(30)
        assert await broker.publish(numbered(1)) == [None]
