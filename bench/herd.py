"""Everybody is cut at once and comes back at once: how long until each shows the newest state again?"""

from __future__ import annotations

import asyncio
from typing import Any

from bench import broadcasters, tables
from bench.broadcasters import Broadcaster
from bench.outcomes import Outcome
from bench.rabbit import Rabbit
from bench.wsload import Load

CLIENTS = 10_000
TOURS = 20
RATES = (5.0, 50.0)
"""Facts a second that go on meanwhile; at the second, to 10,000 clients, some half million deliveries."""
INFLIGHT = 2_000
"""Handshakes that wait at once; more and the kernel's queue of new connections would make them wait for seconds."""
MOST_SECONDS = 5.0


async def measure(rabbit: Rabbit, *, rounds: int, clients: int = CLIENTS) -> list[Outcome]:
    """Print the table."""
    rows: list[list[str]] = []
    outcomes: list[Outcome] = []
    async with broadcasters.seatcast(rabbit, TOURS) as server, server.clients() as load:
        await load.connect(clients, states=TOURS)
        for rate in RATES:
            results = [await _cut(server, load, rate) for _ in range(rounds)]
            worst = max(one["ms"] for one in results) / 1e3
            whole = all(one["settled"] == clients for one in results)
            reads = max(one["reads"] for one in results)
            outcome = Outcome(
                f"{clients:,} clients cut at once, {rate:g} facts/s: all show the newest state",
                f"{worst:.2f} s, {reads} upstream reads",
                f"< {MOST_SECONDS:g} s, <= 1 read",
                whole and worst < MOST_SECONDS and reads <= 1,
            )
            outcomes.append(outcome)
            rows.append([
                f"{rate:g}",
                f"{tables.median([one['ms'] for one in results]) / 1e3:.2f}",
                f"{worst:.2f}",
                f"{tables.median([one['p50'] for one in results]) / 1e3:.2f}",
                f"{sum(one['failed'] for one in results):,}",
                f"{tables.median([one['cpu'] for one in results]):.2f}",
                f"{reads}",
                str(outcome),
            ])  # fmt: skip
    tables.show(
        f"{clients:,} clients cut at once, facts going on, {TOURS} tours ({rounds} rounds)",
        ["facts/s", "all newest after s", "worst", "median client s", "handshakes failed", "CPU s", "upstream reads", "target"],
        rows,
        ["Newest: of every tour the last fact that was due when they were cut, or a newer one."],
    )  # fmt: skip
    return outcomes


async def _cut(server: Broadcaster, load: Load, rate: float) -> dict[str, Any]:
    await load.schedule(server.go(rate, 60))
    # Until every tour had a fact of this schedule: those of the one before were not all made.
    await asyncio.sleep(1 + TOURS / rate)
    reads, before = await server.snapshot_reads(), server.cpu_seconds()
    figures = await load.herd(INFLIGHT)
    figures["reads"] = await server.snapshot_reads() - reads
    figures["cpu"] = server.cpu_seconds() - before
    server.go(rate, 0)
    await load.wait(1)
    return figures
