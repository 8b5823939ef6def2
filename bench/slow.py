"""Fifty of a thousand clients stop reading for a minute: do the others notice, does memory, and where do they end?"""

from __future__ import annotations

import asyncio
from typing import Any

from bench import broadcasters, tables
from bench.broadcasters import Broadcaster, run
from bench.outcomes import Outcome
from bench.rabbit import Rabbit
from bench.wsload import Load

CLIENTS, STALLED = 1_000, 50
TOURS = 200
RATE = 200.0
MOST_LATER = 1.25
MOST_MIB = 5.0
MOST_MS = 1_000.0


async def measure(rabbit: Rabbit, *, windows: int, seconds: float) -> list[Outcome]:
    """Print the table; the stall lasts `windows` times `seconds`."""
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
    stopped = f"{STALLED} of {CLIENTS:,} stop reading for {windows * seconds:g} s"
    outcomes = [
        Outcome(
            f"{stopped}: p99 of the others",
            f"{meanwhile:.1f} ms (before {usual:.1f}), {'all' if whole else 'NOT ALL'} delivered",
            f"<= {MOST_LATER:g} x before, all delivered",
            whole and meanwhile <= MOST_LATER * usual,
        ),
        Outcome(f"{stopped}: memory", f"{grown:+.1f} MiB", f"<= {MOST_MIB:g} MiB", grown <= MOST_MIB),
        Outcome(
            f"{stopped}: until they show the truth",
            f"{back['ms']:.0f} ms, {back['back']} versions going back, {back['lost']} closed",
            f"<= {MOST_MS:g} ms, none back, none closed",
            back["settled"] == STALLED and back["ms"] <= MOST_MS and not back["back"] and not back["lost"],
        ),
    ]
    tables.show(
        f"{stopped}, {RATE:g} facts/s",
        ["Seatcast", "figure", "target"],
        [
            *([one.measure.partition(": ")[2], one.figure, str(one)] for one in outcomes),
            ["updates conflated", f"{conflated:,.0f}", ""],
            ["connections closed by the gateway", f"{closed:,.0f}", ""],
        ],
        [f"p99: medians over windows of {seconds:g} s."],
    )
    return outcomes


async def _windows(server: Broadcaster, load: Load, many: int, seconds: float) -> list[dict[str, Any]]:
    return [
        {**await run(server, load, RATE, seconds), "resident": server.resident_bytes()} for _ in range(many)
    ]
