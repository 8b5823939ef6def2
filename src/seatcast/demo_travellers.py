"""The demo's catalogue and its travellers, who use the real REST API and nothing else (`seatcast serve --demo`)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import httpx
import msgspec
import structlog
from msgspec import UNSET

from seatcast import rest
from seatcast.tokens import Tokens
from seatcast.wire import encode

_log = structlog.get_logger(__name__)

DEPARTURES: Final = 4
"""Departures that each dated tour has ahead of it."""

STARTS: Final = (time(9), time(14))
"""Local times of day at which dated tours leave."""

TRAVELLERS: Final = tuple(f"demo-traveller-{number}" for number in range(1, 9))
PAUSE_SECONDS: Final = (0.8, 1.8)
FIRST_CHANGES: Final = 40
CATALOGUE_SECONDS: Final = 300.0
TOKEN_SECONDS: Final = 120.0
"""Tokens are minted for each request, so none needs to last."""


@dataclass(frozen=True, slots=True)
class DemoTour:
    """A tour of the demo. `capacity` is one departure's; `dated` False makes it the tour's only one."""

    id: str
    name: str
    price: float
    currency: str
    time_zone: str
    capacity: int
    dated: bool = True


TOURS: Final = (
    DemoTour("tour_paris", "Paris City Tour", 45.0, "EUR", "Europe/Paris", 25),
    DemoTour("tour_london", "London Eye Experience", 38.0, "GBP", "Europe/London", 32),
    DemoTour("tour_rome", "Rome Colosseum Tour", 52.5, "EUR", "Europe/Rome", 18),
    DemoTour("tour_louvre", "Louvre Night Tour", 29.0, "EUR", "Europe/Paris", 40, dated=False),
)


def next_departures(tour: DemoTour, now: datetime) -> list[rest.NewDeparture]:
    """Return the departures that a dated tour should have ahead at `now`: the same call, the same ids."""
    zone = ZoneInfo(tour.time_zone)
    today = now.astimezone(zone).date()
    starts = (
        datetime.combine(today + timedelta(days=day), start, zone)
        for day in range(DEPARTURES + 1)
        for start in STARTS
    )
    ahead = [start for start in starts if start > now + timedelta(minutes=5)][:DEPARTURES]
    return [
        rest.NewDeparture(
            id=f"{tour.id}-{start:%Y%m%d-%H%M}", starts_at=start.isoformat(), capacity=tour.capacity
        )
        for start in ahead
    ]


def wants_to_book(available: int, capacity: int, chance: float) -> bool:
    """Say whether the next change of a departure is a booking: ever less likely the fuller it is.

    `chance` is in 0..1. Empty departures only fill, full ones only free up: most stay between a third and nearly full.
    """
    taken = 1 - available / max(capacity, 1)
    return chance < 1.35 - 1.35 * taken


@dataclass(slots=True)
class Demo:
    """One demo's memory: who has booked what, by departure, oldest first."""

    client: httpx.AsyncClient
    tokens: Tokens
    chance: random.Random = field(default_factory=random.Random)
    bookings: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    async def stock(self, now: datetime) -> None:
        """Make what is missing: tours that are not there, and departures for those that have left."""
        present = {tour.id: tour for tour in await self.tours()}
        for tour in TOURS:
            ahead = next_departures(tour, now) if tour.dated else []
            if tour.id not in present:
                new = rest.NewTour(
                    id=tour.id, name=tour.name, price=tour.price, currency=tour.currency,
                    time_zone=tour.time_zone, capacity=None if tour.dated else tour.capacity,
                    departures=ahead if tour.dated else None,
                )  # fmt: skip
                await self._operate("/api/tours", new)
                continue
            known = {departure.id for departure in present[tour.id].departures or ()}
            for departure in ahead:
                if departure.id not in known:
                    await self._operate(f"/api/tours/{tour.id}/departures", departure)

    async def remember(self) -> None:
        """Learn from the API which bookings the travellers have: a restart keeps them."""
        for user in TRAVELLERS:
            answer = await self.client.get("/api/bookings", params={"limit": 200}, headers=self._as(user))
            answer.raise_for_status()
            for booking in reversed(msgspec.json.decode(answer.content, type=list[rest.Booking])):
                if booking.status == "confirmed":
                    self._remember(user, booking)

    async def tours(self) -> list[rest.Tour]:
        """Return the open tours."""
        answer = await self.client.get("/api/tours")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=list[rest.Tour])

    async def change(self) -> None:
        """Let one traveller book one to four seats somewhere, or cancel the oldest booking there."""
        places = [
            (tour.id, departure.id, departure.available_seats, departure.capacity)
            for tour in await self.tours()
            for departure in _departures(tour)
            if tour.id in {known.id for known in TOURS}
        ]
        if not places:
            return
        tour, departure, available, capacity = self.chance.choice(places)
        mine = self.bookings.get(departure, [])
        if available and (not mine or wants_to_book(available, capacity, self.chance.random())):
            await self._book(tour, departure, min(available, self.chance.choice((1, 1, 2, 2, 2, 3, 4))))
        elif mine:
            user, booking = mine.pop(0)
            answer = await self.client.delete(f"/api/bookings/{booking}", headers=self._as(user))
            # Somebody else (an operator) may have cancelled it already.
            if answer.status_code != 404:
                answer.raise_for_status()
        # Bookings of departures that have left are history.
        open_ones = {place[1] for place in places}
        self.bookings = {key: value for key, value in self.bookings.items() if key in open_ones}

    async def _book(self, tour: str, departure: str, seats: int) -> None:
        user = self.chance.choice(TRAVELLERS)
        answer = await self.client.post(
            f"/api/tours/{tour}/book",
            content=encode(rest.BookRequest(seats_to_book=seats, departure_id=departure)),
            headers=self._as(user),
        )
        # A person on the page may have been faster: that is what the refusals are for.
        if answer.status_code not in (400, 404, 409):
            answer.raise_for_status()
            self._remember(user, msgspec.json.decode(answer.content, type=rest.BookResponse).booking)

    def _remember(self, user: str, booking: rest.Booking) -> None:
        departure = booking.tour_id if booking.departure_id is UNSET else booking.departure_id
        self.bookings.setdefault(departure, []).append((user, booking.id))

    async def _operate(self, path: str, body: rest.NewTour | rest.NewDeparture) -> None:
        answer = await self.client.post(
            path, content=_without_nulls(body), headers=self._as("demo-operator", "staff")
        )
        # 409: it is there, closed or made by somebody else. The demo takes the catalogue as it finds it.
        if answer.status_code != 409:
            answer.raise_for_status()

    def _as(self, user: str, *roles: str) -> dict[str, str]:
        token = self.tokens.mint(user, list(roles), TOKEN_SECONDS)
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _departures(tour: rest.Tour) -> list[rest.TourDeparture]:
    if tour.departures is not UNSET:
        return tour.departures
    capacity = 0 if tour.capacity is UNSET else tour.capacity
    return [
        rest.TourDeparture(
            id=tour.id,
            starts_at="",
            available_seats=tour.available_seats,
            capacity=capacity,
            held=0,
            version=0,
        )
    ]


