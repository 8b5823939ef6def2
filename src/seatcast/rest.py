"""The REST bodies of CONTRACT 2. Decoded strictly, encoded as written here.

`Tour.available_seats` and nothing else keeps its snake_case name: it is the one that older clients read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from seatcast.chat import MAX_MESSAGE_CHARACTERS
from seatcast.domain import MAX_DEPARTURE_SEATS
from seatcast.message_frames import MessageFrame
from seatcast.wire import Availability, AvailabilityUpdate, Error, InitialState, TourClosed
from seatcast.wire_figures import ShopFigures
from seatcast.wire_messages import ChatMessage, ConversationUpdate
from seatcast.wire_parts import Id, RequestId

EPOCH_HEADER = "Seatcast-Epoch"
"""Response header of `GET /api/tours`: the epoch in which its versions are to be read."""

LIVE_PATH = "/api/tours/availability"
"""Where a gateway answers whoever has no WebSocket, also on the port of an embedded tour service."""

LIVE_STREAM_PATH = f"{LIVE_PATH}/stream"

# `$` alone would let a line feed pass at the end; PostgreSQL has no place for NUL in a text.
_NAMES = r"^[^\x00]*[^\s\x00][^\x00]*$"
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_NAMES)]
NewId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$(?!\n)")]
DepartureId = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
Capacity = Annotated[int, Meta(ge=0, le=MAX_DEPARTURE_SEATS)]
SeatsToBook = Annotated[int, Meta(ge=1, le=MAX_DEPARTURE_SEATS)]
Price = Annotated[float, Meta(ge=0, le=1_000_000)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
Moment = Annotated[
    str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$")
]

NewText = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_MESSAGE_CHARACTERS})]
"""Described here, checked by `chat.check_text`, whose refusals say what is wrong."""


class TourDeparture(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    id: str
    starts_at: str
    available_seats: int
    capacity: int
    held: int
    version: int
    timestamp: str | UnsetType = UNSET
    closed: bool | UnsetType = UNSET


class ClosedSeats(Struct, frozen=True, rename="camel", kw_only=True):
    """The sums over a tour's closed departures, or an undated tour's own seats while it is closed."""

    capacity: int
    available_seats: int
    held: int


class Tour(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A tour as `GET /api/tours` lists it.

    A tour service that is not ours may send `id`, `name` and `available_seats` alone, so all else
    is optional when read. `timestamp` is the commit that made the tour's numbers so.
    """

    id: str
    name: str
    available_seats: int = field(name="available_seats")
    capacity: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    price: float | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET
    departures: list[TourDeparture] | UnsetType = UNSET
    closed: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    """Only where one tour is read: the field `description` of the document with the tour's id."""
    description_version: int | UnsetType = UNSET
    closed_seats: ClosedSeats | UnsetType = UNSET
    """Only where what is closed was asked for."""


class Snapshot(Struct, frozen=True):
    """All open tours at one instant. `epoch` is None where the service has no versions."""

    epoch: str | None
    tours: list[Tour]


class BookRequest(Struct, frozen=True, rename="camel", forbid_unknown_fields=False, kw_only=True):
    seats_to_book: SeatsToBook
    departure_id: DepartureId | None = None


class BookedTour(Struct, frozen=True, rename="camel"):
    id: str
    name: str
    available_seats: int


