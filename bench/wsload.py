"""The load client's process (native/wsload.c), told what to do and answering with figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.native import program
from bench.parts import StackFailed, die_with_parent


@dataclass(frozen=True)
class Schedule:
    """`count` facts from number `first` on, `rate` a second, the first due at `start_us` of the monotonic clock."""

    first: int
    count: int
    start_us: int
    rate: float

    def __str__(self) -> str:
        return f"{self.first} {self.count} {self.start_us} {self.rate:.6f}"


class Load:
    """Many clients of one server. Every method returns wsload's answer; native/wsload.c says what is in it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def _ask(self, command: str, seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError:
            raise StackFailed(f"wsload does not answer {command.split()[0]!r}") from None
        if not line:
            raise StackFailed(f"wsload ended at {command.split()[0]!r}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def connect(self, many: int, *, inflight: int = 256, states: int = 0) -> dict[str, Any]:
        """Open connections, `inflight` at a time, each up once `states` INITIAL_STATEs came."""
        answer = await self._ask(f"connect {many} {inflight} {states}", 120)
        if answer["failed"] or answer["malformed"]:
            raise StackFailed(f"of {many} connections {answer['failed']} failed ({answer})")
        return answer

    async def schedule(self, schedule: Schedule) -> None:
        """Say which facts come next."""
        await self._ask(f"schedule {schedule}", 10)

    async def measure(self, *, spin: bool, grace_ms: int = 1_000) -> dict[str, Any]:
        """Count what comes of the schedule, until all of it came or nothing more does."""
        return await self._ask(f"measure {int(spin)} {grace_ms}", 300)

    async def stall(self, many: int) -> None:
        """Stop reading from some connections."""
        await self._ask(f"stall {many}", 10)

    async def resume(self) -> dict[str, Any]:
        """Read again from the stalled ones; answers once each has every tour's newest fact."""
        return await self._ask("resume", 90)

    async def herd(self, inflight: int) -> dict[str, Any]:
        """Cut every connection and connect anew; answers once each has every tour's newest fact."""
        return await self._ask(f"herd {inflight}", 90)

    async def wait(self, seconds: float) -> dict[str, Any]:
        """Only answer pings."""
        return await self._ask(f"wait {int(seconds * 1_000)}", seconds + 30)


@asynccontextmanager
async def loading(before: Sequence[str], port: int, options: Mapping[str, object]) -> AsyncIterator[Load]:
    """Start a load client for a local port; `before` is what its command begins with."""
    command = [*before, program("wsload"), str(port), *(f"{key}={value}" for key, value in options.items())]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    assert process.stdin is not None
    try:
        yield Load(process)
    finally:
        process.stdin.close()
        if process.returncode is None:
            process.kill()
        await process.wait()
