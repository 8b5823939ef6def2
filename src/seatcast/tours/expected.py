"""Whether what an operator saw is still so: two who change the same thing at once must not overwrite each other unawares.

A version would not do, since every booking counts it up: the values themselves are compared. A value that is already
as it is to be is no conflict, so the same patch may be sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import UNSET, UnsetType

from seatcast import rest
from seatcast.domain import ChangedMeanwhile, utc
from seatcast.tours.rows import minor
from seatcast.tours.store import DepartureRow, TourRow


def check_tour(patch: rest.TourPatch, tour: TourRow, departures: list[DepartureRow]) -> None:
    """Raise `ChangedMeanwhile`, with what is now, where a tour is neither as it was seen nor as it is to be."""
    seen = patch.expected
    if seen is UNSET:
        return
    now: dict[str, object] = {}
    if _differs(tour.name, seen.name, patch.name, str.strip):
        now["name"] = tour.name
    if _differs(tour.price_minor, seen.price, patch.price, minor):
        now["price"] = tour.price_minor / 100
    if not tour.dated and _differs(departures[0].capacity, seen.capacity, patch.capacity, int):
        now["capacity"] = departures[0].capacity
    if now:
        raise ChangedMeanwhile(**now)


def check_departure(patch: rest.DeparturePatch, departure: DepartureRow) -> None:
    """Raise `ChangedMeanwhile`, with what is now, where a dated departure is neither as it was seen nor as it is to be."""
    seen = patch.expected
    if seen is UNSET:
        return
    now: dict[str, object] = {}
    if _differs(departure.starts_at, seen.starts_at, patch.starts_at, utc):
        now["startsAt"] = departure.starts_at
    if _differs(departure.capacity, seen.capacity, patch.capacity, int):
        now["capacity"] = departure.capacity
    if now:
        raise ChangedMeanwhile(**now)


Sent = TypeVar("Sent")


def _differs(
    now: object, seen: Sent | UnsetType, wished: Sent | UnsetType, stored: Callable[[Sent], object]
) -> bool:
    """Say whether a value is another than both; `stored` makes of what was sent what the row would have."""
    return seen is not UNSET and now not in [stored(value) for value in (seen, wished) if value is not UNSET]
