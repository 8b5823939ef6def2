"""The support chat's rules: what a message may be, who may write to whom, and how a conversation changes.

A traveller has one conversation, which has the traveller's user id; the other end is the support team as a whole.
Pure: a conversation is a value, and every change of it that others can see counts its version up. What changes nothing
(a mark that is behind, a conversation taken again by who has it) returns the same value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from seatcast.domain import (
    ConversationTaken,
    Forbidden,
    MessageEmpty,
    MessageNotFound,
    MessageNotText,
    MessageTooLong,
)

SUPPORT: Final = "support"
"""The team, as a recipient: whoever writes to it writes in their own conversation."""

MAX_MESSAGE_CHARACTERS: Final = 4_096
"""Length of a message in Unicode characters, not in bytes or UTF-16 units."""

Side = Literal["traveller", "support"]
Mark = Literal["delivered", "read"]


class Conversation(NamedTuple):
    """One conversation. A mark is the id of the last message that this side has been handed, or has read.

    Unread are the other side's messages behind a side's `read` mark; `last_seq` is the place of the last message
    among those of all conversations.
    """

    id: str
    version: int
    changed_at: str
    taken_by: str | None
    last_message: str
    last_seq: int
    traveller_unread: int = 0
    traveller_delivered: str | None = None
    traveller_read: str | None = None
    support_unread: int = 0
    support_delivered: str | None = None
    support_read: str | None = None


def check_text(message: str) -> None:
    """Refuse what is no message. One that is accepted is kept as it stands, blanks and line feeds too.

    Raises `MessageEmpty` where nothing would be seen, `MessageTooLong` and `MessageNotText`.
    """
    if len(message) > MAX_MESSAGE_CHARACTERS:
        raise MessageTooLong(characters=len(message), most=MAX_MESSAGE_CHARACTERS)
    for place, character in enumerate(message):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
            raise MessageNotText(character=f"U+{ord(character):04X}", place=place)
    if all(c.isspace() or unicodedata.category(c) == "Cf" for c in message):
        raise MessageEmpty


def traveller(user: str, to: str) -> str:
    """Return whose conversation it is in which this user writes to `to`: what is for the team is in the user's own."""
    return user if to == SUPPORT else to


def conversation_of(user: str, to: str, *, agent: bool) -> str:
    """Return the id of the conversation in which this user writes to, or reads of, `to`.

    Agents may turn to any traveller, travellers to the team alone, which is also their own id. Raises `Forbidden`.
    """
    if user == SUPPORT:
        # Whose messages could not be told from the team's.
        raise Forbidden(reason=f"{SUPPORT!r} is the support team, and nobody's user id")
    talk = traveller(user, to)
    if talk != user and not agent:
        raise Forbidden(role="support")
    return talk


def side_of(user: str, conversation_id: str) -> Side:
    """Return the end of a conversation that a user is at; agents are travellers in their own."""
    return "traveller" if user == conversation_id else "support"


def recipient(sender: str, conversation_id: str) -> str:
    """Return whom a message in a conversation is for, as the wire's `to`."""
    return SUPPORT if sender == conversation_id else conversation_id


def said(
    before: Conversation | None, conversation_id: str, sender: str, message_id: str, seq: int, now: str
) -> Conversation:
    """Return the conversation after one more message; `before` of None: after its first."""
    if before is None:
        before = Conversation(conversation_id, 0, now, None, message_id, seq)
    after = before._replace(version=before.version + 1, changed_at=now, last_message=message_id, last_seq=seq)
    if side_of(sender, conversation_id) == "traveller":
        return after._replace(support_unread=before.support_unread + 1)
    return after._replace(traveller_unread=before.traveller_unread + 1)


def mark_of(conversation: Conversation, side: Side, mark: Mark) -> str | None:
    """Return the message up to which a side has been handed, or has read, the conversation."""
    if side == "traveller":
        return conversation.traveller_delivered if mark == "delivered" else conversation.traveller_read
    return conversation.support_delivered if mark == "delivered" else conversation.support_read


def unread_of(conversation: Conversation, side: Side) -> int:
    """Return how many of the other side's messages this side has not read."""
    return conversation.traveller_unread if side == "traveller" else conversation.support_unread


def marked(
    before: Conversation,
    side: Side,
    mark: Mark,
    message_id: str,
    places: Mapping[str, int],
    unread: int,
    now: str,
) -> Conversation:
    """Return the conversation after a side was handed, or has read, everything up to a message.

    `places` orders that message and those marked before; `unread` are the other side's messages behind it. A mark
    never goes back, and what is read was handed over. Raises `MessageNotFound`.
    """
    if message_id not in places:
        raise MessageNotFound
    moved: list[Mark] = [
        each
        for each in (("delivered", "read") if mark == "read" else ("delivered",))
        if _is_behind(mark_of(before, side, each), message_id, places)
    ]
    if not moved:
        return before
    after = before._replace(version=before.version + 1, changed_at=now)
    if side == "traveller":
        if "delivered" in moved:
            after = after._replace(traveller_delivered=message_id)
        if "read" in moved:
            after = after._replace(traveller_read=message_id, traveller_unread=unread)
        return after
    if "delivered" in moved:
        after = after._replace(support_delivered=message_id)
    if "read" in moved:
        after = after._replace(support_read=message_id, support_unread=unread)
    return after


def _is_behind(marked_before: str | None, message_id: str, places: Mapping[str, int]) -> bool:
    return marked_before is None or places[marked_before] < places[message_id]


def taken(before: Conversation, agent: str, now: str) -> Conversation:
    """Return the conversation in an agent's hands: the first who takes it has it.

    Raises `ConversationTaken`, and `Forbidden` for an agent's own, in which they are the traveller.
    """
    if side_of(agent, before.id) == "traveller":
        raise Forbidden(reason="nobody looks after their own conversation")
    if before.taken_by == agent:
        return before
    if before.taken_by is not None:
        raise ConversationTaken(takenBy=before.taken_by)
    return before._replace(version=before.version + 1, changed_at=now, taken_by=agent)


def released(before: Conversation, user: str, now: str, *, anyones: bool) -> Conversation:
    """Return the conversation in nobody's hands; `anyones`: whoever has it.

    Raises `Forbidden` where another agent has it.
    """
    if before.taken_by is None:
        return before
    if before.taken_by != user and not anyones:
        raise Forbidden(role="admin", takenBy=before.taken_by)
    return before._replace(version=before.version + 1, changed_at=now, taken_by=None)
