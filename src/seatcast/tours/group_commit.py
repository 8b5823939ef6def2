"""Group commit, as databases themselves do it: what waits together shares one transaction.

While one batch is with the database the next one gathers, so a caller alone waits for nobody, and fifty callers cost
one commit instead of fifty.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

BATCH = 100
"""Wishes per transaction: enough for one commit to be cheap, few enough to stay some ten milliseconds."""

Wish = TypeVar("Wish")
Outcome = TypeVar("Outcome")


class GroupCommit(Generic[Wish, Outcome]):
    """A queue of wishes, served one batch at a time by `serve`, which answers each. `run` must be running.

    Nobody waits for longer than `seconds`; None: for as long as it takes.
    """

    def __init__(
        self, serve: Callable[[Sequence[Wish]], Awaitable[Sequence[Outcome]]], seconds: float | None
    ) -> None:
        self._serve = serve
        self._seconds = seconds
        self._queue: deque[tuple[Wish, asyncio.Future[Outcome]]] = deque()
        self._arrived = asyncio.Event()

    async def ask(self, wish: Wish) -> Outcome:
        """Wait for a wish's turn and return its outcome; who hangs up before that turn did not ask.

        Raises what `serve` raised, as does everybody else in the batch, or `TimeoutError`, after which nobody knows what
        becomes of it.
        """
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append((wish, answer))
        self._arrived.set()
        # Not only as long as `serve` takes: who waits behind a batch that hangs is not kept for two.
        async with asyncio.timeout(self._seconds):
            return await answer

    async def run(self) -> None:
        """Serve until cancelled. What `serve` raises fails the batch that met it, never the queue."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                # Whoever hung up meanwhile gets nothing; from here on, hanging up is too late.
                batch = [(wish, answer) for wish, answer in batch if not answer.cancelled()]
                if batch:
                    await self._answer(batch)

    async def _answer(self, batch: Sequence[tuple[Wish, asyncio.Future[Outcome]]]) -> None:
        try:
            outcomes = await self._serve([wish for wish, _ in batch])
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        except BaseException:
            for _, answer in batch:
                answer.cancel()
            raise
        # Everybody's screens first, then the callers: the relay, woken by `serve`, has its turn of the loop, in which
        # the events leave, and the answers are written while they travel.
        try:
            await asyncio.sleep(0)
        finally:
            for (_, answer), outcome in zip(batch, outcomes, strict=True):
                if not answer.done():
                    answer.set_result(outcome)
