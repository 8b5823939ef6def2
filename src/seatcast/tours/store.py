"""The SQL of tours, departures and bookings.

Functions take the connection of a transaction that a use case (`bookings.py`, `catalogue.py`) has begun, and
leave commit and rollback to it. A function that changes seats returns the rows as they are afterwards; the
use case tells everybody in the same transaction (`announcements.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.tours.schema import bookings, departures, meta, tours


class TourRow(NamedTuple):
    id: str
    name: str
    price_minor: int
    currency: str
    time_zone: str
    dated: bool
    capacity: int
    available: int
    held: int
    sold: int
    version: int
    changed_at: str
    closed_at: str | None
    revenue_minor: int = 0


class DepartureRow(NamedTuple):
    tour_id: str
    id: str
    starts_at: str | None
    capacity: int
    available: int
    held: int
    sold: int
    version: int
    changed_at: str
    closed_at: str | None
    bookings: int = 0


class BookingRow(NamedTuple):
    id: str
    tour_id: str
    departure_id: str
    seats: int
    user_id: str | None
    status: str
    total_minor: int
    currency: str
    created_at: str
    cancelled_at: str | None
    key_scope: str | None
    key: str | None
    request_hash: str | None


class BookingDetails(NamedTuple):
    """A booking with what a person wants to read beside it."""

    booking: BookingRow
    tour_name: str
    time_zone: str
    starts_at: str | None


# Changing rows


async def change_tour(
    tx: AsyncConnection,
    tour_id: str,
    now: str,
    *,
    capacity: int = 0,
    available: int = 0,
    held: int = 0,
    sold: int = 0,
    revenue_minor: int = 0,
    **values: object,
) -> TourRow:
    """Add the differences to a tour's numbers, set `values`, and count its version up."""
    row = await tx.execute(
        update(tours)
        .where(tours.c.id == tour_id)
        .values(
            capacity=tours.c.capacity + capacity,
            available=tours.c.available + available,
            held=tours.c.held + held,
            sold=tours.c.sold + sold,
            revenue_minor=tours.c.revenue_minor + revenue_minor,
            version=tours.c.version + 1,
            changed_at=now,
            **values,
        )
        .returning(*tours.c)
    )
    return TourRow(*row.one())


async def return_revenue(tx: AsyncConnection, tour_id: str, minor: int) -> None:
    """Take what a booking cost off its tour where nothing else of the tour changes, so neither does its version."""
    await tx.execute(
        update(tours).where(tours.c.id == tour_id).values(revenue_minor=tours.c.revenue_minor - minor)
    )


async def change_departure(
    tx: AsyncConnection, tour_id: str, departure_id: str, now: str, **values: object
) -> DepartureRow:
    """Set a departure's columns to values or expressions and count its version up."""
    row = await tx.execute(
        update(departures)
        .where(departures.c.tour_id == tour_id, departures.c.id == departure_id)
        .values(version=departures.c.version + 1, changed_at=now, **values)
        .returning(*departures.c)
    )
    return DepartureRow(*row.one())


async def lock_departures(
    tx: AsyncConnection, tour_id: str, departure_id: str | None = None
) -> list[DepartureRow]:
    """Lock and return one departure or all of a tour's, in id order (the lock order of `schema.py`)."""
    query = select(departures).where(departures.c.tour_id == tour_id)
    if departure_id is not None:
        query = query.where(departures.c.id == departure_id)
    rows = await tx.execute(query.order_by(departures.c.id).with_for_update())
    return [DepartureRow(*row) for row in rows]


async def lock_tour(tx: AsyncConnection, tour_id: str) -> TourRow | None:
    """Lock and return a tour, after what is to be locked of its departures."""
    row = (await tx.execute(select(tours).where(tours.c.id == tour_id).with_for_update())).one_or_none()
    return None if row is None else TourRow(*row)


async def insert_tour(tx: AsyncConnection, row: TourRow) -> None:
    await tx.execute(insert(tours).values(row._asdict()))


async def insert_departure(tx: AsyncConnection, row: DepartureRow) -> None:
    await tx.execute(insert(departures).values(row._asdict()))


