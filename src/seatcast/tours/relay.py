"""From the outbox to the broker: every committed event, at least once, in order within a tour.

The shape is Centrifugo's PostgreSQL consumer (`internal/consuming/postgresql.go`): lock a partition, read a
batch by id, publish, delete what went out. The locks are the session's and are kept from batch to batch, so that
one booking alone waits for a single SELECT. The in-process event wakes the own relay, NOTIFY the one that holds a
partition elsewhere; the poll is the net under both. A crash between publishing and deleting sends a row twice,
which versions and ids make harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import wire_events
from seatcast.broker import Broker, Message, MessageRefused, passing
from seatcast.tours import outbox
from seatcast.tours.bookings import now_iso
from seatcast.tours.database import Database, describe
from seatcast.tours.metrics import RelayMetrics
from seatcast.tours.outbox import Backlog, OutboxRow

_log = structlog.get_logger(__name__)

POLL_SECONDS = 0.25
BATCH = 500
PARK_AFTER = 5
"""Refusals of one row after which it is set aside. An unreachable broker is no refusal: rows wait for ever."""
_BROKER_PAUSE = 0.5
_LISTEN_PING_SECONDS = 10.0


class Relay:
    """One process's sender. Any number may run on one PostgreSQL database; partitions are shared by lock."""

    def __init__(self, database: Database, broker: Broker, epoch: str, metrics: RelayMetrics) -> None:
        self._database = database
        self._broker = broker
        self._epoch = epoch
        self._metrics = metrics
        self._woken = asyncio.Event()
        self._ours = False
        """Whether it was this process that woke us: then a relay elsewhere may have to be told."""
        self._connection: AsyncConnection | None = None
        """PostgreSQL: kept, with the locks of the partitions that are ours to send."""
        self._held: set[int] = set()
        self._handed: list[OutboxRow] = []
        """Rows that this process has committed and that were not read from the database."""
        self._newest: int | None = None
        """The id of the newest row sent, if nothing was left behind it or can still turn up there; None if that
        is not known."""
        self._complete = True
        """Whether no older row could turn up behind those last read."""
        self.watermark = 0
        """The highest outbox id sent by this relay."""
        self.backlog = Backlog(0, None, 0)
        self.healthy = True
        """Whether the last pass reached both the database and the broker."""

    def wake(self) -> None:
        """Say that there may be rows. Cheap, idempotent, and never required for correctness."""
        self._ours = True
        self._woken.set()

    def committed(self, rows: Sequence[OutboxRow]) -> None:
        """Hand over rows that this process has just committed, so that they need not be read back."""
        self._handed += rows
        self.wake()

    def _take_handed(self) -> list[OutboxRow]:
        """Return the rows handed over, if nothing can be between them and what was sent last.

        Ids without a gap prove it: nobody else has put anything into the outbox since. Otherwise, none: they are
        read from the database, in order with the others. (Ids are handed out before commit: a gap may be a row of
        the same tour that a slower transaction is still to commit, and what is behind `_newest` may not be one.)
        """
        rows, self._handed = self._handed, []
        if self._newest is None or len(rows) > BATCH:
            return []
        if [row.id for row in rows] != list(range(self._newest + 1, self._newest + 1 + len(rows))):
            return []
        if self._database.postgresql and not {row.partition for row in rows} <= self._held:
            return []
        self._complete = True
        return rows

    async def run(self) -> None:
        """Send, tick and listen until cancelled. Ends by itself only on a defect, which must end the process."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_for_ever())
                tasks.create_task(self._tick_for_ever())
                if self._database.postgresql:
                    tasks.create_task(self._listen_for_ever())
        finally:
            await self._disconnect()

    async def _send_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            poll = loop.call_later(POLL_SECONDS, self._woken.set)
            try:
                await self._woken.wait()
            finally:
                poll.cancel()
            self._woken.clear()
            await self._send_all()

    async def _send_all(self) -> None:
        """Send batch after batch until nothing waits that this relay may and can send."""
        while True:
            try:
                rows, confirmed = await self._send_batch()
            except Exception as error:
                problem = describe(error, self._database.url)
                if problem is None:
                    raise
                self._unwell("database", str(problem))
                return
            if len(confirmed) < len(rows):
                # The broker is away, or a row was refused: do not spin on it.
                await asyncio.sleep(_BROKER_PAUSE)
                return
            self.healthy = True
            if len(rows) < BATCH:
                return

    async def _send_batch(self) -> tuple[list[OutboxRow], list[OutboxRow]]:
        """Send up to `BATCH` rows; return them and those of them that the broker now holds."""
        if not self._database.postgresql:
            # One process, one relay: no lock, and no write transaction open while the broker is waited for.
            rows = self._take_handed() or await self._database.read_at_once(
                lambda c: outbox.waiting(c, BATCH)
            )
            if not rows:
                return [], []
            outcomes = await self._publish(rows)
            confirmed = await self._database.write_at_once(lambda tx: self._settle(tx, rows, outcomes))
            self._remember(rows, confirmed)
            return rows, confirmed
        try:
            connection = await self._connected()
            rows = self._take_handed() or await self._ours_to_send(connection)
            if not rows:
                return [], []
            outcomes = await self._publish(rows)
            confirmed = await self._settle(connection, rows, outcomes)
            self._remember(rows, confirmed)
            if len(confirmed) < len(rows):
                # Somebody else may have better luck with the broker.
                await outbox.let_go(connection)
                self._held.clear()
            return rows, confirmed
        except BaseException:
            await self._disconnect()
            raise

    def _remember(self, rows: Sequence[OutboxRow], confirmed: Sequence[OutboxRow]) -> None:
        whole = self._complete and len(confirmed) == len(rows) < BATCH
        self._newest = rows[-1].id if whole else None

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            connection = await self._database.writers.connect()
            self._connection = connection
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await outbox.end_if_stopped(connection)
            await outbox.commit_lazily(connection)
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._newest = None
        self._held.clear()
        if connection is not None:
            await connection.invalidate()  # and with it the locks
            await connection.close()

    async def _ours_to_send(self, connection: AsyncConnection) -> list[OutboxRow]:
        """Return waiting rows of partitions that we hold, after trying to hold those that have any."""
        ours, self._ours = self._ours, False
        others: set[int] = set()
        while True:
            rows, self._complete = await outbox.waiting_beside(connection, BATCH, others)
            unclaimed = {row.partition for row in rows} - self._held
            if not unclaimed:
                break
            claimed = await outbox.claim(connection, sorted(unclaimed))
            self._held |= claimed
            others |= unclaimed - claimed
        if others and ours:
            await outbox.notify(connection)
        return rows

    async def _publish(self, rows: Sequence[OutboxRow]) -> list[Exception | None]:
        return await self._broker.publish(
            [Message(row.routing_key, row.payload.encode(), row.event_id, row.traceparent) for row in rows]
        )

    async def _settle(
        self, tx: Any, rows: Sequence[OutboxRow], outcomes: Sequence[Exception | None]
    ) -> list[OutboxRow]:
        confirmed = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome is None]
        if confirmed:
            await outbox.sent(tx, [row.id for row in confirmed])
            self.watermark = max(self.watermark, confirmed[-1].id)
            self._metrics.published.inc(len(confirmed))
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, MessageRefused):
                await self._refused(tx, row, str(outcome))
            elif outcome is not None:
                self._unwell("broker", str(outcome))
        return confirmed

    async def _refused(self, tx: Any, row: OutboxRow, reason: str) -> None:
        """Count the refusal; after `PARK_AFTER` set the row aside so that it holds up nothing else."""
        park = row.attempts + 1 >= PARK_AFTER
        await outbox.failed(tx, row.id, reason, now_iso() if park else None)
        if park:
            self._metrics.parked.inc()
            _log.error(
                "event set aside: the broker refuses it",
                outbox_id=row.id,
                event_id=row.event_id,
                routing_key=row.routing_key,
                reason=reason,
            )

    def _unwell(self, what: str, reason: str) -> None:
        if self.healthy:
            _log.warning("events wait in the outbox", unavailable=what, reason=reason)
        self.healthy = False

    async def _tick_for_ever(self) -> None:
        """Publish a sign of life every second and take stock, whatever else goes on."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            tick = wire_events.Tick(epoch=self._epoch, timestamp=now_iso(), watermark=self.watermark)
            await self._broker.publish([passing(tick)])
            await self._take_stock()
            due = max(due + 1.0, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _take_stock(self) -> None:
        try:
            async with self._database.reading() as connection:
                self.backlog = await outbox.backlog(connection)
        except Exception as error:
            problem = describe(error, self._database.url)
            if problem is None:
                raise
            self._unwell("database", str(problem))
            return
        self._metrics.take_stock(self.backlog)

    async def _listen_for_ever(self) -> None:
        """Keep a connection on which PostgreSQL says when rows arrive. Its loss costs latency, nothing else."""
        while True:
            try:
                await self._listen()
            except Exception as error:
                problem = describe(error, self._database.url)
                if problem is None:
                    raise
                _log.warning("not listening for new events, polling instead", reason=str(problem))
                await asyncio.sleep(1.0)

    async def _listen(self) -> None:
        def notified(*_: object) -> None:
            self._woken.set()

        async with self._database.writers.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.add_listener("seatcast_outbox", notified)
            try:
                while True:
                    # A LISTEN whose connection has died says nothing; only asking finds out.
                    await asyncio.sleep(_LISTEN_PING_SECONDS)
                    await driver.execute("SELECT 1", timeout=5.0)
            finally:
                if not driver.is_closed():
                    with suppress(Exception):
                        await driver.remove_listener("seatcast_outbox", notified)
                await connection.invalidate()
