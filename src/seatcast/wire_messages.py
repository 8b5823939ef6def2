"""The WebSocket frames that are for people: notifications of bookings, and the support chat.

A traveller has one conversation with the support team, whose id is the traveller's own. The three kinds of message are
those of `wire.py`, and each type says which it is.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from seatcast.chat import MAX_MESSAGE_CHARACTERS
from seatcast.wire_parts import Id, RequestId, TourSeats, Version

ChatText = Annotated[
    str, Meta(min_length=1, max_length=MAX_MESSAGE_CHARACTERS, pattern=r"^\s*[^\s\x00][^\x00]*$(?!\n)")
]
"""What somebody says: plain text that is not blank. PostgreSQL has no place for NUL in a text."""


# Server to client


class _Notification(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Of a booking, to its user. Kind: at least once.

    `tour_id`, `seats` and `message_id` are absent only where the event comes from a publisher that does not tell them.
    """

    booking_id: Id
    tour_name: str
    message: str
    """In the reader's language."""
    timestamp: str
    tour_id: Id | UnsetType = UNSET
    seats: TourSeats | UnsetType = UNSET
    departure_id: Id | UnsetType = UNSET
    message_id: Id | UnsetType = UNSET


class BookingConfirmed(
    _Notification, frozen=True, rename="camel", omit_defaults=True, tag="BOOKING_CONFIRMED", kw_only=True
):
    """At least once."""


class BookingCancelled(
    _Notification, frozen=True, rename="camel", omit_defaults=True, tag="BOOKING_CANCELLED", kw_only=True
):
    """At least once."""


class HoldExpired(
    _Notification, frozen=True, rename="camel", omit_defaults=True, tag="HOLD_EXPIRED", kw_only=True
):
    """At least once."""


class ChatMessage(Struct, frozen=True, rename="camel", omit_defaults=True, tag="CHAT_MESSAGE", kw_only=True):
    """At least once. `id` is its sender's own mark, and only the sender is told it."""

    sender: Id = field(name="from")
    to: Id
    message: ChatText
    timestamp: str
    message_id: Id | UnsetType = UNSET
    conversation_id: Id
    id: RequestId | UnsetType = UNSET


class Unread(Struct, frozen=True):
    """How many messages of the other side each side has not read."""

    traveller: int
    support: int


class Marks(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The last message that was delivered to each side, or read by it."""

    traveller: Id | UnsetType = UNSET
    support: Id | UnsetType = UNSET


class ConversationUpdate(
    Struct, frozen=True, rename="camel", omit_defaults=True, tag="CONVERSATION_UPDATE", kw_only=True
):
    """How a conversation stands, to its traveller and to the support team. Kind: latest value."""

    conversation_id: Id
    version: Version
    unread: Unread
    delivered: Marks
    read: Marks
    timestamp: str
    taken_by: Id | UnsetType = UNSET
    last_message_id: Id | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET
    """The mark of the command that this answers; whoever sent it may be told the same once more without it."""


class ChatTyping(Struct, frozen=True, rename="camel", tag="CHAT_TYPING", kw_only=True):
    """Somebody is writing, to the other side of the conversation. Kind: latest value, never stored."""

    conversation_id: Id
    sender: Id = field(name="from")
    timestamp: str


class SupportPresence(
    Struct, frozen=True, rename="camel", omit_defaults=True, tag="SUPPORT_PRESENCE", kw_only=True
):
    """How many of the support team are there; the team itself is told who. Kind: latest value."""

    present: int
    timestamp: str
    agents: list[str] | UnsetType = UNSET


# Client to server


class SendChat(Struct, frozen=True, rename="camel", tag="CHAT_MESSAGE", kw_only=True):
    """`to` is "support", or from the support team the traveller. The same `id` again has one effect."""

    to: Id
    message: ChatText
    id: RequestId | UnsetType = UNSET


class MarkChat(Struct, frozen=True, rename="camel", tag="CHAT_MARK", kw_only=True):
    """Everything up to this message was delivered to, or read by, the sender's side."""

    conversation_id: Id
    message_id: Id
    mark: Literal["delivered", "read"]
    id: RequestId | UnsetType = UNSET


class TakeChat(Struct, frozen=True, rename="camel", tag="CHAT_TAKE", kw_only=True):
    """The sender, of the support team, looks after this conversation from now on."""

    conversation_id: Id
    id: RequestId | UnsetType = UNSET


class ReleaseChat(Struct, frozen=True, rename="camel", tag="CHAT_RELEASE", kw_only=True):
    conversation_id: Id
    id: RequestId | UnsetType = UNSET


class TypeChat(Struct, frozen=True, rename="camel", tag="CHAT_TYPING", kw_only=True):
    """The sender is writing; `to` as in CHAT_MESSAGE."""

    to: Id
    id: RequestId | UnsetType = UNSET
