"""All SQL of shared documents.

Updates are numbered under the lock of their document's row, so numbers have no gaps and follow commit order. After a
compaction the update `compacted` holds everything up to it: "what is after n" is always the rows after n, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Text, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.domain import DESCRIPTION
from seatcast.tours.schema import document_edits, document_fields, document_updates, documents


class DocumentRow(NamedTuple):
    id: str
    head: int
    compacted: int
    bytes: int
    version: int


class FieldRow(NamedTuple):
    field: str
    value: str
    version: int
    user_id: str
    changed_at: str


class EditRow(NamedTuple):
    version: int
    created_at: str


_INSERT: Final = text("""
    INSERT INTO documents (id, head, compacted, bytes, version) VALUES (:id, 0, 0, 0, 0)
    ON CONFLICT (id) DO NOTHING
    """)

_PUT_FIELD: Final = text("""
    INSERT INTO document_fields (document_id, field, value, version, user_id, changed_at)
    VALUES (:document_id, :field, :value, :version, :user_id, :changed_at)
    ON CONFLICT (document_id, field) DO UPDATE SET value = excluded.value, version = excluded.version,
    user_id = excluded.user_id, changed_at = excluded.changed_at
    """)


async def lock(tx: AsyncConnection, document_id: str) -> DocumentRow:
    """Lock a document, which is there from the first time on that somebody wants to write to it."""
    query = select(documents).where(documents.c.id == document_id).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        await tx.execute(_INSERT, {"id": document_id})
        row = (await tx.execute(query)).one()
    return DocumentRow(*row)


async def document(connection: AsyncConnection, document_id: str) -> DocumentRow:
    """Return a document, an empty one if nobody has written to it."""
    row = (await connection.execute(select(documents).where(documents.c.id == document_id))).one_or_none()
    return DocumentRow(document_id, 0, 0, 0, 0) if row is None else DocumentRow(*row)


async def append(tx: AsyncConnection, row: DocumentRow, fields: Sequence[FieldRow]) -> None:
    """Write a locked document's numbers and changed fields."""
    values = row._asdict()
    await tx.execute(update(documents).where(documents.c.id == values.pop("id")).values(values))
    for one in fields:
        await tx.execute(_PUT_FIELD, {"document_id": row.id, **one._asdict()})


async def updates(connection: AsyncConnection, document_id: str, after: int) -> Sequence[bytes]:
    """Return what brings a document from the update `after` to its head."""
    query = select(document_updates.c.data).where(
        document_updates.c.document_id == document_id, document_updates.c.seq > after
    )
    rows = await connection.execute(query.order_by(document_updates.c.seq))
    return rows.scalars().all()


async def put_update(tx: AsyncConnection, document_id: str, seq: int, data: bytes) -> None:
    await tx.execute(insert(document_updates).values(document_id=document_id, seq=seq, data=data))


async def drop_updates(tx: AsyncConnection, document_id: str) -> None:
    """Forget all updates, for one that holds them all."""
    await tx.execute(delete(document_updates).where(document_updates.c.document_id == document_id))


async def field(connection: AsyncConnection, document_id: str, name: str) -> FieldRow | None:
    found = await _fields(connection, document_id, name)
    return found[0] if found else None


async def fields(connection: AsyncConnection, document_id: str) -> list[FieldRow]:
    return await _fields(connection, document_id, None)


async def _fields(connection: AsyncConnection, document_id: str, name: str | None) -> list[FieldRow]:
    table = document_fields.c
    query = select(table.field, table.value, table.version, table.user_id, table.changed_at)
    query = query.where(table.document_id == document_id)
    if name is not None:
        query = query.where(table.field == name)
    return [FieldRow(*row) for row in await connection.execute(query.order_by(table.field))]


async def description_versions(connection: AsyncConnection) -> dict[str, int]:
    """Return the version of each description that there is, by the id of its document, which is its tour's."""
    table = document_fields.c
    rows = await connection.execute(
        select(table.document_id, table.version).where(table.field == DESCRIPTION)
    )
    return {row.document_id: row.version for row in rows}


# All at once


class Condition(NamedTuple):
    """What an edit depends on: `mark` was not used by its user before, and nobody has changed the field since the
    document's version `base`.
    """

    user: str
    mark: str | None
    field: str
    base: int | None


class Append(NamedTuple):
    """A change that goes on from a document as it is in memory: an update, fields, and the events of both."""

    before: DocumentRow
    after: DocumentRow
    update: bytes | None
    fields: Sequence[FieldRow]
    events: Sequence[dict[str, Any]]
    now: str
    condition: Condition | None = None


