"""From a message's event to the frame that one reader gets: one way for the gateway and for REST."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from seatcast.text import counted, text
from seatcast.wire_events import (
    BookingCancelledEvent,
    BookingConfirmedEvent,
    ChatMessageSent,
    HoldExpiredEvent,
)
from seatcast.wire_messages import BookingCancelled, BookingConfirmed, ChatMessage, HoldExpired

MessageEvent = BookingConfirmedEvent | BookingCancelledEvent | HoldExpiredEvent | ChatMessageSent
MessageFrame = BookingConfirmed | BookingCancelled | HoldExpired | ChatMessage

_NOTIFICATIONS: Final[
    dict[type[MessageEvent], tuple[type[BookingConfirmed | BookingCancelled | HoldExpired], str]]
] = {
    BookingConfirmedEvent: (BookingConfirmed, "notification.booking_confirmed"),
    BookingCancelledEvent: (BookingCancelled, "notification.booking_cancelled"),
    HoldExpiredEvent: (HoldExpired, "notification.hold_expired"),
}


_EVENTS: Final = {frame: event for event, (frame, _) in _NOTIFICATIONS.items()}


def message_event(frame: MessageFrame, reader: str) -> MessageEvent:
    """Return the event of a message as `reader` gets it from REST, so that it can be told to others in their language."""
    fields = {name: getattr(frame, name) for name in frame.__struct_fields__}
    if isinstance(frame, ChatMessage):
        user = frame.conversation_id
        return ChatMessageSent(event_id=user, user_id=user, **fields)
    del fields["message"]
    return _EVENTS[type(frame)](event_id=frame.booking_id, user_id=reader, **fields)


def message_frame(event: MessageEvent, *, language: str, reader: str) -> MessageFrame:
    """Return the frame of a message for `reader`, a user's id, in their language.

    A notification's sentence is the catalogue's, unless its publisher wrote one.
    """
    if isinstance(event, ChatMessageSent):
        return chat_frame(event, reader=reader)
    frame, key = _NOTIFICATIONS[type(event)]
    if isinstance(event.message, str):
        sentence = event.message
    else:
        seats = event.seats
        what = event.tour_name
        if isinstance(seats, int):
            what = counted(language, "notification.seats", seats, tour=what)
        sentence = text(language, key, what=what)
    return frame(
        booking_id=event.booking_id,
        tour_name=event.tour_name,
        message=sentence,
        timestamp=event.timestamp,
        tour_id=event.tour_id,
        seats=event.seats,
        departure_id=event.departure_id,
        message_id=event.message_id,
    )


def chat_frame(event: ChatMessageSent, *, reader: str) -> ChatMessage:
    """Return the frame of a chat message for `reader`; its mark `id` is told to its sender alone."""
    return ChatMessage(
        sender=event.sender,
        to=event.to,
        message=event.message,
        timestamp=event.timestamp,
        message_id=event.message_id,
        conversation_id=event.conversation_id,
        id=event.id if event.sender == reader else UNSET,
    )
