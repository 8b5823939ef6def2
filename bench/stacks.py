"""Whole stacks to measure: started on free ports, on a database and a virtual host of their own, gone afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench import load
from bench.follower import Booker, booking
from bench.parts import StackFailed, free_port, fresh_database, fresh_vhost, listens, ready, running
from seatcast.tokens import Tokens

ROOT = Path(__file__).parents[1]
NODE_PEER = ROOT / "bench" / "peers" / "node"
_TICKS = os.sysconf("SC_CLK_TCK")


class Accounts(NamedTuple):
    """What the database says of some tours: seats gone from the counters, and seats in booking rows (None: has none)."""

    gone: int
    booked: int | None


@dataclass
class Stack:
    """A running stack. `staff` is the token that may create tours; `database` is a URL or an SQLite file.

    `tokens` mints tokens that it takes; `ws_ports` are of all its gateways, where there are several.
    """

    name: str
    api_port: int
    ws_port: int
    database: str
    staff: str | None = None
    pids: list[int] = field(default_factory=list)
    tokens: Tokens | None = None
    ws_ports: list[int] = field(default_factory=list)

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
        database = await opened.enter_async_context(fresh_database(f"node_{variant}"))
        broker = await opened.enter_async_context(fresh_vhost(f"node_{variant}"))
        stack = Stack(
            f"Node, {'Sequelize' if variant == 'sequelize' else variant}", free_port(), free_port(), database
        )
        environment = {"NODE_ENV": "production", "DATABASE_URL": database, "BROKER_URL": broker}
        runs = [(f"tours-{variant}.js", stack.api_port), ("gateway.js", stack.ws_port)]
        for program, port in runs:
            process = await opened.enter_async_context(
                running(
                    str(ROOT / "scripts" / "node"), "node", program,
                    cwd=NODE_PEER, environment=environment | {"PORT": str(port)},
                )
            )  # fmt: skip
            await process.wait_until(partial(listens, port))
            stack.pids.append(process.pid)
        yield stack


@asynccontextmanager
async def seatcast_distributed(*, gateways: int = 1, more: Sequence[str] = ()) -> AsyncIterator[Stack]:
    """`seatcast tours` and `seatcast gateway`, processes of their own, on PostgreSQL and RabbitMQ.

    `more` are further options of the gateways.
    """
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(fresh_database("seatcast"))
        broker = await opened.enter_async_context(fresh_vhost("seatcast"))
        environment, tokens = _secret()
        ports = [free_port() for _ in range(gateways)]
        stack = Stack("Seatcast, distributed", free_port(), ports[0], database, _staff(tokens))
        stack.tokens, stack.ws_ports = tokens, ports
        runs: list[tuple[int, tuple[str, ...]]] = [
            (stack.api_port, ("tours", "--api-port", str(stack.api_port), "--database-url", database))
        ]
        for port in ports:
            http_port = free_port()
            where = ("--port", str(port), "--http-port", str(http_port))
            source = ("--tours-url", f"http://127.0.0.1:{stack.api_port}")
            runs.append((http_port, ("gateway", *where, *source, *more)))
        for port, arguments in runs:
            process = await opened.enter_async_context(
                running(
                    *_SEATCAST,
                    *arguments,
                    "--host",
                    "127.0.0.1",
                    "--broker-url",
                    broker,
                    environment=environment,
                )
            )
            await process.wait_until(partial(ready, port))
            stack.pids.append(process.pid)
        yield stack


@asynccontextmanager
async def seatcast_embedded(*more: str, on_disk: bool = True) -> AsyncIterator[Stack]:
    """`seatcast serve`: one process, SQLite, the broker inside. `more` are further options.

    Not `on_disk` keeps the disk's pace out of what is measured, where there is a folder in memory.
    """
    where = _disk() if on_disk else _memory()
    with tempfile.TemporaryDirectory(prefix="seatcast-bench-", dir=where) as folder:
        environment, tokens = _secret()
        file = Path(folder) / "seatcast.sqlite3"
        stack = Stack("Seatcast, embedded", free_port(), free_port(), str(file), _staff(tokens))
        arguments = (
            "serve",
            "--port",
            str(stack.ws_port),
            "--api-port",
            str(stack.api_port),
            "--data-dir",
            folder,
            *more,
        )
        async with running(*_SEATCAST, *arguments, "--host", "127.0.0.1", environment=environment) as process:
            await process.wait_until(partial(ready, stack.api_port))
            stack.pids.append(process.pid)
            yield stack


_SEATCAST = (sys.executable, "-m", "seatcast")


def _secret() -> tuple[dict[str, str], Tokens]:
    secret = secrets.token_hex(32)
    return {"JWT_SECRET": secret}, Tokens(secret)


def _staff(tokens: Tokens) -> str:
    return tokens.mint("bench", ["staff"], 24 * 3600)


def _disk() -> str | None:
    """Return where SQLite should be measured: the checkout's disk where the temporary folder is in memory."""
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", tempfile.gettempdir()], capture_output=True, text=True, check=False
    )
    return str(ROOT) if kind.stdout.strip() in ("tmpfs", "ramfs") else None


def _memory() -> str | None:
    """Return a folder in memory, if there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def install_node_packages() -> None:
    """Install the Node peers' packages from their lock file, once."""
    stamp = NODE_PEER / "node_modules" / ".stamp"
    wanted = (NODE_PEER / "package-lock.json").read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("bench: installing the Node peers' packages", flush=True)
    command = [str(ROOT / "scripts" / "node"), "npm", "ci", "--silent"]
    subprocess.run(command, cwd=NODE_PEER, check=True, timeout=300)
    stamp.write_text(wanted)
