"""What time does, and that it goes on when the database was away."""

import asyncio

import pytest

from seatcast.tours import streams, sweep


@pytest.fixture
def sweeping(office, monkeypatch):
    """`async with sweeping():` the sweep runs, every few milliseconds."""
    monkeypatch.setattr(sweep, "SECONDS", 0.005)

    class Sweeping:
        async def __aenter__(self):
            self.task = asyncio.create_task(sweep.sweep(office.database, office.catalogue, office.clock))
            return self.task

        async def __aexit__(self, *_):
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    return Sweeping


async def _seqs(office, user="ana"):
    async with office.database.reading() as connection:
        page = await streams.read(connection, streams.stream_of(user), limit=1_000)
    return page.resumed, [seq for seq, _ in page.messages]


async def test_notifications_are_kept_for_seven_days_and_no_longer(office, sweeping):
    await office.undated("louvre", capacity=500)
    await office.book("louvre", user="ana")
    office.clock.forward(days=1)
    await office.book("louvre", user="ana")
    office.clock.forward(days=6)

    async with sweeping():
        await asyncio.sleep(0.1)
        assert await _seqs(office) == (True, [1, 2])
        office.clock.forward(seconds=1)
        await _until(lambda: _seqs(office), (False, [2]))
        office.clock.forward(days=7)
        await _until(lambda: _seqs(office), (False, []))


async def _until(ask, expected):
    async with asyncio.timeout(10):
        while await ask() != expected:
            await asyncio.sleep(0.01)


async def test_however_many_are_old_each_transaction_is_small(office, monkeypatch):
    await office.undated("louvre", capacity=500)
    await office.race(office.book("louvre", user=f"user_{n % 9}") for n in range(sweep.BATCH * 2 + 7))
    office.clock.forward(days=8)
    limits, forget = [], streams.forget

    async def counted(tx, before, limit):
        limits.append(limit)
        return await forget(tx, before, limit)

    monkeypatch.setattr(streams, "forget", counted)

    await sweep.forget_old(office.database, office.clock())

    assert limits == [sweep.BATCH] * 3
    assert await office.rows("SELECT * FROM messages") == []


async def test_departures_that_have_started_are_closed(office, sweeping):
    await office.dated("paris", capacities=(5,))
    office.clock.forward(days=1)

    async def closed():
        return (await office.departure("paris", "dep_1")).closed_at is not None

    async with sweeping():
        await _until(closed, True)


async def test_the_sweep_outlives_a_database_that_is_away_but_no_defect(office, sweeping, monkeypatch):
    await office.dated("paris", capacities=(5,))
    office.clock.forward(days=1)
    failures = [OSError("connection lost")] * 3
    close_past = type(office.catalogue).close_past

    async def failing(catalogue):
        if failures:
            raise failures.pop()
        return await close_past(catalogue)

    monkeypatch.setattr(type(office.catalogue), "close_past", failing)

    async def closed():
        return (await office.departure("paris", "dep_1")).closed_at is not None

    async with sweeping() as task:
        await _until(closed, True)
        failures.append(ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(task, 5)
