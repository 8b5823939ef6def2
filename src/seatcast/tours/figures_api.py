"""`GET /api/metrics`: the figures of METRICS_UPDATE and of each tour, for tokens with the role `admin`."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET

from seatcast import rest
from seatcast.tours import figures
from seatcast.tours.api import FRESH, REFUSALS
from seatcast.tours.bookings import now_iso
from seatcast.tours.callers import Callers
from seatcast.tours.database import Database
from seatcast.tours.live_figures import LiveFigures, stated


def figures_routes(database: Database, live: LiveFigures, callers: Callers) -> list[HTTPRouteHandler]:
    """Return the route, to be put under `/api`. (Prometheus' `/metrics` is another thing, of this process alone.)"""

    @get("/metrics", responses={status: REFUSALS[status] for status in (401, 403, 503)})
    async def read_metrics(request: Request[Any, Any, Any]) -> Response[rest.ShopMetrics]:
        """Read how the shop stands, all as of one instant: bookings, revenue, users, and each tour."""
        callers.allowed(request, "follow metrics")
        now = now_iso()
        async with database.reading() as connection:
            ask = figures.asking(connection)
            shop = await figures.shop(ask, now)
            per_minute = await figures.booked_in_a_minute(ask, now)
            tours = await figures.by_tour(ask)
        presence = live.presence
        answer = rest.ShopMetrics(
            gateways=UNSET if presence is None else presence.gateways,
            active_users=UNSET if presence is None else presence.active_users,
            tours=[_tour(tour) for tour in tours],
            **stated(shop, per_minute),
        )
        return Response(answer, headers=FRESH)

    return [read_metrics]


def _tour(tour: figures.TourFigures) -> rest.FiguresOfTour:
    return rest.FiguresOfTour(
        id=tour.id,
        name=tour.name,
        currency=tour.currency,
        capacity=tour.capacity,
        available_seats=tour.available,
        held=tour.held,
        sold=tour.sold,
        bookings=tour.bookings,
        revenue=tour.revenue_minor / 100,
        closed=True if tour.closed else UNSET,
    )