class Booking(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """`time_zone` is the tour's, in which a dated departure's start is to be shown."""

    id: str
    tour_id: str
    tour_name: str
    seats: int
    status: Literal["confirmed", "cancelled"]
    total: float
    currency: str
    created_at: str
    departure_id: str | UnsetType = UNSET
    starts_at: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    cancelled_at: str | UnsetType = UNSET


class BookResponse(Struct, frozen=True, rename="camel", kw_only=True):
    """`availability` is the same fact as the frame that follows, so that the booker need not wait for it."""

    message: str
    tour: BookedTour
    booking: Booking
    availability: Availability


class NewDeparture(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    starts_at: Moment
    capacity: Capacity
    id: NewId | None = None


class NewTour(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Either `capacity` (an undated tour) or `departures` (a dated one, perhaps with none yet)."""

    name: Name
    price: Price = 0.0
    currency: Currency = "EUR"
    time_zone: str = "Europe/Paris"
    id: NewId | None = None
    capacity: Capacity | None = None
    departures: list[NewDeparture] | None = None


class SeenTour(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What somebody saw of a tour before they changed it."""

    name: Name | UnsetType = UNSET
    price: Price | UnsetType = UNSET
    capacity: Capacity | UnsetType = UNSET


class TourPatch(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """With `expected`, only if these are still so, or already as they are to be."""

    name: Name | UnsetType = UNSET
    price: Price | UnsetType = UNSET
    capacity: Capacity | UnsetType = UNSET
    closed: bool | UnsetType = UNSET
    expected: SeenTour | UnsetType = UNSET


class SeenDeparture(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What somebody saw of a departure before they changed it."""

    starts_at: Moment | UnsetType = UNSET
    capacity: Capacity | UnsetType = UNSET


class DeparturePatch(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """With `expected`, only if these are still so, or already as they are to be."""

    starts_at: Moment | UnsetType = UNSET
    capacity: Capacity | UnsetType = UNSET
    closed: bool | UnsetType = UNSET
    expected: SeenDeparture | UnsetType = UNSET


class NewMessage(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Something said. `id` is the sender's own mark: the same one again has one effect, however often it comes."""

    message: NewText
    id: RequestId | None = None


class SentMessage(Struct, frozen=True, rename="camel", kw_only=True):
    """What was said, as it is stored; `repeated`: it was before, under the same mark of the same sender."""

    message: ChatMessage
    repeated: bool


class Said(Struct, frozen=True, rename="camel", kw_only=True):
    """A part of a conversation, oldest first. `more`: there is more in the direction that was asked for."""

    messages: list[ChatMessage]
    more: bool


class Conversation(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """How a conversation stands, as the WebSocket tells it, and what was said last.

    `waiting_since` is when the traveller said the first thing that nobody of the team has answered, if there is one.
    """

    state: ConversationUpdate
    last_message: ChatMessage
    waiting_since: str | UnsetType = UNSET


class Conversations(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Conversations, the one in which something was said last first. `before` asks for the next page, if any."""

    conversations: list[Conversation]
    before: int | UnsetType = UNSET


class NewMark(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Everything up to this message was delivered to, or read by, the caller's side."""

    message_id: Id
    mark: Literal["delivered", "read"]


class Live(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What the gateway answers to whoever polls: the messages that a WebSocket would have brought, and a cursor.

    With `reset` they are everything that is sold, of all tours or of those that were named: whatever else the
    caller knew is not. Without it they are what is new since the caller's cursor. `stale_since` is there while the
    source of facts is lost. `messages` comes last, so that the head can be written by itself.
    """

    epoch: str
    cursor: str
    reset: bool
    following: Literal["all", "named"]
    stale_since: str | UnsetType = UNSET
    messages: list[InitialState | AvailabilityUpdate | TourClosed | Error]


class NumberedMessage(Struct, frozen=True):
    """A message and its number in the stream that was asked for."""

    seq: int
    frame: MessageFrame


class Messages(Struct, frozen=True):
    """Messages of a stream in order, as the WebSocket brings them.

    `head` is the number of the newest there ever was. `resumed`: none is missing between the place that was asked for
    and the first. `more`: there are others after the last.
    """

    messages: list[NumberedMessage]
    head: int
    resumed: bool
    more: bool


class FiguresOfTour(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Seats are those of the open departures; bookings and revenue, in `currency`, those of all."""

    id: str
    name: str
    currency: str
    capacity: int
    available_seats: int
    held: int
    sold: int
    bookings: int
    revenue: float
    closed: bool | UnsetType = UNSET


class ShopMetrics(ShopFigures, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What METRICS_UPDATE says, and each tour."""

    active_users: int | UnsetType = UNSET
    """Absent while not every gateway can have been heard: after a start, or without a broker."""
    tours: list[FiguresOfTour]


class Config(Struct, frozen=True, rename="camel", kw_only=True):
    """What a page needs to know before it can connect. `websocket_url` of None: this host, `websocket_port`."""

    websocket_url: str | None
    websocket_port: int
    demo: bool
    demo_users: list[DemoUser] | UnsetType = UNSET
    """Whom a page may offer to be; only where `POST /api/demo/sessions` is there."""


class DemoUser(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Somebody to be in a demo, and with which roles."""

    user_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=_NAMES)]
    roles: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=8)]


class DemoSession(Struct, frozen=True, rename="camel", kw_only=True):
    """A token for somebody in a demo, and until when."""

    token: str
    expires_at: str


class Problem(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Every error body. `details` says where, for a bad body, or gives the numbers behind a refusal."""

    error: str
    code: str
    details: dict[str, Any] | UnsetType = UNSET
