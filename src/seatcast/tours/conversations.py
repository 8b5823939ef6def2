"""The support chat: what is said, marked, taken and released, each with its events in the same transaction.

All that is said goes through the stream `support`, which numbers it under one lock: one transaction after the other
for everybody's conversations. So what waits together shares one (`group_commit.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import asyncpg
from msgspec import UNSET
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import chat, wire_messages
from seatcast.chat import Conversation, Mark, Side
from seatcast.domain import ConversationNotFound, DomainError, MessageIdReused, new_id
from seatcast.tours import chat_store, outbox
from seatcast.tours.chat_store import Saying
from seatcast.tours.database import Database
from seatcast.tours.driver import KeptDriver
from seatcast.tours.group_commit import GroupCommit
from seatcast.tours.outbox import OutboxRow
from seatcast.tours.saying_postgresql import say_at_once
from seatcast.wire_events import ChatMessageSent, ConversationUpdated
from seatcast.wire_messages import Marks, Unread

_TRIES = 3
"""How often something said is stored anew when its mark turns out to be in use meanwhile."""


class Sent(NamedTuple):
    """What was said, as it is stored; `repeated`: it was before."""

    event: ChatMessageSent
    repeated: bool


Outcome = Sent | DomainError
_Change = Callable[[AsyncConnection, Conversation], Awaitable[Conversation]]


class Conversations:
    """All conversations. `committed` is given the events of every commit; `run` must be running."""

    def __init__(
        self, database: Database, committed: Callable[[Sequence[OutboxRow]], None], now: Callable[[], str]
    ) -> None:
        self.database = database
        self._committed = committed
        self._now = now
        self._driver = KeptDriver(database)
        """PostgreSQL."""
        self._sayings: GroupCommit[Saying, Outcome] = GroupCommit(self._say_all, database.answer_seconds)

    async def run(self) -> None:
        """Store what is said, until cancelled."""
        try:
            await self._sayings.run()
        finally:
            await self._driver.disconnect()

    async def say(self, saying: Saying) -> Sent:
        """Store something said, once, and return it; `chat.conversation_of` says whether its sender may.

        An agent opens the conversation of a user who has booked or was told something before. Raises, and changes
        nothing: what `chat.check_text` does, `ConversationNotFound`, `MessageIdReused`.
        """
        chat.check_text(saying.message)
        if "\x00" in saying.conversation_id:
            raise ConversationNotFound  # PostgreSQL has no place for NUL in a text: everybody's batch would fail with it
        outcome = await self._sayings.ask(saying)
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome

    async def mark(self, conversation_id: str, side: Side, mark: Mark, message_id: str) -> Conversation:
        """Note that everything up to a message was delivered to, or read by, a side; return the conversation after it.

        Raises `ConversationNotFound`, `MessageNotFound`.
        """

        async def change(tx: AsyncConnection, before: Conversation) -> Conversation:
            moving = {chat.mark_of(before, side, "delivered"), chat.mark_of(before, side, "read"), message_id}
            places = await chat_store.places(tx, conversation_id, [id for id in moving if id is not None])
            unread = 0
            if mark == "read" and message_id in places:
                unread = await chat_store.unread(tx, conversation_id, side, places[message_id])
            return chat.marked(before, side, mark, message_id, places, unread, self._now())

        return await self._change(conversation_id, change)

    async def take(self, conversation_id: str, agent: str) -> Conversation:
        """Put a conversation into an agent's hands. Raises `ConversationNotFound`, `ConversationTaken`."""

        async def change(tx: AsyncConnection, before: Conversation) -> Conversation:
            return chat.taken(before, agent, self._now())

        return await self._change(conversation_id, change)

    async def release(self, conversation_id: str, user: str, *, anyones: bool) -> Conversation:
        """Put a conversation into nobody's hands. Raises `ConversationNotFound`, `Forbidden`."""

        async def change(tx: AsyncConnection, before: Conversation) -> Conversation:
            return chat.released(before, user, self._now(), anyones=anyones)

        return await self._change(conversation_id, change)

    async def _change(self, conversation_id: str, change: _Change) -> Conversation:
        rows: list[OutboxRow] = []

        async def steps(tx: AsyncConnection) -> Conversation:
            before = (await chat_store.lock(tx, [conversation_id])).get(conversation_id)
            if before is None:
                raise ConversationNotFound
            after = await change(tx, before)
            if after != before:
                await chat_store.change(tx, [after])
                rows.append(await outbox.add_event(tx, _updated(after), conversation_id, None))
            return after

        after = await self.database.write_at_once(steps)
        if rows:
            self._committed(rows)
        return after

    async def _say_all(self, sayings: Sequence[Saying]) -> list[Outcome]:
        if not self.database.postgresql:
            return await self._say_thoroughly(sayings)
        # The first of each key; of others of the same batch there is something to find out.
        first = {saying.key or number: number for number, saying in reversed([*enumerate(sayings)])}
        places = sorted(first.values())
        try:
            driver = await self._driver.connected()
            found, rows = await say_at_once(driver, [sayings[place] for place in places], self._now())
        except asyncpg.UniqueViolationError:
            return await self._say_thoroughly(sayings)
        except BaseException:
            await self._driver.disconnect()  # whatever state it is in, the next batch has a new one
            raise
        if rows:
            self._committed(rows)
        done: dict[int, Outcome] = {places[n]: Sent(event, repeated=False) for n, event in found.items()}
        if left := [number for number in range(len(sayings)) if number not in done]:
            outcomes = await self._say_thoroughly([sayings[number] for number in left])
            done |= dict(zip(left, outcomes, strict=True))
        return [done[number] for number in range(len(sayings))]

    async def _say_thoroughly(self, sayings: Sequence[Saying]) -> list[Outcome]:
        """Store what can be, and find out why the rest cannot."""
        for _ in range(_TRIES):
            try:
                outcomes, rows = await self._transaction(sayings)
            except IntegrityError as error:
                # Another process has stored a mark of these at this moment: the next look finds it.
                conflict = error
                continue
            if rows:
                self._committed(rows)
            return outcomes
        raise conflict

    async def _transaction(self, sayings: Sequence[Saying]) -> tuple[list[Outcome], list[OutboxRow]]:
        async def steps(tx: AsyncConnection) -> tuple[list[Outcome], list[OutboxRow]]:
            rows: list[OutboxRow] = []
            return await _store(tx, sayings, self._now(), rows), rows

        return await self.database.write_at_once(steps)


