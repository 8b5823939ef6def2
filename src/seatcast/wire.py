"""Every WebSocket frame, in bytes: what CONTRACT.md section 1 says, as structs. `wire_events.py` has the broker's.

Three kinds of message, and what each allows (the kind is written beside every type):

- *latest value*: the whole truth about its key plus a version; may be conflated, repeated, reordered.
- *at least once*: has an id; never conflated; the reader drops an id it has seen.
- *ordered*: carries a version that must follow the one before.

`contract/*.json` holds an example of each, read by pytest and by vitest. What people are told and say themselves is in
`wire_messages.py`, shared documents are in `wire_documents.py`, what many shapes are made of in `wire_parts.py`. REST bodies are in `rest.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seatcast.wire_documents import DocumentEdit, EditDocument, TourDescription
from seatcast.wire_figures import MetricsUpdate
from seatcast.wire_messages import (
    BookingCancelled,
    BookingConfirmed,
    ChatMessage,
    ChatTyping,
    ConversationUpdate,
    HoldExpired,
    MarkChat,
    ReleaseChat,
    SendChat,
    SupportPresence,
    TakeChat,
    TypeChat,
)
from seatcast.wire_parts import Availability as Availability
from seatcast.wire_parts import Departure as Departure
from seatcast.wire_parts import Id, Version
from seatcast.wire_parts import RequestId as RequestId

PROTOCOL: Final = 1

MAX_MESSAGE_BYTES: Final = 32 * 1024
"""Largest client message; past it the connection closes with 1009."""

MAX_FRAGMENTS: Final = 64


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
    BAD_REQUEST: Final = 4400
    UNAUTHENTICATED: Final = 4401
    FORBIDDEN: Final = 4403
    HEARTBEAT_LOST: Final = 4408
    TOO_LARGE: Final = 4413
    RATE_LIMITED: Final = 4429


ErrorCode = Literal[
    "INVALID_MESSAGE",
    "RATE_LIMITED",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "TOO_MANY_SUBSCRIPTIONS",
    "CONFLICT",
    "INTERNAL",
]

ERROR_MESSAGES: Final[dict[str, str]] = {
    "INVALID_MESSAGE": "Invalid message format",
    "RATE_LIMITED": "Rate limit exceeded",
    "UNAUTHENTICATED": "Authentication required",
    "FORBIDDEN": "Not allowed",
    "NOT_FOUND": "Not found",
    "TOO_MANY_SUBSCRIPTIONS": "Too many subscriptions",
    "CONFLICT": "Something else came first",
    "INTERNAL": "Internal error",
}
"""The `message` of an ERROR frame begins with these words; they are protocol, for developers."""


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
    """Whether what follows goes on from what the client was told before; else it is told everything.

    After `since` in the address of a WebSocket it is about the messages of the token's user: false says that some
    may be missing, and that REST has the history.
    """


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
    resumed: bool | UnsetType = UNSET
    """The answer to `since`, as in WELCOME."""


class RandomNumber(Struct, frozen=True, tag="RANDOM_NUMBER"):
    """Latest value, demo only."""

    kind: ClassVar[str] = "number"
    value: Annotated[int, Meta(ge=1, le=100)]
    timestamp: str


class Subscribed(Struct, frozen=True, rename="camel", omit_defaults=True, tag="SUBSCRIBED", kw_only=True):
    tour_id: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET
    resumed: bool | UnsetType = UNSET
    """The answer to `since`, as in WELCOME."""


class Unsubscribed(Struct, frozen=True, rename="camel", omit_defaults=True, tag="UNSUBSCRIBED", kw_only=True):
    tour_id: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class Pong(Struct, frozen=True, rename="camel", omit_defaults=True, tag="PONG", kw_only=True):
    server_time: str
    id: RequestId | UnsetType = UNSET


class Stale(Struct, frozen=True, tag="STALE"):
    """Latest value, with FRESH."""

    kind: ClassVar[str] = "source"
    since: str


class Fresh(Struct, frozen=True, tag="FRESH"):
    kind: ClassVar[str] = Stale.kind
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
    details: dict[str, Any] | UnsetType = UNSET
    """What the tour service says of a command that it refuses, as in its own error bodies."""


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
    | BookingConfirmed
    | BookingCancelled
    | HoldExpired
    | ChatMessage
    | ConversationUpdate
    | ChatTyping
    | SupportPresence
    | MetricsUpdate
    | DocumentEdit
    | TourDescription
)


# Client to server

Since = Annotated[str, Meta(max_length=300)]
"""The `messageId` of the last message that a client had, of each of its streams, with commas between them; and of
streams in which it had none, since when it was there: the `serverTime` of its first WELCOME.
"""


class Subscribe(Struct, frozen=True, rename="camel", tag="SUBSCRIBE", kw_only=True):
    tour_id: Id | UnsetType = UNSET
    channel: Id | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET
    since: Since | UnsetType = UNSET


class Unsubscribe(Struct, frozen=True, rename="camel", tag="UNSUBSCRIBE", kw_only=True):
    tour_id: Id | UnsetType = UNSET
    channel: Id | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class Ping(Struct, frozen=True, tag="PING", kw_only=True):
    id: RequestId | UnsetType = UNSET


class Auth(Struct, frozen=True, tag="AUTH", kw_only=True):
    token: Annotated[str, Meta(min_length=1)]
    id: RequestId | UnsetType = UNSET
    since: Since | UnsetType = UNSET

    def __repr__(self) -> str:
        # Without the token: representations end in logs.
        return "Auth()"


ClientFrame = (
    Subscribe
    | Unsubscribe
    | Ping
    | Auth
    | SendChat
    | MarkChat
    | TakeChat
    | ReleaseChat
    | TypeChat
    | EditDocument
)


_client_decoder = msgspec.json.Decoder(ClientFrame)
encode = msgspec.json.Encoder().encode


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
