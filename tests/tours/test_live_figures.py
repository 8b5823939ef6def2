"""Live figures: told while somebody follows them, by one tour service, at once after a change, and never too soon."""

import asyncio
import contextlib
import itertools
import time

import asyncpg
import pytest

from seatcast import wire, wire_events
from seatcast.broker import BrokerUnavailable, Message, SubscriptionLost
from seatcast.broker.memory import MemoryBroker
from seatcast.presence import user_hash
from seatcast.tours import live_figures


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Shorter waits; their proportions are those of the real ones."""
    monkeypatch.setattr(live_figures, "HEAR_ALL_SECONDS", 0.5)
    monkeypatch.setattr(live_figures, "TELL_SECONDS", 0.6)
    monkeypatch.setattr(live_figures, "SUCCESSION_SECONDS", 0.2)


class Screens:
    """Gateways that say who is there, and what the admins on them are told."""

    def __init__(self, broker):
        self.broker = broker
        self.told = []
        self.gateways = {}
        self.speaking = True

    def set(self, gateway="g1", *users, anonymous=0, followers=1):
        self.gateways[gateway] = wire_events.GatewayPresent(
            event_id="e", gateway_id=gateway, instance="i", connections=len(users) + anonymous, anonymous=anonymous,
            users=b"".join(sorted(map(user_hash, users))), agents=[], metrics_followers=followers, timestamp="",
        )  # fmt: skip

    async def speak(self):
        for event in list(self.gateways.values()):
            await self.broker.publish([Message("gateway.present", wire.encode(event), persistent=False)])

    async def _speak_for_ever(self):
        while True:
            if self.speaking:
                await self.speak()
            await asyncio.sleep(0.2)

    async def _hear_for_ever(self):
        async with self.broker.subscribe("screens", ["metrics.updated"]) as subscription:
            async for delivery in subscription:
                event = wire_events.decode_event(delivery.routing_key, delivery.body)
                self.told.append((time.monotonic(), event))

    async def next(self, such=lambda event: True):
        """The first message from now on that is such."""
        seen = len(self.told)
        async with asyncio.timeout(10):
            while True:
                for _, event in self.told[seen:]:
                    if such(event):
                        return event
                seen = len(self.told)
                await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def open(self):
        tasks = [asyncio.create_task(self._hear_for_ever()), asyncio.create_task(self._speak_for_ever())]
        await asyncio.sleep(0)
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def screens():
    async with Screens(MemoryBroker()).open() as opened:
        yield opened


async def test_they_are_told_again_and_again_while_somebody_follows_them(screens, running, clean_url):
    screens.set("g1", "ana", "ben", anonymous=2)
    screens.set("g2", "ana", anonymous=1, followers=0)
    async with running(clean_url, screens.broker) as service:
        await service.create("louvre", 10, price=12.5)
        await service.book("louvre", 3)

        event = await screens.next()

        assert (event.active_bookings, event.total_revenue, event.active_users) == (1, 37.5, 2 + 3)
        assert (event.seats_sold, event.seats_held, event.bookings_per_minute) == (3, 0, 1)
        assert [(one.id, one.connections, one.users) for one in event.gateways] == [
            ("g1", 4, 2),
            ("g2", 2, 1),
        ]
        assert event.currency == "EUR"
        assert not event.revenue
        again = await screens.next()
        assert again.timestamp > event.timestamp

        screens.set("g1", "ana", "ben", followers=0)
        await asyncio.sleep(0.5)
        told = len(screens.told)
        await asyncio.sleep(1)
        assert len(screens.told) == told


async def test_a_change_is_told_soon_and_many_are_told_at_most_five_times_a_second(
    screens, running, clean_url, monkeypatch
):
    monkeypatch.setattr(live_figures, "TELL_SECONDS", 60)
    screens.set("g1", "ana")
    async with running(clean_url, screens.broker) as service:
        await service.create("louvre", 1_000)
        await screens.next()

        began = time.monotonic()
        await service.book("louvre", 1)
        event = await screens.next(lambda event: event.seats_sold == 1)
        assert time.monotonic() - began < 1
        assert event.active_bookings == 1

        screens.set("g1", "ana", "ben")
        assert (await screens.next()).active_users == 2

        before, began = len(screens.told), time.monotonic()
        while time.monotonic() - began < 2:
            await service.book("louvre", 1)
            await asyncio.sleep(0.02)
        moments = [moment for moment, _ in screens.told[before:]]
        assert 3 <= len(moments) <= 11
        assert min(b - a for a, b in itertools.pairwise(moments)) > 0.15
        sold = (await service.client.get("/api/tours/louvre")).json()
        await asyncio.sleep(0.5)
        assert screens.told[-1][1].seats_sold == sold["capacity"] - sold["available_seats"]


async def test_bookings_per_minute_keep_up_while_there_is_no_quiet_moment(screens, running, clean_url):
    screens.set("g1", "ana")
    async with running(clean_url, screens.broker) as service:
        await service.create("louvre", 1_000)
        await screens.next()
        for _ in range(20):
            await service.book("louvre", 1)
            await asyncio.sleep(0.1)
        assert screens.told[-1][1].bookings_per_minute >= 10


async def test_nothing_is_told_before_every_gateway_can_have_been_heard(
    screens, running, sqlite_url, monkeypatch
):
    monkeypatch.setattr(live_figures, "HEAR_ALL_SECONDS", 1.5)
    screens.set("g1", "ana")
    async with running(sqlite_url, screens.broker):
        began = time.monotonic()
        await asyncio.sleep(1)
        screens.set("g2", "ben", "cleo")

        event = await screens.next()

    assert time.monotonic() - began >= 1.4
    assert event.active_users == 3


async def test_gateways_that_all_fall_silent_are_not_taken_for_gone(
    screens, running, sqlite_url, monkeypatch
):
    """A subscription can be dead without anybody saying so: it is made anew."""
    monkeypatch.setattr(live_figures, "SILENT_SECONDS", 0.5)
    made = []
    subscribe = screens.broker.subscribe

    def counting(subscriber, keys):
        if subscriber == "figures":
            made.append(subscriber)
        return subscribe(subscriber, keys)

    monkeypatch.setattr(screens.broker, "subscribe", counting)
    screens.set("g1", "ana")
    async with running(sqlite_url, screens.broker):
        await screens.next()
        screens.speaking = False
        await asyncio.sleep(0.8)
        told = len(screens.told)
        assert len(made) > 1
        await asyncio.sleep(0.8)
        assert len(screens.told) == told
        screens.speaking = True
        assert (await screens.next()).active_users == 1


async def test_after_a_broker_that_was_away_gateways_are_counted_anew(
    screens, running, sqlite_url, monkeypatch
):
    """While it was, some may have come and others gone: nothing is told before all can have been heard."""
    monkeypatch.setattr(live_figures, "HEAR_ALL_SECONDS", 1.6)
    subscribe, state = (
        screens.broker.subscribe,
        {"away": True, "lost": asyncio.Event(), "heard": asyncio.Event()},
    )

    class Losing:
        def __init__(self, subscription):
            self._subscription = subscription

        async def __aiter__(self):
            lost = asyncio.create_task(state["lost"].wait())
            deliveries = aiter(self._subscription)
            while True:
                delivery = asyncio.ensure_future(anext(deliveries))
                await asyncio.wait((delivery, lost), return_when=asyncio.FIRST_COMPLETED)
                if lost.done():
                    delivery.cancel()
                    raise SubscriptionLost("the broker restarts")
                yield delivery.result()

    @contextlib.asynccontextmanager
    async def sometimes(subscriber, keys):
        if subscriber == "figures" and state["away"]:
            raise BrokerUnavailable("the broker is away")
        async with subscribe(subscriber, keys) as subscription:
            if subscriber == "figures":
                state["heard"].set()
            yield Losing(subscription) if subscriber == "figures" else subscription

    monkeypatch.setattr(screens.broker, "subscribe", sometimes)
    screens.set("g1", "ana")
    async with running(sqlite_url, screens.broker):
        await asyncio.sleep(1)
        assert screens.told == []
        state["away"] = False
        assert (await screens.next()).active_users == 1

        state["away"] = True
        state["lost"].set()
        await asyncio.sleep(0.3)
        told = len(screens.told)
        await asyncio.sleep(0.7)
        assert len(screens.told) == told
        state["lost"].clear()
        state["heard"].clear()
        state["away"] = False
        await state["heard"].wait()
        await asyncio.sleep(0.8)
        screens.set("g2", "ben", "cleo")
        await screens.next()
        assert [event.active_users for _, event in screens.told[told:]] == [3]


async def test_one_of_several_tour_services_tells_and_another_goes_on_when_it_ends(
    screens, running, clean_postgres_url
):
    screens.set("g1", "ana")
    async with running(clean_postgres_url, screens.broker) as first:
        await first.create("louvre", 10)
        await screens.next()
        async with running(clean_postgres_url, screens.broker) as second:
            await asyncio.sleep(1)
            before = len(screens.told)
            await asyncio.sleep(2)
            # Two would tell twice as often.
            assert 2 <= len(screens.told) - before <= 2 / 0.6 + 1
            assert (await second.health())["status"] == "ok"
        await screens.next()


async def test_the_successor_has_heard_everybody_already(screens, running, clean_postgres_url):
    screens.set("g1", "ana")
    async with contextlib.AsyncExitStack() as second:
        async with running(clean_postgres_url, screens.broker) as first:
            await first.create("louvre", 10)
            await screens.next()
            service = await second.enter_async_context(running(clean_postgres_url, screens.broker))
            await asyncio.sleep(0.7)
        began = time.monotonic()
        await service.book("louvre", 4)
        assert (await screens.next(lambda event: event.seats_sold == 4)).active_users == 1
        assert time.monotonic() - began < 1.5


async def test_who_loses_the_connection_with_the_lock_leads_again(screens, running, clean_postgres_url):
    screens.set("g1", "ana")
    async with running(clean_postgres_url, screens.broker) as service:
        await service.create("louvre", 10)
        await screens.next()
        database = await asyncpg.connect(clean_postgres_url)
        ended = await database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            live_figures._LEADER_LOCK,
        )
        await database.close()
        assert len(ended) == 1
        await service.book("louvre", 2)
        assert await screens.next(lambda event: event.seats_sold == 2)


async def test_admins_read_them_over_rest_with_each_tour(screens, running, clean_url, bearer):
    screens.set("g1", "ana", anonymous=1, followers=0)
    async with running(clean_url, screens.broker) as service:
        read = lambda *roles: service.client.get("/api/metrics", headers=bearer("ada", *roles))  # noqa: E731
        # Before anybody could tell who is there.
        first = (await read("admin")).json()
        assert "activeUsers" not in first
        await service.create("louvre", 10, price=12.5)
        await service.create("paris", departures={"dep_1": (1, 5)}, price=0.1)
        await service.book("paris", 3)
        await asyncio.sleep(0.6)
        answer = (await read("admin")).json()

        assert (await service.client.get("/api/metrics")).status_code == 401
        assert (await read("staff")).status_code == 403
        tours = answer.pop("tours")
        assert answer.pop("timestamp") >= first["timestamp"]
        assert answer == {
            "activeBookings": 1, "totalRevenue": 0.3, "activeUsers": 2, "currency": "EUR", "seatsSold": 3,
            "seatsHeld": 0, "bookingsPerMinute": 1, "gateways": [{"id": "g1", "connections": 2, "users": 1}],
        }  # fmt: skip
        seats = {"currency": "EUR", "held": 0}
        assert tours == [
            {"id": "louvre", "name": "Louvre", "capacity": 10, "availableSeats": 10, "sold": 0, "bookings": 0,
             "revenue": 0.0} | seats,
            {"id": "paris", "name": "Paris", "capacity": 5, "availableSeats": 2, "sold": 3, "bookings": 1,
             "revenue": 0.3} | seats,
        ]  # fmt: skip
