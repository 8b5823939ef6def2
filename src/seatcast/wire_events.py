"""Every event on the broker, in bytes: what CONTRACT.md section 3 says, as structs.

The three kinds of message are the same as on the wire (`wire.py`), and each type says which it is.
`contract/events.json` holds an example of each.
"""

from __future__ import annotations

from typing import Final, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from seatcast.wire_documents import FieldChange
from seatcast.wire_figures import Count, Figures
from seatcast.wire_messages import ChatText, Marks, Unread
from seatcast.wire_parts import Departure, Id, RequestId, TourSeats, Version

EXCHANGE: Final = "tour_booking_events"
DEAD_LETTERS: Final = "tour_booking_events.dead"
QUEUE_PREFIX: Final = "websocket_availability_updates"
PROBE_PREFIX: Final = "seatcast.probe"


class AvailabilityUpdated(
    Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="tour.availability.updated",
    kw_only=True,
):
    """Latest value. `epoch` and `version` are absent from publishers that are not ours."""

    event_id: Id
    tour_id: Id
    available_seats: TourSeats
    timestamp: str
    epoch: str | UnsetType = UNSET
    version: Version | UnsetType = UNSET
    tour_name: str | UnsetType = UNSET
    capacity: TourSeats | UnsetType = UNSET
    held: TourSeats | UnsetType = UNSET
    departure: Departure | UnsetType = UNSET


class TourClosedEvent(
    Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="tour.closed",
    kw_only=True,
):
    """Latest value. `version` is the departure's when one is named, else the tour's."""

    event_id: Id
    tour_id: Id
    timestamp: str
    epoch: str | UnsetType = UNSET
    version: Version | UnsetType = UNSET
    departure_id: Id | UnsetType = UNSET


class Tick(Struct, frozen=True, rename="camel", tag_field="eventType", tag="seatcast.tick", kw_only=True):
    """A relay's sign of life, one a second; `watermark` is the highest outbox id it has sent."""

    epoch: str
    timestamp: str
    watermark: int


