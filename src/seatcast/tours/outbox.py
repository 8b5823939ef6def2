"""The outbox as the relay sees it: which rows wait, who may send them, and what became of them.

Never "the rows after the last one sent": ids are handed out before commit, so such a reader skips the rows
of slower transactions for ever. Unsent rows are the rows that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.tours.schema import outbox

_LOCK_SPACE = 0x5EA7
"""First half of the advisory lock key; the second is the partition."""


class OutboxRow(NamedTuple):
    id: int
    routing_key: str
    event_id: str
    payload: str
    traceparent: str | None
    attempts: int


class Backlog(NamedTuple):
    """What waits: rows to be sent, age of the oldest (its `created_at`), and rows set aside."""

    waiting: int
    oldest: str | None
    parked: int


_CLAIM = text("""
    SELECT partition FROM (SELECT DISTINCT partition FROM outbox WHERE parked_at IS NULL) AS waiting
    WHERE pg_try_advisory_xact_lock(:space, partition)
    """)


async def claim(tx: AsyncConnection) -> list[int]:
    """Lock the partitions that have rows and that nobody else is sending, until the transaction ends.

    A statement of its own before the rows are read: a row that another relay sent and deleted between our
    reading and our locking would be sent again, and after newer ones.
    """
    return [row.partition for row in await tx.execute(_CLAIM, {"space": _LOCK_SPACE})]


_columns = [getattr(outbox.c, name) for name in OutboxRow._fields]


async def waiting(
    connection: AsyncConnection, partitions: Sequence[int] | None, limit: int
) -> list[OutboxRow]:
    """Return unsent rows in id order, of the given partitions or (None) of all."""
    query = select(*_columns).where(outbox.c.parked_at.is_(None)).order_by(outbox.c.id).limit(limit)
    if partitions is not None:
        query = query.where(outbox.c.partition.in_(partitions))
    return [OutboxRow(*row) for row in await connection.execute(query)]


async def sent(tx: AsyncConnection, ids: Sequence[int]) -> None:
    """Delete rows that the broker holds."""
    await tx.execute(delete(outbox).where(outbox.c.id.in_(ids)))


async def failed(tx: AsyncConnection, row_id: int, error: str, parked_at: str | None) -> None:
    """Count a refusal of this one row, and set it aside if `parked_at` is given."""
    await tx.execute(
        update(outbox)
        .where(outbox.c.id == row_id)
        .values(attempts=outbox.c.attempts + 1, error=error[:500], parked_at=parked_at)
    )


async def backlog(connection: AsyncConnection) -> Backlog:
    row = await connection.execute(
        select(
            func.count().filter(outbox.c.parked_at.is_(None)),
            func.min(outbox.c.created_at).filter(outbox.c.parked_at.is_(None)),
            func.count().filter(outbox.c.parked_at.is_not(None)),
        ).select_from(outbox)
    )
    return Backlog(*row.one())
