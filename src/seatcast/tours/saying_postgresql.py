"""Saying on PostgreSQL: whatever waits is stored in one statement, with its events and how its conversations stand.

One round trip, one transaction: over several, everybody would wait at the lock of the stream `support` while the event loop
turns. What it cannot store (said before, to a stranger) it leaves out, and `conversations.py` finds out why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from seatcast import wire
from seatcast.domain import new_id, partition_of
from seatcast.tours.chat_store import Saying, event_of
from seatcast.tours.driver import Driver
from seatcast.tours.outbox import EVENTS_JSON, OutboxRow, decode_events
from seatcast.tours.selling import columns
from seatcast.tours.selling_statements import json_of
from seatcast.tours.streams import SUPPORT, stream_of
from seatcast.wire_events import ChatMessageSent, ConversationUpdated
from seatcast.wire_messages import Marks, Unread

_SAID, _STANDS = "chat.message.sent", "chat.conversation.updated"


def _sides(kind: type[msgspec.Struct], what: str) -> str:
    return json_of(kind, {side: f"conversation.{side}_{what}" for side in ("traveller", "support")})


_STANDS_JSON = json_of(
    ConversationUpdated,
    {
        "event_id": "'evt_' || gen_random_uuid()",
        "conversation_id": "conversation.id",
        "version": "conversation.version",
        "unread": _sides(Unread, "unread"),
        "delivered": _sides(Marks, "delivered"),
        "read": _sides(Marks, "read"),
        "timestamp": "conversation.changed_at",
        "taken_by": "conversation.taken_by",
        "last_message_id": "conversation.last_message",
    },
    first=f"'eventType', '{_STANDS}', ",
)

# $1 to $9 are lists, an entry for each saying; $10 is the moment. `head` is the event but for its numbers and its last brace.
# Locks are taken in the order of `schema.py`: the streams of users by id (as bytes), `support`, conversations by id. A part
# that selects from another comes after it. What the updates see is the newest rows, not the statement's snapshot.
_SAY: Final = f"""
    WITH saying AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
            $9::text[]) WITH ORDINALITY
            AS s(sender, talk, stream, client_id, message_id, event_id, head, partition, traceparent, n)
        WHERE NOT EXISTS (SELECT FROM messages m WHERE m.sender = s.sender AND m.client_id = s.client_id)
            AND (s.sender = s.talk OR EXISTS (SELECT FROM streams WHERE id = s.stream))),
    stream AS (
        INSERT INTO streams (id, head) SELECT stream, count(*) FROM saying GROUP BY stream ORDER BY stream COLLATE "C"
        ON CONFLICT (id) DO UPDATE SET head = streams.head + excluded.head RETURNING id, head),
    team AS (
        INSERT INTO streams (id, head) SELECT '{SUPPORT}', count(*) FROM saying WHERE (SELECT count(*) FROM stream) > 0
        HAVING count(*) > 0
        ON CONFLICT (id) DO UPDATE SET head = streams.head + excluded.head RETURNING head),
    numbered AS MATERIALIZED (
        SELECT saying.*,
            stream.head - count(*) OVER (PARTITION BY talk) + row_number() OVER (PARTITION BY talk ORDER BY n) AS seq,
            team.head - count(*) OVER () + row_number() OVER (ORDER BY n) AS support_seq
        FROM saying JOIN stream ON stream.id = saying.stream CROSS JOIN team),
    told AS MATERIALIZED (
        SELECT *, head || ',"seq":' || seq || ',"supportSeq":' || support_seq || '}}' AS payload FROM numbered),
    conversation AS (
        INSERT INTO conversations (id, version, changed_at, last_message, last_seq, traveller_unread, support_unread)
        SELECT talk, count(*), $10, (array_agg(message_id ORDER BY n DESC))[1], max(support_seq),
            count(*) FILTER (WHERE sender <> talk), count(*) FILTER (WHERE sender = talk)
        FROM told GROUP BY talk ORDER BY talk COLLATE "C"
        ON CONFLICT (id) DO UPDATE SET version = conversations.version + excluded.version,
            changed_at = excluded.changed_at, last_message = excluded.last_message, last_seq = excluded.last_seq,
            traveller_unread = conversations.traveller_unread + excluded.traveller_unread,
            support_unread = conversations.support_unread + excluded.support_unread
        RETURNING *),
    message AS (
        INSERT INTO messages (id, kind, user_id, seq, support_seq, sender, client_id, body, created_at)
        SELECT message_id, '{_SAID}', talk, seq, support_seq, sender, client_id, payload, $10 FROM told),
    event AS (
        INSERT INTO outbox (partition, routing_key, event_id, payload, traceparent, created_at)
        SELECT partition, routing_key, event_id, payload, traceparent, $10 FROM (
            SELECT partition, '{_SAID}' AS routing_key, event_id, payload, traceparent, support_seq AS place FROM told
            UNION ALL
            SELECT told.partition, '{_STANDS}', stands.body ->> 'eventId', stands.body::text, NULL, NULL
            FROM conversation JOIN told ON told.message_id = conversation.last_message
            CROSS JOIN LATERAL (SELECT json_strip_nulls({_STANDS_JSON}) AS body) AS stands) AS both_kinds
        ORDER BY place NULLS LAST
        RETURNING {columns("outbox", OutboxRow)})
    SELECT n, seq, support_seq,
        CASE WHEN n = (SELECT min(n) FROM told) THEN {EVENTS_JSON} END
    FROM told ORDER BY n
    """  # noqa: S608 (made of names in this file, never of anybody's input)


async def say_at_once(
    driver: Driver, sayings: Sequence[Saying], now: str
) -> tuple[dict[int, ChatMessageSent], list[OutboxRow]]:
    """Store what can be; return the messages by their places in `sayings`, and the events that are in the outbox.

    No two of `sayings` have one key. Raises `asyncpg.UniqueViolationError`, and nothing has changed, if a key comes
    into use meanwhile.
    """
    events = [event_of(saying, new_id("msg"), now) for saying in sayings]
    rows = await driver.fetch(
        _SAY,
        [saying.sender for saying in sayings],
        [saying.conversation_id for saying in sayings],
        [stream_of(saying.conversation_id) for saying in sayings],
        [None if saying.key is None else saying.key[1] for saying in sayings],
        [event.message_id for event in events],
        [event.event_id for event in events],
        [wire.encode(event).decode().removesuffix("}") for event in events],
        [partition_of(saying.conversation_id) for saying in sayings],
        [saying.traceparent for saying in sayings],
        now,
    )
    stored = {}
    outbox_rows: list[OutboxRow] = []
    for place, seq, support_seq, told in map(tuple, rows):
        stored[place - 1] = msgspec.structs.replace(events[place - 1], seq=seq, support_seq=support_seq)
        if told is not None:
            outbox_rows = decode_events(told)
    return stored, outbox_rows
