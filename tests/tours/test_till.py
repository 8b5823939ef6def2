"""The till: who waits together is sold to together, and one caller's trouble is nobody else's."""

import asyncio

import pytest

from seatcast.domain import new_id
from seatcast.tours.group_commit import BATCH
from seatcast.tours.selling import Taking
from seatcast.tours.till import Till


def wish(tour_id="louvre", seats=1, key=None):
    scope = None if key is None else "anonymous"
    return Taking(new_id("bkg"), tour_id, tour_id, seats, None, scope, key, key, None)


@pytest.fixture
async def gather(office):
    """`await gather(*wishes, hang_up=())`: let the wishes wait, cancel some, then open the till."""

    async def ask(*wishes, hang_up=()):
        till = Till(
            office.database, office.desk.epoch, lambda events: office.woken.append("till"), office.clock
        )
        calls = [asyncio.create_task(till.take(one)) for one in wishes]
        await asyncio.sleep(0)
        for index in hang_up:
            calls[index].cancel()
        await asyncio.sleep(0)
        selling = asyncio.create_task(till.run())
        try:
            return await asyncio.gather(*calls, return_exceptions=True)
        finally:
            selling.cancel()
            await asyncio.gather(selling, return_exceptions=True)

    return ask


async def test_those_who_wait_together_share_one_transaction_and_one_event(office, gather):
    await office.undated("louvre", capacity=500)

    results = await gather(*(wish() for _ in range(BATCH + 50)))

    assert all(results)
    assert [event.available_seats for event in await office.events()] == [500, 400, 350]
    assert office.woken.count("till") == 2
    await office.check()


async def test_who_hung_up_while_waiting_is_not_sold_anything(office, gather):
    await office.undated("louvre", capacity=10)

    results = await gather(*(wish(seats=n) for n in (1, 2, 3)), hang_up=[1])

    assert [isinstance(result, asyncio.CancelledError) for result in results] == [False, True, False]
    assert (await office.tour("louvre")).sold == 4


async def test_when_everybody_hung_up_nothing_is_asked(office, gather):
    await office.undated("louvre", capacity=10)
    before = await office.everything()

    await gather(wish(), wish(), hang_up=[0, 1])

    assert await office.everything() == before


async def test_nothing_sold_tells_nobody(office, gather):
    await office.undated("louvre", capacity=1)
    office.woken.clear()

    assert await gather(wish(seats=2), wish("nowhere")) == [None, None]
    assert office.woken == []


async def test_a_key_that_comes_twice_in_one_batch_is_sold_once(office, gather):
    await office.undated("louvre", capacity=10)

    results = await gather(wish(), wish(key="k"), wish(key="k"), wish())

    assert [result is not None for result in results] == [True, True, False, True]
    assert (await office.tour("louvre")).sold == 3
    await office.check()


async def test_a_failing_database_fails_the_batch_that_met_it_and_not_the_till(office):
    await office.undated("louvre", capacity=10)
    await office.execute("ALTER TABLE bookings RENAME TO mislaid")

    try:
        failed = await asyncio.gather(*(office.till.take(wish()) for _ in range(3)), return_exceptions=True)
    finally:
        await office.execute("ALTER TABLE mislaid RENAME TO bookings")

    assert all("bookings" in str(failure) for failure in failed)
    assert await office.till.take(wish())
    assert (await office.tour("louvre")).sold == 1
    await office.check()


async def test_a_till_that_closes_lets_go_of_those_it_was_serving(office):
    await office.undated("louvre", capacity=10)
    till = Till(office.database, office.desk.epoch, lambda events: None, office.clock)
    async with office.database.transaction() as tx:
        await tx.exec_driver_sql("UPDATE departures SET changed_at = changed_at")  # its row is locked
        selling = asyncio.create_task(till.run())
        waiting = asyncio.create_task(till.take(wish()))
        while not till._wishes._arrived.is_set():
            await asyncio.sleep(0)
        while till._wishes._queue:
            await asyncio.sleep(0)
        selling.cancel()
        await asyncio.gather(selling, return_exceptions=True)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 5)
    assert (await office.tour("louvre")).sold == 0
