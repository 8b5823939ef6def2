"""Streams of messages: what people are told, numbered without a gap in the order of commits (docs/messages.md).

Every user has one, `user:<id>`; `support` has what is said in all conversations. A message takes its number under the
lock of its stream's row, as the last thing in its transaction (the lock order of `schema.py`), and its event goes into
the outbox beside it. What is stored is the event as it was published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Row, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import wire_events
from seatcast.message_frames import MessageEvent
from seatcast.tours import outbox
from seatcast.tours.outbox import OutboxRow
from seatcast.tours.schema import messages, streams
from seatcast.wire_events import BookingCancelledEvent, BookingConfirmedEvent

SUPPORT = "support"
"""The stream that the support team follows."""

E = TypeVar("E", bound=BookingConfirmedEvent | BookingCancelledEvent)


def stream_of(user_id: str) -> str:
    """Return the name of a user's stream."""
    return f"user:{user_id}"


class Message(NamedTuple):
    """A message as one of its streams has it."""

    seq: int
    event: MessageEvent


class Page(NamedTuple):
    """Messages of a stream in order, up to a limit.

    `resumed`: nothing is missing between where the reader was and the first of them. `more`: there are others after
    the last. `head`: the number of the newest message there ever was, at the instant of reading.
    """

    messages: list[Message]
    head: int
    resumed: bool
    more: bool


# Adding


async def add_message(
    tx: AsyncConnection, event: E, *, traceparent: str | None = None
) -> tuple[E, OutboxRow]:
    """Put a notification into the stream of its user, and its event into the outbox.

    `event` has its `message_id` and no number yet; it is returned with it. The lock of the stream is held from here on,
    so this comes last in a transaction.
    """
    own = stream_of(event.user_id)
    numbered = msgspec.structs.replace(event, seq=(await take_seqs(tx, {own: 1}))[own])
    row = await outbox.add_event(tx, numbered, numbered.user_id, traceparent)
    await tx.execute(
        insert(messages).values(
            id=numbered.message_id,
            kind=row.routing_key,
            user_id=numbered.user_id,
            seq=numbered.seq,
            body=row.payload,
            created_at=numbered.timestamp,
        )
    )
    return numbered, row


async def take_seqs(tx: AsyncConnection, counts: Mapping[str, int]) -> dict[str, int]:
    """Lock streams, in the lock order of `schema.py`, and take so many numbers of each; return the last of each."""
    ordered = sorted(counts, key=lambda stream: (stream == SUPPORT, stream))
    values = ", ".join(f"(:stream_{n}, :count_{n})" for n in range(len(ordered)))
    statement = text(
        f"INSERT INTO streams (id, head) VALUES {values}"  # noqa: S608 (numbers of this function's own making)
        " ON CONFLICT (id) DO UPDATE SET head = streams.head + excluded.head RETURNING id, head"
    )
    parameters: dict[str, str | int] = {}
    for n, stream in enumerate(ordered):
        parameters |= {f"stream_{n}": stream, f"count_{n}": counts[stream]}
    return {row.id: row.head for row in await tx.execute(statement, parameters)}


# Reading


async def read(
    connection: AsyncConnection,
    stream: str,
    *,
    limit: int,
    since: str | None = None,
    after: str | None = None,
    after_seq: int | None = None,
) -> Page:
    """Return what a stream has after a message (`since`, its id), a moment or a number; else from the oldest kept.

    The transaction must see one instant (`Database.reading`). A `since` that is not in the stream, or is not kept any
    more, is no place to go on from: then the page begins with the oldest, and `resumed` is false.
    """
    number, there = _place(stream)
    found = await connection.execute(
        select(streams.c.head, streams.c.forgotten, streams.c.forgotten_at).where(streams.c.id == stream)
    )
    head, forgotten, forgotten_at = found.one_or_none() or (0, 0, None)
    position: int | None = after_seq or 0
    whole = True
    if since is not None:
        place = select(number).where(there, messages.c.id == since)
        position = (await connection.execute(place)).scalar()
    elif after is not None:
        later = select(func.min(number)).where(there, messages.c.created_at > after)
        first = (await connection.execute(later)).scalar()
        position = head if first is None else first - 1
        whole = forgotten_at is None or forgotten_at <= after
    if position is None or position > head:
        position, whole = 0, False
    if after is None:
        whole = whole and forgotten <= position
    rows = (
        await connection.execute(
            select(number, messages.c.kind, messages.c.body)
            .where(there, number > position)
            .order_by(number)
            .limit(limit + 1)
        )
    ).all()
    return Page([_message(row) for row in rows[:limit]], head, whole, len(rows) > limit)


def _place(stream: str) -> tuple[Column[int], ColumnElement[bool]]:
    """Return the column with the numbers of a stream, and which messages are in it."""
    if stream == SUPPORT:
        return messages.c.support_seq, messages.c.support_seq.is_not(None)
    return messages.c.seq, messages.c.user_id == stream.removeprefix("user:")


def _message(row: Row[int, str, str]) -> Message:
    event = wire_events.decode_event(row[1], row[2].encode())
    assert isinstance(event, MessageEvent)  # noqa: S101 - for mypy: nothing else is stored here
    return Message(row[0], event)


# Forgetting


async def has_older(connection: AsyncConnection, before: str) -> bool:
    """Say whether there are notifications from before a moment."""
    query = select(messages.c.id).where(messages.c.support_seq.is_(None), messages.c.created_at < before)
    return (await connection.execute(query.limit(1))).first() is not None


_FORGET = text("""
    UPDATE streams SET
        forgotten = CASE WHEN forgotten < :seq THEN :seq ELSE forgotten END,
        forgotten_at = CASE WHEN forgotten_at > :made THEN forgotten_at ELSE :made END
    WHERE id = :id
    """)


async def forget(tx: AsyncConnection, before: str, limit: int) -> int:
    """Delete up to `limit` notifications from before a moment, note in their streams that they are gone, and return
    how many. What is said in conversations stays. Safe in several processes at once."""
    rows = (
        await tx.execute(
            select(messages.c.id, messages.c.user_id, messages.c.seq, messages.c.created_at)
            .where(messages.c.support_seq.is_(None), messages.c.created_at < before)
            .order_by(messages.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if not rows:
        return 0
    await tx.execute(delete(messages).where(messages.c.id.in_([row.id for row in rows])))
    newest: dict[str, tuple[int, str]] = {}
    for _, user_id, seq, made in rows:
        last, at = newest.get(user_id, (0, ""))
        newest[user_id] = max(seq, last), max(made, at)
    # In the lock order of `schema.py`: as the database sorts with COLLATE "C".
    for user_id, (seq, made) in sorted(newest.items()):
        values = {"id": stream_of(user_id), "seq": seq, "made": made}
        await tx.execute(_FORGET, values)
    return len(rows)
