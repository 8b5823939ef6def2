"""Opening a database that cannot be opened, or ends while it is asked: one clear line, or a wait."""

import asyncio
import secrets
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text

from seatcast.config import SettingsError
from seatcast.tours.database import DatabaseUnavailable, describe, open_database, wait_for_database
from seatcast.tours.migrate import migrate


async def _refusal(url, **options):
    with pytest.raises(DatabaseUnavailable) as caught:
        await migrate(url, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert "pass" not in line.replace("password refused", "")
    return line, caught.value.final


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
        assert await migrate(url % "right-password")
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
        assert await migrate(sqlite_url)
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

    assert await migrating


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
        # It says so, or asyncpg says what it was about to do.
        with pytest.raises(DatabaseUnavailable, match=r"terminating connection|another operation"):
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


async def _encrypted(url):
    async with open_database(url) as database, database.reading() as connection:
        asked = await connection.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
        return asked.scalar_one()


async def test_tls_is_spoken_in_the_words_of_postgresqls_own_clients(private_postgres):
    url = private_postgres.url
    assert await _encrypted(f"{url}?sslmode=verify-full&sslrootcert={private_postgres.certificate}")
    assert await _encrypted(f"{url}?sslmode=require&application_name=seatcast")
    assert not await _encrypted(f"{url}?sslmode=disable")
    async with open_database(f"{url}?sslmode=verify-full&sslrootcert={__file__}") as database:
        with pytest.raises(DatabaseUnavailable):
            await wait_for_database(database, 0, lambda reason: None)


async def test_a_socket_in_the_file_system_is_named_as_they_do(private_postgres):
    name = private_postgres.url.rpartition("/")[2]
    where = f"host={private_postgres.directory}&port={private_postgres.port}"
    async with open_database(f"postgresql://postgres@/{name}?{where}") as database:
        await wait_for_database(database, 0, lambda reason: None)


async def test_words_that_nobody_knows_are_a_setting_error():
    with pytest.raises(
        SettingsError, match="database-url has 'ssl', which is none of application_name, host"
    ):
        async with open_database("postgresql://127.0.0.1/seatcast?ssl=require&sslmode=require"):
            pass
