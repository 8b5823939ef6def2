"""What operators write, as it is stored."""

from __future__ import annotations

from seatcast import rest
from seatcast.domain import DeparturePast, new_id, utc
from seatcast.tours.store import DepartureRow


def minor(price: float) -> int:
    """Return a price in hundredths."""
    return round(price * 100)


def future(moment: str, now: str) -> str:
    """Return a moment in the wire's form. Raises `DeparturePast` where it is not after `now`."""
    starts_at = utc(moment)
    if starts_at <= now:
        raise DeparturePast(startsAt=starts_at)
    return starts_at


def new_departure(tour_id: str, new: rest.NewDeparture, now: str) -> DepartureRow:
    """Return a dated departure that nobody has booked. Raises `DeparturePast`."""
    return departure(tour_id, new.id or new_id("dep"), future(new.starts_at, now), new.capacity, now)


def departure(
    tour_id: str, departure_id: str, starts_at: str | None, capacity: int, now: str
) -> DepartureRow:
    """Return a departure that nobody has booked; an undated tour's has no `starts_at`."""
    return DepartureRow(
        tour_id=tour_id,
        id=departure_id,
        starts_at=starts_at,
        capacity=capacity,
        available=capacity,
        held=0,
        sold=0,
        version=1,
        changed_at=now,
        closed_at=None,
    )


def numbers(row: DepartureRow, sign: int) -> dict[str, int]:
    """Return what a departure adds to its tour's numbers, or takes from them with a `sign` of -1."""
    return {name: sign * getattr(row, name) for name in ("capacity", "available", "held", "sold")}
