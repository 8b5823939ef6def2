"""PostgreSQL through the driver itself, for the statements that are hot: SQLAlchemy's handling of a result with many columns
takes as long as such a statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.tours.database import Database


class Driver(Protocol):
    """The part of asyncpg's connection that is used."""

    async def fetch(self, query: str, *args: object) -> list[Sequence[Any]]: ...


async def driver_of(connection: AsyncConnection) -> Driver:
    """Return the driver's part of a connection; it ends with it."""
    driver: Driver | None = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # noqa: S101 - for mypy: a connection that is open has one
    return driver


class KeptDriver:
    """One connection, kept, on which every statement is a transaction.

    Taking it from the pool and giving it back costs half as much as a sale.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None
        self._driver: Driver | None = None

    async def connected(self) -> Driver:
        """Return the driver's connection, a new one if there is none."""
        if self._driver is None:
            self._connection = await self._database.writers.connect()
            await self._connection.execution_options(isolation_level="AUTOCOMMIT")
            self._driver = await driver_of(self._connection)
        return self._driver

    async def disconnect(self) -> None:
        """End the connection, whatever state it is in; the next use has a new one."""
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()
