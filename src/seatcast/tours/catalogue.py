"""What operators do: make tours and departures, rename, change prices and capacities, close and reopen.

Each is one transaction that changes rows in the lock order of `schema.py` (departures by id, then the tour)
and leaves its events in the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import rest
from seatcast.domain import (
    MAX_TOUR_SEATS,
    CapacityBelowSold,
    CapacityTooLarge,
    DepartureExists,
    DepartureNotFound,
    TourClosed,
    TourDated,
    TourExists,
    TourNotFound,
    TourUndated,
    new_id,
)
from seatcast.tours import expected, rows, store
from seatcast.tours.announcements import tell_closed, tell_seats
from seatcast.tours.bookings import now_iso
from seatcast.tours.database import Database
from seatcast.tours.rows import future, minor, new_departure, numbers
from seatcast.tours.store import DepartureRow, TourRow


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The tours on offer. `changed()` is called after every commit that left an event in the outbox."""

    database: Database
    epoch: str
    changed: Callable[[], None]
    now: Callable[[], str] = now_iso

    async def create(self, new: rest.NewTour) -> str:
        """Make a tour with its departures and return its id. Raises `TourExists`, `DepartureExists`,
        `CapacityTooLarge`, `DeparturePast`."""
        now = self.now()
        tour_id = new.id or new_id("tour")
        dated = new.departures is not None
        departures = [new_departure(tour_id, departure, now) for departure in new.departures or ()]
        if not dated:
            departures = [rows.departure(tour_id, tour_id, None, new.capacity or 0, now)]
        if len({d.id for d in departures}) < len(departures):
            raise DepartureExists
        capacity = sum(d.capacity for d in departures)
        if capacity > MAX_TOUR_SEATS:
            raise CapacityTooLarge(maximum=MAX_TOUR_SEATS)
        row = TourRow(
            id=tour_id,
            name=new.name.strip(),
            price_minor=minor(new.price),
            currency=new.currency,
            time_zone=new.time_zone,
            dated=dated,
            capacity=capacity,
            available=capacity,
            held=0,
            sold=0,
            version=1,
            changed_at=now,
            closed_at=None,
        )
        try:
            async with self.database.transaction() as tx:
                await store.insert_tour(tx, row)
                for departure in departures:
                    await store.insert_departure(tx, departure)
                if departures:
                    for departure in departures:
                        await tell_seats(tx, self.epoch, row, departure, now)
                else:
                    await tell_seats(tx, self.epoch, row, None, now)
        except IntegrityError:
            raise TourExists(id=tour_id) from None
        self.changed()
        return tour_id

    async def change(self, tour_id: str, patch: rest.TourPatch) -> None:
        """Rename, reprice, set an undated tour's capacity, close or reopen. All of the patch or nothing.

        Raises `TourNotFound`, `ChangedMeanwhile`, `TourDated`, `CapacityBelowSold`, `CapacityTooLarge`.
        """
        while not await self._change(tour_id, patch):
            pass  # a departure was added while its tour was being closed: nothing has changed, look again
        self.changed()

    async def _change(self, tour_id: str, patch: rest.TourPatch) -> bool:
        """Change a tour, or, if a departure came meanwhile that closing it would miss, nothing: return which."""
        now = self.now()
        async with self.database.transaction() as tx:
            departures = await store.lock_departures(tx, tour_id)
            compared = patch.expected is not UNSET
            tour = await (store.lock_tour(tx, tour_id) if compared else store.tour(tx, tour_id))
            if tour is None:
                raise TourNotFound
            expected.check_tour(patch, tour, departures)
            if patch.capacity is not UNSET:
                if tour.dated:
                    raise TourDated
                await self._resize(tx, departures[0], patch.capacity, now)
            if patch.name is not UNSET or patch.price is not UNSET:
                values: dict[str, Any] = {}
                if patch.name is not UNSET:
                    values["name"] = patch.name.strip()
                if patch.price is not UNSET:
                    values["price_minor"] = minor(patch.price)
                tour = await store.change_tour(tx, tour_id, now, **values)
                if tour.closed_at is None:
                    await tell_seats(tx, self.epoch, tour, None if tour.dated else departures[0], now)
            if patch.closed is True and tour.closed_at is None and not await self._close_tour(tx, tour, now):
                await tx.rollback()
                return False
            if patch.closed is False and tour.closed_at is not None:
                await self._reopen_tour(tx, tour, departures, now)
        return True

    async def add_departure(self, tour_id: str, new: rest.NewDeparture) -> str:
        """Add a dated departure to a dated tour and return its id.

        Raises `TourNotFound`, `TourUndated`, `TourClosed`, `DepartureExists`, `DeparturePast`, `CapacityTooLarge`.
        """
        now = self.now()
        departure = new_departure(tour_id, new, now)
        try:
            async with self.database.transaction() as tx:
                tour = await store.tour(tx, tour_id)
                if tour is None:
                    raise TourNotFound
                if not tour.dated:
                    raise TourUndated
                await store.insert_departure(tx, departure)
                tour = await store.change_tour(
                    tx, tour_id, now, capacity=departure.capacity, available=departure.capacity
                )
                # Asked under the tour's lock: a tour that closes now must not keep a new open departure.
                if tour.closed_at is not None:
                    raise TourClosed
                if tour.capacity > MAX_TOUR_SEATS:
                    raise CapacityTooLarge(maximum=MAX_TOUR_SEATS)
                await tell_seats(tx, self.epoch, tour, departure, now)
        except IntegrityError:
            raise DepartureExists(id=departure.id) from None
        self.changed()
        return departure.id

    async def change_departure(self, tour_id: str, departure_id: str, patch: rest.DeparturePatch) -> None:
        """Move, resize, close or reopen a dated departure. All of the patch or nothing.

        Raises `DepartureNotFound`, `TourUndated`, `ChangedMeanwhile`, `TourClosed`, `CapacityBelowSold`,
        `CapacityTooLarge`, `DeparturePast`.
        """
        now = self.now()
        async with self.database.transaction() as tx:
            found = await store.lock_departures(tx, tour_id, departure_id)
            if not found:
                raise DepartureNotFound
            departure = found[0]
            if departure.starts_at is None:
                raise TourUndated
            expected.check_departure(patch, departure)
            if patch.starts_at is not UNSET:
                starts_at = future(patch.starts_at, now)
                departure = await store.change_departure(tx, tour_id, departure_id, now, starts_at=starts_at)
                if departure.closed_at is None:
                    await tell_seats(
                        tx, self.epoch, await store.change_tour(tx, tour_id, now), departure, now
                    )
            if patch.capacity is not UNSET:
                departure = await self._resize(tx, departure, patch.capacity, now)
            if patch.closed is True and departure.closed_at is None:
                await self._close_departure(tx, departure, now)
            if patch.closed is False and departure.closed_at is not None:
                future(departure.starts_at or now, now)
                tour = await self._reopen_departure(tx, departure, now)
                if tour.closed_at is not None:
                    raise TourClosed
        self.changed()

    async def close_past(self) -> int:
        """Close the departures that have started and return how many. Safe in several processes at once."""
        now = self.now()
        async with self.database.reading() as connection:
            past = await store.past_departures(connection, now)
        closed = 0
        for tour_id, departure_id in past:
            async with self.database.transaction() as tx:
                [departure] = await store.lock_departures(tx, tour_id, departure_id)
                # Asked again under the lock: another process may have closed it, or an operator moved it.
                if departure.closed_at is None and departure.starts_at and departure.starts_at <= now:
                    await self._close_departure(tx, departure, now)
                    closed += 1
        if closed:
            self.changed()
        return closed

    async def _resize(
        self, tx: AsyncConnection, departure: DepartureRow, capacity: int, now: str
    ) -> DepartureRow:
        taken = departure.sold + departure.held
        if capacity < taken:
            raise CapacityBelowSold(sold=departure.sold, held=departure.held)
        more = capacity - departure.capacity
        departure = await store.change_departure(
            tx, departure.tour_id, departure.id, now, capacity=capacity, available=capacity - taken
        )
        if departure.closed_at is None:
            tour = await store.change_tour(tx, departure.tour_id, now, capacity=more, available=more)
            if tour.capacity > MAX_TOUR_SEATS:
                raise CapacityTooLarge(maximum=MAX_TOUR_SEATS)
            await tell_seats(tx, self.epoch, tour, departure, now)
        return departure

    async def _close_departure(self, tx: AsyncConnection, departure: DepartureRow, now: str) -> None:
        closed = await store.change_departure(tx, departure.tour_id, departure.id, now, closed_at=now)
        tour = await store.change_tour(tx, departure.tour_id, now, **numbers(closed, -1))
        await tell_closed(tx, self.epoch, closed.tour_id, closed.id, closed.version, now)
        await tell_seats(tx, self.epoch, tour, None, now)

    async def _reopen_departure(self, tx: AsyncConnection, departure: DepartureRow, now: str) -> TourRow:
        opened = await store.change_departure(tx, departure.tour_id, departure.id, now, closed_at=None)
        tour = await store.change_tour(tx, departure.tour_id, now, **numbers(opened, 1))
        if tour.capacity > MAX_TOUR_SEATS:
            raise CapacityTooLarge(maximum=MAX_TOUR_SEATS)
        await tell_seats(tx, self.epoch, tour, opened, now)
        return tour

    async def _close_tour(self, tx: AsyncConnection, tour: TourRow, now: str) -> bool:
        """Close the tour's open departures with it, under the same moment, by which a reopening finds them.

        Return whether that was all of them: one that was being added had no row to lock yet, and is there now
        that the tour's own row is locked.
        """
        for departure in await store.lock_departures(tx, tour.id):
            if departure.closed_at is None:
                closed = await store.change_departure(tx, tour.id, departure.id, now, closed_at=now)
                await store.change_tour(tx, tour.id, now, **numbers(closed, -1))
                if departure.starts_at is not None:
                    await tell_closed(tx, self.epoch, tour.id, closed.id, closed.version, now)
        tour = await store.change_tour(tx, tour.id, now, closed_at=now)
        await tell_closed(tx, self.epoch, tour.id, None, tour.version, now)
        [(_, left)] = await store.open_tours(tx, tour.id)
        return not left

    async def _reopen_tour(
        self, tx: AsyncConnection, tour: TourRow, departures: list[DepartureRow], now: str
    ) -> None:
        closed_at = tour.closed_at
        tour = await store.change_tour(tx, tour.id, now, closed_at=None)
        if tour.dated:
            await tell_seats(tx, self.epoch, tour, None, now)
        for departure in departures:
            past = departure.starts_at is not None and departure.starts_at <= now
            if departure.closed_at == closed_at and not past:
                await self._reopen_departure(tx, departure, now)
