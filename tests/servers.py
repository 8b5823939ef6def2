"""The shared servers that the tests talk to, on their standard ports, and what is made anew on them for a test."""

import asyncio
import contextlib
import os
import random
import secrets
import shutil
import socket
import threading

import asyncpg

POSTGRES = os.environ.get("SEATCAST_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")
"""A superuser's URL without a database; `make test` finds or makes one where local connections are not trusted."""
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672"


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on.

    Outside the range that the system picks outgoing ports from, so that no connection takes it meanwhile.
    """
    for _ in range(1_000):
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("no free port between 15000 and 32000")


def run_apart(coroutine):
    """Run a coroutine in a thread of its own and return its result: works whether or not a loop runs here."""
    outcome = []

    def work():
        try:
            outcome.append((asyncio.run(coroutine), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


class FreshDatabase:
    """A PostgreSQL database of its own on `server`; a context manager that gives its URL and drops it at the end."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.name = f"seatcast_test_{secrets.token_hex(6)}"

    def _execute(self, statement: str) -> None:
        async def execute():
            connection = await asyncpg.connect(f"{self.server}/postgres", timeout=10)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        run_apart(execute())

    def __enter__(self) -> str:
        self._execute(f'CREATE DATABASE "{self.name}"')
        return f"{self.server}/{self.name}"

    def __exit__(self, *_) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def require_shared(name: str, port: int, how: str) -> None:
    """Fail, and say what to do, unless something listens on 127.0.0.1:`port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as error:
        raise AssertionError(f"These tests need {name} on 127.0.0.1:{port} ({error}). {how}") from None


def require_postgres() -> None:
    """The shared PostgreSQL, open to user postgres without a password from 127.0.0.1."""
    require_shared(
        "PostgreSQL",
        5432,
        "Debian: `apt-get install postgresql`, set `host all all 127.0.0.1/32 trust` in pg_hba.conf,"
        " then `service postgresql restart`.",
    )


def require_rabbitmq() -> None:
    """The shared RabbitMQ with its first user, guest."""
    require_shared(
        "RabbitMQ", 5672, "Debian: `apt-get install rabbitmq-server`, then `service rabbitmq-server start`."
    )


def require_program(name: str) -> str:
    """Return the path of a program of this name, a daemon's too."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise AssertionError(f"These tests need {name}. Debian: `apt-get install {name}`.")
    return found


def require_chromium() -> str:
    """Return Debian's Chromium."""
    found = shutil.which("chromium")
    if found is None:
        raise AssertionError("These tests need Chromium. Debian: `apt-get install chromium`.")
    return found
