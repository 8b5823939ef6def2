"""The broker inside one process: what `seatcast serve` runs on by default. No I/O, nothing kept over a restart."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from seatcast import wire_events
from seatcast.broker import Delivery, Message, SubscriptionLost
from seatcast.broker.limits import MOST_WAITING, refusal

log = structlog.get_logger(__name__)

DEAD_LETTERS = 1_000
"""How many dead letters are kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that was put aside, and why."""

    delivery: Delivery
    reason: str


class MemorySubscription:
    """One subscriber's own deque, at most `MOST_WAITING` long; past that the subscription is lost."""

    def __init__(self, broker: MemoryBroker, name: str, routing_keys: Sequence[str]) -> None:
        self._broker = broker
        self._name = name
        self._probe_key = f"{wire_events.PROBE_PREFIX}.{name}"
        self.routing_keys = frozenset((*routing_keys, self._probe_key))
        self._waiting: deque[Delivery] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._lost: str | None = None

    def put(self, delivery: Delivery) -> None:
        """Append a delivery and wake the reader."""
        if self._lost is not None:
            return
        self._waiting.append(delivery)
        if len(self._waiting) > MOST_WAITING:
            # The gap is before all that waits, and a new subscription begins with a snapshot: nothing is worth keeping.
            self._waiting.clear()
            self._lost = f"the reader of {self._name} fell more than {MOST_WAITING} messages behind"
            log.warning("A subscription fell behind and lost messages", subscription=self._name)
        self._wake()

    def _wake(self) -> None:
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
        while not self._waiting:
            if self._lost is not None:
                raise SubscriptionLost(self._lost)
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._waiting.popleft()

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Keep a delivery with its reason in `MemoryBroker.dead_letters`."""
        self._broker.dead_letters.append(DeadLetter(delivery, reason))

    async def probe(self) -> None:
        """Send a message to this subscription alone, through the broker like any other."""
        await self._broker.publish([Message(self._probe_key, b"{}", persistent=False)])


class MemoryBroker:
    """A broker in this process. As a context manager it does nothing, so that it can stand where RabbitMQ does."""

    def __init__(self) -> None:
        self.dead_letters: deque[DeadLetter] = deque(maxlen=DEAD_LETTERS)
        """The newest dead letters, oldest first."""
        self._by_key: dict[str, list[MemorySubscription]] = {}
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> MemoryBroker:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    @property
    def connected(self) -> bool:
        """Always: there is nothing to connect to."""
        return True

    async def wait_connected(self, timeout: float) -> None:  # noqa: ASYNC109 - as RabbitBroker has it
        """Return at once."""

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        """Hand each message to every subscription of its key, in order, in this turn of the loop."""
        outcomes: list[Exception | None] = []
        for message in messages:
            refused = refusal(message)
            outcomes.append(refused)
            if refused is None:
                delivery = Delivery(message.routing_key, message.body, message.traceparent)
                for subscription in self._by_key.get(message.routing_key, ()):
                    subscription.put(delivery)
        return outcomes

    @asynccontextmanager
    async def subscribe(
        self, subscriber: str, routing_keys: Sequence[str]
    ) -> AsyncIterator[MemorySubscription]:
        """Open a subscription of `subscriber`'s own to exactly these routing keys."""
        name = f"{subscriber}.{next(self._numbers)}.{secrets.token_hex(4)}"
        subscription = MemorySubscription(self, name, routing_keys)
        for key in subscription.routing_keys:
            self._by_key.setdefault(key, []).append(subscription)
        try:
            yield subscription
        finally:
            for key in subscription.routing_keys:
                others = [other for other in self._by_key[key] if other is not subscription]
                if others:
                    self._by_key[key] = others
                else:
                    del self._by_key[key]
