"""Opening and migrating: one schema on both databases, safe in company, and one clear line when it cannot be."""

import asyncio
import re
import secrets
import subprocess
import sys
from dataclasses import replace

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from seatcast.config import SettingsError
from seatcast.tours import schema
from seatcast.tours.database import DatabaseUnavailable, describe, migrate, open_database, wait_for_database


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


_TOUR = "INSERT INTO tours VALUES ('t', 'T', 100, 'EUR', 'Europe/Paris', true, {seats}, 1, '', NULL)"
_DEPARTURE = "INSERT INTO departures VALUES ('t', 'd', NULL, {seats}, 1, '', NULL)"
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


# In company


async def test_many_that_start_together_migrate_once(database_url):
    revisions = await asyncio.gather(*(migrate(database_url, wait_seconds=30) for _ in range(8)))

    assert set(revisions) == {"0001"}
    assert len(await _rows(database_url, "SELECT * FROM seatcast_meta")) == 1


async def test_processes_that_start_together_migrate_once(sqlite_url, postgres_url):
    program = (
        "import asyncio, sys; from seatcast.tours.database import migrate; sys.stdin.readline();"
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

    assert answers == [("0001\n0001\n", "")] * 2
    for url in (sqlite_url, postgres_url):
        assert len(await _rows(url, "SELECT * FROM seatcast_meta")) == 1


async def test_a_migration_that_fails_leaves_nothing_behind(database_url):
    await _execute(database_url, "CREATE TABLE outbox (mine integer)")

    with pytest.raises(Exception, match="already exists"):
        await migrate(database_url)

    with pytest.raises(Exception, match="tours"):
        await _rows(database_url, "SELECT * FROM tours")
    await _execute(database_url, "DROP TABLE outbox")
    assert await migrate(database_url) == "0001"


# What is wrong, in one line


async def _refusal(url, **options):
    with pytest.raises(DatabaseUnavailable) as caught:
        await migrate(url, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert "pass" not in line.replace("password refused", "")
    return line, caught.value.final


async def test_a_database_of_a_newer_seatcast_is_left_alone(database_url):
    await migrate(database_url)
    await _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")

    line, final = await _refusal(database_url, wait_seconds=30)

    assert "newer Seatcast" in line
    assert "0001" in line
    assert final
    assert [tuple(row) for row in await _rows(database_url, "SELECT * FROM alembic_version")] == [("9999",)]


async def test_a_wrong_password_is_said_at_once_and_never_shown(private_postgres):
    role = f"guarded_{secrets.token_hex(4)}"
    rules = private_postgres.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{before}")
    connection = await asyncpg.connect(private_postgres.url)
    await connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'right-password'")
    await connection.execute("SELECT pg_reload_conf()")
    url = private_postgres.url.replace("postgres@", f"{role}:%s@")
    try:
        line, final = await _refusal(url % "wrong-pass", wait_seconds=30)
        assert line.endswith("user or password refused")
        assert f"127.0.0.1:{private_postgres.port}" in line
        assert final
        assert await migrate(url % "right-password") == "0001"
    finally:
        rules.write_text(before)
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()


async def test_an_unknown_user_is_refused_likewise(postgres_url):
    line, final = await _refusal(postgres_url.replace("postgres@", "nobody_here:wrong-pass@"))

    assert line.endswith("user or password refused")
    assert final


async def test_a_database_that_does_not_exist_is_named(postgres_url):
    line, final = await _refusal(f"{postgres_url}_not", wait_seconds=30)

    assert line.endswith("_not: there is no such database")
    assert final


async def test_a_refused_connection_is_waited_for_until_the_time_is_up(free_port):
    url = f"postgresql://postgres:wrong-pass@127.0.0.1:{free_port()}/seatcast"
    reasons = []

    line, final = await _refusal(url, wait_seconds=0.5, waiting=reasons.append)

    assert line.endswith("/seatcast: connection refused")
    assert not final
    assert reasons == [line] * len(reasons)
    assert len(reasons) >= 2


async def test_a_server_that_accepts_and_says_nothing_is_given_up(free_port):
    port = free_port()
    accepted = []
    server = await asyncio.start_server(lambda reader, writer: accepted.append(writer), "127.0.0.1", port)
    async with server:
        line, final = await _refusal(f"postgresql://postgres@127.0.0.1:{port}/seatcast", wait_seconds=0.1)

        for writer in accepted:
            writer.close()

    assert line.endswith("no answer in time")
    assert not final


async def test_a_file_that_is_no_sqlite_database_is_named(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("Buy bread, and a good deal more than one page of it." * 100)

    line, final = await _refusal(f"sqlite:///{file}", wait_seconds=30)

    assert line.endswith("notes.txt: the file is not an SQLite database")
    assert final
    assert file.read_text().startswith("Buy bread")


async def test_a_folder_that_is_missing_is_named(tmp_path):
    line, final = await _refusal(f"sqlite:///{tmp_path}/nowhere/seatcast.sqlite3", wait_seconds=30)

    assert line.endswith("nowhere/seatcast.sqlite3: the file cannot be opened or made")
    assert final


async def test_an_sqlite_file_that_somebody_holds_is_waited_for(sqlite_url):
    await migrate(sqlite_url)
    async with open_database(sqlite_url) as other:
        holding = asyncio.Event()

        async def hold():
            async with other.transaction():
                holding.set()
                await asyncio.sleep(0.3)

        holder = asyncio.create_task(hold())
        await holding.wait()
        assert await migrate(sqlite_url) == "0001"
        await holder


@pytest.mark.parametrize(
    ("url", "problem"),
    [("not a url", "is not a URL"), ("sqlite://", "must name a file"), ("sqlite:///", "must name a file")],
)
async def test_a_url_that_names_no_database_is_a_setting_error(url, problem):
    with pytest.raises(SettingsError, match=problem):
        async with open_database(url):
            pass


async def test_a_start_that_waits_goes_on_when_the_server_comes_up(private_postgres):
    await asyncio.to_thread(private_postgres.stop)
    waited = asyncio.Event()
    migrating = asyncio.create_task(
        migrate(private_postgres.url, wait_seconds=60, waiting=lambda reason: waited.set())
    )
    await asyncio.wait_for(waited.wait(), 10)
    await asyncio.to_thread(private_postgres.start)

    assert await migrating == "0001"


async def test_a_server_that_ends_a_statement_is_unavailable_not_a_defect(postgres_url):
    """A restart speaks first to the statements under way; whoever asked must be told to try again."""
    async with open_database(postgres_url) as database, open_database(postgres_url) as other:
        asking = asyncio.create_task(_ask(database, "SELECT pg_sleep(30)"))
        killed = False
        while not killed:
            async with other.reading() as connection:
                found = await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
                    )
                )
                killed = bool(found.all())
        with pytest.raises(DatabaseUnavailable, match="terminating connection"):
            await asking
        await wait_for_database(database, 10, lambda reason: None)


async def _ask(database, query):
    try:
        async with database.reading() as connection:
            await connection.execute(text(query))
    except Exception as error:
        raise describe(error, database.url) or error from None


async def test_more_callers_than_connections_wait_and_then_are_told(sqlite_url):
    """Waiting in vain for a connection of our own is the server's state, too."""
    await migrate(sqlite_url)
    async with open_database(sqlite_url) as opened:
        database = replace(opened, turn_seconds=0.05)
        async with database.transaction():
            with pytest.raises(DatabaseUnavailable, match="no connection was free"):
                await _ask_writing(database)


async def _ask_writing(database):
    try:
        async with database.transaction():
            pass
    except Exception as error:
        raise describe(error, database.url) or error from None


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
