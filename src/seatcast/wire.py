"""Every frame and every event, in bytes: what CONTRACT.md sections 1 and 3 say, as structs.

Three kinds of message, and what each allows (the kind is written beside every type):

- *latest value*: the whole truth about its key plus a version; may be conflated, repeated, reordered.
- *at least once*: has an id; never conflated; the reader drops an id it has seen.
- *ordered*: carries a version that must follow the one before.

`contract/*.json` holds an example of each, read by pytest and by vitest. REST bodies are in `rest.py`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seatcast.domain import MAX_DEPARTURE_SEATS, MAX_TOUR_SEATS

PROTOCOL: Final = 1

EXCHANGE: Final = "tour_booking_events"
DEAD_LETTERS: Final = "tour_booking_events.dead"
QUEUE_PREFIX: Final = "websocket_availability_updates"
PROBE_PREFIX: Final = "seatcast.probe"

MAX_MESSAGE_BYTES: Final = 32 * 1024
"""Largest client message; past it the connection closes with 1009."""

MAX_FRAGMENTS: Final = 64

Id = Annotated[str, Meta(min_length=1, max_length=128)]
RequestId = Annotated[str, Meta(max_length=128)] | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A client's own mark on a request, echoed in the answer; a number of at most 64 bits."""

DepartureSeats = Annotated[int, Meta(ge=0, le=MAX_DEPARTURE_SEATS)]
TourSeats = Annotated[int, Meta(ge=0, le=MAX_TOUR_SEATS)]
Version = Annotated[int, Meta(ge=0, le=2**53)]
"""At most 2**53, the largest whole number that a browser holds exactly."""


class CloseCode:
    """WebSocket close codes, each an instruction to the client (CONTRACT 1, Errors and closing)."""

    NORMAL: Final = 1000
    GOING_AWAY: Final = 1001
    PROTOCOL_ERROR: Final = 1002
    UNSUPPORTED_DATA: Final = 1003
    INVALID_PAYLOAD: Final = 1007
    MESSAGE_TOO_BIG: Final = 1009
    INTERNAL_ERROR: Final = 1011
    SERVICE_RESTART: Final = 1012
    TRY_AGAIN_LATER: Final = 1013
    UNAUTHENTICATED: Final = 4401
    HEARTBEAT_LOST: Final = 4408
    RATE_LIMITED: Final = 4429


ErrorCode = Literal[
    "INVALID_MESSAGE",
    "RATE_LIMITED",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "TOO_MANY_SUBSCRIPTIONS",
    "INTERNAL",
]

ERROR_MESSAGES: Final[dict[str, str]] = {
    "INVALID_MESSAGE": "Invalid message format",
    "RATE_LIMITED": "Rate limit exceeded",
    "UNAUTHENTICATED": "Authentication required",
    "FORBIDDEN": "Not allowed",
    "NOT_FOUND": "Not found",
    "TOO_MANY_SUBSCRIPTIONS": "Too many subscriptions",
    "INTERNAL": "Internal error",
}
"""The `message` of an ERROR frame begins with these words; they are protocol, for developers."""


# Shared parts


class Departure(Struct, frozen=True, rename="camel"):
    """One dated departure inside a frame or event; absent on undated tours."""

    id: Id
    starts_at: str
    available_seats: DepartureSeats
    capacity: DepartureSeats
    held: DepartureSeats
    version: Version


