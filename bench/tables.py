"""Tables and conditions in plain text (Markdown), and the few figures they are made of."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.stacks import NODE_PEER, ROOT


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a `share` (0 to 1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print a table with its title above and its notes below."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return (
            "| "
            + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])
            + " |"
        )

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print(f"\n## {title}\n\n{line(header)}\n{line(rule)}")
    for row in rows:
        print(line(row))
    if notes:
        print()
    for note in notes:
        print(note)
    print(flush=True)


def progress(text: str) -> None:
    """Say on standard error what a long measurement is doing."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def verdict(met: bool) -> str:
    """Return a target's outcome in one word."""
    return "met" if met else "MISSED"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    except OSError:
        return ""
    return done.stdout.strip()


def conditions() -> list[str]:
    """Return under what conditions this run measures, one line each."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    packages = json.loads((NODE_PEER / "package-lock.json").read_text())["packages"]
    peers = ", ".join(
        f"{n} {packages[f'node_modules/{n}']['version']}"
        for n in ("express", "sequelize", "pg", "amqplib", "ws")
    )
    ours = ", ".join(
        f"{n} {version(n)}"
        for n in ("picows", "uvloop", "uvicorn", "litestar", "sqlalchemy", "asyncpg", "aiormq")
    )
    changed = " with changes" if _said("git", "status", "--porcelain", "src") else ""
    return [
        f"Machine: {len(os.sched_getaffinity(0))} cores ({model}), Linux {platform.release()}; servers, stacks and client share them;"
        f" load before {os.getloadavg()[0]:.2f}",
        f"PostgreSQL {_said('psql', '--version').rpartition('PostgreSQL) ')[2]} and RabbitMQ"
        f" {_said('rabbitmqctl', 'version')} as installed (fsync on), SQLite {sqlite3.sqlite_version}",
        f"Seatcast {version('seatcast')}, commit {_said('git', 'rev-parse', '--short', 'HEAD')}{changed}:"
        f" Python {platform.python_version()}, {ours}",
        f"Node {_said(str(ROOT / 'scripts' / 'node'), 'node', '--version')}: {peers}",
    ]
