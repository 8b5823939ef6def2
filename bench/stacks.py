"""Whole stacks to measure: started on free ports, on a database and a virtual host of their own, gone afterwards.

The shared PostgreSQL and RabbitMQ are only visited; what is made there is named `seatcast_bench_...` and removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench import load
from bench.follower import Booker, booking
from seatcast.tokens import Tokens

ROOT = Path(__file__).parents[1]
NODE_PEER = ROOT / "bench" / "peers" / "node"
POSTGRES = os.environ.get("SEATCAST_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432").rstrip("/")
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")


class StackFailed(Exception):
    """A process of a stack ended or did not come up; the text has the end of its log."""


class Accounts(NamedTuple):
    """What the database says of some tours: seats gone from the counters, and seats in booking rows (None: has none)."""

    gone: int
    booked: int | None


@dataclass
class Stack:
    """A running stack. `staff` is the token that may create tours; `database` is a URL or an SQLite file."""

    name: str
    api_port: int
    ws_port: int
    database: str
    staff: str | None = None
    pids: list[int] = field(default_factory=list)

    @property
    def ours(self) -> bool:
        """Whether it is Seatcast."""
        return self.staff is not None

    async def create_tours(self, ids: Sequence[str], capacity: int) -> None:
        """Create undated tours through the stack's own REST route."""
        async with booking(self.api_port) as booker:
            for tour in ids:
                await _create(booker, tour, capacity, self.staff)

    async def accounts(self, ids: Sequence[str], capacity: int) -> Accounts:
        """Count in the database, past the programs: seats gone from tours of `capacity` each, and seats booked."""
        if not self.database.startswith("postgresql:"):
            return _sqlite_accounts(self.database, ids, capacity)
        connection = await asyncpg.connect(self.database)
        try:
            if not self.ours:
                left = await connection.fetchval(
                    "SELECT sum(available_seats) FROM tours WHERE id = ANY($1)", list(ids)
                )
                return Accounts(capacity * len(ids) - int(left), None)
            left = await connection.fetchval(
                "SELECT sum(available) FROM departures WHERE tour_id = ANY($1)", list(ids)
            )
            booked = await connection.fetchval(
                "SELECT coalesce(sum(seats), 0) FROM bookings WHERE status = 'confirmed' AND tour_id = ANY($1)",
                list(ids),
            )
            return Accounts(capacity * len(ids) - int(left), int(booked))
        finally:
            await connection.close()

    def cpu_seconds(self) -> float:
        """Processor time that the stack's own processes have used so far (not the servers')."""
        total = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS


async def _create(booker: Booker, tour: str, capacity: int, token: str | None) -> None:
    body = json.dumps({"id": tour, "name": f"Tour {tour}", "capacity": capacity}).encode()
    status, answer = await booker.send(load.post("/api/tours", body, token=token))
    if status not in (200, 201):
        raise StackFailed(f"creating {tour}: {status} {answer[:300]!r}")


def _sqlite_accounts(file: str, ids: Sequence[str], capacity: int) -> Accounts:
    marks = ", ".join("?" * len(ids))
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        [left] = connection.execute(
            f"SELECT sum(available) FROM departures WHERE tour_id IN ({marks})", ids
        ).fetchone()
        [booked] = connection.execute(
            f"SELECT coalesce(sum(seats), 0) FROM bookings WHERE status = 'confirmed' AND tour_id IN ({marks})",
            ids,
        ).fetchone()
    return Accounts(capacity * len(ids) - left, booked)


# The stacks


@asynccontextmanager
async def node(variant: str) -> AsyncIterator[Stack]:
    """The plain Node stack; `variant` is `sequelize` or `pg`."""
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(_database(f"node_{variant}"))
        broker = await opened.enter_async_context(_vhost(f"node_{variant}"))
        stack = Stack(
            f"Node, {'Sequelize' if variant == 'sequelize' else variant}", free_port(), free_port(), database
        )
        environment = {"NODE_ENV": "production", "DATABASE_URL": database, "BROKER_URL": broker}
        runs = [(f"tours-{variant}.js", stack.api_port), ("gateway.js", stack.ws_port)]
        for program, port in runs:
            process = await opened.enter_async_context(
                _process(
                    str(ROOT / "scripts" / "node"), "node", program,
                    cwd=NODE_PEER, environment=environment | {"PORT": str(port)},
                )
            )  # fmt: skip
            await process.wait_until(lambda port=port: _listens(port))
            stack.pids.append(process.pid)
        yield stack