async def cancel_booking(tx: AsyncConnection, booking_id: str, now: str) -> BookingRow:
    """Mark a booking as cancelled."""
    row = await tx.execute(
        update(bookings)
        .where(bookings.c.id == booking_id)
        .values(status="cancelled", cancelled_at=now)
        .returning(*bookings.c)
    )
    return BookingRow(*row.one())


# Reading


async def epoch(connection: AsyncConnection) -> str:
    return str((await connection.execute(select(meta.c.epoch))).scalar_one())


async def tour(connection: AsyncConnection, tour_id: str) -> TourRow | None:
    row = (await connection.execute(select(tours).where(tours.c.id == tour_id))).one_or_none()
    return None if row is None else TourRow(*row)


async def open_tours(
    connection: AsyncConnection, tour_id: str | None = None, *, closed: bool = False
) -> list[tuple[TourRow, list[DepartureRow]]]:
    """Return the open tours (or one tour, open or not) by name, each with its open departures by date.

    `closed`: and those that are closed.
    """
    query_tours = select(tours).order_by(tours.c.name, tours.c.id)
    if tour_id is not None:
        query_tours = query_tours.where(tours.c.id == tour_id)
    elif not closed:
        query_tours = query_tours.where(tours.c.closed_at.is_(None))
    found = [TourRow(*row) for row in await connection.execute(query_tours)]
    query: Select[Any] = (
        select(departures)
        .where(departures.c.closed_at.is_(None))
        .order_by(departures.c.starts_at, departures.c.id)
    )
    if tour_id is not None:
        query = query.where(departures.c.tour_id == tour_id)
    by_tour: dict[str, list[DepartureRow]] = {row.id: [] for row in found}
    for row in await connection.execute(query):
        if row.tour_id in by_tour:
            by_tour[row.tour_id].append(DepartureRow(*row))
    return [(row, by_tour[row.id]) for row in found]


async def departure(connection: AsyncConnection, tour_id: str, departure_id: str) -> DepartureRow | None:
    row = await connection.execute(
        select(departures).where(departures.c.tour_id == tour_id, departures.c.id == departure_id)
    )
    found = row.one_or_none()
    return None if found is None else DepartureRow(*found)


async def past_departures(connection: AsyncConnection, now: str) -> Sequence[tuple[str, str]]:
    """Return (tour id, departure id) of the open departures that have started; at most 200."""
    rows = await connection.execute(
        select(departures.c.tour_id, departures.c.id)
        .where(departures.c.closed_at.is_(None), departures.c.starts_at <= now)
        .order_by(departures.c.starts_at)
        .limit(200)
    )
    return [(row.tour_id, row.id) for row in rows]


_details = select(*bookings.c, tours.c.name, tours.c.time_zone, departures.c.starts_at).select_from(
    bookings.join(tours, bookings.c.tour_id == tours.c.id).join(
        departures,
        and_(bookings.c.tour_id == departures.c.tour_id, bookings.c.departure_id == departures.c.id),
    )
)


async def _find_bookings(connection: AsyncConnection, query: Select[Any]) -> list[BookingDetails]:
    width = len(BookingRow._fields)
    return [BookingDetails(BookingRow(*row[:width]), *row[width:]) for row in await connection.execute(query)]


async def booking(connection: AsyncConnection, booking_id: str) -> BookingDetails | None:
    found = await _find_bookings(connection, _details.where(bookings.c.id == booking_id))
    return found[0] if found else None


async def booking_by_key(connection: AsyncConnection, scope: str, key: str) -> BookingDetails | None:
    which = and_(bookings.c.key_scope == scope, bookings.c.key == key)
    found = await _find_bookings(connection, _details.where(which))
    return found[0] if found else None


async def bookings_of(
    connection: AsyncConnection, user_id: str, limit: int, before: tuple[str, str] | None
) -> list[BookingDetails]:
    """Return a user's bookings, newest first; `before` is the (created_at, id) that the last page ended on."""
    query = _details.where(bookings.c.user_id == user_id)
    if before is not None:
        created_at, booking_id = before
        older = bookings.c.created_at < created_at
        query = query.where(or_(older, and_(bookings.c.created_at == created_at, bookings.c.id < booking_id)))
    return await _find_bookings(
        connection, query.order_by(bookings.c.created_at.desc(), bookings.c.id.desc()).limit(limit)
    )
