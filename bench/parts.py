"""What stacks are made of: processes, ports, databases and virtual hosts of their own, all gone afterwards.

The shared PostgreSQL and RabbitMQ are only visited; what is made there is named `seatcast_bench_...` and removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import load
from bench.follower import booking

POSTGRES = os.environ.get("SEATCAST_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432").rstrip("/")
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
_MANY_ENDED = 10_000


class StackFailed(Exception):
    """A process of a stack ended, did not come up or does not do its work; the text says what it said."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, outside the range of outgoing connections."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def ports_again(seconds: float = 90.0) -> None:
    """Wait until most local ports can be had: those of connections that ended are the kernel's for another minute.

    While it has them all, nothing can be given any free port, and no Erlang program, `rabbitmqctl` among them, starts.
    """
    for _ in range(int(seconds)):
        counts = Path("/proc/net/sockstat").read_text().partition(" tw ")[2].split()
        if not counts or int(counts[0]) < _MANY_ENDED:
            return
        await asyncio.sleep(1.0)


async def listens(port: int) -> bool:
    """Return whether something accepts connections on a local port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def ready(port: int) -> bool:
    """Return whether a Seatcast process says on a local port that it is ready."""
    try:
        async with booking(port) as booker, asyncio.timeout(5):
            return (await booker.send(load.get("/health/ready")))[0] == 200
    except (OSError, TimeoutError):
        return False


@asynccontextmanager
async def fresh_database(label: str) -> AsyncIterator[str]:
    """Create a PostgreSQL database and yield its URL; it is dropped at the end, whoever is connected."""
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
async def fresh_vhost(label: str) -> AsyncIterator[str]:
    """Create a RabbitMQ virtual host and yield its URL; it is deleted at the end. Needs root."""
    name = f"seatcast_bench_{label}_{os.getpid()}"
    await _rabbitmqctl("add_vhost", name)
    try:
        await _rabbitmqctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        yield f"{RABBITMQ}/{name}"
    finally:
        await _rabbitmqctl("delete_vhost", name)


async def _rabbitmqctl(*arguments: str) -> None:
    await ports_again()
    process = await asyncio.create_subprocess_exec(
        "rabbitmqctl", "--quiet", *arguments, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    if process.returncode:
        raise StackFailed(f"rabbitmqctl {arguments[0]} (needs root): {output.decode()[-500:]}")


@dataclass(frozen=True)
class Running:
    """A process of a stack and the file with its output."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    async def wait_until(self, ready: Callable[[], Awaitable[bool]]) -> None:
        """Return once `ready()` is true; raise `StackFailed` with the end of the log if it does not come."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not await ready():
            if self.process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise StackFailed(f"did not start:\n{self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(
    *command: str, environment: Mapping[str, str], cwd: Path | None = None, told: bool = False
) -> AsyncIterator[Running]:
    """Run a command, its output in a file, and yield it; it is terminated at the end, killed if it will not.

    With `told` its standard input is a pipe, `process.stdin`.
    """
    with tempfile.TemporaryDirectory(prefix="seatcast-bench-log-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd or folder,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE if told else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        try:
            yield Running(process, log)
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), STOP_SECONDS)
                except TimeoutError:
                    process.kill()
                    await process.wait()


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Have the kernel end the child with us, however we end: a bench that was killed leaves nothing running."""
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
