"""As many idle connections as open files allow, in one process and over two, with heartbeats: do they all stay?"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from bench import broadcasters, tables
from bench.outcomes import Outcome
from bench.rabbit import Rabbit

ONE, TWO = 19_500, 38_000
"""Connections of one process and of two; a process may open 20,000 files here."""
CLIENT_MOST = 19_500
SOURCES = 8
"""Addresses that the clients come from: one has too few ports."""
TOURS = 20


async def measure(rabbit: Rabbit, *, seconds: float, share: float = 1.0) -> list[Outcome]:
    """Print the table for `share` of the connections."""
    rows = []
    outcomes: list[Outcome] = []
    for title, many, arguments in (
        ("one process", round(ONE * share), ()),
        ("two workers", round(TWO * share), ("--workers", "2")),
    ):
        clients = -(-many // CLIENT_MOST)
        async with AsyncExitStack() as opened:
            server = await opened.enter_async_context(broadcasters.seatcast(rabbit, TOURS, *arguments))
            loads = [
                await opened.enter_async_context(server.clients({"sources": SOURCES})) for _ in range(clients)
            ]
            for load in loads:
                await load.connect(many // clients, states=TOURS)
            before = server.cpu_seconds()
            waited = await asyncio.gather(*(load.wait(seconds) for load in loads))
            used = (server.cpu_seconds() - before) / seconds
            resident = server.resident_bytes()
            schedule = server.go(10, 1)
            for load in loads:
                await load.schedule(schedule)
            told = await asyncio.gather(*(load.measure(spin=False) for load in loads))
        held = sum(one["open"] for one in waited)
        heard = sum(one["received"] for one in told)
        steady = held == many // clients * clients and heard == held * schedule.count
        outcomes.append(
            Outcome(
                f"idle connections, {title}, {seconds:g} s",
                f"{held:,} of {many:,}, {used:.1%} of a core",
                "all stay, all hear the end",
                steady,
            )
        )
        rows.append([
            title, f"{held:,}", f"{seconds:g}", f"{sum(one['lost'] for one in waited):,}",
            f"{sum(one['pings'] for one in waited) / seconds:,.0f}", f"{used:.1%}",
            f"{resident / 2**20:.0f}", f"{heard / held / schedule.count:.1%}",
            str(outcomes[-1]),
        ])  # fmt: skip
    tables.show(
        "Idle connections, heartbeats on",
        ["Seatcast", "connections", "seconds", "lost", "pings/s", "of a core", "RSS MiB", "heard the end", "target"],
        rows,
        ["Ten facts to everybody at the end."],
    )  # fmt: skip
    return outcomes
