"""The travellers' REST routes: tours and bookings (CONTRACT 2). Parse, authenticate, call, answer; nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request, Response, delete, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from seatcast import rest, wire
from seatcast.domain import DESCRIPTION, TourNotFound
from seatcast.rights import may
from seatcast.text import text
from seatcast.tours import document_store, store
from seatcast.tours.announcements import wire_departure
from seatcast.tours.bookings import Booked, Desk
from seatcast.tours.callers import Callers
from seatcast.tours.closed import NO_SEATS, ClosedSeats, closed_departures, closed_seats
from seatcast.tours.database import Database
from seatcast.tours.document_store import FieldRow
from seatcast.tours.problems import InvalidRequest
from seatcast.tours.store import BookingDetails, DepartureRow, TourRow

BODY: Final = "body"
"""Key of a handler's `opt` that names the struct of its request body, for `openapi.py`."""

FRESH: Final = {"Cache-Control": "no-store"}
"""Headers of every answer that may be another one the next time."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

REFUSALS = {
    status: ResponseSpec(rest.Problem, description=meaning, generate_examples=False)
    for status, meaning in {
        400: "The request is wrong, or there are not enough seats",
        401: "No token, or not a valid one",
        403: "The token's user may not do this",
        404: "There is no such thing",
        409: "The state of things forbids it",
        413: "The body is too large",
        500: "The server failed; nothing has changed unless it was said so",
        503: "The database cannot be reached; try again",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Travellers:
    """What the routes work with."""

    database: Database
    desk: Desk
    callers: Callers
    config: Callable[[], rest.Config]


def traceparent(request: Request[Any, Any, Any]) -> str | None:
    """Return the caller's W3C trace context if it is well formed."""
    header = request.headers.get("traceparent")
    return header if header is not None and _TRACEPARENT.fullmatch(header) else None


Body = TypeVar("Body", bound=Struct)


