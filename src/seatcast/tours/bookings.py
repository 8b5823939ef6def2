"""Booking and cancelling: each request's change and its event are rows of the same transaction.

A retry must be safe at every point, so the order of questions matters: whether the key was used comes before
whether there are seats, since the first try may have taken the last ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.domain import (
    BookingNotFound,
    DepartureClosed,
    DepartureNotFound,
    DeparturePast,
    DepartureRequired,
    IdempotencyKeyReused,
    NotEnoughSeats,
    TourClosed,
    TourNotFound,
    iso,
    new_id,
)
from seatcast.tours import store, streams
from seatcast.tours.announcements import booking_event, tell_seats
from seatcast.tours.database import Database
from seatcast.tours.selling import Taking, booked
from seatcast.tours.store import BookingDetails, BookingRow, DepartureRow, TourRow
from seatcast.tours.till import Till
from seatcast.wire_events import BookingCancelledEvent

_TRIES = 5
"""How often a booking is tried again when the reason for a refusal is gone by the time it is looked up."""


def now_iso() -> str:
    """Return the present moment in the wire's form."""
    return iso(datetime.now(UTC))


def _hash(*wish: object) -> str:
    return hashlib.sha256(repr(wish).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking and the rows as they were right after it (or, for a repeated request, as they are now)."""

    details: BookingDetails
    tour: TourRow
    departure: DepartureRow


@dataclass(frozen=True, slots=True)
class Desk:
    """Where seats are sold and given back. `sold()` is called after every commit that left an event in the outbox."""

    database: Database
    epoch: str
    till: Till
    sold: Callable[[], None]
    now: Callable[[], str] = now_iso

    async def book(
        self,
        tour_id: str,
        departure_id: str | None,
        seats: int,
        *,
        user: str | None,
        key: str | None = None,
        traceparent: str | None = None,
    ) -> Booked:
        """Sell `seats` on a departure, or on the tour's only open one if none is named.

        With a `key`, the same request has one effect however often it comes: the first booking is returned
        again. Keys belong to a user (all anonymous callers share one space, so theirs should be random).

        Raises, and changes nothing: `TourNotFound`, `DepartureNotFound`, `TourClosed`, `DepartureClosed`,
        `DeparturePast`, `DepartureRequired`, `NotEnoughSeats`, `IdempotencyKeyReused`.
        """
        if "\x00" in tour_id:
            raise TourNotFound  # PostgreSQL has no place for NUL in a text, and everybody's batch would fail with it
        scope = None if key is None else f"user:{user}" if user is not None else "anonymous"
        request = None if key is None else _hash(tour_id, departure_id, seats)
        wanted = departure_id or tour_id  # an undated tour's departure has the tour's id
        for _ in range(_TRIES):
            taking = Taking(
                booking_id=new_id("bkg"),
                tour_id=tour_id,
                departure_id=wanted,
                seats=seats,
                user_id=user,
                key_scope=scope,
                key=key,
                request_hash=request,
                traceparent=traceparent,
            )
            taken = await self.till.take(taking)
            if taken is not None:
                return Booked(booked(taking, taken), taken.tour, taken.departure)
            if scope is not None and key is not None and request is not None:
                earlier = await self._repeated(scope, key, request)
                if earlier is not None:
                    return earlier
            wanted = await self._only_departure(tour_id, departure_id, seats)
        # Every look found seats that were gone again by the next try: for this caller, there are none.
        raise NotEnoughSeats(availableSeats=0)

    async def _repeated(self, scope: str, key: str, request: str) -> Booked | None:
        async with self.database.reading() as connection:
            found = await store.booking_by_key(connection, scope, key)
            if found is None:
                return None
            if found.booking.request_hash != request:
                raise IdempotencyKeyReused
            tour = await store.tour(connection, found.booking.tour_id)
            departure = await store.departure(connection, found.booking.tour_id, found.booking.departure_id)
        if tour is None or departure is None:  # rows are never deleted; the foreign keys say so
            raise TourNotFound
        return Booked(found, tour, departure)

    async def _only_departure(self, tour_id: str, departure_id: str | None, seats: int) -> str:
        """Return the departure to try (again), or raise why none of them can be sold."""
        async with self.database.reading() as connection:
            found = await store.open_tours(connection, tour_id)
            if not found:
                raise TourNotFound
            tour, departures = found[0]
            if departure_id is not None:
                departure = await store.departure(connection, tour_id, departure_id)
            elif len(departures) > 1 and tour.closed_at is None:
                raise DepartureRequired(departures=[d.id for d in departures])
            else:
                departure = departures[0] if departures else None
        if tour.closed_at is not None:
            raise TourClosed
        if departure is None:
            raise DepartureNotFound if departure_id is not None else NotEnoughSeats(availableSeats=0)
        if departure.starts_at is not None and departure.starts_at <= self.now():
            raise DeparturePast(startsAt=departure.starts_at)
        if departure.closed_at is not None:
            raise DepartureClosed
        if departure.available < seats:
            raise NotEnoughSeats(availableSeats=departure.available)
        return departure.id

    async def cancel(
        self, booking_id: str, *, user: str | None, any_user: bool, traceparent: str | None = None
    ) -> BookingDetails:
        """Cancel a booking, return its seats and tell its user; cancelling twice is cancelling once.

        Seats of a departure that is closed or has started go back to it but are not for sale.
        Raises `BookingNotFound` also when it is somebody else's: whether an id exists is nobody's business.
        """
        now = self.now()
        found = (await self.find(booking_id, user=user, any_user=any_user)).booking
        async with self.database.transaction() as tx:
            [departure] = await store.lock_departures(tx, found.tour_id, found.departure_id)
            # Asked again under the departure's lock, which everybody who cancels takes.
            details = await store.booking(tx, booking_id)
            if details is None:
                raise BookingNotFound
            if details.booking.status == "cancelled":
                return details
            await self._return_seats(tx, departure, found, now, traceparent)
            # After the seats, as in selling: a repeated booking request waits at the key's index for whoever holds this row.
            details = details._replace(booking=await store.cancel_booking(tx, booking_id, now))
            if details.booking.user_id is not None:
                event = booking_event(BookingCancelledEvent, details, details.booking.user_id, now)
                await streams.add_message(tx, event, traceparent=traceparent)
        self.sold()
        return details

    async def _return_seats(
        self,
        tx: AsyncConnection,
        departure: DepartureRow,
        returned: BookingRow,
        now: str,
        traceparent: str | None,
    ) -> None:
        seats = returned.seats
        departure = await store.change_departure(
            tx,
            departure.tour_id,
            departure.id,
            now,
            available=departure.available + seats,
            sold=departure.sold - seats,
            bookings=departure.bookings - 1,
        )
        if departure.closed_at is not None:
            # Its seats are not among the tour's any more.
            await store.return_revenue(tx, returned.tour_id, returned.total_minor)
            return
        tour = await store.change_tour(
            tx,
            departure.tour_id,
            now,
            available=seats,
            sold=-seats,
            revenue_minor=-returned.total_minor,
        )
        await tell_seats(tx, self.epoch, tour, departure, now, traceparent)

    async def find(self, booking_id: str, *, user: str | None, any_user: bool) -> BookingDetails:
        """Return a booking to its owner, to `any_user` (staff), or, if it is nobody's, to whoever knows its id.

        Raises `BookingNotFound`.
        """
        async with self.database.reading() as connection:
            found = await store.booking(connection, booking_id)
        if found is None or not (any_user or found.booking.user_id in (None, user)):
            raise BookingNotFound
        return found
