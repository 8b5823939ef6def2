"""Several relays on one PostgreSQL: each partition has one sender at a time, and always one."""

import asyncio
import random
from collections import defaultdict
from contextlib import AsyncExitStack

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from seatcast.domain import partition_of
from seatcast.tours import outbox, relay, store
from seatcast.tours.announcements import availability_event
from seatcast.tours.metrics import RelayMetrics
from seatcast.tours.relay import Relay


async def test_notify_wakes_the_relay_that_holds_a_partition_in_another_process(
    clean_postgres_url, running, unhurried, opened, eventually
):
    """A booking at one tour service is sent by the other, which holds the tour's partition, long before its poll."""
    async with opened(clean_postgres_url) as office, running(clean_postgres_url) as holder:
        await holder.create("louvre", 50)
        await eventually(lambda: holder.of("louvre"), timeout=5)
        async with running(clean_postgres_url) as seller:
            await eventually(lambda: _listening(office, 2))

            await seller.book("louvre")

            await eventually(lambda: len(holder.of("louvre")) == 2, timeout=5)
            assert not seller.of("louvre")


async def _listening(office, count):
    found = await office.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    return len(found) == count


async def test_events_flow_on_when_listening_ends_and_listening_begins_anew(
    clean_postgres_url, running, opened, eventually, monkeypatch
):
    monkeypatch.setattr(relay, "_LISTEN_PING_SECONDS", 0.05)
    async with running(clean_postgres_url) as service, opened(clean_postgres_url) as elsewhere:
        [(first,)] = await eventually(lambda: _backends_listening(elsewhere))

        await elsewhere.rows("SELECT pg_terminate_backend(:pid)", pid=first)

        await elsewhere.undated("louvre", capacity=50)
        await eventually(lambda: service.of("louvre"), timeout=5)

        async def anew():
            found = await _backends_listening(elsewhere)
            return found and found[0][0] != first

        await eventually(anew)
        assert (await service.health())["status"] == "ok"


async def _backends_listening(office):
    return await office.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND query IN ('LISTEN seatcast_outbox', 'SELECT 1')"
    )


async def test_a_partition_that_somebody_else_sends_is_left_alone_and_others_flow(
    clean_postgres_url, running, opened, hasty, eventually
):
    async with opened(clean_postgres_url) as other, running(clean_postgres_url) as service:
        async with other.database.transaction() as tx:
            await tx.execute(
                text("SELECT pg_advisory_xact_lock(:space, :partition)"),
                {"space": outbox._LOCK_SPACE, "partition": partition_of("louvre")},
            )
            await service.create("louvre", 50)
            await service.create("paris", 50)
            await service.book("paris")
            await service.book("louvre")
            await eventually(lambda: len(service.of("paris")) == 2)
            await service.book("paris")
            await eventually(lambda: len(service.of("paris")) == 3)
            assert not service.of("louvre")
        await eventually(lambda: len(service.of("louvre")) == 2)


async def test_a_sale_is_not_sent_before_an_older_event_of_its_tour(
    clean_postgres_url, running, opened, unhurried, eventually
):
    """Sales are handed to the relay without being read back; an id taken earlier may be committed later."""
    async with running(clean_postgres_url) as service, opened(clean_postgres_url) as elsewhere:
        await service.create("louvre", 50)
        await service.create("paris", 50)
        await service.book("paris")
        await eventually(lambda: len(service.of("paris")) == 2 and service.of("louvre"))
        async with elsewhere.database.transaction() as tx:
            now = elsewhere.clock()
            tour = await store.change_tour(tx, "louvre", now)
            event = availability_event("evt_slow", "e", tour, None, now)
            await outbox.add_event(tx, event, "louvre", None)
            await service.book("paris")
            await eventually(lambda: len(service.of("paris")) == 3)

        await service.book("louvre")

        await eventually(lambda: len(service.of("louvre")) == 3)
        assert [event.version for event in service.of("louvre")] == [1, 2, 3]