def read_body(kind: type[Body], body: bytes) -> Body:
    """Decode a JSON body strictly: "2" and 2.0 are no whole numbers. (The framework's own `data` is lax.)

    Raises `InvalidRequest` that names the field.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        raise InvalidRequest(f"body{where.rstrip('`')}", problem) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest("body", str(error)[:200]) from None


def tour_body(
    tour: TourRow,
    departures: list[DepartureRow],
    description: FieldRow | None = None,
    description_version: int | UnsetType = UNSET,
    closed: ClosedSeats | None = None,
) -> rest.Tour:
    """Return a tour as the API shows it; `closed`: to somebody who asked for what is closed too."""
    if description is not None:
        description_version = description.version
    return rest.Tour(
        id=tour.id,
        name=tour.name,
        available_seats=tour.available,
        capacity=tour.capacity,
        held=tour.held,
        price=tour.price_minor / 100,
        currency=tour.currency,
        time_zone=tour.time_zone,
        version=tour.version,
        timestamp=tour.changed_at,
        departures=[_departure_body(d) for d in departures] if tour.dated else UNSET,
        closed=True if tour.closed_at is not None else UNSET,
        description=UNSET if description is None else description.value,
        description_version=description_version,
        closed_seats=UNSET
        if closed is None
        else rest.ClosedSeats(capacity=closed.capacity, available_seats=closed.available, held=closed.held),
    )


def _departure_body(row: DepartureRow) -> rest.TourDeparture:
    return rest.TourDeparture(
        id=row.id,
        starts_at=row.starts_at or "",
        available_seats=row.available,
        capacity=row.capacity,
        held=row.held,
        version=row.version,
        timestamp=row.changed_at,
        closed=True if row.closed_at is not None else UNSET,
    )


def _booking_body(details: BookingDetails) -> rest.Booking:
    booking = details.booking
    dated = details.starts_at is not None
    return rest.Booking(
        id=booking.id,
        tour_id=booking.tour_id,
        tour_name=details.tour_name,
        seats=booking.seats,
        status="cancelled" if booking.status == "cancelled" else "confirmed",
        total=booking.total_minor / 100,
        currency=booking.currency,
        created_at=booking.created_at,
        departure_id=booking.departure_id if dated else UNSET,
        starts_at=details.starts_at or UNSET,
        time_zone=details.time_zone if dated else UNSET,
        cancelled_at=booking.cancelled_at or UNSET,
    )


def booked_body(booked: Booked, spoken: str) -> rest.BookResponse:
    tour, departure = booked.tour, booked.departure
    return rest.BookResponse(
        message=text(spoken, "booking.confirmed"),
        tour=rest.BookedTour(tour.id, tour.name, tour.available),
        booking=_booking_body(booked.details),
        availability=wire.Availability(
            tour_id=tour.id,
            available_seats=tour.available,
            timestamp=tour.changed_at,
            tour_name=tour.name,
            capacity=tour.capacity,
            held=tour.held,
            version=tour.version,
            departure=wire_departure(departure) if departure.starts_at is not None else UNSET,
        ),
    )


def travellers(services: Travellers) -> list[HTTPRouteHandler]:
    """Return the routes under `/api` that need no role."""
    database, desk, callers = services.database, services.desk, services.callers

    def rights(request: Request[Any, Any, Any]) -> tuple[str | None, bool]:
        identity = callers.of(request)
        return None if identity is None else identity.user, may(identity, "open any booking")

    @get("/tours", responses={s: REFUSALS[s] for s in (400, 401, 403, 503)})
    async def list_tours(
        request: Request[Any, Any, Any],
        closed: Annotated[
            bool, QueryParameter(description="Closed tours too, and `closedSeats`: for the role `staff`")
        ] = False,
    ) -> Response[list[rest.Tour]]:
        """List every open tour with its open departures, all as of one instant."""
        if closed:
            callers.allowed(request, "see what is closed")
        async with database.reading() as connection:
            found = await store.open_tours(connection, closed=closed)
            seats = await closed_seats(connection) if closed else {}
            described = await document_store.description_versions(connection)
            epoch = await store.epoch(connection)
        headers = FRESH | {rest.EPOCH_HEADER: epoch}
        tours = [
            tour_body(
                tour,
                departures,
                description_version=described.get(tour.id, UNSET),
                closed=seats.get(tour.id, NO_SEATS) if closed else None,
            )
            for tour, departures in found
        ]
        return Response(tours, headers=headers)

    @get("/tours/{tour_id:str}", responses={s: REFUSALS[s] for s in (400, 401, 403, 404, 503)})
    async def read_tour(
        request: Request[Any, Any, Any],
        tour_id: FromPath[str],
        closed: Annotated[
            bool, QueryParameter(description="Closed departures too, and `closedSeats`: for the role `staff`")
        ] = False,
    ) -> Response[rest.Tour]:
        """Read one tour, also one that is closed."""
        if closed:
            callers.allowed(request, "see what is closed")
        async with database.reading() as connection:
            found = await store.open_tours(connection, tour_id)
            more = await closed_departures(connection, tour_id) if closed else []
            seats = await closed_seats(connection, tour_id) if closed else {}
            description = await document_store.field(connection, tour_id, DESCRIPTION)
            epoch = await store.epoch(connection)
        if not found:
            raise TourNotFound
        tour, departures = found[0]
        departures = sorted([*departures, *more], key=lambda row: (row.starts_at or "", row.id))
        body = tour_body(
            tour, departures, description, closed=seats.get(tour_id, NO_SEATS) if closed else None
        )
        return Response(body, headers=FRESH | {rest.EPOCH_HEADER: epoch})

    @get("/bookings", responses={s: REFUSALS[s] for s in (400, 401, 404, 503)})
    async def list_bookings(
        request: Request[Any, Any, Any],
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
        before: Annotated[
            str | None, QueryParameter(max_length=128, description="A booking's id: only older ones")
        ] = None,
    ) -> Response[list[rest.Booking]]:
        """List the caller's bookings, newest first."""
        identity = callers.user(request)
        last = None
        if before is not None:
            booking = (await desk.find(before, user=identity.user, any_user=False)).booking
            last = (booking.created_at, booking.id)
        async with database.reading() as connection:
            found = await store.bookings_of(connection, identity.user, limit, last)
        return Response([_booking_body(details) for details in found], headers=FRESH)

    @get("/bookings/{booking_id:str}", responses={s: REFUSALS[s] for s in (401, 404, 503)})
    async def read_booking(
        request: Request[Any, Any, Any], booking_id: FromPath[str]
    ) -> Response[rest.Booking]:
        """Read one booking: the caller's own, or one made without a token, which its id alone opens."""
        user, any_user = rights(request)
        found = await desk.find(booking_id, user=user, any_user=any_user)
        return Response(_booking_body(found), headers=FRESH)

    @delete(
        "/bookings/{booking_id:str}", status_code=200, responses={s: REFUSALS[s] for s in (401, 404, 503)}
    )
    async def cancel_booking(
        request: Request[Any, Any, Any], booking_id: FromPath[str]
    ) -> Response[rest.Booking]:
        """Cancel a booking; its seats are for sale again in the same instant. Repeating it changes nothing."""
        user, any_user = rights(request)
        cancelled = await desk.cancel(
            booking_id, user=user, any_user=any_user, traceparent=traceparent(request)
        )
        return Response(_booking_body(cancelled), headers=FRESH)

    @get("/config", sync_to_thread=False)
    def config() -> Response[rest.Config]:
        """What a page needs to know before it can connect."""
        return Response(services.config(), headers=FRESH)

    return [list_tours, read_tour, list_bookings, read_booking, cancel_booking, config]
