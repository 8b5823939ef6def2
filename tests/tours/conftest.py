"""The tour service on a real database: whole (`service`), or the desk and the catalogue alone (`office`)."""

import asyncio
import json
import sqlite3
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text as sql

from seatcast import rest, wire
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.domain import iso
from seatcast.tokens import Tokens
from seatcast.tours import store
from seatcast.tours.app import tours
from seatcast.tours.bookings import Desk
from seatcast.tours.catalogue import Catalogue
from seatcast.tours.database import Database, migrate, open_database

TOKENS = Tokens("a secret of the tests, of 32 bytes or more")


def bearer(user, *roles):
    return {"Authorization": f"Bearer {TOKENS.mint(user, set(roles), 3_600)}"}


def days_ahead(days):
    return iso(datetime.now(UTC) + timedelta(days=days))


@dataclass
class Service:
    """A running tour service: `client` speaks to it, `events` are what a gateway would have had of it so far."""

    url: str
    app: object
    client: httpx.AsyncClient
    broker: object
    events: list = field(default_factory=list)
    ticks: list = field(default_factory=list)
    staff: dict = field(default_factory=lambda: bearer("olga", "staff"))
    user: dict = field(default_factory=lambda: bearer("ana"))

    def of(self, tour_id):
        return [event for event in self.events if event.tour_id == tour_id]

    async def create(self, tour_id, capacity=None, departures=None, **more):
        """Make a tour over REST; `departures` is {id: (days ahead, capacity)}."""
        body = {"id": tour_id, "name": tour_id.title(), **more}
        if departures is None:
            body["capacity"] = capacity
        else:
            body["departures"] = [
                {"id": name, "startsAt": days_ahead(days), "capacity": seats}
                for name, (days, seats) in departures.items()
            ]
        answer = await self.client.post("/api/tours", json=body, headers=self.staff)
        assert answer.status_code == 201, answer.text
        return answer

    async def book(self, tour_id, seats=1, *, key=None, headers=None, **more):
        sent = dict(headers or {}) | ({"Idempotency-Key": key} if key else {})
        body = {"seatsToBook": seats, **more}
        return await self.client.post(f"/api/tours/{tour_id}/book", json=body, headers=sent)

    async def health(self):
        return (await self.client.get("/health/ready")).json()


@asynccontextmanager
async def _running(url, broker=None, **settings):
    broker = broker or MemoryBroker()
    async with AsyncExitStack() as stack:
        heard = await stack.enter_async_context(broker.subscribe("test", list(wire.EVENT_TYPES)))
        app = await stack.enter_async_context(tours(Settings(database_url=url, **settings), broker, TOKENS))
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://tours"
            )
        )
        service = Service(url, app, client, broker)

        async def listen():
            async for delivery in heard:
                event = wire.decode_event(delivery.routing_key, delivery.body)
                (service.ticks if isinstance(event, wire.Tick) else service.events).append(event)

        listening = asyncio.create_task(listen())
        try:
            yield service
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture(scope="session")
def running():
    """`async with running(url, broker=None, **settings) as service`: the tour service on a database."""
    return _running


@pytest.fixture
async def service(database_url):
    """The tour service on a fresh database, SQLite and PostgreSQL in turn."""
    async with _running(database_url) as running_service:
        yield running_service


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.moment = datetime.now(UTC)

    def __call__(self):
        return iso(self.moment)

    def forward(self, **by):
        self.moment += timedelta(**by)

    def ahead(self, **by):
        return iso(self.moment + timedelta(**by))