def _without_nulls(body: rest.NewTour | rest.NewDeparture) -> bytes:
    fields = msgspec.to_builtins(body)
    return encode({key: value for key, value in fields.items() if value is not None})


@contextlib.asynccontextmanager
async def travellers(api: str, tokens: Tokens) -> AsyncIterator[None]:
    """Stock the catalogue of the tour service at `api`, then keep travellers busy inside the context.

    The catalogue is stocked when the context is entered. A request that fails later is logged and tried again;
    the demo never takes the server down.
    """
    async with httpx.AsyncClient(base_url=api, timeout=10.0) as client, asyncio.TaskGroup() as group:
        demo = Demo(client, tokens)
        await demo.stock(datetime.now(UTC))
        await demo.remember()
        if not demo.bookings:
            # A catalogue that nobody has booked yet is dull to look at.
            for _ in range(FIRST_CHANGES):
                await demo.change()
        task = group.create_task(_travel(demo), name="demo travellers")
        try:
            yield
        finally:
            task.cancel()


async def _travel(demo: Demo) -> None:
    loop = asyncio.get_running_loop()
    stocked = loop.time()
    while True:
        await asyncio.sleep(demo.chance.uniform(*PAUSE_SECONDS))
        try:
            if loop.time() - stocked > CATALOGUE_SECONDS:
                stocked = loop.time()
                await demo.stock(datetime.now(UTC))
            await demo.change()
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            _log.warning(
                "The demo's travellers could not reach the tour service", reason=type(error).__name__
            )
            await asyncio.sleep(2.0)
