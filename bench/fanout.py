"""What one delivery costs the server, and how late it is: every fact to every client, 50,000 deliveries a second.

The servers take turns, so that a noisy second hits all alike; figures are medians over turns, and the ratio is of
each turn to the floor's turn just before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from bench import tables
from bench.broadcasters import Broadcaster, run
from bench.rabbit import Rabbit
from bench.rivals import everybody

DELIVERIES = 50_000
TOURS = 200
MOST_OF_FLOOR = 1.2


async def measure(rabbit: Rabbit, *, clients: int, rounds: int, seconds: float, all_peers: bool) -> bool:
    """Print the table for so many clients; returns whether our targets were met."""
    async with AsyncExitStack() as opened:
        servers = [
            await opened.enter_async_context(one) for one in everybody(rabbit, TOURS, all_peers=all_peers)
        ]
        loads = []
        for server in servers:
            load = await opened.enter_async_context(server.clients())
            await load.connect(clients, states=TOURS if server.states else 0)
            loads.append(load)
        rate = DELIVERIES / clients
        turns: list[list[dict[str, Any]]] = [[] for _ in servers]
        for number in range(rounds + 1):
            for server, load, mine in zip(servers, loads, turns, strict=True):
                figures = await run(server, load, rate, seconds if number else 1.0)
                if number:  # the first turn warms up
                    mine.append(figures)
    return _show(servers, turns, clients, seconds)


def _show(
    servers: Sequence[Broadcaster], turns: list[list[dict[str, Any]]], clients: int, seconds: float
) -> bool:
    floor = [turn["cpu_us"] for turn in turns[0]]
    figures = {
        server.name: {
            "cpu": tables.median([turn["cpu_us"] for turn in mine]),
            "ratio": tables.median([turn["cpu_us"] / low for turn, low in zip(mine, floor, strict=True)]),
            "p50": tables.median([turn["p50"] for turn in mine]),
            "p99": tables.median([turn["p99"] for turn in mine]),
        }
        for server, mine in zip(servers, turns, strict=True)
    }
    rows = []
    good = True
    for server, mine in zip(servers, turns, strict=True):
        row = figures[server.name]
        whole = sum(turn["received"] for turn in mine) == sum(turn["expected"] for turn in mine)
        wrong = sum(turn["back"] + turn["duplicates"] + turn["malformed"] + turn["lost"] for turn in mine)
        outcome = ""
        if server.ours:
            others = [figures[one.name] for one in servers[1:] if not one.ours]
            tuned = figures["ws tuned, AMQP"]["p99"]
            cheap = row["ratio"] <= MOST_OF_FLOOR and all(row["cpu"] < one["cpu"] for one in others)
            prompt = row["p99"] <= tuned
            outcome = (
                f"<= {MOST_OF_FLOOR} and below every peer: {tables.verdict(cheap)}; "
                f"p99 <= tuned ws, AMQP: {tables.verdict(prompt)}"
            )
            good = cheap and prompt and whole and not wrong
        rows.append([
            server.name,
            f"{row['cpu']:.2f}",
            f"{min(turn['cpu_us'] for turn in mine):.2f}",
            f"{row['ratio']:.2f}",
            _instructions(mine),
            f"{row['p50']:.1f}",
            f"{row['p99']:.1f}",
            f"{min(turn['p99'] for turn in mine):.1f}",
            ("all" if whole else "NOT ALL") + (f", {wrong} WRONG" if wrong else ""),
            outcome,
        ])  # fmt: skip
    tables.show(
        f"One delivery: {clients:,} clients, {DELIVERIES / clients:g} facts/s, {DELIVERIES:,} deliveries/s"
        f" ({len(turns[0])} turns of {seconds:g} s)",
        [
            "server",
            "CPU us",
            "least",
            "x floor",
            "k instructions",
            "p50 ms",
            "p99 ms",
            "least",
            "deliveries",
            "target",
        ],
        rows,
        [
            "CPU and instructions: user and kernel, of the server's process, per delivery. Latency: from when the fact was due to when"
            " the client has read it."
        ],
    )
    return good


def _instructions(turns: Sequence[dict[str, Any]]) -> str:
    values = [turn["kilo_instructions"] for turn in turns]
    return "-" if None in values else f"{tables.median(values):.1f}"
