"""Seatcast from outside: one event in, frames out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import websockets

from seatcast.broker import BrokerUnavailable
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.cli_run import CommandFailed
from seatcast.cli_settings import lifetime
from seatcast.client_commands import listening, publish
from seatcast.config import SettingsError


async def test_publish_sends_one_event_as_another_program_would(amqp_url):
    async with RabbitBroker(amqp_url) as broker:
        await broker.wait_connected(10)
        async with broker.subscribe("test", ["tour.availability.updated"]) as subscription:
            await publish(amqp_url, "tour_x", 7, "X")
            async with asyncio.timeout(10):
                delivery = await anext(aiter(subscription))
    event = json.loads(delivery.body)
    assert delivery.routing_key == "tour.availability.updated"
    assert (event["tourId"], event["availableSeats"], event["tourName"]) == ("tour_x", 7, "X")
    assert event["eventType"] == "tour.availability.updated"
    assert event["timestamp"].endswith("Z")
    # Nobody but the tour service may make up versions.
    assert "version" not in event
    assert "epoch" not in event


@pytest.mark.parametrize(("tour", "seats"), [("", 1), ("x" * 129, 1), ("x", -1), ("x", 10_000_001)])
async def test_an_event_that_no_gateway_takes_is_not_sent(tour, seats):
    with pytest.raises(SettingsError):
        await publish("amqp://127.0.0.1:1", tour, seats, None)


async def test_publish_does_not_wait_long_for_a_broker(free_port):
    with pytest.raises(BrokerUnavailable):
        await publish(f"amqp://127.0.0.1:{free_port()}", "x", 1, None)


@pytest.fixture
async def echo() -> AsyncIterator[tuple[str, list[str]]]:
    """A server that greets, says what it is told, and closes when told to; its address and what it heard."""
    heard: list[str] = []

    async def serve(client: websockets.ServerConnection) -> None:
        heard.append(client.request.headers.get("Authorization", "") if client.request else "")
        await client.send('{"type": "WELCOME", "message": "é"}')
        async for message in client:
            heard.append(str(message))
            await client.send("not JSON")
            await client.close(4401, "expired")

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", heard


async def test_listen_subscribes_shows_its_token_and_prints_each_frame_on_a_line(echo, capsys):
    url, heard = echo
    with pytest.raises(ExceptionGroup) as caught:
        async with listening(url, "tour_x", "the-token"):
            await asyncio.sleep(30)
    assert caught.group_contains(CommandFailed, match="closed the connection: 4401 expired")
    assert heard[0] == "Bearer the-token"
    assert json.loads(heard[1]) == {"type": "SUBSCRIBE", "tourId": "tour_x"}
    assert capsys.readouterr().out == '{"type":"WELCOME","message":"é"}\nnot JSON\n'


async def test_listen_says_why_it_cannot_connect_without_the_token(free_port):
    url = f"ws://127.0.0.1:{free_port()}"
    with pytest.raises(CommandFailed, match="connection refused") as caught:
        async with listening(f"{url}/?token=secret", None, None):
            pass
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800)])
def test_a_lifetime_is_a_number_and_a_unit(text, seconds):
    assert lifetime(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "-1h", "1.5h", "1w", "1 h", "9999999999s"])
def test_any_other_lifetime_is_refused(text):
    with pytest.raises(SettingsError):
        lifetime(text)