async def test_sales_one_after_the_other_are_sent_without_being_read_back(
    clean_url, running, unhurried, eventually, monkeypatch
):
    """What makes a lone booking fast. (The server's other users may be in the way of the first of them.)"""
    reads = []
    query = outbox._waiting
    monkeypatch.setattr(outbox, "_waiting", lambda *given: reads.append(given) or query(*given))
    async with running(clean_url) as service:
        await service.create("louvre", 5_000)
        in_a_row, sold = 0, 0
        while in_a_row < 5:
            before = len(reads)
            await service.book("louvre")
            sold += 1
            await eventually(lambda sold=sold: len(service.of("louvre")) == sold + 1)
            in_a_row = in_a_row + 1 if len(reads) == before else 0


async def test_when_a_holder_ends_another_takes_over(clean_postgres_url, running, eventually):
    async with running(clean_postgres_url) as seller:
        async with running(clean_postgres_url) as other:
            await seller.create("louvre", 50)
            await eventually(lambda: seller.of("louvre") or other.of("louvre"))
            holder = seller if seller.of("louvre") else other
            if holder is seller:
                await other.book("louvre")  # sent by the holder, whoever sells
                await eventually(lambda: len(seller.of("louvre")) == 2)
        before = len(seller.of("louvre"))
        await seller.book("louvre")
        await eventually(lambda: len(seller.of("louvre")) == before + 1)


async def test_one_who_cannot_reach_the_broker_lets_another_send(
    clean_postgres_url, running, broker, hasty, eventually
):
    async with running(clean_postgres_url, broker) as cut_off, running(clean_postgres_url) as well:
        await cut_off.create("louvre", 50)
        await eventually(lambda: cut_off.of("louvre") or well.of("louvre"))

        broker.away = True
        for seats in range(1, 4):
            assert (await cut_off.book("louvre", seats)).status_code == 200

        await eventually(lambda: [event.available_seats for event in well.of("louvre")][-3:] == [49, 47, 44])


@pytest.mark.parametrize("disturbed", [False, True], ids=["undisturbed", "sessions ended"])
async def test_two_relays_lose_nothing_and_keep_the_order_of_every_tour(
    clean_postgres_url, opened, broker, eventually, monkeypatch, disturbed
):
    """Sixteen writers, some of whose transactions are slow: ids are handed out before commit.

    Undisturbed, each event comes once. Where the server ends the sessions that hold the partitions, some come
    again, as they were.
    """
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.02)
    broker.delay = 0.002
    names = [f"tour_{number}" for number in range(12)]
    async with AsyncExitStack() as stack:
        offices = [await stack.enter_async_context(opened(clean_postgres_url)) for _ in range(4)]
        for name in names:
            await offices[0].undated(name, capacity=1)
        relays = [
            Relay(office.database, broker, "epoch", RelayMetrics(CollectorRegistry()))
            for office in offices[2:]
        ]
        sending = [asyncio.create_task(one.run()) for one in relays]

        async def write(number):
            chance = random.Random(number)
            office = offices[number % 2]
            for turn in range(20):
                name = chance.choice(names)
                async with office.database.transaction() as tx:
                    now = office.clock()
                    tour = await store.change_tour(tx, name, now)
                    event = availability_event(f"evt_{number}_{turn}", "epoch", tour, None, now)
                    await outbox.add_event(tx, event, event.tour_id, None)
                    if chance.random() < 0.1:
                        await asyncio.sleep(0.05)

        ends = []

        async def disturb():
            while True:
                ends.extend(await _end_holders(offices[0]))
                await asyncio.sleep(0.05)

        disturbing = asyncio.create_task(disturb()) if disturbed else asyncio.create_task(asyncio.sleep(60))
        try:
            async with asyncio.TaskGroup() as writers:
                for number in range(16):
                    writers.create_task(write(number))
            disturbing.cancel()
            events = len(names) + 16 * 20
            await eventually(lambda: len({event.event_id for event in broker.held}) == events, timeout=20)
            assert ends if disturbed else len(broker.held) == events
        finally:
            for task in (*sending, disturbing):
                task.cancel()
            outcomes = await asyncio.gather(*sending, disturbing, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes

        versions = defaultdict(dict)
        for event in broker.held:
            versions[event.tour_id].setdefault(event.version)
        for name in names:
            assert list(versions[name]) == list(range(1, (await offices[0].tour(name)).version + 1))


async def _end_holders(office):
    return await office.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
