"""What broadcasts: ours, the peers and the floor, each in one process on the first core; all else is on the last.

Ours gets its facts over AMQP, from a broker and a source that share the last core with the clients. Peers make
theirs themselves, at the same moments; `ws tuned, AMQP` is fed like ours.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench import load, python_peers
from bench.follower import booking
from bench.instructions import counted
from bench.native import program
from bench.parts import Running, StackFailed, free_port, listens, ready, running
from bench.quiet import on
from bench.rabbit import Rabbit
from bench.stacks import NODE_PEER, ROOT
from bench.wsload import Load, Schedule, loading

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]
LEAD_SECONDS = 0.1
"""Between announcing a schedule and its first fact."""


@dataclass
class Broadcaster:
    """A running server. `told` is the process that is told the schedules: itself, or the source of its facts."""

    name: str
    port: int
    process: Running
    told: Running
    tours: int
    options: Mapping[str, object] = field(default_factory=dict)
    """What the load client has to know to speak to it."""
    secret: str = ""
    source_port: int = 0
    http_port: int = 0
    states: bool = False
    """Whether it sends every newcomer the state of every tour."""
    next_fact: int = 1

    @property
    def ours(self) -> bool:
        """Whether it is Seatcast."""
        return self.secret != ""

    def cpu_seconds(self) -> float:
        """Processor time used so far, user and kernel, by all its processes and threads."""
        tasks = [task for pid in self.pids() for task in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def resident_bytes(self) -> int:
        """Memory in use (RSS) by all its processes."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return pages * os.sysconf("SC_PAGE_SIZE")

    def pids(self) -> list[int]:
        """Return its process and all below it."""
        pids = [self.process.pid]
        for pid in pids:  # grows while it is read: children, and theirs
            pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return pids

    def go(self, rate: float, seconds: float) -> Schedule:
        """Have facts made from now on; returns their schedule."""
        start = time.monotonic_ns() // 1_000 + int(LEAD_SECONDS * 1e6)
        schedule = Schedule(self.next_fact, max(1, round(rate * seconds)), start, rate)
        self.next_fact += schedule.count
        stdin = self.told.process.stdin
        assert stdin is not None
        stdin.write(f"go {schedule}\n".encode())
        return schedule

    def clients(self, more: Mapping[str, object] | None = None) -> AbstractAsyncContextManager[Load]:
        """Return a load client for it."""
        options = {"tours": self.tours, **self.options, **(more or {})}
        return loading(on(CLIENT_CORE), self.port, options)

    async def metric(self, name: str) -> float:
        """Return the sum of one of its Prometheus metrics over all labels."""
        async with booking(self.http_port) as booker:
            _, body = await booker.send(load.get("/metrics"))
        lines = [line.rpartition(" ") for line in body.decode().splitlines()]
        return sum(float(value) for key, _, value in lines if key.partition("{")[0] == name)

    async def snapshot_reads(self) -> int:
        """Return how often it has read the tours upstream."""
        async with booking(self.source_port) as booker:
            return int((await booker.send(load.get("/reads")))[1])


Starter = Callable[[], AbstractAsyncContextManager[Broadcaster]]


@asynccontextmanager
async def floor(tours: int) -> AsyncIterator[Broadcaster]:
    """A C program that calls send() for each client."""
    port = free_port()
    command = (*on(SERVER_CORE), program("floor"), str(port), str(tours))
    async with running(*command, environment={}, told=True) as process:
        await process.wait_until(partial(listens, port))
        yield Broadcaster("C floor", port, process, process, tours)


@asynccontextmanager
async def node(name: str, script: str, tours: int, **options: object) -> AsyncIterator[Broadcaster]:
    """A Node server that makes its facts itself."""
    port = free_port()
    async with _node(script, port, tours, {}) as process:
        yield Broadcaster(name, port, process, process, tours, options)


@asynccontextmanager
async def _node(script: str, port: int, tours: int, environment: dict[str, str]) -> AsyncIterator[Running]:
    command = (
        *on(SERVER_CORE),
        str(ROOT / "scripts" / "node"),
        "node",
        f"fanout/{script}",
        str(port),
        str(tours),
    )
    environment = {"NODE_ENV": "production", **environment}
    async with running(*command, cwd=NODE_PEER, environment=environment, told=True) as process:
        await process.wait_until(partial(listens, port))
        yield process


