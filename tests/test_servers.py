"""The fixtures of `conftest.py` do what they say."""

import asyncio
import socket

import asyncpg
import pytest

from . import servers


async def test_a_fresh_postgresql_database_is_empty(postgres_url):
    connection = await asyncpg.connect(postgres_url)

    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await connection.close()


def test_a_free_port_can_be_bound(free_port):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_eventually_returns_what_became_true_and_says_what_did_not(eventually):
    values = iter([0, 0, 7])
    assert await eventually(lambda: next(values)) == 7

    with pytest.raises(AssertionError, match="last: False"):
        await eventually(lambda: False, timeout=0.05)


async def test_a_private_postgresql_keeps_committed_rows_over_a_kill(private_postgres):
    connection = await asyncpg.connect(private_postgres.url)
    await connection.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")

    private_postgres.kill()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await connection.fetchval("SELECT 1")
    await asyncio.to_thread(private_postgres.start)

    connection = await asyncpg.connect(private_postgres.url)
    assert await connection.fetchval("SELECT id FROM kept") == 1
    await connection.close()


def test_a_missing_server_fails_and_says_what_to_start(free_port):
    port = free_port()
    with pytest.raises(AssertionError, match=rf"need RabbitMQ on 127.0.0.1:{port} .*apt-get install"):
        servers.require_shared("RabbitMQ", port, "Debian: `apt-get install rabbitmq-server`.")


def test_a_private_rabbitmq_starts_stops_and_is_its_own(private_rabbitmq):
    node = private_rabbitmq
    assert "seatcast-" in node.ctl("status")

    node.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", node.port))
    node.start()
    node.kill()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", node.port))


def test_the_shared_rabbitmq_gives_a_virtual_host_of_its_own(amqp_url):
    assert amqp_url.startswith(servers.RABBITMQ)
