"""Instructions that a process executes, user and kernel, where the machine lets `perf` count them.

They repeat within a few percent where processor time does not. Most virtual machines have no such counter.
"""

from __future__ import annotations

import asyncio
import functools
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

EVENT = "instructions"
ATTACH_SECONDS = 0.2


@functools.cache
def countable() -> bool:
    """Return whether `perf stat` can count them here."""
    try:
        done = subprocess.run(
            ["perf", "stat", "-x", ",", "-e", EVENT, "true"],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    except OSError:
        return False
    return _value(done.stderr) is not None


def _value(output: str) -> float | None:
    for line in output.splitlines():
        value, *rest = line.split(",")
        if len(rest) > 1 and rest[1].startswith(EVENT):
            try:
                return float(value)
            except ValueError:
                return None
    return None


class Count:
    """What was counted; None where nothing can be."""

    value: float | None = None


@asynccontextmanager
async def counted(pids: Sequence[int]) -> AsyncIterator[Count]:
    """Count the instructions of these processes inside the context; the result is there after it."""
    count = Count()
    if not countable():
        yield count
        return
    process = await asyncio.create_subprocess_exec(
        "perf", "stat", "-x", ",", "-e", EVENT, "-p", ",".join(map(str, pids)),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    await asyncio.sleep(ATTACH_SECONDS)
    try:
        yield count
    finally:
        process.send_signal(signal.SIGINT)
        _, output = await process.communicate()
        count.value = _value(output.decode())
