"""Real processes for tests: `seatcast` itself and programs beside it, their output as it comes, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
"""A WebSocket's handshake, for clients that are only a socket."""


@contextlib.asynccontextmanager
async def ending(context: AbstractAsyncContextManager[_T]) -> AsyncIterator[tuple[_T, Callable[[], None]]]:
    """Enter `context`, and yield its value and a function that lets it end while the body goes on.

    At the end of the body its end is waited for.
    """
    entered: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def run() -> None:
        async with context as value:
            entered.set_result(value)
            await stop.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        try:
            yield await entered, stop.set
        finally:
            stop.set()


def environment(**more: str) -> dict[str, str]:
    """Return the environment without whatever settings of Seatcast this machine has."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SEATCAST_", "JWT_"))}
    return kept | {"COLUMNS": "200"} | more


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and is not yet buried does not."""
    return _status(pid)[0] not in "ZX"


def children(pid: int) -> list[int]:
    """Return the running processes that this one started, the oldest first."""
    found = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return sorted(child for child in found if alive(child) and _status(child)[1] == str(pid))


def _status(pid: int) -> list[str]:
    """Return state, parent and what follows of `/proc/PID/stat`; a process that is not there is a dead one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["X", ""]


class Running:
    """A running program. `out` and `log` are its standard output and error, growing."""

    def __init__(self, folder: Path, command: list[str], **more: str) -> None:
        folder.mkdir(parents=True)
        self.out = folder / "out"
        self.log = folder / "log"
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment(**more), stdout=out, stderr=log
            )

    def line(self, event: str, seconds: float = 90) -> dict[str, Any]:
        """Return the first log line with this event; fail with the whole log if there is none in time."""
        deadline = time.monotonic() + seconds
        while True:
            if found := self.lines(event):
                return found[0]
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"no {event!r} in:\n{self.log.read_text()}")
            time.sleep(0.02)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines with this event so far."""
        return [line for line in self._objects(self.log) if line.get("event") == event]

    def printed(self) -> list[dict[str, Any]]:
        """Return the JSON objects printed so far."""
        return self._objects(self.out)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        self.process.kill()
        self.process.wait()

    @staticmethod
    def _objects(file: Path) -> list[dict[str, Any]]:
        found = []
        for line in file.read_text().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [entry for entry in found if isinstance(entry, dict)]
