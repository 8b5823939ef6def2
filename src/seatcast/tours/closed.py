"""What is closed, for operators: the departures and the seats that are in no list of what is on sale."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.tours.schema import departures
from seatcast.tours.store import DepartureRow

MOST_DEPARTURES: Final = 200
"""Closed departures of one tour. They are those that leave, or have left, last: a tour of many years has many more."""


class ClosedSeats(NamedTuple):
    """The sums over closed departures."""

    capacity: int
    available: int
    held: int


NO_SEATS: Final = ClosedSeats(0, 0, 0)


async def closed_seats(connection: AsyncConnection, tour_id: str | None = None) -> dict[str, ClosedSeats]:
    """Return the seats of closed departures by tour, of one tour or of all; tours without any are not in it."""
    query = (
        select(
            departures.c.tour_id,
            func.sum(departures.c.capacity),
            func.sum(departures.c.available),
            func.sum(departures.c.held),
        )
        .where(departures.c.closed_at.is_not(None))
        .group_by(departures.c.tour_id)
    )
    if tour_id is not None:
        query = query.where(departures.c.tour_id == tour_id)
    return {
        found: ClosedSeats(int(capacity), int(available), int(held))
        for found, capacity, available, held in await connection.execute(query)
    }


async def closed_departures(connection: AsyncConnection, tour_id: str) -> list[DepartureRow]:
    """Return a dated tour's closed departures by date, the last `MOST_DEPARTURES` of them."""
    rows = await connection.execute(
        select(departures)
        .where(
            departures.c.tour_id == tour_id,
            departures.c.closed_at.is_not(None),
            departures.c.starts_at.is_not(None),
        )
        .order_by(departures.c.starts_at.desc(), departures.c.id.desc())
        .limit(MOST_DEPARTURES)
    )
    return [DepartureRow(*row) for row in rows][::-1]
