"""A whole gateway over the in-process broker: events in, frames out, health, drain."""

import asyncio
import contextlib
import json

import pytest
import websockets
from websockets.asyncio.client import connect

from seatcast import rest, wire, wire_events
from seatcast.broker import Message
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.gateway.app import gateway
from seatcast.gateway.snapshot import SnapshotUnavailable
from seatcast.http_server import PortTaken
from seatcast.tokens import Tokens

NOW = "2026-06-01T10:00:00.000Z"


async def read():
    return rest.Snapshot("e1", [rest.Tour(id="a", name="A", available_seats=5, version=1)])


async def down():
    raise SnapshotUnavailable("answered 503")


def settings(**more):
    return Settings(port=0, stale_seconds=0.5, drain_seconds=2.0, **more)


async def publish(broker, **fields):
    await broker.publish([Message("tour.availability.updated", json.dumps(fields).encode())])


async def until(websocket, kind, **fields):
    async with asyncio.timeout(10):
        while True:
            frame = json.loads(await websocket.recv())
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame


async def closing(websocket):
    """Everything that comes until the connection is closed, however."""
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            yield await websocket.recv()


async def test_an_event_becomes_a_frame(eventually):
    broker = MemoryBroker()
    async with gateway(settings(), broker, read, Tokens(None)) as running:
        await eventually(lambda: running.health().status == "ok")
        async with connect(f"ws://127.0.0.1:{running.port}") as websocket:
            assert (await until(websocket, "INITIAL_STATE"))["availableSeats"] == 5
            event = wire_events.AvailabilityUpdated(
                event_id="x", tour_id="a", available_seats=4, timestamp=NOW, epoch="e1", version=2
            )
            await broker.publish([Message("tour.availability.updated", wire.encode(event))])
            frame = await until(websocket, "AVAILABILITY_UPDATE")
            assert (frame["tourId"], frame["availableSeats"], frame["version"]) == ("a", 4, 2)
            assert running.connections == 1


async def test_a_publisher_without_versions_and_no_source_of_snapshots(eventually):
    """A publisher of seats alone: clients follow what they hear of."""
    broker = MemoryBroker()
    async with gateway(settings(), broker, None, Tokens(None)) as running:
        await eventually(lambda: running.health().status == "ok")
        async with connect(f"ws://127.0.0.1:{running.port}") as websocket:
            for n, seats in enumerate((8, 6, 6)):
                await publish(
                    broker, eventId=f"evt_{n}", tourId="tour_123", availableSeats=seats, timestamp=NOW
                )
            frame = await until(websocket, "AVAILABILITY_UPDATE", availableSeats=6)
            assert frame["tourId"] == "tour_123"


async def test_health_is_unready_before_the_first_snapshot_and_while_draining(eventually):
    broker = MemoryBroker()
    async with gateway(settings(), broker, down, Tokens(None)) as running:
        assert running.health().status == "unready"
        # Clients are taken all the same, and told.
        async with connect(f"ws://127.0.0.1:{running.port}") as websocket:
            await until(websocket, "STALE")
        await eventually(lambda: running.health().checks["snapshot"] == "answered 503")
    assert running.health().status == "unready"


async def test_health_is_degraded_while_stale(eventually):
    broker = MemoryBroker()
    async with gateway(settings(), broker, read, Tokens(None)) as running:
        await eventually(lambda: running.health().status == "ok")
        tick = wire_events.Tick(epoch="e1", timestamp=NOW, watermark=1)
        await broker.publish([Message("seatcast.tick", wire.encode(tick))])
        await eventually(lambda: running.health().status == "degraded")
        assert running.health().checks["source"].startswith("stale since")


async def test_the_end_of_the_context_drains():
    async with gateway(settings(), MemoryBroker(), read, Tokens(None)) as running:
        websocket = await connect(f"ws://127.0.0.1:{running.port}")
    frames = [json.loads(frame)["type"] async for frame in closing(websocket)]
    assert frames[-1] == "RECONNECT"
    assert websocket.close_code == 1012


async def test_a_taken_port_is_said(free_port):
    port = free_port()
    async with gateway(Settings(port=port), MemoryBroker(), None, Tokens(None)):
        with pytest.raises(PortTaken, match=str(port)):
            async with gateway(Settings(port=port), MemoryBroker(), None, Tokens(None)):
                """Never here."""


async def test_a_dying_feed_takes_the_gateway_down():
    """Loudly: a gateway without its feed would show old seats for ever."""

    async def broken():
        raise RuntimeError("a mistake of ours")

    with pytest.raises(ExceptionGroup) as died:
        async with gateway(settings(), MemoryBroker(), broken, Tokens(None)):
            await asyncio.sleep(10)
    assert died.value.subgroup(RuntimeError)
