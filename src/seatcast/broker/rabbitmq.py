"""The broker on RabbitMQ: publishing with pipelined confirms on a connection that is kept open by a supervisor.

A message that publish() calls held is on the broker's disk if it was persistent and any durable queue wanted it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType

import structlog

from seatcast import wire_events
from seatcast.broker import BrokerUnavailable, Message, MessageRefused
from seatcast.broker.limits import LARGEST_BODY, refusal
from seatcast.broker.rabbitmq_connection import BrokerRefuses
from seatcast.broker.rabbitmq_link import Answer, Link, outcome_of
from seatcast.broker.rabbitmq_subscription import RabbitSubscription, rabbit_subscription
from seatcast.config import redacted

log = structlog.get_logger(__name__)

WINDOW = 100
"""Messages of one publish() that may be unconfirmed at once."""
CHUNK = 50
"""Messages written at once."""
FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
"""Seconds. A wait before reconnecting is uniform between 0 and a bound that doubles from the first to the longest."""
STABLE_SECONDS = 5.0
"""A connection that lasted this long starts the delays anew."""


class RabbitBroker:
    """The port `seatcast.broker.Broker` on RabbitMQ; an async context manager.

    `confirm_seconds` bounds every `publish`. Entering starts the supervisor and returns at once; until the
    connection is there, `publish` answers `BrokerUnavailable`. `connection_name` is what operators see.
    """

    def __init__(self, url: str, *, confirm_seconds: float = 5.0, connection_name: str = "seatcast") -> None:
        self._url = url
        self._name = connection_name
        self._confirm_seconds = confirm_seconds
        self._largest_body = LARGEST_BODY
        self._link: Link | None = None
        self._failure: BrokerUnavailable = BrokerUnavailable("not connected to RabbitMQ yet")
        self._news = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> RabbitBroker:
        await self._tasks.__aenter__()
        self._supervisor = self._tasks.create_task(self._supervise(), name="rabbitmq supervisor")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
        # The group must know of a cancellation; it would wrap any other exception of the body in a group.
        if isinstance(error, asyncio.CancelledError):
            await self._tasks.__aexit__(kind, error, traceback)
        else:
            await self._tasks.__aexit__(None, None, None)

    @property
    def connected(self) -> bool:
        """Whether publishing is believed to work: there is a connection, and the broker is not in alarm."""
        return self._link is not None and not self._link.rabbit.blocked

    async def wait_connected(self, timeout: float) -> None:  # noqa: ASYNC109 - the port's callers name it
        """Return once publishing works. Raises `BrokerUnavailable` with a reason of one line after `timeout`
        seconds, or at once when waiting is useless (wrong password, no such virtual host).
        """
        try:
            async with asyncio.timeout(timeout):
                while self._link is None:
                    if isinstance(self._failure, BrokerRefuses):
                        break
                    await self._news.wait()
        except TimeoutError:
            pass
        if self._link is None:
            raise BrokerUnavailable(f"{redacted(self._url)}: {self._failure}")

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        """Send messages in order, up to `WINDOW` unconfirmed at a time, and say how each went. See the port.

        At once, with `BrokerUnavailable` for all, while there is no connection or the broker is in alarm.
        """
        link = self._link
        if link is None:
            return [self._failure] * len(messages)
        if link.rabbit.blocked:
            return [BrokerUnavailable("RabbitMQ is in alarm and takes no messages")] * len(messages)
        outcomes: list[Exception | None] = [
            refusal(message, self._largest_body) or BrokerUnavailable("not confirmed in time")
            for message in messages
        ]
        unsent = (
            (index, link.encode(wire_events.EXCHANGE, messages[index], {}))
            for index, outcome in enumerate(outcomes)
            if not isinstance(outcome, MessageRefused)
        )
        window: deque[tuple[int, Answer]] = deque()
        try:
            async with asyncio.timeout(self._confirm_seconds):
                while chunk := list(itertools.islice(unsent, CHUNK)):
                    while len(window) > WINDOW - len(chunk):
                        await _settle(window, outcomes)
                    answers = link.write([encoded for _, encoded in chunk])
                    window.extend(zip((index for index, _ in chunk), answers, strict=True))
                while window:
                    await _settle(window, outcomes)
        except BrokerUnavailable as error:
            self._give_up(outcomes, error)
        except TimeoutError:
            if not link.rabbit.blocked:
                # Neither an answer nor a reason: a dead connection that TCP has not noticed yet.
                link.rabbit.lose(f"no confirm within {self._confirm_seconds:g} s")
        finally:
            for index, answer in window:
                outcomes[index] = outcome_of(answer) if answer.done() else outcomes[index]
                answer.cancel()  # aiormq passes over a cancelled one when the confirm comes after all
        return self._too_large(link, messages, outcomes)

    @staticmethod
    def _give_up(outcomes: list[Exception | None], why: BrokerUnavailable) -> None:
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, BrokerUnavailable):
                outcomes[index] = why

    def _too_large(
        self, link: Link, messages: Sequence[Message], outcomes: list[Exception | None]
    ) -> list[Exception | None]:
        """Refuse what a broker with a smaller limit closed the channel for; else it would do so at every try."""
        if link.rabbit.lost.done():
            limit = re.search(r"larger than configured max size (\d+)", link.rabbit.lost.result())
            if limit is not None:
                self._largest_body = int(limit[1])
        return [
            (isinstance(outcome, BrokerUnavailable) and refusal(message, self._largest_body)) or outcome
            for message, outcome in zip(messages, outcomes, strict=True)
        ]

    async def post(self, exchange: str, message: Message, headers: dict[str, str]) -> None:
        """Send one message without waiting for its confirm: for probes and dead letters. Never raises."""
        link = self._link
        if link is None or link.rabbit.blocked:
            log.debug("A message was not sent", exchange=exchange, reason="not connected")
            return
        try:
            (answer,) = link.write([link.encode(exchange, message, headers)])
            answer.cancel()
        except (BrokerUnavailable, ValueError, TypeError) as error:
            log.debug("A message was not sent", exchange=exchange, reason=str(error))

    def subscribe(
        self, subscriber: str, routing_keys: Sequence[str]
    ) -> AbstractAsyncContextManager[RabbitSubscription]:
        """Open a subscription on a connection of its own. See the port."""
        return rabbit_subscription(self._url, self._name, subscriber, routing_keys, self.post)

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        bound = FIRST_DELAY
        where = redacted(self._url)
        while True:
            started = loop.time()
            try:
                async with AsyncExitStack() as stack:
                    link = await Link.open(self._url, self._name, stack)
                    stack.callback(self._set_link, None)
                    self._set_link(link)
                    log.info("Connected to RabbitMQ", url=where)
                    # Shielded: the future is everybody's, and outlives this wait.
                    why = await asyncio.shield(link.rabbit.lost)
                    raise BrokerUnavailable(f"RabbitMQ connection lost: {why}")
            except BrokerUnavailable as error:
                if str(error) != str(self._failure):
                    log.warning("RabbitMQ is not there; trying again", url=where, reason=str(error))
                self._failure = error
                self._tell()
            if loop.time() - started > STABLE_SECONDS:
                bound = FIRST_DELAY
            await asyncio.sleep(random.uniform(0, bound))  # noqa: S311 - spreads reconnects, keeps no secret
            bound = min(LONGEST_DELAY, bound * 2)

    def _set_link(self, link: Link | None) -> None:
        self._link = link
        if link is not None:
            self._failure = BrokerUnavailable("RabbitMQ connection lost")
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


async def _settle(window: deque[tuple[int, Answer]], outcomes: list[Exception | None]) -> None:
    """Wait for the oldest confirm and note it."""
    index, answer = window[0]
    if not answer.done():
        await asyncio.wait((answer,))
    window.popleft()
    outcomes[index] = outcome_of(answer)
