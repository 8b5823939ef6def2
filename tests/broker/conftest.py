"""A plain AMQP channel for the tests' own eyes and hands."""

import aiormq
import pytest

from seatcast.broker.rabbitmq import RabbitBroker


@pytest.fixture
async def amqp():
    """`await amqp(url)` opens a channel with confirms on a connection of its own, closed after the test."""
    connections = []

    async def open_channel(url):
        connection = await aiormq.connect(url)
        connections.append(connection)
        return await connection.channel()

    yield open_channel
    for connection in connections:
        await connection.close()


@pytest.fixture
async def broker(amqp_url):
    """A connected broker on the shared RabbitMQ."""
    async with RabbitBroker(amqp_url, connection_name="seatcast-test") as broker:
        await broker.wait_connected(10)
        yield broker
