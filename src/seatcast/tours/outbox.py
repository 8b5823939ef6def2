"""The outbox as the relay sees it: which rows wait, who may send them, and what became of them.

Never "the rows after the last one sent": ids are handed out before commit, so such a reader skips the rows
of slower transactions for ever. Unsent rows are the rows that are there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Select, delete, func, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.tours.schema import outbox
from seatcast.tours.store import OutboxRow

_LOCK_SPACE = 0x5EA7
"""First half of the advisory lock key; the second is the partition."""


class Backlog(NamedTuple):
    """What waits: rows to be sent, age of the oldest (its `created_at`), and rows set aside."""

    waiting: int
    oldest: str | None
    parked: int


_CLAIM = text("""
    SELECT partition FROM unnest(CAST(:partitions AS int[])) AS partition
    WHERE pg_try_advisory_lock(CAST(:space AS int), partition)
    """)


async def claim(connection: AsyncConnection, partitions: Sequence[int]) -> set[int]:
    """Lock those of these partitions that nobody else is sending, until the connection ends or lets go of them.

    What was read before they were locked must be read again: a row that another relay sent and deleted between
    our reading and our locking would be sent twice, and after newer ones.
    """
    values = {"partitions": list(partitions), "space": _LOCK_SPACE}
    return {row.partition for row in await connection.execute(_CLAIM, values)}


async def end_if_stopped(connection: AsyncConnection) -> None:
    """Have the server end this session, and with it its locks, when nothing is heard from it for 10 s.

    A process that is stopped but not dead would otherwise keep its partitions for ever. PostgreSQL 14 or newer;
    older ones wait for TCP to notice.
    """
    version = (await connection.execute(text("SHOW server_version_num"))).scalar_one()
    if int(version) >= 140_000:
        await connection.execute(text("SET idle_session_timeout = '10s'"))


async def let_go(connection: AsyncConnection) -> None:
    """Unlock every partition that this connection holds."""
    await connection.execute(text("SELECT pg_advisory_unlock_all()"))


async def notify(connection: AsyncConnection) -> None:
    """Tell every relay that there are rows."""
    await connection.execute(text("SELECT pg_notify('seatcast_outbox', '')"))


_columns = [getattr(outbox.c, name) for name in OutboxRow._fields]


def _waiting(limit: int, others: Collection[int]) -> Select[Any]:
    query = select(*_columns).where(outbox.c.parked_at.is_(None)).order_by(outbox.c.id).limit(limit)
    return query.where(outbox.c.partition.not_in(others)) if others else query


async def waiting(connection: AsyncConnection, limit: int, others: Collection[int] = ()) -> list[OutboxRow]:
    """Return unsent rows in id order, except those in partitions that are others'."""
    return [OutboxRow(*row) for row in await connection.execute(_waiting(limit, others))]


_ALONE = literal_column(
    "(SELECT txid_snapshot_xmin(s) = txid_snapshot_xmax(s) FROM txid_current_snapshot() AS s)", Boolean
)


async def waiting_beside(
    connection: AsyncConnection, limit: int, others: Collection[int]
) -> tuple[list[OutboxRow], bool]:
    """Return what `waiting` does, and whether no older row can turn up behind these (PostgreSQL).

    One can while any transaction is under way: it may have taken its id before theirs and commit after them.
    """
    rows = (await connection.execute(_waiting(limit, others).add_columns(_ALONE))).all()
    return [OutboxRow(*row[:-1]) for row in rows], bool(rows) and bool(rows[0][-1])


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
