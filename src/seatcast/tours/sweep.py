"""What time does: departures that have started are closed, and old notifications are forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from seatcast.domain import iso
from seatcast.tours import streams
from seatcast.tours.catalogue import Catalogue
from seatcast.tours.database import Database, describe

_log = structlog.get_logger(__name__)

SECONDS = 1.0
"""Between two looks: so late may a departure be closed."""

NOTIFICATIONS_KEPT = timedelta(days=7)

BATCH = 50
"""Notifications forgotten in one transaction: it holds the streams of as many users for some milliseconds."""


async def sweep(database: Database, catalogue: Catalogue, now: Callable[[], str]) -> None:
    """Do what is due, until cancelled. A database that cannot be reached is asked again; its absence ends nothing."""
    while True:
        await _try(database, "past departures are not being closed", close_past(catalogue))
        await _try(database, "old notifications are not being deleted", forget_old(database, now()))
        await asyncio.sleep(SECONDS)


async def _try(database: Database, otherwise: str, work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:
        problem = describe(error, database.url)
        if problem is None:
            raise
        _log.warning(otherwise, reason=str(problem))


async def close_past(catalogue: Catalogue) -> None:
    closed = await catalogue.close_past()
    if closed:
        _log.info("departures have left and are closed", count=closed)


async def forget_old(database: Database, now: str) -> None:
    """Delete the notifications that are older than `NOTIFICATIONS_KEPT`, a batch at a time."""
    before = iso(datetime.fromisoformat(now) - NOTIFICATIONS_KEPT)
    if not await database.read_at_once(lambda connection: streams.has_older(connection, before)):
        return
    while await database.write_at_once(lambda tx: streams.forget(tx, before, BATCH)) == BATCH:
        pass
