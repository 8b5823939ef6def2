"""What is particular to SQLite: how its connections are set up, and transactions in one hop to a thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar, cast

from sqlalchemy import URL, Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection

BEGIN_WRITING: Final = "BEGIN IMMEDIATE"
"""Deferred transactions, the default, let two readers become writers, which oversells."""

BEGIN_READING: Final = "BEGIN"

T = TypeVar("T")

Steps = Callable[[AsyncConnection], Coroutine[Any, Any, T]]
"""A transaction's work, which awaits nothing but its connection."""


class _AtOnce:
    """What steps see as their connection in a thread: nothing they await ever waits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect

    async def execute(self, *arguments: Any) -> CursorResult[Any]:
        return self._connection.execute(*arguments)

    async def exec_driver_sql(self, *arguments: Any) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(*arguments)


class SqliteThread:
    """One connection in a thread of its own, where a whole transaction is one hop from the event loop.

    aiosqlite hops to its thread and back for every statement: half a millisecond each on a busy machine.
    """

    def __init__(self, where: URL, begin: str) -> None:
        self._begin = begin
        self._engine = create_engine(
            where.set(drivername="sqlite+pysqlite"),
            pool_size=1,
            max_overflow=0,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
        prepare(self._engine, begin=begin)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._connection: Connection | None = None
        """Kept: taking it from a pool and giving it back costs as much as a statement."""

    async def run(self, steps: Steps[T]) -> T:
        """Run steps in one transaction: commit at their end, roll back on any exception."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, steps)

    async def drive(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work in one transaction through the driver itself, for what is hot; otherwise as `run`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._drive, work)

    def _drive(self, work: Callable[[sqlite3.Connection], T]) -> T:
        driver: sqlite3.Connection | None = self._connected().connection.driver_connection
        assert driver is not None  # noqa: S101 - for mypy: a connection that is open has one
        driver.execute(self._begin)
        try:
            done = work(driver)
            driver.execute("COMMIT")
        except BaseException:
            if driver.in_transaction:  # a full disk may have ended it already
                driver.execute("ROLLBACK")
            raise
        return done

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.invalidated:
            self._connection = self._engine.connect()
        return self._connection

    def _run(self, steps: Steps[T]) -> T:
        connection = self._connected()
        with connection.begin():
            running = steps(cast(AsyncConnection, _AtOnce(connection)))
            # The same functions serve both databases; here they run to their end in one step, or not at all.
            try:
                running.send(None)
            except StopIteration as done:
                return cast(T, done.value)
            running.close()
            raise RuntimeError("these steps awaited something that is not SQL")

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._executor.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()


def prepare(engine: Engine, *, begin: str) -> None:
    """Set up the connections of an engine, and what its transactions begin with."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