class _Message(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A message for people. Kind: at least once, in the order of `seq` within the stream `user:<userId>`.

    `seq` has no gaps. Publishers that are not ours may leave `message_id` and `seq` out: what they send is told once
    to whoever is there.
    """

    event_id: Id
    user_id: Id
    timestamp: str
    message_id: Id | UnsetType = UNSET
    seq: Version | UnsetType = UNSET


class _BookingEvent(_Message, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """`message` is absent from ours: the gateway writes it in each reader's language."""

    booking_id: Id
    tour_name: str
    tour_id: Id | UnsetType = UNSET
    seats: TourSeats | UnsetType = UNSET
    departure_id: Id | UnsetType = UNSET
    message: str | UnsetType = UNSET


class BookingConfirmedEvent(
    _BookingEvent,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="booking.confirmed",
    kw_only=True,
):
    """At least once."""


class BookingCancelledEvent(
    _BookingEvent,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="booking.cancelled",
    kw_only=True,
):
    """At least once."""


class HoldExpiredEvent(
    _BookingEvent,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="hold.expired",
    kw_only=True,
):
    """At least once."""


class ChatMessageSent(
    _Message,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="chat.message.sent",
    kw_only=True,
):
    """At least once: in the stream of the conversation's traveller, and in the stream `support` as `support_seq`."""

    sender: Id = field(name="from")
    to: Id
    message: ChatText
    conversation_id: Id
    id: RequestId | UnsetType = UNSET
    support_seq: Version | UnsetType = UNSET


class ConversationUpdated(
    Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="chat.conversation.updated",
    kw_only=True,
):
    """Latest value: how a conversation stands (`wire_messages.ConversationUpdate`)."""

    event_id: Id
    conversation_id: Id
    version: Version
    unread: Unread
    delivered: Marks
    read: Marks
    timestamp: str
    taken_by: Id | UnsetType = UNSET
    last_message_id: Id | UnsetType = UNSET


class ChatTypingEvent(
    Struct, frozen=True, rename="camel", tag_field="eventType", tag="chat.typing", kw_only=True
):
    """Latest value, never stored: from gateway to gateways."""

    event_id: Id
    conversation_id: Id
    sender: Id = field(name="from")
    timestamp: str


class MetricsUpdated(
    Figures,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="metrics.updated",
    kw_only=True,
):
    """Latest value, never stored: from the one tour service that leads."""

    event_id: Id


class GatewayPresent(
    Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="gateway.present",
    kw_only=True,
):
    """Latest value, never stored: who is connected to one gateway, every few seconds (`presence.py`)."""

    event_id: Id
    gateway_id: Id
    instance: Id
    """Made anew whenever the gateway starts."""
    connections: Count
    anonymous: Count
    """Those of the connections that have no user."""
    users: bytes
    """In base64: the hashes of the different users, one after the other (`presence.user_hash`)."""
    agents: list[Id]
    """Those of the users who are of the support team."""
    metrics_followers: Count
    timestamp: str
    gone: bool = False
    """The last word: the gateway has sent everybody away."""


class DocumentUpdated(
    Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="document.updated",
    kw_only=True,
):
    """Ordered: what was stored of a shared document; `seq` has no gaps within an epoch. `update` is Yjs's, in base64."""

    event_id: Id
    document_id: Id
    epoch: str
    seq: Version
    update: bytes
    timestamp: str


class DocumentEdited(
    Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="document.edited",
    kw_only=True,
):
    """Ordered: a field of a shared document has changed; `version` is the document's and has no gaps."""

    event_id: Id
    document_id: Id
    user_id: Id
    changes: FieldChange
    timestamp: str
    version: Version
    id: RequestId | UnsetType = UNSET


class DocumentAwareness(
    Struct,
    frozen=True,
    rename="camel",
    omit_defaults=True,
    tag_field="eventType",
    tag="document.awareness",
    kw_only=True,
):
    """Latest value, never stored: what a gateway's editors of a document say of themselves, from gateway to gateways.

    `update` is y-protocols', in base64; without it every gateway is asked for what it knows.
    """

    event_id: Id
    gateway_id: Id
    document_id: Id
    update: bytes | UnsetType = UNSET


Event = (
    AvailabilityUpdated
    | TourClosedEvent
    | Tick
    | BookingConfirmedEvent
    | BookingCancelledEvent
    | HoldExpiredEvent
    | ChatMessageSent
    | ConversationUpdated
    | ChatTypingEvent
    | MetricsUpdated
    | GatewayPresent
    | DocumentUpdated
    | DocumentEdited
    | DocumentAwareness
)

EVENT_TYPES: Final[dict[str, type[Event]]] = {kind.__struct_config__.tag: kind for kind in get_args(Event)}
"""Routing key to event. A body may leave out `eventType`; it may not contradict its routing key."""


class InvalidEvent(ValueError):
    """A broker message that is not an event; the text says why and is safe to log."""


_event_decoders = {key: msgspec.json.Decoder(kind) for key, kind in EVENT_TYPES.items()}


def decode_event(routing_key: str, body: bytes) -> Event:
    """Return the event in a broker message.

    Raises `InvalidEvent` for a key that names no event, for a body that is not JSON, and for fields
    that are missing, of a wrong type or out of range; the text names the field.
    """
    decoder = _event_decoders.get(routing_key)
    if decoder is None:
        raise InvalidEvent(f"no event has the routing key {routing_key[:200]!r}")
    try:
        event = decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidEvent(str(error)[:500]) from None
    if (
        isinstance(event, AvailabilityUpdated)
        and event.capacity is not UNSET
        and event.available_seats > event.capacity
    ):
        raise InvalidEvent(f"availableSeats {event.available_seats} is more than capacity {event.capacity}")
    return event
