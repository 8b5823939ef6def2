"""The outbox: how an event gets into it and, for the relay, which rows wait, who may send them, what became of them.

Never "the rows after the last one sent": ids are handed out before commit, so such a reader skips the rows
of slower transactions for ever. Unsent rows are the rows that are there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Final, NamedTuple, Protocol

import msgspec
from msgspec.structs import StructConfig
from sqlalchemy import Boolean, Select, func, insert, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import wire
from seatcast.domain import partition_of
from seatcast.tours.driver import driver_of
from seatcast.tours.schema import outbox

_LOCK_SPACE = 0x5EA7
"""First half of the advisory lock key; the second is the partition."""


class OutboxRow(NamedTuple):
    id: int
    partition: int
    routing_key: str
    event_id: str
    payload: str
    traceparent: str | None
    attempts: int


_FIELDS = ", ".join(f"event.{name}" for name in OutboxRow._fields)
EVENTS_JSON: Final = f"(SELECT json_agg(json_build_array({_FIELDS}) ORDER BY event.id)::text FROM event)"  # noqa: S608 (of names)
"""SQL for the rows of the outbox that a statement has in its `event`, as `decode_events` reads them."""

_events = msgspec.json.Decoder(list[OutboxRow])


def decode_events(rows: str) -> list[OutboxRow]:
    """Return rows of the outbox that a statement returned as `EVENTS_JSON`."""
    return _events.decode(rows)


_ADD_EVENT = insert(outbox).returning(outbox.c.id)
_ADD_EVENTS = insert(outbox).returning(outbox.c.id, sort_by_parameter_order=True)


class Event(Protocol):
    """What every struct of `wire_events.py` has that goes through the outbox."""

    __struct_config__: ClassVar[StructConfig]

    @property
    def event_id(self) -> str: ...

    @property
    def timestamp(self) -> str: ...


async def add_event(tx: AsyncConnection, event: Event, key: str, traceparent: str | None) -> OutboxRow:
    """Put an event into the outbox and return its row: it exists if and only if this transaction commits.

    Events of the same `key`, a tour's or a user's id, are sent in the order in which they were put here.
    """
    values = event_values(event, key, traceparent)
    done = await tx.execute(_ADD_EVENT, {"created_at": event.timestamp, **values})
    return OutboxRow(id=done.scalar_one(), attempts=0, **values)


async def add_events(tx: AsyncConnection, events: Sequence[tuple[Event, str, str | None]]) -> list[OutboxRow]:
    """Put events, each with its key and traceparent, into the outbox in this order, and return their rows."""
    values = [event_values(event, key, traceparent) for event, key, traceparent in events]
    return await add_rows(tx, values, [event.timestamp for event, _, _ in events])


async def add_rows(
    tx: AsyncConnection, values: Sequence[dict[str, Any]], moments: Sequence[str]
) -> list[OutboxRow]:
    """Put events that are columns already (`event_values`) into the outbox in this order, and return their rows."""
    rows = [v | {"created_at": moment} for v, moment in zip(values, moments, strict=True)]
    done = await tx.execute(_ADD_EVENTS, rows)
    return [OutboxRow(id=id, attempts=0, **v) for id, v in zip(done.scalars(), values, strict=True)]


def event_values(event: Event, key: str, traceparent: str | None) -> dict[str, Any]:
    """Return an event's columns in the outbox, but for its id and moment."""
    return {
        "partition": partition_of(key),
        "routing_key": str(event.__struct_config__.tag),
        "event_id": event.event_id,
        "payload": wire.encode(event).decode(),
        "traceparent": traceparent,
    }


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


async def commit_lazily(connection: AsyncConnection) -> None:
    """Have the server commit without waiting for its disk, on this connection. Of what is done here a crash of the server may lose
    the last moments: deletions of rows that were sent, which are then sent again, and refusals, which are counted again.
    """
    await connection.execute(text("SET synchronous_commit = off"))


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


# One text however many ids there are, so that it is parsed and planned once: one for each length costs both the
# server and us as much as the deleting.
_SENT_POSTGRESQL = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_SENT_SQLITE = text("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(:ids))")


async def sent(tx: AsyncConnection, ids: Sequence[int]) -> None:
    """Delete rows that the broker holds. On PostgreSQL this is a transaction of its own, unless one has begun already."""
    if tx.dialect.name == "postgresql":
        await (await driver_of(tx)).fetch(_SENT_POSTGRESQL, list(ids))
    else:
        await tx.execute(_SENT_SQLITE, {"ids": json.dumps(list(ids))})


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
