"""Bringing the database to this version's schema."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from seatcast.config import redacted
from seatcast.tours.database import Database, DatabaseUnavailable, open_database, wait_for_database

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x5EA7CA57
"""Advisory lock key: one process migrates, the others wait for it and find nothing to do."""


async def migrate(
    url: str,
    *,
    new_epoch: bool = False,
    wait_seconds: float = 0.0,
    waiting: Callable[[str], None] = lambda reason: None,
) -> str:
    """Bring the database to this version's schema and return its revision. Safe from several processes at once.

    `new_epoch` is for after a restore: versions then start anew for every client. Raises `DatabaseUnavailable`
    if the database cannot be reached within `wait_seconds` (`waiting` is told each failure), or is newer than
    this program, which must not guess what it means.
    """
    async with open_database(url, patient=True) as database:
        await wait_for_database(database, wait_seconds, waiting)
        return await _migrate(database, new_epoch)


async def _migrate(database: Database, new_epoch: bool) -> str:
    async with database.transaction() as connection:
        if database.postgresql:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        revision = await connection.run_sync(_upgrade, redacted(database.url))
        if new_epoch:
            await connection.execute(
                text("UPDATE seatcast_meta SET epoch = :epoch"), {"epoch": secrets.token_hex(8)}
            )
        return revision


def _upgrade(connection: Connection, where: str) -> str:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    head = ScriptDirectory.from_config(config).get_current_head()
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise DatabaseUnavailable(
                f"database {where} was migrated by a newer Seatcast than this one (which knows revisions up to {head}):"
                " run that version, or restore an older backup",
                final=True,
            ) from None
        raise
    return str(head)