@asynccontextmanager
async def python(name: str, script: str, tours: int) -> AsyncIterator[Broadcaster]:
    """A Python server that makes its facts itself."""
    port = free_port()
    command = (*on(SERVER_CORE), str(python_peers.PYTHON), script, str(port), str(tours))
    async with running(*command, cwd=python_peers.FOLDER, environment={}, told=True) as process:
        await process.wait_until(partial(listens, port))
        yield Broadcaster(name, port, process, process, tours)


@asynccontextmanager
async def _source(url: str, tours: int) -> AsyncIterator[tuple[Running, int]]:
    port = free_port()
    command = (*on(CLIENT_CORE), sys.executable, "-m", "bench.source", url, str(port), str(tours))
    async with running(*command, cwd=ROOT, environment={}, told=True) as process:
        await process.wait_until(partial(listens, port))
        yield process, port


@asynccontextmanager
async def node_over_amqp(rabbit: Rabbit, tours: int) -> AsyncIterator[Broadcaster]:
    """The tuned `ws` server, fed like ours."""
    url = await rabbit.vhost(f"node{secrets.token_hex(3)}")
    port = free_port()
    async with (
        _source(url, tours) as (source, _),
        _node("ws-tuned.js", port, tours, {"BROKER_URL": url}) as process,
    ):
        yield Broadcaster("ws tuned, AMQP", port, process, source, tours)


@asynccontextmanager
async def seatcast(
    rabbit: Rabbit, tours: int, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Broadcaster]:
    """`seatcast gateway` with everything on; `arguments` are more of its flags."""
    url = await rabbit.vhost(f"seatcast{secrets.token_hex(3)}")
    port, http_port, secret = free_port(), free_port(), secrets.token_hex(32)
    async with AsyncExitStack() as opened:
        source, source_port = await opened.enter_async_context(_source(url, tours))
        command = (
            *on(SERVER_CORE), sys.executable, "-m", "seatcast", "gateway", "--host", "127.0.0.1",
            "--port", str(port), "--http-port", str(http_port), "--broker-url", url,
            "--tours-url", f"http://127.0.0.1:{source_port}", "--follow-all-limit", "100000", *arguments,
        )  # fmt: skip
        settings = {"JWT_SECRET": secret, **LIMITS_OFF, **(environment or {})}
        process = await opened.enter_async_context(running(*command, environment=settings))
        await process.wait_until(partial(ready, http_port))
        yield Broadcaster(
            "Seatcast", port, process, source, tours,
            secret=secret, source_port=source_port, http_port=http_port, states=True,
        )  # fmt: skip


LIMITS_OFF = {"SEATCAST_HANDSHAKES_PER_ADDRESS": "0", "SEATCAST_CONNECTIONS_PER_ADDRESS": "0"}
"""All clients here have one address: limits per address would be what is measured."""


async def run(
    broadcaster: Broadcaster, clients: Load, rate: float, seconds: float, *, spin: bool = False
) -> dict[str, Any]:
    """Send facts at a rate and return the load client's figures, with the server's `cpu_us` and `kilo_instructions`
    (None where they cannot be counted) per delivery, and what share of its core it used. With `spin` the clients'
    core never sleeps: else the server is charged for waking it, which in a virtual machine costs as much as a send.
    """
    async with counted(broadcaster.pids()) as instructions:
        before, began = broadcaster.cpu_seconds(), time.monotonic()
        schedule = broadcaster.go(rate, seconds)
        await clients.schedule(schedule)
        figures = await clients.measure(spin=spin)
        used = broadcaster.cpu_seconds() - before
        figures["core"] = used / (time.monotonic() - began)
    if not figures["received"]:
        raise StackFailed(f"{broadcaster.name}: nothing came ({broadcaster.process.log.read_text()[-500:]})")
    figures["cpu_us"] = used / figures["received"] * 1e6
    executed = instructions.value
    figures["kilo_instructions"] = None if executed is None else executed / figures["received"] / 1e3
    return figures
