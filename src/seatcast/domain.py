"""What Seatcast sells and what can go wrong: pure words and rules, standard library only.

Errors are named here, numbered on the wire (`tours/api.py` has the one table from error to HTTP
status) and phrased in the catalogues (`locale/`), so each exists in exactly one place of each kind.
"""

from __future__ import annotations

import secrets
import zlib
from datetime import UTC, datetime

MAX_DEPARTURE_SEATS = 100_000
"""Capacity of one departure. More is a typing error, not a tour."""

MAX_TOUR_SEATS = 10_000_000
"""Seats of one tour over all its open departures; a count past it in an event is absurd."""

OUTBOX_PARTITIONS = 16
"""How many independent, internally ordered streams the outbox has. Fixed: a row stores its own."""

MAX_DOCUMENT_BYTES = 1024 * 1024
"""A shared document with all that Yjs remembers of it."""

MAX_UPDATE_BYTES = 256 * 1024
"""One change of a shared document."""

MAX_FIELD_BYTES = 32 * 1024
"""The text of one field of a shared document, in UTF-8."""

MAX_DOCUMENT_FIELDS = 64

FIELD_NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$(?!\n)"

DESCRIPTION = "description"
"""The field that everybody may read, of the document that has a tour's id."""


class DomainError(Exception):
    """A refusal with a stable name. Nothing has changed when one is raised.

    `code` is SCREAMING_SNAKE and part of the contract; keyword arguments become the sentence's
    values and, on the wire, the `details`.
    """

    code = "DOMAIN_ERROR"

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(f"{self.code} {details}" if details else self.code)


class TourNotFound(DomainError):
    code = "TOUR_NOT_FOUND"


class DepartureNotFound(DomainError):
    code = "DEPARTURE_NOT_FOUND"


class BookingNotFound(DomainError):
    code = "BOOKING_NOT_FOUND"


class NotEnoughSeats(DomainError):
    code = "NOT_ENOUGH_SEATS"


class TourClosed(DomainError):
    code = "TOUR_CLOSED"


class DepartureClosed(DomainError):
    code = "DEPARTURE_CLOSED"


class DeparturePast(DomainError):
    code = "DEPARTURE_PAST"


class DepartureRequired(DomainError):
    """The tour has several open departures and the caller named none."""

    code = "DEPARTURE_REQUIRED"


class IdempotencyKeyReused(DomainError):
    """The same key came with another body: answering either way would be a guess."""

    code = "IDEMPOTENCY_KEY_REUSED"


class TourExists(DomainError):
    code = "TOUR_EXISTS"


class DepartureExists(DomainError):
    code = "DEPARTURE_EXISTS"


class TourUndated(DomainError):
    """An undated tour is its own one departure and cannot be given dated ones."""

    code = "TOUR_UNDATED"


class TourDated(DomainError):
    """A dated tour's capacity is its departures'; it has none of its own to set."""

    code = "TOUR_DATED"


class CapacityBelowSold(DomainError):
    """The new capacity would leave fewer seats than are sold or held."""

    code = "CAPACITY_BELOW_SOLD"


class ChangedMeanwhile(DomainError):
    """Somebody else changed what the caller saw; the details have it as it is now."""

    code = "CHANGED_MEANWHILE"


class CapacityTooLarge(DomainError):
    """The departures together would pass `MAX_TOUR_SEATS`."""

    code = "CAPACITY_TOO_LARGE"


class ConversationNotFound(DomainError):
    code = "CONVERSATION_NOT_FOUND"


class ConversationTaken(DomainError):
    """Another agent was first; `takenBy` says who."""

    code = "CONVERSATION_TAKEN"


class MessageNotFound(DomainError):
    code = "MESSAGE_NOT_FOUND"


class MessageEmpty(DomainError):
    code = "MESSAGE_EMPTY"


class MessageTooLong(DomainError):
    code = "MESSAGE_TOO_LONG"


class MessageNotText(DomainError):
    """A control character other than a line feed or a tab."""

    code = "MESSAGE_NOT_TEXT"


class MessageIdReused(DomainError):
    """The same sender's mark came with another message: answering either way would be a guess."""

    code = "MESSAGE_ID_REUSED"


class DocumentConflict(DomainError):
    """Somebody changed the field meanwhile; the details have its `value` and `version`."""

    code = "DOCUMENT_CONFLICT"


class DocumentTooLarge(DomainError):
    """The document, one of its fields or its number of fields would pass its bound."""

    code = "DOCUMENT_TOO_LARGE"


class DocumentUpdateInvalid(DomainError):
    """Not a Yjs update."""

    code = "DOCUMENT_UPDATE_INVALID"


class DocumentUpdateIncomplete(DomainError):
    """A Yjs update that builds on changes which are not here: send everything since the state that is."""

    code = "DOCUMENT_UPDATE_INCOMPLETE"


class Unauthenticated(DomainError):
    code = "UNAUTHENTICATED"


class Forbidden(DomainError):
    code = "FORBIDDEN"


def new_id(prefix: str) -> str:
    """Return an unguessable id: 128 random bits behind a prefix that tells people what it is."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"


def partition_of(key: str) -> int:
    """Return the outbox partition of a tour or conversation id: stable over versions and hosts."""
    return zlib.crc32(key.encode()) % OUTBOX_PARTITIONS


def iso(moment: datetime) -> str:
    """Return an aware datetime as ISO-8601 UTC with milliseconds and `Z`, the wire's only form."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def utc(moment: str) -> str:
    """Return an ISO-8601 moment with an offset or `Z` in the wire's form.

    Raises `ValueError` for one that does not exist (the 30th of February) or has no offset: a local time
    alone is two moments on one day of the year, and none on another.
    """
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError(f"{moment} has no offset from UTC")
    try:
        return iso(parsed)
    except OverflowError:
        raise ValueError(f"{moment} is outside the years 1 to 9999") from None
