"""The tour service on a real database: whole (`service`), or the desk and the catalogue alone (`office`)."""

import asyncio
import json
import secrets
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text as sql

from seatcast import rest, wire_events
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.domain import DomainError, iso
from seatcast.tokens import Tokens
from seatcast.tours import relay, store
from seatcast.tours.app import tours
from seatcast.tours.bookings import Desk
from seatcast.tours.catalogue import Catalogue
from seatcast.tours.database import Database, open_database
from seatcast.tours.migrate import migrate
from seatcast.tours.till import Till

from .. import servers
from .faulty_broker import FaultyBroker

TOKENS = Tokens("a secret of the tests, of 32 bytes or more")


def _bearer(user, *roles, lifetime=3_600):
    return {"Authorization": f"Bearer {TOKENS.mint(user, set(roles), lifetime)}"}


def days_ahead(days):
    return iso(datetime.now(UTC) + timedelta(days=days))


@dataclass
class Service:
    """A running tour service: `client` speaks to it, and what a gateway would have had of it so far.

    That is `events` of tours, `told` to users and the support team, and `ticks`.
    """

    url: str
    app: object
    client: httpx.AsyncClient
    broker: object
    events: list = field(default_factory=list)
    told: list = field(default_factory=list)
    ticks: list = field(default_factory=list)
    staff: dict = field(default_factory=lambda: _bearer("olga", "staff"))
    user: dict = field(default_factory=lambda: _bearer("ana"))

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

    async def bookable(self):
        """All that a booking can change, but for events: to compare before and after."""
        async with open_database(self.url) as database, database.reading() as connection:
            return [
                list(await connection.execute(sql(f"SELECT * FROM {table} ORDER BY 1, 2")))
                for table in ("tours", "departures", "bookings")
            ]

    async def health(self):
        return (await self.client.get("/health/ready")).json()


@asynccontextmanager
async def _running(url, broker=None, tokens=TOKENS, **settings):
    broker = broker or MemoryBroker()
    async with AsyncExitStack() as stack:
        heard = await stack.enter_async_context(broker.subscribe("test", list(wire_events.EVENT_TYPES)))
        app = await stack.enter_async_context(tours(Settings(database_url=url, **settings), broker, tokens))
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://tours"
            )
        )
        service = Service(url, app, client, broker)

        async def listen():
            async for delivery in heard:
                event = wire_events.decode_event(delivery.routing_key, delivery.body)
                if isinstance(event, wire_events.Tick):
                    service.ticks.append(event)
                elif isinstance(event, wire_events.AvailabilityUpdated | wire_events.TourClosedEvent):
                    service.events.append(event)
                else:
                    service.told.append(event)

        listening = asyncio.create_task(listen())
        try:
            yield service
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture(scope="session")
def running():
    """`async with running(url, broker=None, tokens=TOKENS, **settings) as service`: the tour service on a database."""
    return _running


@pytest.fixture(scope="session")
def _migrated_postgres():
    servers.require_postgres()
    with servers.FreshDatabase(servers.POSTGRES) as url:
        servers.run_apart(migrate(url))
        yield url


_DOCUMENTS = ("document_edits", "document_fields", "document_updates", "documents")
_MESSAGES = ("messages", "streams", "conversations")
_TABLES = ("outbox", "bookings", "departures", "tours", *_MESSAGES, *_DOCUMENTS)


async def _emptied(url):
    async with open_database(url) as database, database.transaction() as tx:
        for table in _TABLES:
            await tx.exec_driver_sql(f"DELETE FROM {table}")
    return url


