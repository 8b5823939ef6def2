"""Everybody is cut at once and comes back at once: how long until each shows the newest state again?"""

from __future__ import annotations

import asyncio
from typing import Any

from bench import broadcasters, tables
from bench.outcomes import Outcome
from bench.rabbit import Rabbit

CLIENTS = 10_000
TOURS = 20
RATE = 5.0
INFLIGHT = 2_000
"""Handshakes that wait at once; more and the kernel's queue of new connections would make them wait for seconds."""
MOST_SECONDS = 5.0


async def measure(rabbit: Rabbit, *, rounds: int, clients: int = CLIENTS) -> list[Outcome]:
    """Print the table."""
    results: list[dict[str, Any]] = []
    async with broadcasters.seatcast(rabbit, TOURS) as server, server.clients() as load:
        await load.connect(clients, states=TOURS)
        for _ in range(rounds):
            await load.schedule(server.go(RATE, 60))
            await asyncio.sleep(1)
            reads, before = await server.snapshot_reads(), server.cpu_seconds()
            figures = await load.herd(INFLIGHT)
            figures["reads"] = await server.snapshot_reads() - reads
            figures["cpu"] = server.cpu_seconds() - before
            results.append(figures)
            server.go(RATE, 0)
            await load.wait(1)
    worst = max(one["ms"] for one in results) / 1e3
    whole = all(one["settled"] == clients for one in results)
    reads = max(one["reads"] for one in results)
    outcome = Outcome(
        f"{clients:,} clients cut at once: all show the newest state",
        f"{worst:.2f} s, {reads} upstream reads",
        f"< {MOST_SECONDS:g} s, <= 1 read",
        whole and worst < MOST_SECONDS and reads <= 1,
    )
    tables.show(
        f"{clients:,} clients cut at once, {RATE:g} facts/s going on, {TOURS} tours ({rounds} rounds)",
        ["Seatcast", "all newest after s", "worst", "median client s", "handshakes failed", "CPU s", "upstream reads", "target"],
        [[
            "one process",
            f"{tables.median([one['ms'] for one in results]) / 1e3:.2f}",
            f"{worst:.2f}",
            f"{tables.median([one['p50'] for one in results]) / 1e3:.2f}",
            f"{sum(one['failed'] for one in results):,}",
            f"{tables.median([one['cpu'] for one in results]):.2f}",
            f"{reads}",
            str(outcome),
        ]],
        ["Newest: of every tour the last fact that was due when they were cut, or a newer one."],
    )  # fmt: skip
    return [outcome]
