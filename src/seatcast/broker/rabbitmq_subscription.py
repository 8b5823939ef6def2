"""One subscriber's own queue on RabbitMQ, on a connection of its own that is opened once and lost once."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import aiormq
from aiormq.abc import DeliveredMessage

from seatcast import wire_events
from seatcast.broker import Delivery, Message, SubscriptionLost
from seatcast.broker.limits import MOST_WAITING
from seatcast.broker.rabbitmq_connection import RabbitConnection, failures_named
from seatcast.broker.rabbitmq_deliveries import Deliveries
from seatcast.broker.rabbitmq_link import DECLARE_SECONDS

PREFETCH = 200
"""Deliveries that this process holds unacknowledged: its memory's bound. The rest wait in the broker."""
ACK_EVERY = 50
"""Deliveries acknowledged together. The last few may stay unacknowledged: nobody else would get them, the queue is ours."""

Post = Callable[[str, Message, dict[str, str]], Awaitable[None]]


class RabbitSubscription:
    """Deliveries in arrival order, from a local deque of at most `PREFETCH`."""

    def __init__(self, queue: str, post: Post) -> None:
        self._probe_key = f"{wire_events.PROBE_PREFIX}.{queue}"
        self._post = post
        self._waiting: deque[tuple[int, Delivery]] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._given = 0
        self._unacknowledged = 0

    def consume(self, rabbit: RabbitConnection, channel: aiormq.Channel) -> None:
        """Say what deliveries come through; before the first of them."""
        self._rabbit = rabbit
        self._channel = channel
        rabbit.lost.add_done_callback(self._wake)

    def put(self, tag: int, delivery: Delivery) -> None:
        """Take a delivery from the connection and wake the reader."""
        self._waiting.append((tag, delivery))
        self._wake()

    def _wake(self, _: object = None) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    @property
    def waiting(self) -> int:
        """Deliveries that have arrived in this process and were not asked for yet."""
        return len(self._waiting)

    def __aiter__(self) -> AsyncIterator[Delivery]:
        return self

    async def __anext__(self) -> Delivery:
        """Return the next delivery, without a turn of the loop when one waits. Raises `SubscriptionLost`."""
        if self._unacknowledged >= ACK_EVERY:
            await self._acknowledge()
        while not self._waiting:
            if self._rabbit.lost.done():
                raise SubscriptionLost(self._rabbit.lost.result())
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        self._given, delivery = self._waiting.popleft()
        self._unacknowledged += 1
        return delivery

    async def _acknowledge(self) -> None:
        self._unacknowledged = 0
        if not self._rabbit.lost.done():
            try:
                await self._channel.basic_ack(self._given, multiple=True, wait=False)
            except aiormq.exceptions.ChannelInvalidStateError:
                self._rabbit.lose("channel closed")

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Send a delivery to the dead-letter queue on the publishing connection. Never raises."""
        headers = {"x-reason": reason[:1_000], "x-original-routing-key": delivery.routing_key}
        message = Message(delivery.routing_key, delivery.body, traceparent=delivery.traceparent)
        await self._post(wire_events.DEAD_LETTERS, message, headers)

    async def probe(self) -> None:
        """Send a message to this queue through the exchange, on the publishing connection. Never raises."""
        await self._post(wire_events.EXCHANGE, Message(self._probe_key, b"{}", persistent=False), {})


async def _taken_before(_: DeliveredMessage) -> None:
    """Never called: `Deliveries` takes what this consumer gets."""


@asynccontextmanager
async def rabbit_subscription(
    url: str, name: str, subscriber: str, routing_keys: Sequence[str], post: Post
) -> AsyncIterator[RabbitSubscription]:
    """Connect, declare a queue with a new name, bind it and consume; all of it ends with the context.

    `post` sends on the publishing connection. Raises `BrokerUnavailable` on entering.
    """
    queue = f"{wire_events.QUEUE_PREFIX}.{subscriber}.{secrets.token_hex(6)}"
    overflow = f"{queue}.overflow"
    subscription = RabbitSubscription(queue, post)
    deliveries = Deliveries(subscription.put, asyncio.get_running_loop().time)
    rabbit = await RabbitConnection.open(url, f"{name} {subscriber}", deliveries)
    try:
        with failures_named("subscribe"):
            async with asyncio.timeout(DECLARE_SECONDS):
                channel = await rabbit.channel(confirms=False)
                subscription.consume(rabbit, channel)
                channel.on_consumer_cancel_callbacks.add(lambda _: rabbit.lose("the queue was deleted"))
                await channel.exchange_declare(wire_events.EXCHANGE, exchange_type="topic", durable=True)
                await channel.basic_qos(prefetch_count=PREFETCH)
                # RabbitMQ drops the oldest of a full queue without a word to its consumer. What it drops is
                # therefore dead-lettered to a queue of one, and anything there tells us of the gap.
                await channel.queue_declare(
                    overflow, exclusive=True, auto_delete=True,
                    arguments={"x-max-length": 1},
                )  # fmt: skip
                await channel.queue_declare(
                    queue, exclusive=True, auto_delete=True,
                    arguments={
                        "x-max-length": MOST_WAITING,
                        "x-overflow": "drop-head",
                        "x-dead-letter-exchange": "",
                        "x-dead-letter-routing-key": overflow,
                    },
                )  # fmt: skip
                for key in (*routing_keys, f"{wire_events.PROBE_PREFIX}.{queue}"):
                    await channel.queue_bind(queue, wire_events.EXCHANGE, key)

                async def fell_behind(_: DeliveredMessage) -> None:
                    rabbit.lose(f"the reader of {queue} fell more than {MOST_WAITING} messages behind")

                await channel.basic_consume(overflow, fell_behind)
                deliveries.take(queue)
                await channel.basic_consume(queue, _taken_before, consumer_tag=queue)
        yield subscription
    finally:
        await rabbit.close()
