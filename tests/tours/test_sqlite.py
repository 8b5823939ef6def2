"""SQLite: connections set up for safety, and whole transactions in one hop to a thread."""

import asyncio
import sqlite3
import threading

import pytest
from sqlalchemy import create_engine, make_url, text

from seatcast.tours.database import open_database
from seatcast.tours.migrate import migrate
from seatcast.tours.sqlite import BEGIN_READING, BEGIN_WRITING, SqliteThread, prepare


@pytest.fixture
async def threads(sqlite_url):
    """`writing, reading`: the two threads of one file, with a table of numbers that no two rows share."""
    writing, reading = (SqliteThread(make_url(sqlite_url), begin) for begin in (BEGIN_WRITING, BEGIN_READING))
    await writing.run(_sql("CREATE TABLE numbers (n INTEGER UNIQUE)"))
    try:
        yield writing, reading
    finally:
        writing.close()
        reading.close()


def _sql(*statements):
    async def steps(connection):
        result = None
        for statement in statements:
            result = await connection.execute(text(statement))
        return result.all() if result is not None and result.returns_rows else None

    return steps


COUNT = _sql("SELECT count(*) FROM numbers")


@pytest.mark.parametrize("begin", [BEGIN_READING, BEGIN_WRITING])
def test_every_connection_is_set_up_for_safety(sqlite_url, begin):
    engine = create_engine(sqlite_url)
    prepare(engine, begin=begin)
    with engine.begin() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()

    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


async def test_all_of_a_transaction_is_kept_or_nothing(threads):
    writing, reading = threads
    await writing.run(_sql("INSERT INTO numbers VALUES (1)", "INSERT INTO numbers VALUES (2)"))

    with pytest.raises(Exception, match="UNIQUE"):
        await writing.run(_sql("INSERT INTO numbers VALUES (3)", "INSERT INTO numbers VALUES (1)"))

    assert await reading.run(COUNT) == [(2,)]


async def test_steps_run_outside_the_loops_thread_and_return_what_they_found(threads):
    writing, _ = threads

    async def where(connection):
        return threading.current_thread()

    assert await writing.run(where) is not threading.current_thread()
    assert await writing.run(where) is await writing.run(where)


async def test_steps_that_wait_for_something_else_are_a_defect_and_change_nothing(threads):
    writing, reading = threads

    async def waits(connection):
        await connection.execute(text("INSERT INTO numbers VALUES (1)"))
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaited something that is not SQL"):
        await writing.run(waits)

    assert await reading.run(COUNT) == [(0,)]
    await writing.run(_sql("INSERT INTO numbers VALUES (1)"))


async def test_a_caller_who_hangs_up_does_not_halve_a_transaction(threads):
    writing, reading = threads
    started, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def slowly(connection):
        await connection.execute(text("INSERT INTO numbers VALUES (1)"))
        loop.call_soon_threadsafe(started.set)
        go_on.wait(10)
        await connection.execute(text("INSERT INTO numbers VALUES (2)"))

    call = asyncio.create_task(writing.run(slowly))
    await started.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    go_on.set()
    await writing.run(_sql("INSERT INTO numbers VALUES (3)"))  # after it

    assert await reading.run(COUNT) == [(3,)]


async def test_reading_goes_on_while_somebody_writes(threads):
    writing, reading = threads
    started, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def slowly(connection):
        await connection.execute(text("INSERT INTO numbers VALUES (1)"))
        loop.call_soon_threadsafe(started.set)
        go_on.wait(10)

    call = asyncio.create_task(writing.run(slowly))
    await started.wait()
    try:
        assert await reading.run(COUNT) == [(0,)]
    finally:
        go_on.set()
    await call
    assert await reading.run(COUNT) == [(1,)]


async def test_closing_waits_for_what_is_under_way(sqlite_url):
    writing = SqliteThread(make_url(sqlite_url), BEGIN_WRITING)
    await writing.run(_sql("CREATE TABLE numbers (n INTEGER)"))
    call = asyncio.create_task(writing.run(_sql(*(f"INSERT INTO numbers VALUES ({n})" for n in range(50)))))
    await asyncio.sleep(0)
    writing.close()
    await call

    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (50,)
    connection.close()


async def test_writers_take_turns_however_they_write(sqlite_url):
    """In steps or at once: two ways to the one writer that SQLite allows, and nobody meets a lock."""
    await migrate(sqlite_url)
    async with open_database(sqlite_url) as database:

        async def in_steps():
            async with database.transaction() as tx:
                await tx.execute(text("UPDATE seatcast_meta SET epoch = epoch || 'a'"))
                await asyncio.sleep(0.001)

        async def add(tx):
            await tx.execute(text("UPDATE seatcast_meta SET epoch = epoch || 'b'"))

        await asyncio.gather(*(in_steps() if n % 2 else database.write_at_once(add) for n in range(40)))
        [(epoch,)] = await database.read_at_once(_sql("SELECT epoch FROM seatcast_meta"))

    assert (epoch.count("a") >= 20, len(epoch) - 16) == (True, 40)


async def test_work_through_the_driver_commits_whole_or_not_at_all(sqlite_url):
    await migrate(sqlite_url)
    async with open_database(sqlite_url) as database:

        def fail(driver):
            driver.execute("UPDATE seatcast_meta SET epoch = 'lost'")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await database.write_through_driver(fail)
        await database.write_through_driver(
            lambda driver: driver.execute("UPDATE seatcast_meta SET epoch = 'kept'")
        )
        assert await database.read_at_once(_sql("SELECT epoch FROM seatcast_meta")) == [("kept",)]
