"""Migrating and reading: one schema on both databases, safe in company."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from seatcast.tours import schema
from seatcast.tours.database import DatabaseUnavailable, open_database
from seatcast.tours.migrate import migrate

MIGRATIONS = Path(schema.__file__).parent / "migrations"
HEAD = ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def _rows(url, query):
    async with open_database(url) as database, database.reading() as connection:
        return list(await connection.execute(text(query)))


async def _execute(url, *statements):
    async with open_database(url) as database, database.transaction() as tx:
        for statement in statements:
            await tx.execute(text(statement))


# The schema


async def test_the_migrations_make_exactly_the_tables_that_the_code_knows(database_url):
    await migrate(database_url)

    def differences(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, schema.metadata)

    async with open_database(database_url) as database, database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_check_constraints_are_the_codes_own(database_url):
    """`compare_metadata` does not look at them."""
    await migrate(database_url)
    named = {
        constraint.name
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
        if "ck_" in str(constraint.name)
    }
    if database_url.startswith("sqlite"):
        made = await _rows(database_url, "SELECT sql FROM sqlite_master WHERE type = 'table'")
        found = set(re.findall(r"CONSTRAINT (\w+) CHECK", " ".join(row.sql for row in made)))
    else:
        made = await _rows(
            database_url, "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
        )
        found = {row.conname for row in made if row.conname.startswith("ck_")}
    assert found == named


_TOUR = "INSERT INTO tours VALUES ('t', 'T', 100, 'EUR', 'Europe/Paris', true, {seats}, 1, '', NULL, 0)"
_DEPARTURE = "INSERT INTO departures VALUES ('t', 'd', NULL, {seats}, 1, '', NULL, 0)"
_BOOKING = (
    "INSERT INTO bookings (id, tour_id, departure_id, seats, status, total_minor, currency, created_at,"
    " key_scope, key) VALUES ('{id}', 't', '{departure}', {seats}, '{status}', 0, 'EUR', '', {scope}, {key})"
)


def _booking(id="b", departure="d", seats=1, status="confirmed", scope="NULL", key="NULL"):
    return _BOOKING.format(id=id, departure=departure, seats=seats, status=status, scope=scope, key=key)


_IMPOSSIBLE = [
    ("seats_add_up", ["UPDATE tours SET available = available - 1"]),
    ("seats_add_up", ["UPDATE tours SET held = 3, sold = 8"]),
    ("seats_not_negative", ["UPDATE tours SET available = -1, sold = 11"]),
    ("seats_not_negative", ["UPDATE tours SET available = 11, held = -1"]),
    ("seats_not_negative", ["UPDATE tours SET available = 11, sold = -1"]),
    ("seats_add_up", ["UPDATE departures SET available = available - 1"]),
    ("seats_add_up", ["UPDATE departures SET capacity = capacity + 1"]),
    ("seats_not_negative", ["UPDATE departures SET available = -1, sold = 11"]),
    ("bookings_not_negative", ["UPDATE departures SET bookings = bookings - 1"]),
    ("revenue_not_negative", ["UPDATE tours SET revenue_minor = revenue_minor - 1"]),
    ("seats_positive", [_booking(seats=0)]),
    ("seats_positive", [_booking(seats=-2)]),
    ("status_known", [_booking(status="perhaps")]),
    ("(?i)foreign key", [_booking(departure="elsewhere")]),
    ("(?i)foreign key", ["DELETE FROM tours"]),
    ("one_row", ["INSERT INTO seatcast_meta VALUES (2, 'another')"]),
    ("(?i)unique", [_booking(scope="'user:a'", key="'k'"), _booking("c", scope="'user:a'", key="'k'")]),
    ("(?i)not.null", ["UPDATE tours SET name = NULL"]),
]


async def test_rows_that_cannot_be_are_refused_by_the_database_itself(database_url, subtests):
    await migrate(database_url)
    seats = "10, 10, 0, 0"
    await _execute(database_url, _TOUR.format(seats=seats), _DEPARTURE.format(seats=seats))

    for constraint, statements in _IMPOSSIBLE:
        with subtests.test(statements[-1]), pytest.raises(IntegrityError, match=constraint):
            await _execute(database_url, *statements)


async def test_the_first_migration_makes_an_epoch_and_only_a_restore_another(database_url):
    await migrate(database_url)
    [first] = await _rows(database_url, "SELECT epoch FROM seatcast_meta")

    await migrate(database_url)
    assert await _rows(database_url, "SELECT epoch FROM seatcast_meta") == [first]

    assert await migrate(database_url, new_epoch=True) == await migrate(database_url)
    [other] = await _rows(database_url, "SELECT epoch FROM seatcast_meta")
    assert other != first


async def test_figures_of_bookings_made_before_there_were_any_are_filled_in(database_url):
    async with open_database(database_url) as database, database.transaction() as tx:
        await tx.run_sync(_upgrade_to, "0001")
        for name in ("paris", "rome"):
            await tx.exec_driver_sql(
                f"INSERT INTO tours VALUES ('{name}', 'T', 100, 'EUR', 'Europe/Paris', true, 9, 9, 0, 0, 1, '', NULL)"
            )
            for departure in ("d1", "d2"):
                await tx.exec_driver_sql(
                    f"INSERT INTO departures VALUES ('{name}', '{departure}', NULL, 9, 9, 0, 0, 1, '', NULL)"
                )
        for number, (departure, status, minor) in enumerate(
            [
                ("d1", "confirmed", 1_999),
                ("d1", "cancelled", 50),
                ("d1", "confirmed", 1),
                ("d2", "confirmed", 5),
            ]
        ):
            await tx.exec_driver_sql(
                "INSERT INTO bookings (id, tour_id, departure_id, seats, status, total_minor, currency, created_at)"
                f" VALUES ('b{number}', 'paris', '{departure}', 1, '{status}', {minor}, 'EUR', '')"
            )

    await migrate(database_url)

    counted = await _rows(database_url, "SELECT tour_id, id, bookings FROM departures ORDER BY 1, 2")
    assert [tuple(row) for row in counted] == [
        ("paris", "d1", 2),
        ("paris", "d2", 1),
        ("rome", "d1", 0),
        ("rome", "d2", 0),
    ]
    summed = await _rows(database_url, "SELECT id, revenue_minor FROM tours ORDER BY 1")
    assert [tuple(row) for row in summed] == [("paris", 2_005), ("rome", 0)]


def _upgrade_to(connection, revision):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


# In company


async def test_many_that_start_together_migrate_once(database_url):
    revisions = await asyncio.gather(*(migrate(database_url, wait_seconds=30) for _ in range(8)))

    assert set(revisions) == {HEAD}
    assert len(await _rows(database_url, "SELECT * FROM seatcast_meta")) == 1


async def test_processes_that_start_together_migrate_once(sqlite_url, postgres_url):
    program = (
        "import asyncio, sys; from seatcast.tours.migrate import migrate; sys.stdin.readline();"
        "[print(asyncio.run(migrate(url, wait_seconds=30))) for url in sys.argv[1:]]"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, sqlite_url, postgres_url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [await asyncio.to_thread(process.communicate) for process in processes]

    assert answers == [(f"{HEAD}\n{HEAD}\n", "")] * 2
    for url in (sqlite_url, postgres_url):
        assert len(await _rows(url, "SELECT * FROM seatcast_meta")) == 1


async def test_a_migration_that_fails_leaves_nothing_behind(database_url):
    await _execute(database_url, "CREATE TABLE outbox (mine integer)")

    with pytest.raises(Exception, match="already exists"):
        await migrate(database_url)

    with pytest.raises(Exception, match="tours"):
        await _rows(database_url, "SELECT * FROM tours")
    await _execute(database_url, "DROP TABLE outbox")
    assert await migrate(database_url) == HEAD


async def test_a_database_of_a_newer_seatcast_is_left_alone(database_url):
    await migrate(database_url)
    await _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(DatabaseUnavailable, match="newer Seatcast") as caught:
        await migrate(database_url, wait_seconds=30)

    assert HEAD in str(caught.value)
    assert caught.value.final
    assert [tuple(row) for row in await _rows(database_url, "SELECT * FROM alembic_version")] == [("9999",)]


# Reading


async def test_no_error_text_holds_what_somebody_asked_for(database_url):
    await migrate(database_url)
    async with open_database(database_url) as database, database.reading() as connection:
        with pytest.raises(DBAPIError, match="nothing") as caught:
            await connection.execute(text("SELECT nothing FROM tours WHERE id = :id"), {"id": "secret-key"})
        assert "secret-key" not in str(caught.value)


async def test_a_reader_sees_one_instant_while_writers_go_on(database_url):
    await migrate(database_url)
    seats = "10, 10, 0, 0"
    await _execute(database_url, _TOUR.format(seats=seats), _DEPARTURE.format(seats=seats))
    async with open_database(database_url) as database, database.reading() as reader:
        before = (await reader.execute(text("SELECT available FROM tours"))).scalar_one()
        async with database.transaction() as tx:
            await tx.execute(text("UPDATE tours SET available = 9, sold = 1"))
            await tx.execute(text("UPDATE departures SET available = 9, sold = 1"))
        assert (await reader.execute(text("SELECT available FROM tours"))).scalar_one() == before
        assert (await reader.execute(text("SELECT available FROM departures"))).scalar_one() == before


async def test_a_reader_cannot_write_on_postgresql(postgres_url):
    await migrate(postgres_url)
    async with open_database(postgres_url) as database, database.reading() as connection:
        with pytest.raises(Exception, match="read-only"):
            await connection.execute(text("DELETE FROM outbox"))
