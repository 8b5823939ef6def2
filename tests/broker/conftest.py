"""A plain AMQP channel for the tests' own eyes and hands."""

import aiormq
import pytest


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