@asynccontextmanager
async def seatcast_distributed() -> AsyncIterator[Stack]:
    """`seatcast tours` and `seatcast gateway`, two processes, on PostgreSQL and RabbitMQ."""
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(_database("seatcast"))
        broker = await opened.enter_async_context(_vhost("seatcast"))
        environment, token = _secret()
        stack = Stack("Seatcast, distributed", free_port(), free_port(), database, token)
        http_port = free_port()
        runs = [
            (stack.api_port, ("tours", "--api-port", str(stack.api_port), "--database-url", database)),
            (
                http_port,
                ("gateway", "--port", str(stack.ws_port), "--http-port", str(http_port),
                 "--tours-url", f"http://127.0.0.1:{stack.api_port}"),
            ),
        ]  # fmt: skip
        for port, arguments in runs:
            process = await opened.enter_async_context(
                _process(
                    *_SEATCAST,
                    *arguments,
                    "--host",
                    "127.0.0.1",
                    "--broker-url",
                    broker,
                    environment=environment,
                )
            )
            await process.wait_until(lambda port=port: _ready(port))
            stack.pids.append(process.pid)
        yield stack


@asynccontextmanager
async def seatcast_embedded() -> AsyncIterator[Stack]:
    """`seatcast serve`: one process, SQLite, the broker inside."""
    with tempfile.TemporaryDirectory(prefix="seatcast-bench-", dir=_disk()) as folder:
        environment, token = _secret()
        file = Path(folder) / "seatcast.sqlite3"
        stack = Stack("Seatcast, embedded", free_port(), free_port(), str(file), token)
        arguments = (
            "serve",
            "--port",
            str(stack.ws_port),
            "--api-port",
            str(stack.api_port),
            "--data-dir",
            folder,
        )
        async with _process(
            *_SEATCAST, *arguments, "--host", "127.0.0.1", environment=environment
        ) as process:
            await process.wait_until(lambda: _ready(stack.api_port))
            stack.pids.append(process.pid)
            yield stack


_SEATCAST = (sys.executable, "-m", "seatcast")


def _secret() -> tuple[dict[str, str], str]:
    secret = secrets.token_hex(32)
    return {"JWT_SECRET": secret}, Tokens(secret).mint("bench", ["staff"], 24 * 3600)


def _disk() -> str | None:
    """Return where SQLite should be measured: the checkout's disk where the temporary folder is in memory."""
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", tempfile.gettempdir()], capture_output=True, text=True, check=False
    )
    return str(ROOT) if kind.stdout.strip() in ("tmpfs", "ramfs") else None


def install_node_packages() -> None:
    """Install the Node peer's packages from its lock file, once."""
    if (NODE_PEER / "node_modules" / ".package-lock.json").exists():
        return
    print("bench: installing the Node peer's packages", flush=True)
    command = [str(ROOT / "scripts" / "node"), "npm", "ci", "--silent"]
    subprocess.run(command, cwd=NODE_PEER, check=True, timeout=300)


# What they are made of


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, outside the range of outgoing connections."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _ready(port: int) -> bool:
    try:
        async with booking(port) as booker, asyncio.timeout(5):
            return (await booker.send(load.get("/health/ready")))[0] == 200
    except (OSError, TimeoutError):
        return False


@asynccontextmanager
async def _database(label: str) -> AsyncIterator[str]:
    name = f"seatcast_bench_{label}_{os.getpid()}"
    await _administer(f'CREATE DATABASE "{name}"')
    try:
        yield f"{POSTGRES}/{name}"
    finally:
        await _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _administer(statement: str) -> None:
    connection = await asyncpg.connect(f"{POSTGRES}/postgres", timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def _vhost(label: str) -> AsyncIterator[str]:
    name = f"seatcast_bench_{label}_{os.getpid()}"
    await _rabbitmqctl("add_vhost", name)
    try:
        await _rabbitmqctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        yield f"{RABBITMQ}/{name}"
    finally:
        await _rabbitmqctl("delete_vhost", name)


async def _rabbitmqctl(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "rabbitmqctl", "--quiet", *arguments, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    if process.returncode:
        raise StackFailed(f"rabbitmqctl {arguments[0]} (needs root): {output.decode()[-500:]}")


@dataclass(frozen=True)
class _Process:
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    async def wait_until(self, ready: object) -> None:
        """Return once `ready()` is true; raise `StackFailed` with the end of the log if it does not come."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not await ready():  # type: ignore[operator]
            if self.process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise StackFailed(f"did not start:\n{self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _process(
    *command: str, environment: Mapping[str, str], cwd: Path | None = None
) -> AsyncIterator[_Process]:
    with tempfile.TemporaryDirectory(prefix="seatcast-bench-log-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd or folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,
            )
        try:
            yield _Process(process, log)
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), STOP_SECONDS)
                except TimeoutError:
                    process.kill()
                    await process.wait()


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    """Have the kernel end the child with us, however we end: a bench that was killed leaves nothing running."""
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
