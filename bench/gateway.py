"""The gateway's measurements: which there are, how long each takes, and the summary of their targets."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from bench import broadcasters, connections, fanout, herd, hostile, idle, outcomes, saturation, slow
from bench.outcomes import Outcome
from bench.quiet import on
from bench.rabbit import private_rabbit

NAMES = ("fanout", "saturation", "memory", "handshakes", "herd", "slow", "hostile", "idle")


class Plan(NamedTuple):
    """How much of each."""

    rounds: int
    seconds: float
    """Of one turn."""
    peers: bool
    """Every peer, not the tuned ones alone."""
    connections: int
    """Idle ones whose memory is measured."""
    stall_windows: int
    stall_seconds: float
    idle_seconds: float
    idle_share: float


def plan(*, quick: bool, rounds: int, peers: bool, long: bool) -> Plan:
    """Return what to measure: `quick` shows that it works, `long` leaves the idle connections for five minutes."""
    if quick:
        return Plan(rounds, 1.0, peers, 5_000, 3, 2.0, 25.0, 0.25)
    return Plan(rounds, 2.0, peers, connections.CONNECTIONS, 12, 5.0, 300.0 if long else 30.0, 1.0)


async def measure(names: Collection[str], plan: Plan) -> bool:
    """Print the tables and the summary; returns whether every target was met."""
    judged: list[Outcome] = []
    async with private_rabbit(on(broadcasters.CLIENT_CORE)) as rabbit:
        if "fanout" in names:
            for clients in (1_000, 5_000):
                judged += await fanout.measure(
                    rabbit, clients=clients, rounds=plan.rounds, seconds=plan.seconds, all_peers=plan.peers
                )
        if "saturation" in names:
            judged += await saturation.measure(
                rabbit, rounds=plan.rounds, seconds=plan.seconds, all_peers=plan.peers
            )
        if "memory" in names:
            judged += await connections.memory(rabbit, connections=plan.connections)
        if "handshakes" in names:
            judged += await connections.handshakes(rabbit, rounds=plan.rounds)
        if "herd" in names:
            judged += await herd.measure(rabbit, rounds=plan.rounds)
        if "slow" in names:
            judged += await slow.measure(rabbit, windows=plan.stall_windows, seconds=plan.stall_seconds)
        if "hostile" in names:
            judged += await hostile.measure(rabbit, rounds=plan.rounds)
        if "idle" in names:
            judged += await idle.measure(rabbit, seconds=plan.idle_seconds, share=plan.idle_share)
    outcomes.summary(judged)
    return all(one.met for one in judged)
