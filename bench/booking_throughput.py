"""Bookings per second by 50 concurrent callers, and what became of every seat.

The whole stack runs, its gateway and one follower included, since the events cost what they cost. The peers take
turns within each round; figures are medians over rounds, the accounts are of everything, warm-ups included.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import load, tables
from bench.follower import Follower, following
from bench.parts import StackFailed
from bench.stacks import Stack

CALLERS = 50
CAPACITY = 100_000
SPREAD = 100
WARM_UP_SECONDS = 1.0
QUIET_SECONDS = 0.7
"""So long must no frame come until the follower counts as having seen everything."""
SETTLE_SECONDS = 60.0

HOT_TARGET = 1.0
SPREAD_TARGET = 1.5


@dataclass
class _Results:
    rates: list[float] = field(default_factory=list)
    middle: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    accepted: int = 0
    gone: int = 0
    booked: int | None = 0
    right: bool = True


async def measure(stacks: Sequence[Stack], *, rounds: int, seconds: float) -> bool:
    """Print both tables; the first stack is the one that ratios refer to.

    Returns whether every target was met and every seat of ours is accounted for.
    """
    hot = await _scenario(
        stacks, "One hot departure", lambda number: [f"hot-{number}"], rounds, seconds, HOT_TARGET
    )
    spread = await _scenario(
        stacks,
        f"{SPREAD} departures",
        lambda number: [f"spread-{number}-{tour}" for tour in range(SPREAD)],
        rounds,
        seconds,
        SPREAD_TARGET,
    )
    return hot and spread


async def _scenario(
    stacks: Sequence[Stack],
    title: str,
    tours_of_round: object,
    rounds: int,
    seconds: float,
    target: float,
) -> bool:
    results = {stack.name: _Results() for stack in stacks}
    for number in range(rounds):
        for stack in stacks:
            await _round(stack, tours_of_round(number), seconds, results[stack.name])  # type: ignore[operator]

    reference = tables.median(results[stacks[0].name].rates)
    rows = []
    good = True
    for stack in stacks:
        result = results[stack.name]
        rate = tables.median(result.rates)
        account = f"{result.accepted:,} accepted, counter moved by {result.gone:,}"
        outcome = ""
        if stack.ours:
            balanced = result.accepted == result.gone == result.booked and result.right
            account = (
                "every seat" if balanced else f"WRONG: {account}, rows {result.booked}, screen {result.right}"
            )
            reached = rate >= target * reference
            good = good and reached and balanced
            outcome = f">= {target:g} x: {tables.verdict(reached)}"
        rows.append(
            [
                stack.name,
                f"{rate:,.0f}",
                f"{rate / reference:.2f}",
                f"{tables.median(result.middle) * 1e3:.1f}",
                f"{tables.median(result.high) * 1e3:.1f}",
                f"{tables.median(result.cpu) * 1e6:.0f}",
                f"{tables.median(result.behind) * 1e3:.0f}",
                account,
                outcome,
            ]
        )
    tables.show(
        f"{title}, {CALLERS} callers, PostgreSQL ({rounds} rounds of {seconds:g} s)",
        ["stack", "bookings/s", "ratio", "p50 ms", "p99 ms", "own CPU us", "behind ms", "accounts", "target"],
        rows,
        [
            "p50, p99: of the answers. Own CPU: of the stack's processes (not the servers'), per accepted booking.",
            "Behind: last frame at the follower after the last answer. Accounts: bookings accepted x seats against the"
            " database's counters and booking rows, and the follower's last seat counts.",
        ],
    )
    return good


async def _round(stack: Stack, tours: Sequence[str], seconds: float, result: _Results) -> None:
    await stack.create_tours(tours, CAPACITY)
    turn = itertools.cycle([load.post(f"/api/tours/{tour}/book", b'{"seatsToBook":1}') for tour in tours])
    choose = turn.__next__
    async with following(stack.ws_port) as follower:
        warm_up = await load.run(stack.api_port, CALLERS, load.for_seconds(WARM_UP_SECONDS, choose))
        before = stack.cpu_seconds()
        tally = await load.run(stack.api_port, CALLERS, load.for_seconds(seconds, choose))
        ended = time.perf_counter()
        if tally.accepted == 0 or tally.failed or warm_up.failed or tally.refused:
            raise StackFailed(f"{stack.name}: answers {tally.statuses}, warming up {warm_up.statuses}")
        behind = await _settle(follower, ended)
        cpu = stack.cpu_seconds() - before
        screens = {tour: follower.seats.get(tour) for tour in tours}
    accounts = await stack.accounts(tours, CAPACITY)
    result.rates.append(tally.accepted / tally.seconds)
    result.middle.append(tables.percentile(tally.latencies, 0.5))
    result.high.append(tables.percentile(tally.latencies, 0.99))
    result.cpu.append(cpu / tally.accepted)
    result.behind.append(behind)
    result.accepted += warm_up.accepted + tally.accepted
    result.gone += accounts.gone
    result.booked = None if accounts.booked is None else (result.booked or 0) + accounts.booked
    shown = sum(CAPACITY - seats for seats in screens.values() if seats is not None)
    result.right = result.right and shown == accounts.gone


async def _settle(follower: Follower, ended: float) -> float:
    """Wait until no frame has come for a while; return how long after `ended` (a `perf_counter()`) the last one did."""
    while time.perf_counter() - max(follower.last_frame, ended) < QUIET_SECONDS:
        if time.perf_counter() - ended > SETTLE_SECONDS:
            raise StackFailed("frames have not stopped coming")
        await asyncio.sleep(0.05)
    return max(0.0, follower.last_frame - ended)
