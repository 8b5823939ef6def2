"""The till: wishes for seats that wait together are sold in one transaction.

A departure cannot sell faster than its row is committed, one transaction after the other; this is what lets a hot one
sell thousands of times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seatcast.tours.database import Database
from seatcast.tours.driver import KeptDriver
from seatcast.tours.group_commit import GroupCommit
from seatcast.tours.outbox import OutboxRow
from seatcast.tours.selling import KeyInUse, Sale, Taken, Taking
from seatcast.tours.selling_postgresql import take_all
from seatcast.tours.selling_sqlite import take_each


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
        self._wishes: GroupCommit[Taking, Taken | None] = GroupCommit(self._serve, database.answer_seconds)
        self._driver = KeptDriver(database)
        """PostgreSQL."""

    async def take(self, taking: Taking) -> Taken | None:
        """Sell one wish and return the rows after it, or None if it cannot be met or its key is in use.

        The moment of the sale is the departure's `changed_at`. Raises what the database raised, or `TimeoutError` if it
        does not answer; whether the seats are sold is then unknown, as with any request whose answer is lost.
        """
        return await self._wishes.ask(taking)

    async def run(self) -> None:
        """Sell until cancelled. A failing database fails the batch that met it, never the till."""
        try:
            await self._wishes.run()
        finally:
            await self._driver.disconnect()

    async def _serve(self, takings: Sequence[Taking]) -> list[Taken | None]:
        sale = await self._sell(takings)
        if sale.events:
            self._sold(sale.events)
        return sale.taken

    async def _sell(self, takings: Sequence[Taking]) -> Sale:
        if not self._database.postgresql:
            now = self._now()
            return await self._database.write_through_driver(
                lambda driver: take_each(driver, takings, self._epoch, now)
            )
        try:
            return await take_all(await self._driver.connected(), takings, self._epoch, self._now())
        except KeyInUse:
            # Somebody's key is in use, which failed the whole statement: find out whose, one by one.
            if len(takings) == 1:
                return Sale([None], [])
            each = [await self._sell([taking]) for taking in takings]
            return Sale([sale.taken[0] for sale in each], [event for sale in each for event in sale.events])
        except BaseException:
            await self._driver.disconnect()  # whatever state it is in, the next batch has a new one
            raise
