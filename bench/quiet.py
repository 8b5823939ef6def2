"""Keeping other work on the machine out of the figures, as far as one may, and saying how much got in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")


@contextmanager
def ahead_of_others() -> Iterator[None]:
    """Let this session go first: where the kernel groups processes by session, `nice` counts only within one."""
    with contextlib.suppress(OSError):
        _AUTOGROUP.write_text("-20")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _AUTOGROUP.write_text("0")


def put_ahead(pid: int) -> None:
    """Let a process that we started go before everybody else's, all its threads, until it ends. Needs root."""
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(1))


def on(core: int) -> tuple[str, ...]:
    """Return the beginning of a command that runs on `core`, before everybody else where that is allowed."""
    held = ("taskset", "-c", str(core))
    return ("nice", "-n", "-20", *held) if os.geteuid() == 0 else held


class Stolen:
    """How much of the processors the host of a virtual machine gave to others."""

    def __init__(self) -> None:
        self._before = _times()

    def __str__(self) -> str:
        stolen, total = (now - then for now, then in zip(_times(), self._before, strict=True))
        return f"The host took {stolen / max(total, 1):.0%} of the processors meanwhile."


def _times() -> tuple[int, int]:
    values = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return values[7], sum(values)
