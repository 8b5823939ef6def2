"""Opening the database: PostgreSQL through asyncpg, SQLite through aiosqlite.

SQLite allows one writer: writing transactions take turns here, first come first served, and begin IMMEDIATE
(`sqlite.py`). Reading never waits for a writer (WAL). What is hot is one hop to a thread (`write_at_once`).
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import asyncpg
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from seatcast.config import SettingsError, redacted
from seatcast.tours.sqlite import BEGIN_READING, BEGIN_WRITING, SqliteThread, Steps, prepare

ANSWER_SECONDS = 10.0
"""PostgreSQL: how long a statement, a new connection or a free one is waited for. A server that hangs would otherwise
keep every caller for as long as it does.
"""

_PARAMETERS = frozenset(
    {
        "application_name",
        "host",
        "port",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
    }
)
"""What may follow `?` in PostgreSQL's URL, by the names of its own clients (documentation, 34.1.2)."""

_PRIVATE: dict[str, Any] = {"hide_parameters": True}
"""No error's text holds a statement's values: who books what does not belong in a log."""

_PASSING = (
    asyncpg.OperatorInterventionError,  # shutting down, starting up, a session ended or a statement cancelled
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.TransactionRollbackError,  # a deadlock with somebody else's statement
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not the primary yet
)
"""What PostgreSQL says of its state rather than of our statement: the same may succeed later."""

_SQLITE_PASSING = re.compile("locked|full|disk I/O|readonly")


