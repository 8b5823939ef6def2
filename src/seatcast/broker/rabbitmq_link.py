"""A publishing channel of RabbitMQ: messages written many at a time, confirms awaited apart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiormq
from aiormq.abc import ChannelFrame
from pamqp import commands
from pamqp.body import ContentBody
from pamqp.frame import marshal
from pamqp.header import ContentHeader

from seatcast import wire
from seatcast.broker import BrokerUnavailable, Message
from seatcast.broker.limits import MOST_WAITING
from seatcast.broker.rabbitmq_connection import RabbitConnection, failures_named

"""Exchange and queue where dead letters wait for an operator."""
DECLARE_SECONDS = 10.0

Answer = asyncio.Future[commands.Basic.Ack | Exception]
"""A confirm to come. A nack is its exception; that the link was lost is a result."""


class Link:
    """A publishing channel and what is unconfirmed on it; ends with its connection."""

    def __init__(self, rabbit: RabbitConnection, channel: aiormq.Channel) -> None:
        self.rabbit = rabbit
        self._channel = channel
        rabbit.lost.add_done_callback(self._lost)

    @classmethod
    async def open(cls, url: str, name: str, stack: AsyncExitStack) -> Link:
        """Connect and declare what we publish to. Raises `BrokerUnavailable`."""
        rabbit = await RabbitConnection.open(url, name)
        stack.push_async_callback(rabbit.close)
        with failures_named("declare the exchanges on RabbitMQ"):
            async with asyncio.timeout(DECLARE_SECONDS):
                channel = await rabbit.channel(confirms=True)
                await channel.exchange_declare(wire.EXCHANGE, exchange_type="topic", durable=True)
                await channel.exchange_declare(wire.DEAD_LETTERS, exchange_type="fanout", durable=True)
                await channel.queue_declare(
                    wire.DEAD_LETTERS,
                    durable=True,
                    arguments={"x-max-length": MOST_WAITING, "x-overflow": "drop-head"},
                )
                await channel.queue_bind(wire.DEAD_LETTERS, wire.DEAD_LETTERS)
        return cls(rabbit, channel)

    def _lost(self, lost: asyncio.Future[str]) -> None:
        unknown = BrokerUnavailable(lost.result())
        for answer in self._channel.confirmations.values():
            if not answer.done():
                # As a result: an exception that nobody fetches would be logged as forgotten.
                answer.set_result(unknown)

    def encode(self, exchange: str, message: Message, headers: dict[str, str]) -> bytes:
        """Return the frames of one message."""
        if message.traceparent is not None:
            headers["traceparent"] = message.traceparent
        properties = commands.Basic.Properties(
            content_type="application/json",
            delivery_mode=2 if message.persistent else 1,
            message_id=message.event_id or None,
            headers=headers,  # type: ignore[arg-type]  # pamqp's field table is invariant
        )
        number, body, size = self._channel.number, message.body, self._channel.max_content_size
        return b"".join(
            (
                marshal(commands.Basic.Publish(exchange=exchange, routing_key=message.routing_key), number),
                marshal(ContentHeader(properties=properties, body_size=len(body)), number),
                *(marshal(ContentBody(body[at : at + size]), number) for at in range(0, len(body), size)),
            )
        )

    async def write(self, encoded: Sequence[bytes]) -> list[Answer]:
        """Send encoded messages with one write and return the futures of their confirms.

        What `Channel.basic_publish` does for one message at 95 µs, for many at 25 µs each: the same lock, delivery
        tags and table of confirmations, no task and no drain per message. Raises `BrokerUnavailable`.
        """
        channel, loop = self._channel, asyncio.get_running_loop()
        with failures_named("publish"):
            async with channel.lock:
                if self.rabbit.lost.done():
                    raise BrokerUnavailable(self.rabbit.lost.result())
                before = channel.delivery_tag
                answers: list[Answer] = [loop.create_future() for _ in encoded]
                for answer in answers:
                    channel.delivery_tag += 1
                    channel.confirmations[channel.delivery_tag] = answer
                try:
                    await channel.write_queue.put(ChannelFrame(b"".join(encoded), should_close=False))
                except BaseException:
                    # Not written: the broker will count the next message with these numbers.
                    for tag in range(before + 1, channel.delivery_tag + 1):
                        del channel.confirmations[tag]
                    channel.delivery_tag = before
                    raise
        return answers


def outcome_of(answer: Answer) -> Exception | None:
    """Return how a message went whose confirm has come, or will not."""
    if answer.cancelled():
        return BrokerUnavailable("connection closed")
    if answer.exception() is not None:
        # A nack: a queue that is full or broke. It may take the same message later.
        return BrokerUnavailable("RabbitMQ refused the message for now (nack)")
    result = answer.result()
    return result if isinstance(result, Exception) else None
