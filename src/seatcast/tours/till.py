"""The till: wishes for seats that wait together are sold in one transaction.

While one batch is with the database the next one gathers, so a caller alone waits for nobody, and fifty callers cost
one commit instead of fifty (group commit, as databases themselves do it). A departure cannot sell faster than its row
is committed, one transaction after the other; this is what lets a hot one sell thousands of times a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.tours.database import Database
from seatcast.tours.selling import KeyInUse, Sale, Taken, Taking
from seatcast.tours.selling_postgresql import Driver, driver_of, take_all
from seatcast.tours.selling_sqlite import take_each
from seatcast.tours.store import OutboxRow

BATCH = 100
"""Wishes per transaction: enough for one commit to be cheap, few enough to stay some ten milliseconds."""


class Till:
    """Sells seats, one batch at a time. `sold` is given the events of every commit; `run` must be running."""

    def __init__(
        self,
        database: Database,
        epoch: str,
        sold: Callable[[Sequence[OutboxRow]], None],
        now: Callable[[], str],
    ) -> None:
        self._database = database
        self._epoch = epoch
        self._sold = sold
        self._now = now
        self._queue: deque[tuple[Taking, asyncio.Future[Taken | None]]] = deque()
        self._arrived = asyncio.Event()
        self._connection: AsyncConnection | None = None
        """PostgreSQL: kept, since taking one from the pool and giving it back costs half as much as a sale."""
        self._driver: Driver | None = None

    async def take(self, taking: Taking) -> Taken | None:
        """Sell one wish and return the rows after it, or None if it cannot be met or its key is in use.

        The moment of the sale is the departure's `changed_at`. Raises what the database raised; whether the
        seats are sold is then unknown, as with any request whose answer is lost.
        """
        answer: asyncio.Future[Taken | None] = asyncio.get_running_loop().create_future()
        self._queue.append((taking, answer))
        self._arrived.set()
        return await answer

    async def run(self) -> None:
        """Sell until cancelled. A failing database fails the batch that met it, never the till."""
        try:
            await self._run()
        finally:
            await self._disconnect()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                # Whoever hung up meanwhile is not sold anything; from here on, hanging up is too late.
                batch = [(taking, answer) for taking, answer in batch if not answer.cancelled()]
                if batch:
                    await self._serve(batch)

    async def _serve(self, batch: Sequence[tuple[Taking, asyncio.Future[Taken | None]]]) -> None:
        try:
            sale = await self._sell([taking for taking, _ in batch])
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        except BaseException:
            for _, answer in batch:
                answer.cancel()
            raise
        # Everybody's screens first, then the callers: the relay has its turn of the loop, in which the events leave,
        # and the answers are written while they travel.
        try:
            if sale.events:
                self._sold(sale.events)
                await asyncio.sleep(0)
        finally:
            for (_, answer), taken in zip(batch, sale.taken, strict=True):
                if not answer.done():
                    answer.set_result(taken)

    async def _sell(self, takings: Sequence[Taking]) -> Sale:
        if not self._database.postgresql:
            now = self._now()
            return await self._database.write_at_once(lambda tx: take_each(tx, takings, self._epoch, now))
        try:
            if self._driver is None:
                self._connection = await self._database.writers.connect()
                await self._connection.execution_options(isolation_level="AUTOCOMMIT")
                self._driver = await driver_of(self._connection)
            return await take_all(self._driver, takings, self._epoch, self._now())
        except KeyInUse:
            # Somebody's key is in use, which failed the whole statement: find out whose, one by one.
            if len(takings) == 1:
                return Sale([None], [])
            each = [await self._sell([taking]) for taking in takings]
            return Sale([sale.taken[0] for sale in each], [event for sale in each for event in sale.events])
        except BaseException:
            await self._disconnect()  # whatever state it is in, the next batch has a new one
            raise

    async def _disconnect(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()