@pytest.fixture
async def clean_postgres_url(_migrated_postgres):
    """A migrated PostgreSQL database without rows: made once, emptied for each test that asks for it."""
    return await _emptied(_migrated_postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def clean_url(request):
    """A database without tours: a fresh SQLite file and an emptied PostgreSQL database in turn."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "clean_postgres_url")


@pytest.fixture
async def service(clean_url):
    """The tour service on a database without tours, SQLite and PostgreSQL in turn."""
    async with _running(clean_url) as running_service:
        yield running_service


@pytest.fixture(scope="session")
def fresh_url(tmp_path_factory):
    """`with fresh_url("sqlite" | "postgresql") as url`: a database of one's own, for any scope."""

    @contextmanager
    def fresh(kind):
        if kind == "sqlite":
            yield f"sqlite:///{tmp_path_factory.mktemp('tours') / 'seatcast.sqlite3'}"
            return
        servers.require_postgres()
        with servers.FreshDatabase(servers.POSTGRES) as url:
            yield url

    return fresh


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def shop(request, fresh_url):
    """One tour service for a module, on each database in turn. Tests take tours of their own (`tour_id`).

    A module that uses it says `pytestmark = pytest.mark.asyncio(loop_scope="module")`.
    """
    with fresh_url(request.param) as url:
        async with _running(url) as running_service:
            yield running_service


@pytest.fixture(scope="session")
def bearer():
    """`bearer(user, *roles, lifetime=seconds)`: the header of a caller."""
    return _bearer


@pytest.fixture
def tour_id():
    """An id that no other test has."""
    return f"tour_{secrets.token_hex(6)}"


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
    till: Till
    desk: Desk
    catalogue: Catalogue
    clock: Clock
    woken: list
    """Grows by one for every time that the relay would have been told of new events."""

    async def book(self, tour_id, seats=1, departure_id=None, *, user=None, key=None):
        return await self.desk.book(tour_id, departure_id, seats, user=user, key=key)

    async def race(self, wishes):
        """Call all of these coroutines at once; return those that succeeded and the refusals by code."""
        outcomes = await asyncio.gather(*wishes, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
        failed = [o for o in outcomes if isinstance(o, BaseException) and o not in refused]
        assert not failed, failed[:3]
        done = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        return done, Counter(refusal.code for refusal in refused)

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
        tables = ("tours", "departures", "bookings", "outbox", "streams", "messages")
        return [await self.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]

    async def events(self, tour_id=None):
        """The events of tours in the outbox, in the order in which the relay would send them."""
        kinds = (wire_events.AvailabilityUpdated, wire_events.TourClosedEvent)
        events = [event for event in await self._waiting() if isinstance(event, kinds)]
        return [event for event in events if tour_id in (None, event.tour_id)]

    async def told(self, user):
        """The events of a user's messages in the outbox, in the order in which the relay would send them."""
        return [event for event in await self._waiting() if getattr(event, "user_id", None) == user]

    async def _waiting(self):
        rows = await self.rows("SELECT routing_key, payload FROM outbox ORDER BY id")
        return [wire_events.decode_event(row.routing_key, row.payload.encode()) for row in rows]

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
        """The promises that hold at every instant (CONTRACT 0), looked at in one."""
        async with self.database.reading() as connection:
            tours_now, departures_now, confirmed = [
                list(await connection.execute(sql(f"SELECT * FROM {table}")))
                for table in ("tours", "departures", "bookings WHERE status = 'confirmed'")
            ]
        booked, count, revenue = defaultdict(int), Counter(), Counter()
        for row in confirmed:
            booked[row.tour_id, row.departure_id] += row.seats
            count[row.tour_id, row.departure_id] += 1
            revenue[row.tour_id] += row.total_minor
        for row in [*tours_now, *departures_now]:
            assert row.available + row.held + row.sold == row.capacity
            assert min(row.available, row.held, row.sold) >= 0
        for departure in departures_now:
            assert departure.sold == booked[departure.tour_id, departure.id], departure
            assert departure.bookings == count[departure.tour_id, departure.id], departure
        for tour in tours_now:
            assert tour.revenue_minor == revenue[tour.id], tour
            on_sale = [d for d in departures_now if d.tour_id == tour.id and d.closed_at is None]
            assert tour.closed_at is None or not on_sale, f"{tour.id} is closed with open departures"
            for name in ("capacity", "available", "held", "sold"):
                assert getattr(tour, name) == sum(getattr(d, name) for d in on_sale), (tour, name)


@asynccontextmanager
async def _opened(url):
    await migrate(url, wait_seconds=20)  # on a busy machine a connection may take a second
    async with open_database(url) as database:
        clock, woken = Clock(), []
        async with database.reading() as connection:
            epoch = await store.epoch(connection)

        def wake(events=()):
            woken.append(1)

        till = Till(database, epoch, wake, clock)
        selling = asyncio.create_task(till.run())
        try:
            yield Office(
                database,
                till,
                Desk(database, epoch, till, wake, clock),
                Catalogue(database, epoch, wake, clock),
                clock,
                woken,
            )
        finally:
            selling.cancel()
            [end] = await asyncio.gather(selling, return_exceptions=True)
            assert isinstance(end, asyncio.CancelledError)


@pytest.fixture(scope="session")
def opened():
    """`async with opened(url) as office`: the desk and the catalogue on any database."""
    return _opened


@pytest.fixture
async def office(clean_url):
    """The desk and the catalogue on a database without tours, SQLite and PostgreSQL in turn."""
    async with _opened(clean_url) as opened:
        yield opened


@pytest.fixture
async def postgres_office(clean_postgres_url):
    """The desk and the catalogue on PostgreSQL alone."""
    async with _opened(clean_postgres_url) as opened:
        yield opened


@pytest.fixture
def broker():
    return FaultyBroker()


@pytest.fixture
def hasty(monkeypatch):
    """Polls and pauses of some milliseconds, where a test has to see several of them."""
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(relay, "_BROKER_PAUSE", 0.02)


@pytest.fixture
def unhurried(monkeypatch):
    """No poll within the time of a test: only a wake-up can be the reason."""
    monkeypatch.setattr(relay, "POLL_SECONDS", 600.0)


@pytest.fixture(scope="session")
def contract_example():
    """`contract_example(file, name)`: one golden example of `contract/`."""
    folder = Path(__file__).parent.parent.parent / "contract"
    return lambda file, name: json.loads((folder / file).read_text())[name]
