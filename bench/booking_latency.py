"""From booking request to frame: how long until a WebSocket client sees a booking, one booking at a time.

Open loop: bookings are due at a fixed rate and timed from when they were due if the one before was late. The
peers take turns within each round, and a figure is the median over rounds, so that a noisy minute hits all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import load, tables
from bench.follower import booking, following
from bench.stacks import Stack, StackFailed

RATE = 20.0
CAPACITY = 100_000
WARM_UP = 40
FRAME_SECONDS = 10.0


@dataclass
class _Rounds:
    frames: list[list[float]] = field(default_factory=list)
    answers: list[list[float]] = field(default_factory=list)


async def measure(stacks: Sequence[Stack], *, rounds: int, samples: int) -> bool:
    """Print the table; the first stack is the one that ratios refer to. Returns whether every target was met."""
    results = {stack.name: _Rounds() for stack in stacks}
    for number in range(rounds):
        for stack in stacks:
            frames, answers = await _round(stack, f"latency-{number}", samples)
            results[stack.name].frames.append(frames)
            results[stack.name].answers.append(answers)

    reference = _over(results[stacks[0].name].frames, 0.5)
    rows = []
    met = True
    for stack in stacks:
        frames = results[stack.name].frames
        middle, high = _over(frames, 0.5), _over(frames, 0.99)
        row = [
            stack.name,
            _ms(middle),
            _ms(high),
            _ms(max(map(max, frames))),
            _ms(_over(results[stack.name].answers, 0.5)),
        ]
        row.append(f"{middle / reference:.2f}")
        if stack.ours:
            embedded = not stack.database.startswith("postgresql:")
            target = "median < 3" if embedded else "median <= Node, p99 < 15"
            reached = middle < 0.003 if embedded else middle <= reference and high < 0.015
            met = met and reached
            row.append(f"{target}: {tables.verdict(reached)}")
        else:
            row.append("")
        rows.append(row)
    tables.show(
        f"Booking request to frame received, one at a time ({RATE:.0f}/s, {rounds} rounds of {samples}), ms",
        ["stack", "median", "p99", "worst", "HTTP answer, median", "ratio", "target"],
        rows,
        ["Median and p99: medians over rounds. Worst: of all samples. Ratio: of medians, to the first row."],
    )
    return met


def _over(rounds: Sequence[Sequence[float]], share: float) -> float:
    return tables.median([tables.percentile(values, share) for values in rounds])


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f}"


async def _round(stack: Stack, tour: str, samples: int) -> tuple[list[float], list[float]]:
    """Book one seat at a time; return the seconds until the frame and until the answer."""
    await stack.create_tours([tour], CAPACITY)
    request = load.post(f"/api/tours/{tour}/book", b'{"seatsToBook":1}')
    frames: list[float] = []
    answers: list[float] = []
    async with following(stack.ws_port) as follower, booking(stack.api_port) as booker:
        due = time.perf_counter() + 0.1
        for number in range(WARM_UP + samples):
            started = due
            if (early := due - time.perf_counter()) > 0:
                # A late timer is the client's doing and does not count; a late predecessor is the stack's and does.
                await asyncio.sleep(early)
                started = time.perf_counter()
            arrival = follower.expect(tour, CAPACITY - number - 1)
            status, body = await booker.send(request)
            answered = time.perf_counter()
            if status != 200:
                raise StackFailed(f"{stack.name}: {status} {body[:300]!r}")
            try:
                arrived = await asyncio.wait_for(arrival, FRAME_SECONDS)
            except TimeoutError:
                raise StackFailed(f"{stack.name}: no frame within {FRAME_SECONDS:g} s of a booking") from None
            if number >= WARM_UP:
                frames.append(arrived - started)
                answers.append(answered - started)
            due += 1 / RATE
    return frames, answers
