"""Selling on SQLite: wish by wish, inside one BEGIN IMMEDIATE, in the driver's own SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from seatcast.domain import new_id
from seatcast.tours import outbox
from seatcast.tours.announcements import availability_event, booking_event
from seatcast.tours.outbox import OutboxRow
from seatcast.tours.selling import Sale, Taken, Taking, booked, columns
from seatcast.tours.store import DepartureRow, TourRow
from seatcast.tours.streams import stream_of
from seatcast.wire_events import BookingConfirmedEvent

# As the driver takes it: Core's constructs and results cost more than the statements themselves.
_KEY_IN_USE = "SELECT 1 FROM bookings WHERE key_scope = :key_scope AND key = :key"
_TAKE_DEPARTURE = f"""
    UPDATE departures SET available = available - :seats, sold = sold + :seats,
        version = version + 1, changed_at = :now, bookings = bookings + 1
    WHERE tour_id = :tour_id AND id = :departure_id AND closed_at IS NULL
        AND (starts_at IS NULL OR starts_at > :now) AND available >= :seats
    RETURNING {columns("departures", DepartureRow)}
    """  # noqa: S608 (made of names in this file, never of anybody's input)
_TAKE_TOUR = f"""
    UPDATE tours SET available = available - :seats, sold = sold + :seats,
        version = version + 1, changed_at = :now, revenue_minor = revenue_minor + price_minor * :seats
    WHERE id = :tour_id
    RETURNING {columns("tours", TourRow)}
    """  # noqa: S608 (made of names in this file, never of anybody's input)
_INSERT_BOOKING = """
    INSERT INTO bookings (id, tour_id, departure_id, seats, user_id, status, total_minor, currency,
        created_at, key_scope, key, request_hash)
    VALUES (:booking_id, :tour_id, :departure_id, :seats, :user_id, 'confirmed', :total, :currency,
        :now, :key_scope, :key, :request_hash)
    """

_INSERT_EVENT = """
    INSERT INTO outbox (partition, routing_key, event_id, payload, traceparent, created_at)
    VALUES (:partition, :routing_key, :event_id, :payload, :traceparent, :now)
    RETURNING id
    """
_NEXT_MESSAGE = """
    INSERT INTO streams (id, head) VALUES (:stream, 1) ON CONFLICT (id) DO UPDATE SET head = head + 1
    RETURNING head
    """
_INSERT_MESSAGE = """
    INSERT INTO messages (id, kind, user_id, seq, body, created_at)
    VALUES (:event_id, :routing_key, :user_id, :seq, :payload, :now)
    """


def take_each(driver: sqlite3.Connection, takings: Sequence[Taking], epoch: str, now: str) -> Sale:
    """Sell to every wish that can be met, step by step (SQLite): the same effect as `take_all`.

    Runs inside a transaction of the caller's. Where `take_all` raises for a key in use, this one leaves that wish alone:
    no other writer can come between.
    """
    bought: list[tuple[str, str] | None] = []
    newest: dict[tuple[str, str], DepartureRow] = {}
    tours: dict[str, TourRow] = {}
    first_trace: dict[tuple[str, str], str | None] = {}
    to_tell: list[tuple[Taking, Taken]] = []
    for taking in takings:
        rows = _take_one(driver, taking._asdict() | {"now": now})
        if rows is None:
            bought.append(None)
            continue
        where = (taking.tour_id, taking.departure_id)
        bought.append(where)
        newest[where], tours[taking.tour_id] = rows.departure, rows.tour
        first_trace[where] = first_trace.get(where) or taking.traceparent
        if taking.user_id is not None:
            to_tell.append((taking, rows))
    events = []
    for (tour_id, _), departure in newest.items():
        event = availability_event(new_id("evt"), epoch, tours[tour_id], departure, now)
        values = outbox.event_values(event, tour_id, first_trace[tour_id, departure.id])
        events.append(_add_event(driver, values, now))
    events += [_tell(driver, taking, rows, now) for taking, rows in to_tell]
    taken = [None if where is None else Taken(tours[where[0]], newest[where]) for where in bought]
    return Sale(taken, events)


def _take_one(driver: sqlite3.Connection, values: dict[str, Any]) -> Taken | None:
    if values["key"] is not None and driver.execute(_KEY_IN_USE, values).fetchone() is not None:
        return None
    row = driver.execute(_TAKE_DEPARTURE, values).fetchone()
    if row is None:
        return None
    tour = TourRow(*driver.execute(_TAKE_TOUR, values).fetchone())
    values |= {"total": tour.price_minor * values["seats"], "currency": tour.currency}
    driver.execute(_INSERT_BOOKING, values)
    return Taken(tour, DepartureRow(*row))


def _add_event(driver: sqlite3.Connection, values: dict[str, Any], now: str) -> OutboxRow:
    [row_id] = driver.execute(_INSERT_EVENT, values | {"now": now}).fetchone()
    return OutboxRow(id=row_id, attempts=0, **values)


def _tell(driver: sqlite3.Connection, taking: Taking, taken: Taken, now: str) -> OutboxRow:
    """Tell a user of a booking, as `streams.add_message` does."""
    user_id = taking.user_id or ""
    [seq] = driver.execute(_NEXT_MESSAGE, {"stream": stream_of(user_id)}).fetchone()
    event = booking_event(BookingConfirmedEvent, booked(taking, taken), user_id, now)
    values = outbox.event_values(msgspec.structs.replace(event, seq=seq), user_id, taking.traceparent)
    driver.execute(_INSERT_MESSAGE, values | {"user_id": user_id, "seq": seq, "now": now})
    return _add_event(driver, values, now)
