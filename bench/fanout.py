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
from bench.outcomes import Outcome
from bench.rabbit import Rabbit
from bench.rivals import everybody

DELIVERIES = 50_000
TOURS = 200
MOST_OF_FLOOR = 1.2
PROMPT_CLIENTS = 1_000
"""With so many, latency is judged too."""


async def measure(
    rabbit: Rabbit, *, clients: int, rounds: int, seconds: float, all_peers: bool
) -> list[Outcome]:
    """Print the table for so many clients."""
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
                figures = await run(server, load, rate, seconds if number else 1.0, spin=True)
                if number:  # the first turn warms up
                    mine.append(figures)
    return _show(servers, turns, clients, seconds)


def _show(
    servers: Sequence[Broadcaster], turns: list[list[dict[str, Any]]], clients: int, seconds: float
) -> list[Outcome]:
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
    outcomes: list[Outcome] = []
    for server, mine in zip(servers, turns, strict=True):
        row = figures[server.name]
        missing = sum(turn["expected"] - turn["received"] for turn in mine)
        wrong = sum(turn["back"] + turn["duplicates"] + turn["malformed"] + turn["lost"] for turn in mine)
        judged: list[Outcome] = []
        if server.ours:
            judged = _judge(clients, row, [figures[one.name] for one in servers[1:] if not one.ours])
            if clients == PROMPT_CLIENTS:
                judged.append(_prompt(row, figures["ws tuned, AMQP"]))
            judged.append(
                Outcome(
                    f"every delivery, once, in order, {clients:,} clients",
                    f"{missing:,} missing, {wrong:,} wrong",
                    "none",
                    not missing and not wrong,
                )
            )
            outcomes += judged
        rows.append([
            server.name,
            f"{row['cpu']:.2f}",
            f"{min(turn['cpu_us'] for turn in mine):.2f}",
            f"{row['ratio']:.2f}",
            _instructions(mine),
            f"{row['p50']:.1f}",
            f"{row['p99']:.1f}",
            f"{min(turn['p99'] for turn in mine):.1f}",
            (f"{missing:,} MISSING" if missing else "all") + (f", {wrong} WRONG" if wrong else ""),
            "; ".join(map(str, judged[:-1])),
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
    return outcomes


def _judge(clients: int, row: dict[str, float], peers: Sequence[dict[str, float]]) -> list[Outcome]:
    least = min(one["cpu"] for one in peers)
    return [
        Outcome(
            f"CPU of a delivery, {clients:,} clients, {DELIVERIES:,}/s",
            f"{row['ratio']:.2f} x floor, {row['cpu']:.2f} us (least peer {least:.2f})",
            f"<= {MOST_OF_FLOOR} x floor, below every peer",
            row["ratio"] <= MOST_OF_FLOOR and row["cpu"] < least,
        )
    ]


def _prompt(row: dict[str, float], tuned: dict[str, float]) -> Outcome:
    return Outcome(
        f"p99 latency, {PROMPT_CLIENTS:,} clients, {DELIVERIES / PROMPT_CLIENTS:g} facts/s",
        f"{row['p99']:.1f} ms (tuned ws over AMQP {tuned['p99']:.1f})",
        "<= tuned ws over AMQP",
        row["p99"] <= tuned["p99"],
    )


def _instructions(turns: Sequence[dict[str, Any]]) -> str:
    values = [turn["kilo_instructions"] for turn in turns]
    return "-" if None in values else f"{tables.median(values):.1f}"
