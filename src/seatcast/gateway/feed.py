"""Broker to hub: subscribe, then read a snapshot, then join it; and again after every doubt.

The broker is a wake-up, the snapshot is the truth. What makes the source *stale*: no subscription, no sign of life on
it, or no snapshot joined since it was made. Signs of life are the relays' ticks once any was ever seen, and the
answers to our own probes before. While stale, snapshots are read every second, so the numbers stay as true as
they can be; and the subscription is made anew, under a new queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from seatcast import wire_events
from seatcast.backoff import full_jitter
from seatcast.broker import Broker, BrokerUnavailable, Delivery, Subscription, SubscriptionLost
from seatcast.domain import iso
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.snapshot import ReadSnapshot, SnapshotUnavailable
from seatcast.gateway.truth import Truth

log = structlog.get_logger(__name__)


READ_SECONDS: Final = 15.0
"""Past it a snapshot that is being read is given up, whatever its reader promises."""

BURST: Final = 500
"""Deliveries taken in one turn of the loop before everybody else has theirs."""

DEAD_LETTER_LOG_SECONDS: Final = 60.0


class _Silent(Exception):
    """The subscription lives, but nothing comes through it."""


class Status(Protocol):
    """Who hears that the source is lost and regained; both are given since when."""

    def lost(self, since: str) -> None: ...

    def regained(self, since: str) -> None: ...

    def resubscribed(self) -> None:
        """Events arrive from now on, and some that came before may have been missed."""


class Feed:
    """Keeps one `Truth` true. `run` it in a task group; it returns only when cancelled."""

    def __init__(
        self,
        broker: Broker,
        read_snapshot: ReadSnapshot | None,
        truth: Truth,
        status: Status,
        route: Callable[[wire_events.Event], None],
        metrics: Metrics,
        *,
        gateway_id: str,
        stale_seconds: float = 3.0,
        snapshot_seconds: float = 60.0,
    ) -> None:
        self._broker = broker
        self._read_snapshot = read_snapshot
        self._truth = truth
        self._status = status
        # Takes what is no fact about a tour.
        self._route = route
        self._metrics = metrics
        self._gateway_id = gateway_id
        self._stale_seconds = stale_seconds
        self._snapshot_seconds = snapshot_seconds
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._doubt = asyncio.Event()
        # Counts subscriptions. A snapshot counts for the one during which its reading began.
        self._subscription = 0
        self._subscribed = False
        self._alive = False
        self._joined = -1
        self._ticks_seen = False
        self._heard = 0.0
        self._failures = 0
        self._dead_letters_logged = -DEAD_LETTER_LOG_SECONDS
        self._dead_letters_unlogged = 0
        self.loaded = read_snapshot is None
        """Whether a snapshot was ever joined, or none is expected."""
        self.snapshot_error: str | None = None
        """Why the last snapshot could not be read; None when it was."""
        self.stale_since: str | None = iso(datetime.now(UTC))
        """Since when the source is lost; None while the facts are fresh."""
        self._metrics.lost()

    async def run(self) -> None:
        """Feed for ever."""
        self._status.lost(self.stale_since or iso(datetime.now(UTC)))
        # At once, also while the broker cannot be reached: clients then have numbers, if stale ones.
        self._doubt.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._subscribe_for_ever(), name="subscription")
            if self._read_snapshot is not None:
                group.create_task(self._read_for_ever(self._read_snapshot), name="snapshots")

    # The subscription

    async def _subscribe_for_ever(self) -> None:
        while True:
            try:
                await self._subscribe()
            except* (BrokerUnavailable, SubscriptionLost, _Silent) as group:
                reason = str(group.exceptions[0]) or type(group.exceptions[0]).__name__
                self._metrics.source_subscriptions["lost"] += 1
                self._set_stale(f"subscription lost: {reason}")
            self._subscribed = self._alive = False
            failures, self._failures = self._failures, self._failures + 1
            await full_jitter(failures)

    async def _subscribe(self) -> None:
        async with self._broker.subscribe(self._gateway_id, list(wire_events.EVENT_TYPES)) as subscription:
            self._subscription += 1
            self._subscribed = True
            self._heard = self._clock()
            self._metrics.source_subscriptions["made"] += 1
            self._doubt.set()
            self._status.resubscribed()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._consume(subscription), name="deliveries")
                group.create_task(self._watch(subscription), name="signs of life")

    async def _consume(self, subscription: Subscription) -> None:
        burst = 0
        async for delivery in subscription:
            problem = self._take(delivery)
            if problem is not None:
                await self._put_aside(subscription, delivery, problem)
            burst += 1
            if burst >= BURST:
                burst = 0
                await asyncio.sleep(0)

    async def _watch(self, subscription: Subscription) -> None:
        """Raise `_Silent` once nothing was heard for too long."""
        await subscription.probe()
        while True:
            await asyncio.sleep(min(1.0, self._stale_seconds / 3))
            silence = self._clock() - self._heard
            if silence > self._stale_seconds:
                raise _Silent(f"no sign of life for {silence:.1f} s")
            if not self._ticks_seen:
                await subscription.probe()

    def _take(self, delivery: Delivery) -> str | None:
        """Act on a delivery; returns what is wrong with one that is no event."""
        if delivery.routing_key.startswith(wire_events.PROBE_PREFIX):
            if not self._ticks_seen:
                self._hear()
            return None
        try:
            event = wire_events.decode_event(delivery.routing_key, delivery.body)
        except wire_events.InvalidEvent as error:
            return str(error)
        if isinstance(event, wire_events.Tick):
            self._ticks_seen = True
            self._hear()
            if self._truth.tick(event.epoch):
                self._doubt.set()
            return None
        if not isinstance(event, wire_events.AvailabilityUpdated | wire_events.TourClosedEvent):
            self._route(event)
            return None
        outcome = self._truth.publish(event)
        self._metrics.facts[outcome] += 1
        if outcome == "applied":
            self._metrics.heard(event.timestamp)
        elif outcome == "doubt":
            self._doubt.set()
        return None

    async def _put_aside(self, subscription: Subscription, delivery: Delivery, reason: str) -> None:
        self._metrics.dead_letters += 1
        self._dead_letters_unlogged += 1
        now = self._clock()
        if now - self._dead_letters_logged >= DEAD_LETTER_LOG_SECONDS:
            log.warning("Broker messages that are no events", count=self._dead_letters_unlogged, last=reason)
            self._dead_letters_logged = now
            self._dead_letters_unlogged = 0
        await subscription.dead_letter(delivery, reason)

    def _hear(self) -> None:
        """A sign of life came through the present subscription."""
        self._heard = self._clock()
        if not self._alive:
            self._alive = True
            self._settle()

    # Snapshots

    async def _read_for_ever(self, read: ReadSnapshot) -> None:
        # Between two reads, so that a source of endless doubt does not become a flood of reads.
        pause = min(0.5, self._stale_seconds / 6)
        while True:
            wait = self._snapshot_seconds
            if self.stale_since is not None or self.snapshot_error is not None:
                wait = min(1.0, self._stale_seconds / 3, wait)
            try:
                async with asyncio.timeout(wait):
                    await self._doubt.wait()
            except TimeoutError:
                pass
            self._doubt.clear()
            await self._read(read)
            await asyncio.sleep(pause)

    async def _read(self, read: ReadSnapshot) -> None:
        # All three before the read: what changes meanwhile is newer than the snapshot, and says so.
        mark, began = self._truth.clock, self._clock()
        subscription = self._subscription if self._subscribed else -1
        try:
            async with asyncio.timeout(READ_SECONDS):
                snapshot = await read()
        except (SnapshotUnavailable, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            self._metrics.snapshots["failed"] += 1
            if self.snapshot_error is None:
                log.warning("Snapshots cannot be read", reason=reason)
            self.snapshot_error = reason
            return
        slices = self._truth.join_snapshot(snapshot, mark, iso(datetime.now(UTC)))
        if slices is None:
            self._doubt.set()
            return
        for _ in slices:
            # Events and everybody who is connected have their turn meanwhile.
            await asyncio.sleep(0)
        if self.snapshot_error is not None:
            log.info("Snapshots can be read again")
        self.snapshot_error = None
        self._metrics.snapshot_joined(self._clock() - began)
        self.loaded = True
        self._joined = subscription
        self._settle()

    # Stale and fresh

    def _settle(self) -> None:
        """Say FRESH once events flow and a snapshot was joined that was begun after they began to."""
        if self.stale_since is None or not self._alive:
            return
        if self._read_snapshot is not None and self._joined != self._subscription:
            return
        self._failures = 0
        self.stale_since = None
        self._metrics.regained()
        log.info("Facts are fresh")
        self._status.regained(iso(datetime.now(UTC)))

    def _set_stale(self, reason: str) -> None:
        if self.stale_since is not None:
            return
        self.stale_since = iso(datetime.now(UTC))
        self._metrics.lost()
        log.warning("The source of facts is lost", reason=reason)
        self._doubt.set()
        self._status.lost(self.stale_since)
