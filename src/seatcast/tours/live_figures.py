"""Live figures for admins: while anybody on any gateway follows `metrics`, one tour service tells how the shop stands.

Every tour service hears who is there, so that any of them can go on. The one that tells holds an advisory lock of
PostgreSQL on a connection that it reads the figures through: it cannot lose the one and keep the other. On SQLite there
is only one tour service. Nothing is kept that a restart could lose: seats and money are read, presence is heard anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final

import structlog
from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy import text

from seatcast import wire_events
from seatcast.backoff import full_jitter
from seatcast.broker import Broker, BrokerUnavailable, Delivery, SubscriptionLost, passing
from seatcast.domain import new_id
from seatcast.presence import PERIOD_SECONDS, SOON_SECONDS, Presence
from seatcast.tours import figures, outbox
from seatcast.tours.bookings import now_iso
from seatcast.tours.database import Database, describe
from seatcast.tours.driver import driver_of
from seatcast.tours.figures import Ask, Question
from seatcast.tours.metrics import FiguresMetrics
from seatcast.tours.sqlite import SqliteThread

_log = structlog.get_logger(__name__)

TELL_SECONDS: Final = 2.0
"""How often they are told though nothing has changed."""

LOOK_SECONDS: Final = 0.2
"""How often whoever tells looks for changes, and so the least time between two messages."""

SUCCESSION_SECONDS: Final = 1.0
"""How often the others look whether nobody tells any more."""

SILENT_SECONDS: Final = 5.0
"""Gateways that all fall silent together are not gone: our subscription is."""

HEAR_ALL_SECONDS: Final = PERIOD_SECONDS + SOON_SECONDS
"""After that every gateway has said who is there, and they can be counted."""

_LEADER_LOCK: Final = 0x5EA7F165
"""Advisory lock key of the one that tells."""

_LEAD = text("SELECT pg_try_advisory_lock(:key)")


class LiveFigures:
    """One tour service's part in telling them. `run` it in a task group; it returns only when cancelled."""

    def __init__(self, database: Database, broker: Broker, metrics: FiguresMetrics) -> None:
        self._database = database
        self._broker = broker
        self._metrics = metrics
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._presence = Presence()
        self._hearing_since: float | None = None
        self._heard = 0.0
        self._followed = asyncio.Event()
        self._come_or_gone = False
        self._deaf = self._blind = False
        """Whether it was said already that gateways cannot be heard, or figures not be read."""

    @property
    def presence(self) -> Presence | None:
        """Who is there; None while not every gateway can have been heard, or none is heard any more."""
        since, now = self._hearing_since, self._clock()
        if since is None or now - since < HEAR_ALL_SECONDS:
            return None
        self._look_around()
        deaf = bool(self._presence.gateways) and now - self._heard > HEAR_ALL_SECONDS
        return None if deaf else self._presence

    async def run(self) -> None:
        """Hear and tell for ever. Ends by itself only on a defect."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear_for_ever(), name="presence")
            tasks.create_task(self._tell_for_ever(), name="live figures")

    # Presence

    async def _hear_for_ever(self) -> None:
        failures = 0
        while True:
            try:
                async with self._broker.subscribe("figures", ["gateway.present"]) as subscription:
                    if self._deaf:
                        _log.info("Gateways can be heard again")
                    self._deaf, failures = False, 0
                    self._hearing_since = self._clock()
                    self._metrics.hearing.set(1)
                    async with asyncio.timeout(self._patience()) as patience:
                        async for delivery in subscription:
                            self._hear(delivery)
                            until = self._patience()
                            patience.reschedule(None if until is None else self._clock() + until)
            except (BrokerUnavailable, SubscriptionLost, TimeoutError) as error:
                if not self._deaf:
                    reason = str(error) or f"nothing was heard for {SILENT_SECONDS:g} s"
                    _log.warning("Gateways cannot be heard", reason=reason)
                self._deaf = True
            self._hearing_since = None
            self._metrics.hearing.set(0)
            await full_jitter(failures)
            failures += 1

    def _patience(self) -> float | None:
        return SILENT_SECONDS if self._presence.gateways else None

    def _hear(self, delivery: Delivery) -> None:
        # What is no event is put aside by the gateways, each of which has its own copy.
        with contextlib.suppress(wire_events.InvalidEvent):
            event = wire_events.decode_event(delivery.routing_key, delivery.body)
            if isinstance(event, wire_events.GatewayPresent):
                self._heard = self._clock()
                self._come_or_gone |= self._presence.hear(event, self._heard)
                self._look_around()

    def _look_around(self) -> None:
        self._come_or_gone |= self._presence.forget(self._clock())
        if self._presence.metrics_followers:
            self._followed.set()
        else:
            self._followed.clear()

    # Telling

    async def _tell_for_ever(self) -> None:
        while True:
            await self._followed.wait()
            try:
                async with self._leading() as ask:
                    if ask is not None:
                        with self._metrics.leading.track_inprogress():
                            await self._tell_while_followed(ask)
            except Exception as error:
                problem = describe(error, self._database.url)
                if problem is None:
                    raise
                if not self._blind:
                    _log.warning("Live figures cannot be read", reason=str(problem))
                self._blind = True
            self._look_around()
            await asyncio.sleep(SUCCESSION_SECONDS)

    @contextlib.asynccontextmanager
    async def _leading(self) -> AsyncIterator[Ask | None]:
        """Lead inside the context, which yields how to ask; None where another tour service leads."""
        if self._database.reading_thread is not None:
            yield _asking(self._database.reading_thread)
            return
        async with self._database.writers.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            if not (await connection.execute(_LEAD, {"key": _LEADER_LOCK})).scalar_one():
                yield None
                return
            try:
                await outbox.end_if_stopped(connection)
                driver = await driver_of(connection)
                yield lambda question, *values: driver.fetch(question.postgresql, *values)
            finally:
                await connection.invalidate()  # and with it the lock

    async def _tell_while_followed(self, ask: Ask) -> None:
        mark, moving, per_minute = -1, False, 0
        counted_at = told_at = float("-inf")
        told: wire_events.MetricsUpdated | None = None
        while True:
            self._look_around()
            if not self._followed.is_set() or self._hearing_since is None:
                return
            before = mark
            due = self._clock() - told_at >= TELL_SECONDS
            if not (due or moving or self._come_or_gone):
                mark = await figures.mark(ask)
            news = due or moving or self._come_or_gone or mark != before
            if news and (presence := self.presence) is not None:
                self._come_or_gone = False
                now = now_iso()
                if self._clock() - counted_at >= TELL_SECONDS:
                    counted_at = self._clock()
                    per_minute = await figures.booked_in_a_minute(ask, now)
                shop = await figures.shop(ask, now)
                self._blind, mark = False, shop.mark
                event = wire_events.MetricsUpdated(
                    event_id=new_id("evt"),
                    active_users=presence.active_users,
                    gateways=presence.gateways,
                    **stated(shop, per_minute),
                )
                telling = replace(event, event_id="", timestamp="")
                if due or telling != told:
                    told_at, told = self._clock(), telling
                    await self._publish(event)
            # The mark is ahead of the commit: what moved it may be seen only the next time.
            moving = mark != before
            await asyncio.sleep(LOOK_SECONDS)

    async def _publish(self, event: wire_events.MetricsUpdated) -> None:
        self._metrics.told.inc()
        # Should the broker not take it: the next one is as good.
        await self._broker.publish([passing(event)])


def _asking(thread: SqliteThread) -> Ask:
    async def ask(question: Question, *values: str) -> Iterable[Sequence[Any]]:
        def work(driver: sqlite3.Connection) -> Iterable[Sequence[Any]]:
            return driver.execute(question.sqlite, values).fetchall()

        return await thread.drive(work)

    return ask


def stated(shop: figures.Shop, per_minute: int) -> dict[str, Any]:
    """Return what the event and REST have in common. Money is in decimal numbers: what the main currency brought, and
    each where there are several.
    """
    each = {currency: minor / 100 for currency, minor in shop.revenue_minor.items()}
    return {
        "active_bookings": shop.active_bookings,
        "total_revenue": next(iter(each.values()), 0.0),
        "timestamp": shop.at,
        "currency": next(iter(each), UNSET),
        "revenue": each if len(each) > 1 else UNSET,
        "seats_sold": shop.seats_sold,
        "seats_held": shop.seats_held,
        "bookings_per_minute": per_minute,
    }
