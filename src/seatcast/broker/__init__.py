"""The port to the message broker, and what every adapter guarantees.

Adapters: `memory.py` (one process, also what `seatcast serve` runs on) and `rabbitmq.py`.
`tests/broker/contract.py` is the one suite that both must pass.

The broker is a wake-up, never the truth: a held message is not a delivered one, so whoever subscribes
reads a snapshot after every new subscription and whenever deliveries stop making sense.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from seatcast import wire, wire_events


class BrokerUnavailable(Exception):
    """The broker cannot be reached or did not confirm in time; whether it holds the message is unknown."""


class MessageRefused(Exception):
    """The broker answered, and will not take this message however often it is sent."""


class SubscriptionLost(Exception):
    """Deliveries may be missing from here on; subscribe anew, then read a snapshot."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: an event's routing key and its JSON body."""

    routing_key: str
    body: bytes
    event_id: str = ""
    traceparent: str | None = None
    persistent: bool = True


def passing(event: wire_events.Event) -> Message:
    """Return the message of an event that nobody stores, and that a restart of the broker may lose."""
    return Message(
        str(type(event).__struct_config__.tag),
        wire.encode(event),
        event_id=getattr(event, "event_id", ""),
        persistent=False,
    )


class Delivery(NamedTuple):
    """What arrives. `body` is whatever some publisher sent: it is not known to be an event."""

    routing_key: str
    body: bytes
    traceparent: str | None = None


class Subscription(Protocol):
    """One gateway's own copy of every message, in the order the broker has them, from now on."""

    def __aiter__(self) -> AsyncIterator[Delivery]:
        """Yield deliveries until `SubscriptionLost` is raised.

        Does not yield to the event loop while deliveries are waiting, so that a burst becomes one turn.
        """
        ...

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Put a delivery aside where an operator finds it, with the reason. Never raises."""
        ...

    async def probe(self) -> None:
        """Send a message to this subscription alone, the way events travel: `Delivery.routing_key` starts with
        `wire_events.PROBE_PREFIX`. Returns at once, never raises; that nothing arrives is the answer.
        """
        ...


class Broker(Protocol):
    """An open connection to the broker, kept open by itself: it reconnects with full-jitter backoff for ever."""

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        """Send messages in order and say of each, at the same index, how it went.

        None: the broker holds it (at least once). `BrokerUnavailable`: unknown, send it again.
        `MessageRefused`: sending it again is useless. Never raises for the broker's sake; returns within
        the adapter's confirm timeout however the broker behaves.
        """
        ...

    def subscribe(
        self, subscriber: str, routing_keys: Sequence[str]
    ) -> AbstractAsyncContextManager[Subscription]:
        """Open one private subscription named after `subscriber`; when the context is entered, it is bound.

        Every message that the broker takes afterwards with one of `routing_keys` is delivered, until
        `SubscriptionLost`. Bounded: a reader that falls too far behind loses the oldest.
        Raises `BrokerUnavailable` on entering.
        """
        ...

    @property
    def connected(self) -> bool:
        """Whether publishing is believed to work now; for health and metrics only."""
        ...
