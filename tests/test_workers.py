"""`seatcast gateway --workers N`: one port, several processes, and nobody notices which; real ones throughout."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect

from seatcast.client_commands import publish

from .running import UPGRADE, Running, alive, children

CLIENTS = 24
"""Enough that no worker stays without one."""


class Gateway(Running):
    """A gateway with workers. `http` is the base of its HTTP port, `url` the address of its WebSockets."""

    def __init__(self, folder: Path, port: int, http_port: int, broker_url: str, *more: str) -> None:
        self.port, self.http, self.url = port, f"http://127.0.0.1:{http_port}", f"ws://127.0.0.1:{port}/"
        command = [
            sys.executable,
            "-m",
            "seatcast",
            "gateway",
            "--port",
            str(port),
            "--http-port",
            str(http_port),
        ]
        super().__init__(folder, [*command, "--broker-url", broker_url, "--gateway-id", "gw", *more])

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that run."""
        return children(self.process.pid)

    async def connections(self) -> dict[str, float]:
        """Return how many clients each worker has."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{self.http}/metrics")).text
        return {
            sample.labels["worker"]: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "seatcast_gateway_connections"
        }

    async def readiness(self) -> dict[str, Any]:
        """Return what the whole says of itself."""
        async with httpx.AsyncClient(timeout=2.0) as client:
            found: dict[str, Any] = (await client.get(f"{self.http}/health/ready")).json()
            return found


@pytest.fixture
def start(tmp_path: Path, free_port: Callable[[], int], amqp_url: str) -> Iterator[Callable[..., Gateway]]:
    """`start("--workers", "2", ports=None)`: a gateway, dead with all its workers at the end of the test."""
    started: list[Gateway] = []

    def call(*more: str, ports: tuple[int, int] | None = None, broker_url: str = amqp_url) -> Gateway:
        port, http_port = ports or (free_port(), free_port())
        started.append(Gateway(tmp_path / f"gateway-{len(started)}", port, http_port, broker_url, *more))
        return started[-1]

    yield call
    for one in started:
        for pid in one.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        one.kill()


@pytest.fixture
async def clients() -> AsyncIterator[Callable[..., Any]]:
    """`await clients(url)`: `CLIENTS` connections that have been greeted."""
    async with contextlib.AsyncExitStack() as stack:

        async def call(url: str) -> list[ClientConnection]:
            made = [await stack.enter_async_context(connect(url)) for _ in range(CLIENTS)]
            for one in made:
                assert json.loads(await one.recv())["type"] == "WELCOME"
            return made

        yield call


async def _until(client: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            frame: dict[str, Any] = json.loads(await client.recv())
            if frame["type"] == kind:
                return frame


async def _to_the_end(client: ClientConnection) -> tuple[str, int | None]:
    """Return the type of the last frame and the close code."""
    last = ""
    async with asyncio.timeout(20):
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                last = json.loads(await client.recv())["type"]
    return last, client.close_code


async def test_all_of_them_serve_one_port_and_any_of_them_answers_for_all(
    start, clients, eventually, amqp_url
):
    one = start("--workers", "2")
    assert one.line("Gateway is listening")["workers"] == 2
    assert {line["gateway_id"] for line in one.lines("Gateway listens")} == {"gw-1", "gw-2"}
    assert len(one.workers) == 2
    await eventually(lambda: _ok(one))
    everybody = await clients(one.url)

    seen = [await one.connections() for _ in range(4)]
    assert all(found == seen[0] for found in seen), "not only of the worker that happens to be asked"
    assert sum(seen[0].values()) == CLIENTS
    assert all(seen[0][worker] > 0 for worker in "12")

    await publish(amqp_url, "tour_everywhere", 7, "Everywhere")
    for client in everybody:
        assert (await _until(client, "AVAILABILITY_UPDATE"))["availableSeats"] == 7

    text = httpx.get(one.url.replace("ws:", "http:") + "metrics").text
    assert 'worker="1"' in text or 'worker="2"' in text, (
        "on the port of the WebSockets only its own, but labelled"
    )
    assert one.stop() == 0


async def _ok(one: Gateway) -> bool:
    return (await one.readiness())["status"] == "ok"


async def test_a_killed_worker_costs_its_own_clients_their_connection_and_nobody_else(
    start, clients, eventually, amqp_url
):
    one = start("--workers", "2")
    one.line("Gateway is listening")
    await eventually(lambda: _ok(one))
    everybody = await clients(one.url)
    before = await one.connections()
    first, second = one.workers
    os.kill(first, signal.SIGKILL)

    async def cut() -> list[ClientConnection]:
        return [client for client in everybody if client.state is not websockets.State.OPEN]

    await eventually(cut)
    await eventually(lambda: len(one.workers) == 2 and first not in one.workers, timeout=30)
    await eventually(lambda: _ok(one), timeout=30)
    lost = await cut()
    # Which of the two was killed is not known by its process id alone.
    assert len(lost) in before.values()
    assert second in one.workers
    assert one.line("A worker ended and is replaced")["exit"] == "SIGKILL"

    back = await clients(one.url)
    await publish(amqp_url, "tour_after", 3, "After")
    for client in [client for client in everybody if client not in lost] + back:
        assert (await _until(client, "AVAILABILITY_UPDATE"))["availableSeats"] == 3
    assert all(count > 0 for count in (await one.connections()).values()), "the new one gets its share"


async def test_while_a_worker_is_away_the_rest_is_degraded_and_serves(start, eventually):
    """Stopped, not dead, so that nothing replaces it: as one whose loop hangs."""
    one = start("--workers", "2")
    one.line("Gateway is listening")
    await eventually(lambda: _ok(one))
    os.kill(one.workers[0], signal.SIGSTOP)

    async def degraded() -> bool:
        # The kernel gives the one that hangs its share of connections.
        with contextlib.suppress(httpx.TimeoutException):
            found = await one.readiness()
            return found["status"] == "degraded" and sorted(found["checks"].values()) == ["ok", "silent"]
        return False

    await eventually(degraded, timeout=60)
    os.kill(one.workers[0], signal.SIGCONT)
    await eventually(lambda: _ok(one))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_signal_drains_every_worker_in_time_and_ends_with_0(start, clients, workers):
    """Also with clients that never read, and so never say goodbye."""
    one = start("--workers", workers, "--drain-seconds", "6")
    one.line("Gateway is listening")
    everybody = await clients(one.url)
    processes = one.workers
    ends = asyncio.gather(*map(_to_the_end, everybody))
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            deaf = stack.enter_context(socket.create_connection(("127.0.0.1", one.port)))
            deaf.sendall(UPGRADE)
            # So far as to be connected, and no further.
            assert await asyncio.to_thread(deaf.recv, 12) == b"HTTP/1.1 101"
        one.process.send_signal(signal.SIGTERM)
        began = asyncio.get_running_loop().time()
        assert set(await ends) == {("RECONNECT", 1012)}
        assert await asyncio.to_thread(one.process.wait, 20) == 0
        assert asyncio.get_running_loop().time() - began < 6
    assert not any(map(alive, processes))


async def test_a_killed_supervisor_leaves_no_orphan_and_its_clients_are_told(start, clients, eventually):
    one = start("--workers", "2")
    one.line("Gateway is listening")
    everybody = await clients(one.url)
    workers = one.workers
    ends = asyncio.gather(*map(_to_the_end, everybody))
    one.kill()
    assert set(await ends) == {("RECONNECT", 1012)}
    await eventually(lambda: not any(map(alive, workers)), timeout=30)
    again = start("--workers", "2", ports=(one.port, int(one.http.rpartition(":")[2])))
    again.line("Gateway is listening")


async def test_a_hangup_replaces_the_workers_while_new_clients_are_served(start, clients, eventually):
    one = start("--workers", "2")
    one.line("Gateway is listening")
    everybody = await clients(one.url)
    before = set(one.workers)
    ends = asyncio.gather(*map(_to_the_end, everybody))
    one.process.send_signal(signal.SIGHUP)
    while len(before & set(one.workers)) > 0:
        # Never nobody there: at any time one of them listens.
        async with connect(one.url) as client:
            await client.recv()
    assert set(await ends) == {("RECONNECT", 1012)}
    await eventually(lambda: len(one.workers) == 2)
    assert one.stop() == 0


def _said(one: Gateway, code: int) -> str:
    """Return the one clear line of a start that failed."""
    assert one.process.wait(30) == code
    lines = [line for line in one.log.read_text().splitlines() if not line.startswith("{")]
    assert len(lines) == 1, lines
    assert "Traceback" not in one.log.read_text()
    assert not one.workers
    return lines[0]


@pytest.mark.parametrize(("which", "sharing"), [("port", True), ("HTTP port", False)])
def test_a_port_that_somebody_has_is_one_line_also_if_they_would_share_it(start, free_port, which, sharing):
    with socket.socket() as taken:
        if sharing:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = (port, free_port()) if which == "port" else (free_port(), port)
        said = _said(start("--workers", "2", ports=ports), 1)
    assert said.endswith(f"cannot listen on 127.0.0.1 port {port}: the port is already taken")


def test_a_second_gateway_on_the_port_is_one_line(start):
    one = start("--workers", "2")
    one.line("Gateway is listening")
    for second in [start(*more, ports=(one.port, 0)) for more in (("--workers", "2"), ())]:
        assert f"127.0.0.1 port {one.port}: the port is already taken" in _said(second, 1)
    assert one.stop() == 0


def test_a_second_start_while_the_first_still_waits_for_its_broker_is_one_line(start, free_port):
    """Nobody listens yet, and the port is taken all the same."""
    one = start("--workers", "2", broker_url=f"amqp://127.0.0.1:{free_port()}")
    one.line("RabbitMQ is not there; trying again")
    assert f"port {one.port}: the port is already taken" in _said(
        start("--workers", "2", ports=(one.port, 0)), 1
    )
    assert one.stop() == 0


def test_a_wrong_broker_password_is_one_line(start, amqp_url):
    said = _said(start("--workers", "3", broker_url=amqp_url.replace(":guest@", ":hunter2@")), 1)
    assert "user or password refused" in said
    assert "hunter2" not in said


def test_port_0_is_the_same_free_port_for_all(start):
    one = start("--workers", "2", ports=(0, 0))
    url = one.line("Gateway is listening")["url"]
    assert {line["url"].rstrip("/") for line in one.lines("Gateway listens")} == {url}
    assert one.stop() == 0