@dataclass
class Office:
    """The desk and the catalogue on a migrated database, without relay or REST: all events stay in the outbox."""

    database: Database
    desk: Desk
    catalogue: Catalogue
    clock: Clock
    woken: list

    async def rows(self, query, **values):
        async with self.database.reading() as connection:
            return list(await connection.execute(sql(query), values))

    async def execute(self, statement, **values):
        async with self.database.transaction() as tx:
            await tx.execute(sql(statement), values)

    async def tour(self, tour_id):
        async with self.database.reading() as connection:
            return await store.tour(connection, tour_id)

    async def departure(self, tour_id, departure_id=None):
        async with self.database.reading() as connection:
            return await store.departure(connection, tour_id, departure_id or tour_id)

    async def everything(self):
        """All that bookings can change, to compare before and after."""
        tables = ("tours", "departures", "bookings", "outbox")
        return [await self.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]

    async def events(self, tour_id=None):
        """The events in the outbox, in the order in which the relay would send them."""
        rows = await self.rows("SELECT routing_key, payload FROM outbox ORDER BY id")
        events = [wire.decode_event(row.routing_key, row.payload.encode()) for row in rows]
        return [event for event in events if tour_id in (None, event.tour_id)]

    async def undated(self, tour_id="tour_louvre", capacity=10, **more):
        return await self.catalogue.create(rest.NewTour(id=tour_id, name=tour_id, capacity=capacity, **more))

    async def dated(self, tour_id="tour_paris", capacities=(5, 5), **more):
        """A dated tour whose departures dep_1, dep_2... leave after as many days."""
        departures = [
            rest.NewDeparture(id=f"dep_{day}", starts_at=self.clock.ahead(days=day), capacity=capacity)
            for day, capacity in enumerate(capacities, 1)
        ]
        return await self.catalogue.create(
            rest.NewTour(id=tour_id, name=tour_id, departures=departures, **more)
        )

    async def check(self):
        """The promises that hold whenever no transaction is open (CONTRACT 0)."""
        tours_now = await self.rows("SELECT * FROM tours")
        departures_now = await self.rows("SELECT * FROM departures")
        booked = defaultdict(int)
        for row in await self.rows("SELECT * FROM bookings WHERE status = 'confirmed'"):
            booked[row.tour_id, row.departure_id] += row.seats
        for row in [*tours_now, *departures_now]:
            assert row.available + row.held + row.sold == row.capacity
            assert min(row.available, row.held, row.sold) >= 0
        for departure in departures_now:
            assert departure.sold == booked[departure.tour_id, departure.id], departure
        for tour in tours_now:
            on_sale = [d for d in departures_now if d.tour_id == tour.id and d.closed_at is None]
            assert tour.closed_at is None or not on_sale, f"{tour.id} is closed with open departures"
            for name in ("capacity", "available", "held", "sold"):
                assert getattr(tour, name) == sum(getattr(d, name) for d in on_sale), (tour, name)


@asynccontextmanager
async def _opened(url):
    await migrate(url)
    async with open_database(url) as database:
        clock, woken = Clock(), []
        async with database.reading() as connection:
            epoch = await store.epoch(connection)
        wake = lambda: woken.append(1)  # noqa: E731
        yield Office(
            database,
            Desk(database, epoch, wake, clock),
            Catalogue(database, epoch, wake, clock),
            clock,
            woken,
        )


@pytest.fixture
async def office(database_url):
    """The desk and the catalogue on a fresh database, SQLite and PostgreSQL in turn."""
    async with _opened(database_url) as opened:
        yield opened


@pytest.fixture
async def postgres_office(postgres_url):
    """The desk and the catalogue on a fresh PostgreSQL database."""
    async with _opened(postgres_url) as opened:
        yield opened


@pytest.fixture
def sqlite_rows(sqlite_url):
    """`sqlite_rows(query)`: ask the SQLite file of `sqlite_url` without the product's code."""

    def ask(query):
        with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
            return connection.execute(query).fetchall()

    return ask


@pytest.fixture(scope="session")
def contract_example():
    """`contract_example(file, name)`: one golden example of `contract/`."""
    from pathlib import Path

    folder = Path(__file__).parent.parent.parent / "contract"
    return lambda file, name: json.loads((folder / file).read_text())[name]