class DatabaseUnavailable(Exception):
    """The database cannot be used; the text is one line that says which and why. `final`: waiting will not help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


T = TypeVar("T")


@dataclass(frozen=True)
class Database:
    """An open database. `readers` and `writers` are the same engine on PostgreSQL."""

    url: str
    readers: AsyncEngine
    writers: AsyncEngine
    reading_thread: SqliteThread | None
    writing_thread: SqliteThread | None
    turn: asyncio.Lock
    """SQLite: whose turn it is to write. Its own busy handler sleeps, and is not fair."""
    answer_seconds: float | None
    """How long an answer is waited for; None on SQLite, which is in this process."""
    turn_seconds: float = 30.0
    """How long a caller waits for its turn."""

    @property
    def postgresql(self) -> bool:
        return self.writers.dialect.name == "postgresql"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Begin a writing transaction; commit at the end, roll back on any exception."""
        if self.postgresql:
            async with self.writers.begin() as connection:
                yield connection
        else:
            async with self._one_writer(), self.writers.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _one_writer(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.turn_seconds):
                await self.turn.acquire()
        except TimeoutError:
            raise DatabaseUnavailable(
                f"database {redacted(self.url)}: no connection was free in time"
            ) from None
        try:
            yield
        finally:
            self.turn.release()

    async def write_at_once(self, steps: Steps[T]) -> T:
        """Run steps in one writing transaction; on SQLite in one hop to a thread."""
        if self.writing_thread is None:
            async with self.transaction() as tx:
                return await steps(tx)
        async with self._one_writer():
            return await self.writing_thread.run(steps)

    async def write_through_driver(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """SQLite only: run work in one writing transaction through the driver itself, in one hop to a thread."""
        if self.writing_thread is None:
            raise RuntimeError("this database is not SQLite")
        async with self._one_writer():
            return await self.writing_thread.drive(work)

    async def read_at_once(self, steps: Steps[T]) -> T:
        """Run steps that read in one transaction; on SQLite in one hop to a thread."""
        if self.reading_thread is None:
            async with self.reading() as connection:
                return await steps(connection)
        return await self.reading_thread.run(steps)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Begin a read-only transaction that sees one instant of the whole database."""
        async with self.readers.connect() as connection:
            if self.postgresql:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            async with connection.begin():
                yield connection


@asynccontextmanager
async def open_database(url: str, *, patient: bool = False) -> AsyncIterator[Database]:
    """Make the engines for `postgresql://...` or `sqlite:///file`; connects on first use.

    `patient`: statements may take as long as they like. Raises `SettingsError` for a URL that is neither.
    """
    where = _engine_url(url)
    seconds = None
    if where.get_backend_name() == "postgresql":
        seconds = ANSWER_SECONDS
        arguments = {
            "timeout": seconds,
            "command_timeout": None if patient else seconds,
            # asyncpg knows these words in an address alone; what is not in this one is in the URL.
            "dsn": f"postgresql:///?{urlencode(where.query)}",
        }
        engine = create_async_engine(
            where.set(query={}),
            pool_size=9,
            max_overflow=0,
            pool_timeout=seconds,
            connect_args=arguments,
            **_PRIVATE,
        )
        readers = writers = engine
        reading_thread = writing_thread = None
    else:
        writers = create_async_engine(where, pool_size=1, max_overflow=0, pool_timeout=30, **_PRIVATE)
        readers = create_async_engine(where, pool_size=4, max_overflow=0, pool_timeout=30, **_PRIVATE)
        prepare(writers.sync_engine, begin=BEGIN_WRITING)
        prepare(readers.sync_engine, begin=BEGIN_READING)
        writing_thread = SqliteThread(where, BEGIN_WRITING)
        reading_thread = SqliteThread(where, BEGIN_READING)
    try:
        yield Database(url, readers, writers, reading_thread, writing_thread, asyncio.Lock(), seconds)
    finally:
        for thread in (reading_thread, writing_thread):
            if thread is not None:
                thread.close()
        await writers.dispose()
        if readers is not writers:
            await readers.dispose()


def _engine_url(url: str) -> URL:
    try:
        where = make_url(url)
    except ArgumentError:
        raise SettingsError("database-url is not a URL") from None
    if where.get_backend_name() in {"postgresql", "postgres"}:
        if unknown := where.query.keys() - _PARAMETERS:
            raise SettingsError(
                f"database-url has {min(unknown)!r}, which is none of {', '.join(sorted(_PARAMETERS))}"
            )
        return where.set(drivername="postgresql+asyncpg")
    if not where.database:
        raise SettingsError("database-url must name a file: sqlite:///seatcast.sqlite3")
    return where.set(drivername="sqlite+aiosqlite")


async def wait_for_database(database: Database, seconds: float, waiting: Callable[[str], None]) -> None:
    """Return once the database answers; raise `DatabaseUnavailable` if it has not within `seconds`.

    `waiting(reason)` is called after every failed try. What waiting cannot mend (a wrong password, a database
    that does not exist, a folder that cannot be written) is raised at once.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = 0.1
    while True:
        try:
            async with asyncio.timeout(max(0.5, deadline - loop.time())):
                if not database.postgresql:
                    await asyncio.to_thread(_probe_file, str(database.readers.url.database))
                async with database.readers.connect() as connection:
                    await connection.execute(text("SELECT 1"))
            return
        except Exception as error:
            problem = describe(error, database.url)
            if problem is None:
                raise
            if problem.final or loop.time() + pause > deadline:
                raise problem from None
            waiting(str(problem))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


def _probe_file(path: str) -> None:
    """Open and read an SQLite file. aiosqlite leaves a thread behind where it cannot, which may speak after us."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA schema_version").fetchone()


def describe(error: BaseException, url: str) -> DatabaseUnavailable | None:
    """Return what a failed connection means, in one line without secrets; None if it is something else."""
    cause: BaseException | None = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig
    chain: list[BaseException] = []
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    where = f"database {redacted(url)}"
    for link in chain:
        if isinstance(link, DatabaseUnavailable):
            return link
        if isinstance(link, asyncpg.InvalidAuthorizationSpecificationError):
            return DatabaseUnavailable(f"{where}: user or password refused", final=True)
        if isinstance(link, asyncpg.InvalidCatalogNameError):
            return DatabaseUnavailable(f"{where}: there is no such database", final=True)
        if isinstance(link, _PASSING):
            return DatabaseUnavailable(f"{where}: {_reason(link)}")
        if isinstance(link, PoolTimeoutError):
            return DatabaseUnavailable(f"{where}: no connection was free in time")
        if isinstance(link, sqlite3.OperationalError) and _SQLITE_PASSING.search(str(link)):
            return DatabaseUnavailable(f"{where}: {link}")
        if isinstance(link, sqlite3.OperationalError) and "unable to open" in str(link):
            return DatabaseUnavailable(f"{where}: the file cannot be opened or made", final=True)
        if isinstance(link, sqlite3.DatabaseError) and "not a database" in str(link):
            return DatabaseUnavailable(f"{where}: the file is not an SQLite database", final=True)
        if isinstance(
            link,
            asyncpg.PostgresConnectionError
            | asyncpg.InterfaceError
            | asyncpg.DeadlockDetectedError  # nothing has changed: as good as not having been asked
            | asyncpg.InternalClientError  # a session that the server ended while nothing was asked of it
            | OSError
            | TimeoutError,
        ):
            return DatabaseUnavailable(f"{where}: {_reason(link)}")
    return None


def names_nothing(error: BaseException) -> bool:
    """Return whether a statement failed for a text with NUL in it: PostgreSQL holds none, so nothing is called that."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else None
    return isinstance(cause, asyncpg.CharacterNotInRepertoireError)


def _reason(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
