"""What hostile clients cost: the server's memory, the others' time, and the code that they are sent away with."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

from bench import tables
from bench.attacks import ATTACKS, MIB, Attack
from bench.broadcasters import CLIENT_CORE, Broadcaster, seatcast
from bench.outcomes import Outcome
from bench.quiet import on
from bench.rabbit import Rabbit
from bench.stacks import ROOT

TOURS = 20
MOST_GROWTH_MIB = 5.0
MOST_WAIT_MS = 50.0


async def measure(rabbit: Rabbit, *, rounds: int) -> list[Outcome]:
    """Print the table, the worst of so many rounds."""
    async with seatcast(rabbit, TOURS) as server:
        await _round(server, "messages")  # warms up
        calm = _worst([await _round(server, "") for _ in range(rounds)])
        seen = {name: _worst([await _round(server, name) for _ in range(rounds)]) for name in ATTACKS}
    # A crowd is shown and not judged: how long others wait for it varies too much from round to round.
    outcomes = {
        name: _judged(ATTACKS[name], worst) for name, worst in seen.items() if ATTACKS[name].connections == 1
    }
    tables.show(
        f"Hostile clients (the worst of {rounds} rounds; all limits as they are by default)",
        ["attack", "taken MiB", "memory MiB", "others' worst wait ms", "median", "closed with", "log lines", "target"],
        [
            _row("none", calm, ""),
            *(
                _row(ATTACKS[name].title, worst, str(outcomes.get(name, "")))
                for name, worst in seen.items()
            ),
        ],
        [
            "Memory: the highest RSS during the attack less that before. Wait: of clients that ping every few milliseconds,"
            " on the attacker's core and with more right to it.",
        ],
    )  # fmt: skip
    return list(outcomes.values())


async def _round(server: Broadcaster, name: str) -> dict[str, Any]:
    """Attack; returns the attacker's figures and those of the polite, with `grown` in bytes and log `lines`."""
    before = peak = server.resident_bytes()
    lines = _log_lines(server)
    polite = await _program(server.port, "polite")
    await asyncio.sleep(0.2)
    attacker = await _program(server.port, name) if name else None
    figures = asyncio.create_task(attacker.communicate() if attacker else asyncio.sleep(2, (b"{}", b"")))
    while not figures.done():
        peak = max(peak, server.resident_bytes())
        await asyncio.sleep(0.01)
    told, _ = await polite.communicate(b"")
    return {
        **json.loads(figures.result()[0]),
        **json.loads(told),
        "grown": peak - before,
        "lines": _log_lines(server) - lines,
    }


async def _program(port: int, name: str) -> asyncio.subprocess.Process:
    # The attacker leaves the core to those who note how long they wait.
    nice = () if name == "polite" else ("nice", "-n", "19")
    return await asyncio.create_subprocess_exec(
        *on(CLIENT_CORE), *nice, sys.executable, "-m", "bench.attacks", str(port), name,
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _log_lines(server: Broadcaster) -> int:
    return server.process.log.read_bytes().count(b"\n")


def _worst(seen: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "sent": max(one.get("sent", 0) for one in seen) / MIB,
        "grown": max(one["grown"] for one in seen) / MIB,
        "wait": max(one["worst_ms"] for one in seen),
        "median": tables.median([one["p50_ms"] for one in seen]),
        "codes": sorted({code for one in seen for code in one.get("codes", ())}),
        "lines": max(one["lines"] for one in seen),
    }


def _judged(attack: Attack, worst: dict[str, Any]) -> Outcome:
    codes = ", ".join(worst["codes"])
    return Outcome(
        f"hostile: {attack.title}",
        f"{worst['grown']:+.1f} MiB, others wait {worst['wait']:.1f} ms, closed with {codes}",
        f"< {MOST_GROWTH_MIB:g} MiB, < {MOST_WAIT_MS:g} ms, {attack.code}",
        worst["grown"] < MOST_GROWTH_MIB and worst["wait"] < MOST_WAIT_MS and codes == str(attack.code),
    )


def _row(title: str, worst: dict[str, Any], target: str) -> list[str]:
    return [
        title, f"{worst['sent']:.1f}", f"{worst['grown']:.1f}", f"{worst['wait']:.1f}", f"{worst['median']:.2f}",
        ", ".join(worst["codes"]), str(worst["lines"]), target,
    ]  # fmt: skip
