"""The events of changed rows: what everybody is told of seats, put into the outbox beside the change, and users of bookings."""

from __future__ import annotations

from typing import TypeVar

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import wire, wire_events
from seatcast.domain import new_id
from seatcast.tours import outbox
from seatcast.tours.store import BookingDetails, DepartureRow, TourRow
from seatcast.wire_events import BookingCancelledEvent, BookingConfirmedEvent


async def tell_seats(
    tx: AsyncConnection,
    epoch: str,
    tour: TourRow,
    departure: DepartureRow | None,
    now: str,
    traceparent: str | None = None,
) -> None:
    """Tell the seats of a tour and, if one is given, of a departure of it."""
    event = availability_event(new_id("evt"), epoch, tour, departure, now)
    await outbox.add_event(tx, event, tour.id, traceparent)


async def tell_closed(
    tx: AsyncConnection, epoch: str, tour_id: str, departure_id: str | None, version: int, now: str
) -> None:
    """Tell that a departure, or the whole tour if none is given, is not sold any more."""
    event = wire_events.TourClosedEvent(
        event_id=new_id("evt"),
        tour_id=tour_id,
        timestamp=now,
        epoch=epoch,
        version=version,
        departure_id=departure_id or UNSET,
    )
    await outbox.add_event(tx, event, tour_id, None)


BookingEvent = TypeVar("BookingEvent", bound=BookingConfirmedEvent | BookingCancelledEvent)


def booking_event(kind: type[BookingEvent], details: BookingDetails, user_id: str, now: str) -> BookingEvent:
    """Return what the user of a booking is told of it; `streams.add_message` numbers it."""
    booking = details.booking
    message_id = new_id("msg")
    return kind(
        event_id=message_id,
        message_id=message_id,
        user_id=user_id,
        timestamp=now,
        booking_id=booking.id,
        tour_name=details.tour_name,
        tour_id=booking.tour_id,
        seats=booking.seats,
        departure_id=booking.departure_id if details.starts_at is not None else UNSET,
    )


def availability_event(
    event_id: str, epoch: str, tour: TourRow, departure: DepartureRow | None, now: str
) -> wire_events.AvailabilityUpdated:
    """Return the event that says what these rows say. An undated departure is the tour itself."""
    dated = departure is not None and departure.starts_at is not None
    return wire_events.AvailabilityUpdated(
        event_id=event_id,
        tour_id=tour.id,
        available_seats=tour.available,
        timestamp=now,
        epoch=epoch,
        version=tour.version,
        tour_name=tour.name,
        capacity=tour.capacity,
        held=tour.held,
        departure=wire_departure(departure) if departure and dated else UNSET,
    )


def wire_departure(row: DepartureRow) -> wire.Departure:
    return wire.Departure(
        id=row.id,
        starts_at=row.starts_at or "",
        available_seats=row.available,
        capacity=row.capacity,
        held=row.held,
        version=row.version,
    )