async def _store(
    tx: AsyncConnection, sayings: Sequence[Saying], now: str, rows: list[OutboxRow]
) -> list[Outcome]:
    """Store what can be, in order, and append the events to `rows`."""
    keys = {saying.key for saying in sayings if saying.key is not None}
    stored = await chat_store.marked_before(tx, keys) if keys else {}
    opened = {saying.conversation_id for saying in sayings if saying.sender != saying.conversation_id}
    strangers = opened - await chat_store.known(tx, opened) if opened else opened
    claimed = set(stored)
    new: dict[int, Saying] = {}
    for number, saying in enumerate(sayings):
        if saying.conversation_id not in strangers and (saying.key is None or saying.key not in claimed):
            new[number] = saying
            if saying.key is not None:
                claimed.add(saying.key)
    events = await _add(tx, list(new.values()), now, rows) if new else []
    fresh = dict(zip(new, events, strict=True))
    stored |= {saying.key: fresh[number] for number, saying in new.items() if saying.key is not None}

    def outcome(number: int, saying: Saying) -> Outcome:
        if number in fresh:
            return Sent(fresh[number], repeated=False)
        earlier = None if saying.key is None else stored.get(saying.key)
        if earlier is None:
            return ConversationNotFound()
        if (earlier.conversation_id, earlier.message) != (saying.conversation_id, saying.message):
            return MessageIdReused()
        return Sent(earlier, repeated=True)

    return [outcome(number, saying) for number, saying in enumerate(sayings)]


async def _add(
    tx: AsyncConnection, sayings: Sequence[Saying], now: str, rows: list[OutboxRow]
) -> list[ChatMessageSent]:
    new = await chat_store.numbered(tx, sayings, now)
    # The locks of their streams say that nobody else opens these conversations now; theirs, that nobody marks them.
    before = await chat_store.lock(tx, {each.event.conversation_id for each in new})
    after = dict(before)
    for _, event, message_id, support_seq in new:
        talk = event.conversation_id
        after[talk] = chat.said(after.get(talk), talk, event.sender, message_id, support_seq, now)
    told = [(each.event, each.event.user_id, each.saying.traceparent) for each in new]
    changed = [(_updated(conversation), conversation.id, None) for conversation in after.values()]
    rows += await outbox.add_events(tx, [*told, *changed])
    await chat_store.add_messages(tx, new, rows[: len(new)])
    if opened := [conversation for talk, conversation in after.items() if talk not in before]:
        await chat_store.add(tx, opened)
    if before:
        await chat_store.change(tx, [after[talk] for talk in before])
    return [each.event for each in new]


def _updated(conversation: Conversation) -> ConversationUpdated:
    return ConversationUpdated(event_id=new_id("evt"), **_standing(conversation))


def state_of(conversation: Conversation) -> wire_messages.ConversationUpdate:
    """Return how a conversation stands, as the wire tells it."""
    return wire_messages.ConversationUpdate(**_standing(conversation))


def _standing(conversation: Conversation) -> dict[str, Any]:
    """Return the fields that event and frame have in common."""
    return {
        "conversation_id": conversation.id,
        "version": conversation.version,
        "unread": Unread(conversation.traveller_unread, conversation.support_unread),
        "delivered": Marks(
            traveller=conversation.traveller_delivered or UNSET,
            support=conversation.support_delivered or UNSET,
        ),
        "read": Marks(
            traveller=conversation.traveller_read or UNSET, support=conversation.support_read or UNSET
        ),
        "timestamp": conversation.changed_at,
        "taken_by": conversation.taken_by or UNSET,
        "last_message_id": conversation.last_message,
    }
