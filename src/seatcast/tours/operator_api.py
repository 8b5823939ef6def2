"""The operators' REST routes (CONTRACT 2): tours and departures, for tokens with the role `staff`."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request, Response, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, RawBody
from msgspec import UNSET

from seatcast import rest
from seatcast.domain import TourNotFound, utc
from seatcast.tours import store
from seatcast.tours.api import BODY, REFUSALS, read_body, tour_body
from seatcast.tours.callers import Callers
from seatcast.tours.catalogue import Catalogue
from seatcast.tours.problems import InvalidRequest

_REFUSED = {status: REFUSALS[status] for status in (400, 401, 403, 404, 409, 413, 503)}


def operators(catalogue: Catalogue, callers: Callers) -> list[HTTPRouteHandler]:
    """Return the routes under `/api` that need the role `staff`."""

    async def shown(tour_id: str) -> rest.Tour:
        async with catalogue.database.reading() as connection:
            found = await store.open_tours(connection, tour_id)
        if not found:
            raise TourNotFound
        return tour_body(*found[0])

    @post("/tours", responses=_REFUSED, opt={BODY: rest.NewTour})
    async def create_tour(request: Request[Any, Any, Any], body: RawBody) -> Response[rest.Tour]:
        """Make a tour: undated with a `capacity`, or dated with `departures` (perhaps none yet)."""
        callers.allowed(request, "change tours")
        data = read_body(rest.NewTour, body)
        if (data.capacity is None) == (data.departures is None):
            raise InvalidRequest("body", "exactly one of capacity and departures is needed")
        try:
            ZoneInfo(data.time_zone)
        except (KeyError, ValueError, OSError):
            raise InvalidRequest("body.timeZone", "not an IANA time zone such as Europe/Paris") from None
        for number, departure in enumerate(data.departures or ()):
            _check_moment(f"body.departures[{number}].startsAt", departure.starts_at)
        tour_id = await catalogue.create(data)
        return Response(await shown(tour_id), headers={"Location": f"/api/tours/{tour_id}"})

    @patch("/tours/{tour_id:str}", responses=_REFUSED, opt={BODY: rest.TourPatch})
    async def change_tour(
        request: Request[Any, Any, Any], tour_id: FromPath[str], body: RawBody
    ) -> Response[rest.Tour]:
        """Rename, reprice, set an undated tour's capacity, close or reopen: all of it or nothing."""
        callers.allowed(request, "change tours")
        data = read_body(rest.TourPatch, body)
        await catalogue.change(tour_id, data)
        return Response(await shown(tour_id))

    @post("/tours/{tour_id:str}/departures", responses=_REFUSED, opt={BODY: rest.NewDeparture})
    async def add_departure(
        request: Request[Any, Any, Any], tour_id: FromPath[str], body: RawBody
    ) -> Response[rest.Tour]:
        """Add a departure to a dated tour."""
        callers.allowed(request, "change tours")
        data = read_body(rest.NewDeparture, body)
        _check_moment("body.startsAt", data.starts_at)
        await catalogue.add_departure(tour_id, data)
        return Response(await shown(tour_id), headers={"Location": f"/api/tours/{tour_id}"})

    @patch(
        "/tours/{tour_id:str}/departures/{departure_id:str}",
        responses=_REFUSED,
        opt={BODY: rest.DeparturePatch},
    )
    async def change_departure(
        request: Request[Any, Any, Any], tour_id: FromPath[str], departure_id: FromPath[str], body: RawBody
    ) -> Response[rest.Tour]:
        """Move, resize, close or reopen a departure: all of it or nothing."""
        callers.allowed(request, "change tours")
        data = read_body(rest.DeparturePatch, body)
        if data.starts_at is not UNSET:
            _check_moment("body.startsAt", data.starts_at)
        if data.expected is not UNSET and data.expected.starts_at is not UNSET:
            _check_moment("body.expected.startsAt", data.expected.starts_at)
        await catalogue.change_departure(tour_id, departure_id, data)
        return Response(await shown(tour_id))

    return [create_tour, change_tour, add_departure, change_departure]


def _check_moment(where: str, moment: str) -> None:
    try:
        utc(moment)
    except ValueError:
        raise InvalidRequest(where, "not a moment such as 2026-07-14T10:30:00+02:00") from None
