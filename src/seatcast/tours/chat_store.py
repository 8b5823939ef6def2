"""The SQL of the support chat: conversations, and what was said in them (whose numbers are `streams.py`'s)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET
from sqlalchemy import Select, bindparam, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import chat, wire_events
from seatcast.chat import Conversation, Side
from seatcast.domain import MessageNotFound, new_id
from seatcast.tours import schema, streams
from seatcast.tours.outbox import OutboxRow
from seatcast.tours.schema import bookings, conversations, messages
from seatcast.wire_events import ChatMessageSent
from seatcast.wire_parts import RequestId

_ROUTING_KEY = "chat.message.sent"
_said = messages.c.support_seq.is_not(None)


class Saying(NamedTuple):
    """Something to be said in a conversation; `mark` is the sender's own, None for none."""

    sender: str
    conversation_id: str
    message: str
    mark: RequestId | None
    traceparent: str | None

    @property
    def key(self) -> tuple[str, str] | None:
        """What it is known again by: sender and mark. A number is not the text that looks like it."""
        return None if self.mark is None else (self.sender, msgspec.json.encode(self.mark).decode())


class Numbered(NamedTuple):
    """Something said, as the message that it becomes."""

    saying: Saying
    event: ChatMessageSent
    message_id: str
    support_seq: int


def event_of(saying: Saying, message_id: str, now: str) -> ChatMessageSent:
    """Return the event of something said, without its numbers."""
    return ChatMessageSent(
        event_id=new_id("evt"),
        user_id=saying.conversation_id,
        timestamp=now,
        message_id=message_id,
        sender=saying.sender,
        to=chat.recipient(saying.sender, saying.conversation_id),
        message=saying.message,
        conversation_id=saying.conversation_id,
        id=UNSET if saying.mark is None else saying.mark,
    )


# Changing rows


async def numbered(tx: AsyncConnection, sayings: Sequence[Saying], now: str) -> list[Numbered]:
    """Return what is said as the messages that it becomes, in order; locks their streams."""
    counts = Counter(streams.stream_of(saying.conversation_id) for saying in sayings)
    counts[streams.SUPPORT] = len(sayings)
    heads = await streams.take_seqs(tx, counts)
    found = []
    for saying in sayings:
        mine = streams.stream_of(saying.conversation_id)
        for stream in (mine, streams.SUPPORT):
            counts[stream] -= 1
        message_id, support_seq = new_id("msg"), heads[streams.SUPPORT] - counts[streams.SUPPORT]
        event = msgspec.structs.replace(
            event_of(saying, message_id, now), seq=heads[mine] - counts[mine], support_seq=support_seq
        )
        found.append(Numbered(saying, event, message_id, support_seq))
    return found


async def add_messages(tx: AsyncConnection, new: Sequence[Numbered], rows: Sequence[OutboxRow]) -> None:
    """Store messages as their events in the outbox say them. IntegrityError: somebody's mark is in use."""
    values = [
        {
            "id": each.message_id,
            "kind": row.routing_key,
            "user_id": each.event.user_id,
            "seq": each.event.seq,
            "support_seq": each.support_seq,
            "sender": each.saying.sender,
            "client_id": None if each.saying.key is None else each.saying.key[1],
            "body": row.payload,
            "created_at": each.event.timestamp,
        }
        for each, row in zip(new, rows, strict=True)
    ]
    await tx.execute(insert(messages), values)


async def lock(tx: AsyncConnection, ids: Collection[str]) -> dict[str, Conversation]:
    """Lock and return those of these conversations that there are."""
    query = select(conversations).where(conversations.c.id.in_(ids)).order_by(conversations.c.id)
    return {row.id: Conversation(*row) for row in await tx.execute(query.with_for_update())}


async def add(tx: AsyncConnection, new: Sequence[Conversation]) -> None:
    """Store conversations that did not exist; the locks of their users' streams say that they do not."""
    await tx.execute(insert(conversations), [row._asdict() for row in new])


_CHANGE = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation_id"))
    .values({name: bindparam(name) for name in Conversation._fields if name != "id"})
)


async def change(tx: AsyncConnection, changed: Iterable[Conversation]) -> None:
    """Store conversations as they are now; they are locked."""
    rows = [row._asdict() for row in changed]
    await tx.execute(_CHANGE, [row | {"conversation_id": row["id"]} for row in rows])


# Reading


async def conversation(connection: AsyncConnection, conversation_id: str) -> Conversation | None:
    found = await connection.execute(select(conversations).where(conversations.c.id == conversation_id))
    row = found.one_or_none()
    return None if row is None else Conversation(*row)


async def latest(connection: AsyncConnection, limit: int, before: int | None) -> list[Conversation]:
    """Return conversations, the one in which something was said last first; `before`: a `last_seq`."""
    query = select(conversations).order_by(conversations.c.last_seq.desc()).limit(limit)
    if before is not None:
        query = query.where(conversations.c.last_seq < before)
    return [Conversation(*row) for row in await connection.execute(query)]


