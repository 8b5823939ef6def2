"""The most deliveries a second to 1,000 clients that follow everything, while p99 stays under 50 ms.

The facts are about distinct tours, so that there is nothing to conflate. The rate rises step by step; it counts
while everything comes, in time. Beside it, what a delivery costs at 1,000,000 a second.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from bench import tables
from bench.broadcasters import Broadcaster, run
from bench.outcomes import Outcome
from bench.rabbit import Rabbit
from bench.rivals import everybody
from bench.wsload import Load

CLIENTS = 1_000
TOURS = 1_000
MOST_MS = 50.0
STEP = 1.25
FIRST_RATE = {True: 1_000.0, False: 100.0}
"""Facts a second to begin with: ours, and the others."""
MILLION = 1_000.0
TARGET = 3_000_000
MOST_OF_FLOOR = 0.3


async def measure(rabbit: Rabbit, *, rounds: int, seconds: float, all_peers: bool) -> list[Outcome]:
    """Print the table."""
    rows = []
    outcomes: list[Outcome] = []
    floor_us = 0.0
    for starter in everybody(rabbit, TOURS, all_peers=all_peers):
        async with AsyncExitStack() as opened:
            server = await opened.enter_async_context(starter)
            load = await opened.enter_async_context(server.clients())
            await load.connect(CLIENTS, states=TOURS if server.states else 0)
            await run(server, load, FIRST_RATE[server.ours], 1.0)
            rate, passes = FIRST_RATE[server.ours], []
            for _ in range(rounds):
                passes.append(await _climb(server, load, rate, seconds))
                rate = passes[-1]["rate"] / STEP
            million = [await run(server, load, MILLION, seconds) for _ in range(rounds if server.ours else 0)]
        usual = {name: tables.median([one[name] for one in passes]) for name in _FIGURES}
        floor_us = floor_us or usual["cpu_us"]
        judged = _judge(usual, million, floor_us) if server.ours else []
        outcomes += judged
        rows.append([
            server.name,
            f"{usual['rate'] * CLIENTS:,.0f}",
            " ".join(f"{one['rate'] * CLIENTS:,.0f}" for one in passes),
            f"{usual['p99']:.1f}",
            f"{usual['cpu_us']:.3f}",
            f"{usual['core']:.0%}",
            f"{usual['client_core']:.0%}",
            f"{tables.median([turn['cpu_us'] for turn in million]):.3f}" if million else "-",
            f"{tables.median([turn['p99'] for turn in million]):.1f}" if million else "-",
            "; ".join(map(str, judged)),
        ])  # fmt: skip
    tables.show(
        f"Most deliveries/s to {CLIENTS:,} clients, p99 < {MOST_MS:g} ms ({rounds} passes, steps of {seconds:g} s)",
        ["server", "deliveries/s", "passes", "p99 ms", "CPU us", "core", "client's core", "us at 1,000,000/s", "p99", "target"],
        rows,
        ["CPU us: per delivery, at that rate. The floor's there is what ours at 1,000,000/s is compared with."],
    )  # fmt: skip
    return outcomes


_FIGURES = ("rate", "p99", "cpu_us", "core", "client_core")


def _judge(usual: dict[str, float], million: list[dict[str, Any]], floor_us: float) -> list[Outcome]:
    most = usual["rate"] * CLIENTS
    at_million = tables.median([turn["cpu_us"] for turn in million])
    return [
        Outcome(f"most deliveries/s, {CLIENTS:,} clients", f"{most:,.0f}", f">= {TARGET:,}", most >= TARGET),
        Outcome(
            "CPU of a delivery at 1,000,000/s",
            f"{at_million / floor_us:.2f} x the floor's at its most, {at_million:.2f} us",
            f"<= {MOST_OF_FLOOR} x floor",
            at_million <= MOST_OF_FLOOR * floor_us,
        ),
    ]


async def _climb(server: Broadcaster, load: Load, rate: float, seconds: float) -> dict[str, Any]:
    """Find the highest rate that passes, beginning with `rate`; return its figures. A step has to fail twice."""
    while not (best := await _step(server, load, rate, seconds)):
        rate /= 2
    while better := await _step(server, load, best["rate"] * STEP, seconds):
        best = better
    return best


async def _step(server: Broadcaster, load: Load, rate: float, seconds: float) -> dict[str, Any] | None:
    for _ in range(2):
        figures = await run(server, load, rate, seconds)
        client_core = figures["cpu"] / figures["seconds"]
        passed = figures["p99"] < MOST_MS and figures["received"] >= figures["expected"]
        tables.progress(
            f"{server.name}: {rate:.0f} facts/s, p99 {figures['p99']:.1f} ms, {figures['received']:,} of"
            f" {figures['expected']:,}, core {figures['core']:.0%}, client {client_core:.0%}"
        )
        if passed or rate < 1:
            return {**figures, "rate": rate, "client_core": client_core}
    return None