_APPEND: Final = text("""
    WITH moved AS (
      UPDATE documents SET head = :head, bytes = :bytes, version = :version
      WHERE id = :id AND head = :known_head AND version = :known_version
        AND NOT EXISTS (SELECT FROM document_edits
          WHERE document_id = :id AND user_id = :editor AND mark = CAST(:mark AS text))
        AND NOT EXISTS (SELECT FROM document_fields
          WHERE document_id = :id AND field = :edited AND document_fields.version > CAST(:base AS bigint))
      RETURNING id
    ), marked AS (
      INSERT INTO document_edits (document_id, user_id, mark, version, created_at)
      SELECT id, :editor, :mark, :version, :now FROM moved WHERE CAST(:mark AS text) IS NOT NULL
    ), stored AS (
      INSERT INTO document_updates (document_id, seq, data) SELECT id, :head, :data FROM moved
    ), told AS (
      INSERT INTO document_fields (document_id, field, value, version, user_id, changed_at)
      SELECT id, field, value, of_version, user_id, :now
      FROM moved, unnest(:fields, :texts, :versions, :users) AS f (field, value, of_version, user_id)
      ON CONFLICT (document_id, field) DO UPDATE SET value = excluded.value, version = excluded.version,
      user_id = excluded.user_id, changed_at = excluded.changed_at
    )
    INSERT INTO outbox (partition, routing_key, event_id, payload, traceparent, created_at)
    SELECT :partition, routing_key, event_id, payload, :traceparent, :now
    FROM moved, unnest(:keys, :event_ids, :payloads) WITH ORDINALITY AS e (routing_key, event_id, payload, place)
    ORDER BY place RETURNING id
    """).bindparams(
    bindparam("fields", type_=ARRAY(Text)),
    bindparam("texts", type_=ARRAY(Text)),
    bindparam("versions", type_=ARRAY(BigInteger)),
    bindparam("users", type_=ARRAY(Text)),
    bindparam("keys", type_=ARRAY(Text)),
    bindparam("event_ids", type_=ARRAY(Text)),
    bindparam("payloads", type_=ARRAY(Text)),
)


async def append_at_once(connection: AsyncConnection, change: Append) -> list[int] | None:
    """Store a change in one statement, a transaction of its own (PostgreSQL), and return the ids of its events.

    None, and nothing is stored, if the document has changed meanwhile or the condition is not met. The statement locks the document's row before
    it numbers the events: as everywhere, their order is that of the commits.
    """
    first = change.events[0]
    editor, mark, edited, base = change.condition or (None, None, None, None)
    done = await connection.execute(
        _APPEND,
        {
            "id": change.before.id,
            "known_head": change.before.head,
            "known_version": change.before.version,
            "head": change.after.head,
            "bytes": change.after.bytes,
            "version": change.after.version,
            "data": change.update,
            "now": change.now,
            "editor": editor,
            "mark": mark,
            "edited": edited,
            "base": base,
            "fields": [row.field for row in change.fields],
            "texts": [row.value for row in change.fields],
            "versions": [row.version for row in change.fields],
            "users": [row.user_id for row in change.fields],
            "partition": first["partition"],
            "traceparent": first["traceparent"],
            "keys": [event["routing_key"] for event in change.events],
            "event_ids": [event["event_id"] for event in change.events],
            "payloads": [event["payload"] for event in change.events],
        },
    )
    ids = list(done.scalars())
    return ids or None


# Edits that were done already


async def edit(connection: AsyncConnection, document_id: str, user: str, mark: str) -> EditRow | None:
    table = document_edits.c
    row = await connection.execute(
        select(table.version, table.created_at).where(
            table.document_id == document_id, table.user_id == user, table.mark == mark
        )
    )
    found = row.one_or_none()
    return None if found is None else EditRow(*found)


async def put_edit(tx: AsyncConnection, document_id: str, user: str, mark: str, row: EditRow) -> None:
    await tx.execute(
        insert(document_edits).values(document_id=document_id, user_id=user, mark=mark, **row._asdict())
    )


async def forget_edits(tx: AsyncConnection, document_id: str, before: str) -> None:
    """Forget the marks of edits older than a moment."""
    await tx.execute(
        delete(document_edits).where(
            document_edits.c.document_id == document_id, document_edits.c.created_at < before
        )
    )