async def known(connection: AsyncConnection, users: Collection[str]) -> set[str]:
    """Return those of these users who were told something, or have booked, before."""
    by_stream = {streams.stream_of(user): user for user in users}
    told = select(schema.streams.c.id).where(schema.streams.c.id.in_(by_stream))
    found = {by_stream[row.id] for row in await connection.execute(told)}
    if missing := set(users) - found:
        booked = select(bookings.c.user_id).where(bookings.c.user_id.in_(missing)).distinct()
        found |= {row.user_id for row in await connection.execute(booked)}
    return found


async def marked_before(
    connection: AsyncConnection, marks: Collection[tuple[str, str]]
) -> dict[tuple[str, str], ChatMessageSent]:
    """Return the messages that are stored under these (sender, client id)."""
    query = select(messages.c.sender, messages.c.client_id, messages.c.body).where(
        tuple_(messages.c.sender, messages.c.client_id).in_(marks)
    )
    return {(row.sender, row.client_id): _event(row.body) for row in await connection.execute(query)}


async def places(connection: AsyncConnection, conversation_id: str, ids: Collection[str]) -> dict[str, int]:
    """Return the numbers of those of these messages that were said in a conversation."""
    query = select(messages.c.id, messages.c.seq).where(
        messages.c.id.in_(ids), messages.c.user_id == conversation_id, _said
    )
    return {row.id: row.seq for row in await connection.execute(query)}


async def unread(connection: AsyncConnection, conversation_id: str, side: Side, seq: int) -> int:
    """Return how many messages of the other side come after a number."""
    theirs = (
        messages.c.sender != conversation_id if side == "traveller" else messages.c.sender == conversation_id
    )
    query = select(func.count()).where(
        messages.c.user_id == conversation_id, messages.c.seq > seq, _said, theirs
    )
    return int((await connection.execute(query)).scalar_one())


async def waiting(connection: AsyncConnection, ids: Collection[str]) -> dict[str, str]:
    """Return since when travellers wait for an answer, by conversation: the first thing said after the team's last."""
    answers = messages.alias()
    answered = (
        select(answers.c.seq)
        .where(answers.c.user_id == conversations.c.id, answers.c.sender != answers.c.user_id)
        .where(answers.c.support_seq.is_not(None))
        .order_by(answers.c.seq.desc())
        .limit(1)
        .correlate(conversations)
        .scalar_subquery()
    )
    since = (
        select(func.min(messages.c.created_at))
        .where(messages.c.user_id == conversations.c.id, _said, messages.c.sender == messages.c.user_id)
        .where(messages.c.seq > func.coalesce(answered, 0))
        .correlate(conversations)
        .scalar_subquery()
    )
    query = select(conversations.c.id, since.label("since")).where(conversations.c.id.in_(ids))
    return {row.id: row.since for row in await connection.execute(query) if row.since is not None}


def _messages_of(conversation_id: str) -> Select[Any]:
    return select(messages.c.body).where(messages.c.user_id == conversation_id, _said)


async def said_since(
    connection: AsyncConnection, conversation_id: str, message_id: str, limit: int
) -> list[ChatMessageSent]:
    """Return the first messages after one, oldest first. Raises `MessageNotFound`."""
    place = await _place(connection, conversation_id, message_id)
    query = _messages_of(conversation_id).where(messages.c.seq > place)
    found = await connection.execute(query.order_by(messages.c.seq).limit(limit))
    return [_event(row.body) for row in found]


async def said_before(
    connection: AsyncConnection, conversation_id: str, message_id: str | None, limit: int
) -> list[ChatMessageSent]:
    """Return the last messages before one (None: of all), oldest first. Raises `MessageNotFound`."""
    query = _messages_of(conversation_id)
    if message_id is not None:
        query = query.where(messages.c.seq < await _place(connection, conversation_id, message_id))
    found = await connection.execute(query.order_by(messages.c.seq.desc()).limit(limit))
    return [_event(row.body) for row in found][::-1]


async def _place(connection: AsyncConnection, conversation_id: str, message_id: str) -> int:
    found = (await places(connection, conversation_id, [message_id])).get(message_id)
    if found is None:
        raise MessageNotFound
    return found


async def messages_by_id(connection: AsyncConnection, ids: Collection[str]) -> dict[str, ChatMessageSent]:
    """Return messages by their ids."""
    query = select(messages.c.id, messages.c.body).where(messages.c.id.in_(ids), _said)
    return {row.id: _event(row.body) for row in await connection.execute(query)}


def _event(body: str) -> ChatMessageSent:
    event = wire_events.decode_event(_ROUTING_KEY, body.encode())
    assert isinstance(event, ChatMessageSent)  # noqa: S101 - for mypy: its routing key says so
    return event