class Availability(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """The seats of one tour and, on a dated tour, of one departure of it. Kind: latest value.

    Top-level numbers are always the tour's. `tour_name`, `capacity` and `held` are unknown (absent)
    only where the tour comes from a publisher that does not tell them.
    """

    tour_id: Id
    available_seats: TourSeats
    timestamp: str
    tour_name: str | UnsetType = UNSET
    capacity: TourSeats | UnsetType = UNSET
    held: TourSeats | UnsetType = UNSET
    version: Version
    departure: Departure | UnsetType = UNSET


# Server to client


class Welcome(Struct, frozen=True, rename="camel", omit_defaults=True, tag="WELCOME", kw_only=True):
    message: str
    connection_id: str
    protocol: int
    server_time: str
    heartbeat_seconds: float
    epoch: str
    following: Literal["all", "named"]
    user_id: str | UnsetType = UNSET
    resumed: bool | UnsetType = UNSET
    """Whether what follows goes on from what the client was told before; else it is told everything."""


class InitialState(Availability, frozen=True, rename="camel", omit_defaults=True, tag="INITIAL_STATE"):
    """Latest value."""


class AvailabilityUpdate(
    Availability, frozen=True, rename="camel", omit_defaults=True, tag="AVAILABILITY_UPDATE"
):
    """Latest value."""


class TourClosed(Struct, frozen=True, rename="camel", omit_defaults=True, tag="TOUR_CLOSED", kw_only=True):
    """Latest value: nothing is sold any more under this key, until a fact with a higher version."""

    tour_id: Id
    version: Version
    timestamp: str
    departure_id: Id | UnsetType = UNSET


class Authenticated(
    Struct, frozen=True, rename="camel", omit_defaults=True, tag="AUTHENTICATED", kw_only=True
):
    """The answer to AUTH: whom the connection belongs to from now on, and until when without another AUTH.

    `expires_at` is absent for a token without end. Where the connection had to authenticate before it could
    follow anything, `following` replaces WELCOME's, and INITIAL_STATEs follow.
    """

    user_id: str
    following: Literal["all", "named"]
    expires_at: str | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class RandomNumber(Struct, frozen=True, tag="RANDOM_NUMBER"):
    """Latest value, demo only."""

    value: Annotated[int, Meta(ge=1, le=100)]
    timestamp: str


class Subscribed(Struct, frozen=True, rename="camel", omit_defaults=True, tag="SUBSCRIBED", kw_only=True):
    tour_id: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class Unsubscribed(Struct, frozen=True, rename="camel", omit_defaults=True, tag="UNSUBSCRIBED", kw_only=True):
    tour_id: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class Pong(Struct, frozen=True, rename="camel", omit_defaults=True, tag="PONG", kw_only=True):
    server_time: str
    id: RequestId | UnsetType = UNSET


class Stale(Struct, frozen=True, tag="STALE"):
    since: str


class Fresh(Struct, frozen=True, tag="FRESH"):
    since: str


class Reconnect(Struct, frozen=True, rename="camel", tag="RECONNECT"):
    after_ms: int


class Reset(Struct, frozen=True, tag="RESET"):
    epoch: str


class Error(Struct, frozen=True, rename="camel", omit_defaults=True, tag="ERROR", kw_only=True):
    message: str
    code: ErrorCode
    id: RequestId | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET


ServerFrame = (
    Welcome
    | InitialState
    | AvailabilityUpdate
    | TourClosed
    | Authenticated
    | RandomNumber
    | Subscribed
    | Unsubscribed
    | Pong
    | Stale
    | Fresh
    | Reconnect
    | Reset
    | Error
)


# Client to server


class Subscribe(Struct, frozen=True, rename="camel", tag="SUBSCRIBE", kw_only=True):
    tour_id: Id | UnsetType = UNSET
    channel: Id | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class Unsubscribe(Struct, frozen=True, rename="camel", tag="UNSUBSCRIBE", kw_only=True):
    tour_id: Id | UnsetType = UNSET
    channel: Id | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class Ping(Struct, frozen=True, tag="PING", kw_only=True):
    id: RequestId | UnsetType = UNSET


class Auth(Struct, frozen=True, tag="AUTH", kw_only=True):
    token: Annotated[str, Meta(min_length=1)]
    id: RequestId | UnsetType = UNSET

    def __repr__(self) -> str:
        # Without the token: representations end in logs.
        return "Auth()"


ClientFrame = Subscribe | Unsubscribe | Ping | Auth


# Events on the broker (CONTRACT 3)


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


Event = AvailabilityUpdated | TourClosedEvent | Tick

EVENT_TYPES: Final[dict[str, type[AvailabilityUpdated] | type[TourClosedEvent] | type[Tick]]] = {
    "tour.availability.updated": AvailabilityUpdated,
    "tour.closed": TourClosedEvent,
    "seatcast.tick": Tick,
}
"""Routing key to event. A body may leave out `eventType`; it may not contradict its routing key."""


class InvalidEvent(ValueError):
    """A broker message that is not an event; the text says why and is safe to log."""


_event_decoders = {key: msgspec.json.Decoder(kind) for key, kind in EVENT_TYPES.items()}
_client_decoder = msgspec.json.Decoder(ClientFrame)
encode = msgspec.json.Encoder().encode


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


def decode_client(text: bytes) -> ClientFrame:
    """Return a client's message.

    Raises `ValueError` (msgspec's, which names the field) for anything that CONTRACT 1 does not list.
    """
    try:
        frame: ClientFrame = _client_decoder.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(frame, Subscribe | Unsubscribe) and (frame.tour_id is UNSET) == (frame.channel is UNSET):
        raise ValueError("exactly one of tourId and channel is needed")
    return frame
