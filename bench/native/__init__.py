"""The benchmark's C programs, compiled with gcc when they are first used."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.parts import StackFailed

_HERE = Path(__file__).parent
_BUILT = _HERE / "built"
_SOURCES = {"wsload": ("wsload.c", "wsload_conn.c"), "floor": ("floor.c",)}


def program(name: str) -> str:
    """Return the path of a compiled program, compiling it unless it is newer than its sources."""
    sources = [_HERE / source for source in _SOURCES[name]]
    made = _BUILT / name
    if not made.exists() or any(one.stat().st_mtime > made.stat().st_mtime for one in _HERE.glob("*.[ch]")):
        _BUILT.mkdir(exist_ok=True)
        command = ["gcc", "-O2", "-Wall", "-Wextra", "-o", str(made), *map(str, sources)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        except FileNotFoundError:
            raise StackFailed("the load client is written in C: install gcc") from None
        if done.returncode:
            raise StackFailed(f"{' '.join(command)}: {done.stderr[-2_000:]}")
    return str(made)
