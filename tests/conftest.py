"""Fixtures for every room: real servers, fresh databases, ports, and waiting with a deadline.

A server that is missing fails the test and says what to install or start; nothing is skipped.
"""

import asyncio
import inspect
import os
import secrets
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from . import private_servers, servers


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that returns a port of 127.0.0.1 that nothing listens on."""
    return servers.free_port


@pytest.fixture
def eventually() -> Callable[..., Awaitable[Any]]:
    """`await eventually(predicate, timeout=10.0)`: poll until `predicate()` is true, and return what it gave.

    `predicate` may be a coroutine function; an AssertionError inside it means "not yet".
    """

    async def poll(predicate: Callable[[], Any], timeout: float = 10.0, every: float = 0.01) -> Any:
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            reason: AssertionError | None = None
            value = None
            try:
                value = predicate()
                if inspect.isawaitable(value):
                    value = await value
            except AssertionError as error:
                reason = error
            if value:
                return value
            if asyncio.get_running_loop().time() > deadline:
                where = inspect.getsource(predicate).strip() if inspect.isfunction(predicate) else predicate
                raise AssertionError(f"not within {timeout} s: {where} (last: {value!r})") from reason
            await asyncio.sleep(every)

    return poll


@pytest.fixture(scope="session")
def amqp_url() -> Iterator[str]:
    """The shared RabbitMQ, in a virtual host of this run's own (without root: the default one)."""
    servers.require_rabbitmq()
    if os.geteuid() != 0:
        yield servers.RABBITMQ
        return
    vhost = f"seatcast-test-{secrets.token_hex(6)}"

    def ctl(*arguments: str) -> None:
        subprocess.run(["rabbitmqctl", "--quiet", *arguments], check=True, timeout=60, cwd="/")

    ctl("add_vhost", vhost)
    try:
        ctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
        yield f"{servers.RABBITMQ}/{vhost}"
    finally:
        ctl("delete_vhost", vhost)


@pytest.fixture(scope="session")
def _rabbitmq_node() -> Iterator[private_servers.PrivateRabbitMQ]:
    node = private_servers.PrivateRabbitMQ()
    try:
        yield node
    finally:
        node.end()


@pytest.fixture
def private_rabbitmq(_rabbitmq_node: private_servers.PrivateRabbitMQ) -> private_servers.PrivateRabbitMQ:
    """A running RabbitMQ to break: `.url`, `.port`, `.start()`, `.stop()`, `.kill()`, `.ctl("list_queues")`.

    Also over TLS, at `.tls_url`, for whoever knows `.certificate`.

    One node for the whole run (starting takes seconds), running at the start of each test that asks for it.
    """
    _rabbitmq_node.start()
    return _rabbitmq_node


@pytest.fixture(scope="session")
def _postgres_cluster() -> Iterator[private_servers.PrivatePostgres]:
    cluster = private_servers.PrivatePostgres()
    try:
        yield cluster
    finally:
        cluster.end()


@pytest.fixture
def private_postgres(
    _postgres_cluster: private_servers.PrivatePostgres,
) -> Iterator[private_servers.PrivatePostgres]:
    """A running PostgreSQL to break: `.url` (a fresh database), `.port`, `.start()`, `.stop()`, `.kill()`.

    It takes TLS too, for whoever knows `.certificate`.
    """
    _postgres_cluster.start()
    with servers.FreshDatabase(_postgres_cluster.server) as url:
        _postgres_cluster.url = url
        yield _postgres_cluster
        _postgres_cluster.start()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A fresh database on the shared PostgreSQL, dropped with whoever is still connected."""
    servers.require_postgres()
    with servers.FreshDatabase(servers.POSTGRES) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Any) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'seatcast.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Every test that asks for it runs twice: on a fresh SQLite file and on a fresh PostgreSQL database."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
