"""Whole systems out of real processes, and clients that follow them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, async_playwright, expect

from seatcast.tokens import Tokens

from ..running import Running
from ..servers import require_chromium

SECRET = "a secret of more than sixteen bytes"
ROOT = Path(__file__).parents[2]
STAFF = {"Authorization": f"Bearer {Tokens(SECRET).mint('ops', ['staff'], 3600)}"}


@dataclass
class World:
    """Starts the processes of one test. Every port is the test's own."""

    folder: Path
    free_port: Callable[[], int]
    started: list[Running] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    def run(self, *command: str, **environment: str) -> Running:
        """Start any program."""
        running = Running(self.folder / f"process-{len(self.started)}", list(command), **environment)
        self.started.append(running)
        return running

    def seatcast(self, *arguments: str) -> Running:
        """Start `seatcast ARGUMENTS`."""
        return self.run(sys.executable, "-m", "seatcast", *arguments, JWT_SECRET=SECRET)

    def node(self, script: str, *arguments: str) -> Running:
        """Start one of `tests/node/`'s programs."""
        return self.run(str(ROOT / "scripts/node"), "node", str(ROOT / "tests/node" / script), *arguments)

    def tours(
        self, database_url: str, broker_url: str, port: int | None = None
    ) -> tuple[Running, httpx.Client]:
        """Start a tour service and wait until it answers."""
        port = port or self.free_port()
        running = self.seatcast(
            "tours", "--api-port", str(port), "--database-url", database_url, "--broker-url", broker_url
        )
        running.line("Tour service is listening")
        self.clients.append(httpx.Client(base_url=f"http://127.0.0.1:{port}"))
        return running, self.clients[-1]

    def serve(
        self, folder: Path, ports: tuple[int, int] | None = None, *more: str
    ) -> tuple[Running, httpx.Client, str]:
        """Start everything in one process on `(WebSocket, REST)` ports; return it, its API and its socket."""
        port, api_port = ports or (self.free_port(), self.free_port())
        running = self.seatcast(
            "serve", "--port", str(port), "--api-port", str(api_port), "--data-dir", str(folder), *more
        )
        running.line("Seatcast is listening")
        self.clients.append(httpx.Client(base_url=f"http://127.0.0.1:{api_port}"))
        return running, self.clients[-1], f"ws://127.0.0.1:{port}/"

    def gateway(self, broker_url: str, tours: httpx.Client | None, *more: str) -> tuple[Running, str]:
        """Start a gateway and wait until it listens."""
        port = self.free_port()
        arguments = [
            "gateway",
            "--port",
            str(port),
            "--http-port",
            str(self.free_port()),
            "--broker-url",
            broker_url,
        ]
        if tours is not None:
            arguments += ["--tours-url", str(tours.base_url)]
        running = self.seatcast(*arguments, *more)
        running.line("Gateway is listening")
        return running, f"ws://127.0.0.1:{port}/"


@pytest.fixture
def world(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[World]:
    """The processes of this test; whatever still runs at its end is killed."""
    world = World(tmp_path, free_port)
    yield world
    for client in world.clients:
        client.close()
    for running in world.started:
        running.kill()


@pytest.fixture
def create_tour() -> Callable[..., None]:
    """`create_tour(client, id, capacity)`: make an undated tour as an operator."""

    def create(client: httpx.Client, tour_id: str, capacity: int) -> None:
        body = {"id": tour_id, "name": tour_id.title(), "capacity": capacity}
        client.post("/api/tours", json=body, headers=STAFF).raise_for_status()

    return create


@pytest.fixture
def book() -> Callable[..., dict[str, Any]]:
    """`book(client, tour, seats)`: book and return the answer's body."""

    def call(client: httpx.Client, tour_id: str, seats: int = 1) -> dict[str, Any]:
        answer = client.post(f"/api/tours/{tour_id}/book", json={"seatsToBook": seats})
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    return call


expect.set_options(timeout=20_000)
"""A busy machine may take a while to show what it will show."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# A loaded machine takes its time. What passes waits no longer for that.
expect.set_options(timeout=20_000)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium of this test's own."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=require_chromium(), args=FLAGS)
        yield chromium
        await chromium.close()
