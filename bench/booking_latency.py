"""From booking request to frame: how long until a WebSocket client sees a booking, one booking at a time.

Open loop: bookings are due at a fixed rate and timed from when they were due if the one before was late. The
peers take turns all the time, and a figure is the median over rounds, so that a noisy minute hits all alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bench import load, tables
from bench.follower import Booker, Follower, booking, following
from bench.parts import StackFailed
from bench.stacks import Stack

RATE = 20.0
CAPACITY = 100_000
WARM_UP = 40
TURN = 20
"""Bookings after which it is the next stack's turn; short, so that a noisy second hits them all."""
FRAME_SECONDS = 10.0


@dataclass
class _Rounds:
    frames: list[list[float]] = field(default_factory=list)
    answers: list[list[float]] = field(default_factory=list)


async def measure(stacks: Sequence[Stack], *, rounds: int, samples: int) -> bool:
    """Print the table; the first stack is the one that ratios refer to. Returns whether every target was met."""
    results = {stack.name: _Rounds() for stack in stacks}
    for number in range(rounds):
        for stack, line in zip(stacks, await _round(stacks, f"latency-{number}", samples), strict=True):
            results[stack.name].frames.append(line.frames)
            results[stack.name].answers.append(line.answers)

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


class _Line:
    """One stack's follower and caller within a round."""

    def __init__(self, stack: Stack, tour: str, follower: Follower) -> None:
        self._stack = stack
        self._tour = tour
        self._follower = follower
        self._left = CAPACITY
        self.frames: list[float] = []
        self.answers: list[float] = []

    async def book(self, bookings: int) -> None:
        """Book one seat at a time, `RATE` times a second; note the seconds until the frame and until the answer.

        The connection is new at each turn, since a server may close one that waits; it is made before the first
        booking is due.
        """
        async with booking(self._stack.api_port) as booker:
            await self._book(booker, bookings)

    async def _book(self, booker: Booker, bookings: int) -> None:
        request = load.post(f"/api/tours/{self._tour}/book", b'{"seatsToBook":1}')
        due = time.perf_counter() + 1 / RATE
        for _ in range(bookings):
            started = due
            if (early := due - time.perf_counter()) > 0:
                # A late timer is the client's doing and does not count; a late predecessor is the stack's and does.
                await asyncio.sleep(early)
                started = time.perf_counter()
            self._left -= 1
            arrival = self._follower.expect(self._tour, self._left)
            status, body = await booker.send(request)
            answered = time.perf_counter()
            if status != 200:
                raise StackFailed(f"{self._stack.name}: {status} {body[:300]!r}")
            try:
                arrived = await asyncio.wait_for(arrival, FRAME_SECONDS)
            except TimeoutError:
                raise StackFailed(
                    f"{self._stack.name}: no frame within {FRAME_SECONDS:g} s of a booking"
                ) from None
            self.frames.append(arrived - started)
            self.answers.append(answered - started)
            due += 1 / RATE


async def _round(stacks: Sequence[Stack], tour: str, samples: int) -> list[_Line]:
    """Let the stacks take turns, `TURN` bookings each, until each has made `samples` after its warm-up."""
    async with AsyncExitStack() as opened:
        lines = []
        for stack in stacks:
            await stack.create_tours([tour], CAPACITY)
            follower = await opened.enter_async_context(following(stack.ws_port))
            lines.append(_Line(stack, tour, follower))
        for line in lines:
            await line.book(WARM_UP)
            line.frames.clear()
            line.answers.clear()
        for _ in range(samples // TURN):
            for line in lines:
                await line.book(TURN)
    return lines
