"""Selling on PostgreSQL: any number of wishes in one statement (`selling_statements.py`).

One round trip, one transaction, and rows are locked only while the server works. Over several round trips a hot
departure would sell no faster than the event loop turns (docs/decisions/0002).
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from seatcast.domain import partition_of
from seatcast.tours.driver import Driver
from seatcast.tours.outbox import OutboxRow, decode_events
from seatcast.tours.selling import KeyInUse, Sale, Taken, Taking
from seatcast.tours.selling_statements import TAKE_MANY, TAKE_MANY_AND_TELL, TAKE_ONE, TAKE_ONE_AND_TELL
from seatcast.tours.store import DepartureRow, TourRow


async def take_all(driver: Driver, takings: Sequence[Taking], epoch: str, now: str) -> Sale:
    """Sell to every wish that can be met, in one statement.

    Through the driver itself: SQLAlchemy's handling of a result with this many columns takes as long as the
    statement. Raises `KeyInUse` if any idempotency key is in use; nothing has changed then.
    """
    try:
        if len(takings) == 1:
            return await _take_one(driver, takings[0], epoch, now)
        return await _take_many(driver, takings, epoch, now)
    except asyncpg.UniqueViolationError:
        raise KeyInUse from None


async def _take_one(driver: Driver, taking: Taking, epoch: str, now: str) -> Sale:
    values = (*taking, partition_of(taking.tour_id))
    if taking.user_id is None:
        rows = await driver.fetch(TAKE_ONE, *values, now, epoch)
    else:
        rows = await driver.fetch(TAKE_ONE_AND_TELL, *values, partition_of(taking.user_id), now, epoch)
    if not rows:
        return Sale([None], [])
    tour, departure = len(TourRow._fields), len(TourRow._fields) + len(DepartureRow._fields)
    parts = [tuple(row) for row in rows]
    taken = Taken(TourRow(*parts[0][:tour]), DepartureRow(*parts[0][tour:departure]))
    return Sale([taken], sorted(OutboxRow(*row[departure:]) for row in parts))


async def _take_many(driver: Driver, takings: Sequence[Taking], epoch: str, now: str) -> Sale:
    statement = TAKE_MANY
    by_name = [*map(list, zip(*takings, strict=True)), [partition_of(t.tour_id) for t in takings]]
    if any(t.user_id is not None for t in takings):
        statement = TAKE_MANY_AND_TELL
        by_name.append([None if t.user_id is None else partition_of(t.user_id) for t in takings])
    sale = Sale([None] * len(takings), [])
    width = 1 + len(TourRow._fields)
    for row in map(tuple, await driver.fetch(statement, *by_name, now, epoch)):
        sale.taken[row[0] - 1] = Taken(TourRow(*row[1:width]), DepartureRow(*row[width:-1]))
        if row[-1] is not None:
            sale.events.extend(decode_events(row[-1]))
    return sale
