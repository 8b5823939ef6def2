import asyncio
import contextlib
import json
import time

import prometheus_client
import pytest
import uvloop
from hypothesis import Phase, settings
from websockets.asyncio.client import connect

from seatcast import rest, wire_events
from seatcast.gateway.addresses import Addresses
from seatcast.gateway.admission import Quotas
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.server import Server
from seatcast.gateway.shared import Limits
from seatcast.gateway.upkeep import Upkeep
from seatcast.health import Health
from seatcast.origins import Origins
from seatcast.tokens import Tokens

from .. import client_frames
from ..running import UPGRADE
from .model import NOW, join
from .plain_http import served

NO_MESSAGE_LIMIT = Quotas(messages_per_minute=0)

# Always the same examples, and no search for smaller ones: `test_mutations.py` only asks whether any fails.
settings.register_profile("mutants", phases=[Phase.generate], derandomize=True, database=None)


class House:
    """A listening server with tours that the test changes."""

    def __init__(self, *, quotas=NO_MESSAGE_LIMIT, trusted_proxies=(), allowed_origins=(), **limits):
        self.more = {
            "quotas": quotas, "addresses": Addresses(trusted_proxies), "origins": Origins(allowed_origins),
        }  # fmt: skip
        self.registry = prometheus_client.CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.health = Health("ok", {})
        self.now = time.time
        self.tokens = Tokens("a secret for the tests only", clock=lambda: self.now())
        self.limits = limits
        self.max_connections = None

    @contextlib.asynccontextmanager
    async def open(self):
        self.server = Server(
            tokens=self.tokens, limits=Limits(**self.limits), metrics=self.metrics, registry=self.registry,
            health=lambda: self.health, snapshots=True, max_connections=self.max_connections,
            **self.more,
        )  # fmt: skip
        self.upkeep = Upkeep(self.server)
        async with self.server.listening("127.0.0.1", 0) as self.port, asyncio.TaskGroup() as group:
            sweep = group.create_task(self.upkeep.sweep())
            try:
                yield self
            finally:
                sweep.cancel()

    @property
    def truth(self):
        return self.server.hub.truth

    def read(self, *rows, epoch="e1"):
        tours = [
            rest.Tour(id=id, name=id.upper(), available_seats=seats, version=version)
            for id, version, seats in rows
        ]
        join(self.truth, rest.Snapshot(epoch, tours))

    def change(self, tour, version, seats, epoch="e1", **more):
        self.truth.publish(
            wire_events.AvailabilityUpdated(
                event_id="e",
                tour_id=tour,
                available_seats=seats,
                timestamp=NOW,
                epoch=epoch,
                version=version,
                **more,
            )
        )

    def count(self, name, **labels):
        return self.registry.get_sample_value(f"seatcast_gateway_{name}", labels) or 0.0

    def connect(self, path="/", **more):
        return connect(f"ws://127.0.0.1:{self.port}{path}", **more)

    @contextlib.asynccontextmanager
    async def raw(self, request=UPGRADE, **more):
        """A TCP connection that has sent `request`; yields reader and writer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **more)
        try:
            writer.write(request)
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def pytest_asyncio_loop_factories(config, item):
    """What touches sockets here runs on both loops: their transports differ where it hurts."""
    both = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.SelectorEventLoop}
    return (
        both
        if item.path.name
        in (
            "test_server.py",
            "test_slow_clients.py",
            "test_handshake.py",
            "test_reception.py",
            "test_websocket.py",
        )
        else {"uvloop": uvloop.new_event_loop}
    )


@pytest.fixture
def house():
    """`async with house(...).open() as h:` a gateway's server on a free port; parameters are the session's limits."""
    return House


@pytest.fixture
def open_house(house):
    """`async with open_house(**limits) as h:` tours a and b, and `h.http` to ask for them."""

    @contextlib.asynccontextmanager
    async def opened(**limits):
        made = house(**limits)
        async with served(made):
            made.read(("a", 1, 5), ("b", 1, 8))
            yield made

    return opened


@pytest.fixture
def upgrade():
    return UPGRADE


@pytest.fixture
def told():
    """`await told(websocket)`: the next frame, decoded."""

    async def receive(websocket):
        async with asyncio.timeout(10):
            return json.loads(await websocket.recv())

    return receive


@pytest.fixture
def masked():
    """`masked(opcode, payload, fin=True, reserved=0)`: a client's frame in bytes."""
    return client_frames.masked


@pytest.fixture
def frames():
    """`await frames(reader, count)`: server frames off a raw connection as (opcode, payload)."""

    async def read(reader, count):
        found = []
        for _ in range(count):
            first, size = await reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await reader.readexactly(8), "big")
            found.append((first & 15, await reader.readexactly(size)))
        return found

    return read
