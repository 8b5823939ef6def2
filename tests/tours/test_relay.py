"""The relay: every committed event reaches the broker, in order within its tour, whatever breaks on the way."""

import asyncio

import pytest

from seatcast import wire_events
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.tokens import Tokens
from seatcast.tours import outbox, relay
from seatcast.tours.app import tours


async def _left(service, opened):
    async with opened(service.url) as office:
        return await office.rows("SELECT * FROM outbox ORDER BY id")


async def test_bookings_become_events_in_order_and_leave_the_outbox(service, eventually, opened):
    await service.create("louvre", 50)
    await service.create("paris", departures={"dep_1": (3, 40)})
    for _ in range(10):
        await service.book("louvre", 1)
        await service.book("paris", 2)

    await eventually(lambda: len(service.of("paris")) == 11 and len(service.of("louvre")) == 11)

    assert [event.version for event in service.of("louvre")] == list(range(1, 12))
    assert [event.available_seats for event in service.of("paris")] == list(range(40, 18, -2))
    assert service.of("paris")[-1].departure.available_seats == 20

    async def nothing_left():
        return not await _left(service, opened)

    await eventually(nothing_left)


async def test_a_booking_wakes_the_relay_at_once(clean_url, running, unhurried, eventually):
    async with running(clean_url) as service:
        await service.create("louvre", 50)
        await eventually(lambda: service.of("louvre"), timeout=5)
        await service.book("louvre")
        await eventually(lambda: len(service.of("louvre")) == 2, timeout=5)


async def test_a_long_backlog_flows_in_order(clean_url, running, opened, eventually):
    async with opened(clean_url) as office, office.database.transaction() as tx:
        for version in range(relay.BATCH * 2 + 10):
            event = wire_events.TourClosedEvent(
                event_id=f"evt_{version}", tour_id="paris", timestamp=office.clock(), version=version
            )
            await outbox.add_event(tx, event, event.tour_id, None)

    async with running(clean_url) as service:
        await eventually(lambda: len(service.events) >= relay.BATCH * 2 + 10)
        assert [event.version for event in service.events] == list(range(relay.BATCH * 2 + 10))


# The broker


async def test_without_a_broker_bookings_go_on_and_their_events_wait(
    clean_url, running, broker, hasty, eventually, opened
):
    async with running(clean_url, broker) as service:
        await service.create("louvre", 50)
        await eventually(lambda: service.events)
        assert (await service.health())["status"] == "ok"

        broker.away = True
        for _ in range(5):
            assert (await service.book("louvre")).status_code == 200

        async def degraded():
            health = await service.health()
            return health["status"] == "degraded" and health["checks"]["outbox"].startswith("5 waiting")

        await eventually(degraded)
        assert (await service.client.get("/health/ready")).status_code == 200
        assert [row.attempts for row in await _left(service, opened)] == [0] * 5
        metrics = (await service.client.get("/metrics")).text
        assert "seatcast_outbox_waiting 5.0" in metrics

        broker.away = False
        await eventually(lambda: len(service.events) == 6)
        assert [event.version for event in service.events] == [1, 2, 3, 4, 5, 6]

        async def well():
            return (await service.health())["status"] == "ok"

        await eventually(well)


async def test_a_refused_event_is_set_aside_after_five_tries_and_holds_up_nothing(
    clean_url, running, broker, hasty, eventually, opened
):
    broker.refused = {"cursed"}
    async with running(clean_url, broker) as service:
        await service.create("cursed", 50)
        await service.create("louvre", 50)
        await eventually(lambda: service.of("louvre"))

        async def parked():
            rows = await _left(service, opened)
            return rows if rows and rows[0].parked_at else None

        [row] = await eventually(parked)
        assert (row.attempts, row.error) == (relay.PARK_AFTER, "not to my taste")

        broker.refused = set()
        await service.book("cursed")  # later events of the same tour carry newer facts, and pass
        await eventually(lambda: service.of("cursed"))
        assert [event.version for event in service.of("cursed")] == [2]

        async def told():
            health = await service.health()
            metrics = (await service.client.get("/metrics")).text
            assert (health["status"], health["checks"]["outbox"]) == ("degraded", "0 waiting, 1 set aside")
            assert "seatcast_outbox_parked_events_total 1.0" in metrics
            assert "seatcast_outbox_set_aside 1.0" in metrics
            assert "seatcast_outbox_published_events_total 2.0" in metrics
            return True

        await eventually(told)


async def test_a_row_stays_until_the_broker_says_that_it_holds_it(
    clean_url, running, broker, eventually, opened
):
    broker.answering.clear()
    async with running(clean_url, broker) as service:
        await service.create("louvre", 50)
        await eventually(lambda: broker.held)
        assert len(await _left(service, opened)) == 1

        broker.answering.set()

        async def gone():
            return not await _left(service, opened)

        await eventually(gone)


async def test_an_end_between_publishing_and_deleting_sends_twice_and_loses_nothing(
    clean_url, running, broker, eventually
):
    broker.answering.clear()
    async with running(clean_url, broker) as service:
        await service.create("louvre", 50)
        await eventually(lambda: broker.held)

    broker.answering.set()
    async with running(clean_url, broker) as service:
        await eventually(lambda: service.events)

    assert len({event.event_id for event in broker.held}) == 1
    assert len(broker.held) == 2


async def test_a_defect_in_the_relay_ends_the_service_loudly(sqlite_url):
    class Broken(MemoryBroker):
        async def publish(self, messages):
            raise ZeroDivisionError("a defect")

    with pytest.raises(ExceptionGroup) as caught:
        async with tours(Settings(database_url=sqlite_url), Broken(), Tokens(None)):
            await asyncio.sleep(30)

    assert caught.value.subgroup(ZeroDivisionError)


# Ticks


async def test_it_ticks_once_a_second_with_what_it_has_sent(clean_url, running, eventually):
    loop = asyncio.get_running_loop()
    async with running(clean_url) as service:
        await service.create("louvre", 50)
        await eventually(lambda: service.ticks)
        started = loop.time()
        before = len(service.ticks)
        await eventually(lambda: len(service.ticks) == before + 2)
        assert 1.0 <= loop.time() - started < 2.9  # two more in two seconds, give or take the first one's age

        assert service.ticks[-1].watermark > 0
        assert len({tick.epoch for tick in service.ticks}) == 1
        assert service.ticks[-1].epoch == service.events[0].epoch
