"""Fifty of a thousand clients stop reading for a minute: do the others notice, does memory, and where do they end?"""

from __future__ import annotations

import asyncio
from typing import Any

from bench import broadcasters, tables
from bench.broadcasters import Broadcaster, run
from bench.rabbit import Rabbit
from bench.wsload import Load

CLIENTS, STALLED = 1_000, 50
TOURS = 200
RATE = 200.0
MOST_LATER = 1.25
MOST_MIB = 5.0
MOST_MS = 1_000.0


async def measure(rabbit: Rabbit, *, windows: int, seconds: float) -> bool:
    """Print the table; the stall lasts `windows` times `seconds`. Returns whether our targets were met."""
    async with broadcasters.seatcast(rabbit, TOURS) as server, server.clients() as load:
        await load.connect(CLIENTS, states=TOURS)
        await run(server, load, RATE, 2)
        calm = await _windows(server, load, max(2, windows // 2), seconds)
        before = server.resident_bytes()
        await load.stall(STALLED)
        stalled = await _windows(server, load, windows, seconds)
        await load.schedule(server.go(RATE, 5))
        await asyncio.sleep(1)
        back = await load.resume()
        grown = (max(one["resident"] for one in stalled) - before) / 2**20
        conflated = await server.metric("seatcast_gateway_conflated_total")
        closed = await server.metric("seatcast_gateway_closed_total")
    usual, meanwhile = (tables.median([one["p99"] for one in phase]) for phase in (calm, stalled))
    whole = all(one["received"] == one["expected"] and not one["back"] for one in [*calm, *stalled])
    unnoticed = whole and meanwhile <= MOST_LATER * usual
    true = back["settled"] == STALLED and back["ms"] <= MOST_MS and not back["back"] and not back["lost"]
    tables.show(
        f"{STALLED} of {CLIENTS:,} clients stop reading for {windows * seconds:g} s, {RATE:g} facts/s",
        ["Seatcast", "figure", "target"],
        [
            ["others' p99 before, ms (median of windows)", f"{usual:.1f}", ""],
            [
                "others' p99 meanwhile, ms",
                f"{meanwhile:.1f}",
                f"<= {MOST_LATER:g} x before: {tables.verdict(unnoticed)}",
            ],
            ["others' deliveries", "all" if whole else "NOT ALL", ""],
            ["RSS grew by, MiB", f"{grown:.1f}", f"<= {MOST_MIB:g}: {tables.verdict(grown <= MOST_MIB)}"],
            [
                "newest of every tour after reading again, ms",
                f"{back['ms']:.0f}",
                f"<= {MOST_MS:g}: {tables.verdict(true)}",
            ],
            ["versions going back", str(back["back"]), ""],
            ["updates conflated", f"{conflated:,.0f}", ""],
            ["connections closed", f"{closed:,.0f}", ""],
        ],
        [f"Windows of {seconds:g} s."],
    )
    return unnoticed and true and grown <= MOST_MIB


async def _windows(server: Broadcaster, load: Load, many: int, seconds: float) -> list[dict[str, Any]]:
    return [
        {**await run(server, load, RATE, seconds), "resident": server.resident_bytes()} for _ in range(many)
    ]
