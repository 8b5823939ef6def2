"""Selling seats, apart from the SQL: what is wished for and what came of it.

PostgreSQL sells a batch of wishes in one statement (`selling_postgresql.py`), SQLite one by one inside BEGIN IMMEDIATE,
where there is no other writer and no round trip (`selling_sqlite.py`). The effect is the same, and so are the tests
(docs/decisions/0002).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from seatcast.tours.outbox import OutboxRow
from seatcast.tours.store import BookingDetails, BookingRow, DepartureRow, TourRow


class Taking(NamedTuple):
    """One wish for seats, ready for the database."""

    booking_id: str
    tour_id: str
    departure_id: str
    seats: int
    user_id: str | None
    key_scope: str | None
    key: str | None
    request_hash: str | None
    traceparent: str | None


class Taken(NamedTuple):
    """The rows as they were right after the transaction that sold the seats."""

    tour: TourRow
    departure: DepartureRow


class Sale(NamedTuple):
    """What became of a batch of wishes: the rows after each (None: not sold), and the events now in the outbox."""

    taken: list[Taken | None]
    events: list[OutboxRow]


def booked(taking: Taking, taken: Taken) -> BookingDetails:
    """Return the booking that a wish has become."""
    booking = BookingRow(
        id=taking.booking_id,
        tour_id=taken.tour.id,
        departure_id=taken.departure.id,
        seats=taking.seats,
        user_id=taking.user_id,
        status="confirmed",
        total_minor=taken.tour.price_minor * taking.seats,
        currency=taken.tour.currency,
        created_at=taken.departure.changed_at,
        cancelled_at=None,
        key_scope=taking.key_scope,
        key=taking.key,
        request_hash=taking.request_hash,
    )
    return BookingDetails(booking, taken.tour.name, taken.tour.time_zone, taken.departure.starts_at)


class KeyInUse(Exception):
    """Some wish's idempotency key was used before; nothing has changed."""


def columns(table: str, row: type[Any]) -> str:
    """Return the SQL that selects a row's fields from a table."""
    return ", ".join(f"{table}.{name}" for name in row._fields)
