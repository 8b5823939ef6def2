"""Selling on SQLite: wish by wish, inside one BEGIN IMMEDIATE, in the driver's own SQL."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.tours import store
from seatcast.tours.selling import Sale, Taken, Taking, columns
from seatcast.tours.store import DepartureRow, TourRow

# As the driver takes it: Core's constructs and results cost more than the statements themselves.
_KEY_IN_USE = "SELECT 1 FROM bookings WHERE key_scope = :key_scope AND key = :key"
_TAKE_DEPARTURE = f"""
    UPDATE departures SET available = available - :seats, sold = sold + :seats,
        version = version + 1, changed_at = :now
    WHERE tour_id = :tour_id AND id = :departure_id AND closed_at IS NULL
        AND (starts_at IS NULL OR starts_at > :now) AND available >= :seats
    RETURNING {columns("departures", DepartureRow)}
    """  # noqa: S608 (made of names in this file, never of anybody's input)
_TAKE_TOUR = f"""
    UPDATE tours SET available = available - :seats, sold = sold + :seats,
        version = version + 1, changed_at = :now
    WHERE id = :tour_id
    RETURNING {columns("tours", TourRow)}
    """  # noqa: S608 (made of names in this file, never of anybody's input)
_INSERT_BOOKING = """
    INSERT INTO bookings (id, tour_id, departure_id, seats, user_id, status, total_minor, currency,
        created_at, key_scope, key, request_hash)
    VALUES (:booking_id, :tour_id, :departure_id, :seats, :user_id, 'confirmed', :total, :currency,
        :now, :key_scope, :key, :request_hash)
    """


async def take_each(tx: AsyncConnection, takings: Sequence[Taking], epoch: str, now: str) -> Sale:
    """Sell to every wish that can be met, step by step (SQLite): the same effect as `take_all`.

    Where `take_all` raises for a key in use, this one leaves that wish alone: no other writer can come between.
    """
    bought: list[tuple[str, str] | None] = []
    newest: dict[tuple[str, str], DepartureRow] = {}
    tours: dict[str, TourRow] = {}
    first_trace: dict[tuple[str, str], str | None] = {}
    for taking in takings:
        rows = await _take_one(tx, taking._asdict() | {"now": now})
        if rows is None:
            bought.append(None)
            continue
        where = (taking.tour_id, taking.departure_id)
        bought.append(where)
        newest[where], tours[taking.tour_id] = rows.departure, rows.tour
        first_trace[where] = first_trace.get(where) or taking.traceparent
    events = []
    for (tour_id, _), departure in newest.items():
        event_id = f"evt_{secrets.token_urlsafe(16)}"
        event = store.availability_event(event_id, epoch, tours[tour_id], departure, now)
        events.append(await store.add_event(tx, event, first_trace[tour_id, departure.id]))
    taken = [None if where is None else Taken(tours[where[0]], newest[where]) for where in bought]
    return Sale(taken, events)


async def _take_one(tx: AsyncConnection, values: dict[str, Any]) -> Taken | None:
    if values["key"] is not None and (await tx.exec_driver_sql(_KEY_IN_USE, values)).first() is not None:
        return None
    row = (await tx.exec_driver_sql(_TAKE_DEPARTURE, values)).one_or_none()
    if row is None:
        return None
    tour = TourRow(*tuple((await tx.exec_driver_sql(_TAKE_TOUR, values)).one()))
    values |= {"total": tour.price_minor * values["seats"], "currency": tour.currency}
    await tx.exec_driver_sql(_INSERT_BOOKING, values)
    return Taken(tour, DepartureRow(*tuple(row)))
