"""Whose turn it is, when many send much at once: nobody keeps the event loop from the others."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

BACKLOG_SECONDS: Final = 0.002
"""How much of a turn of the loop goes to those who sent more, and how much to those who just sent something."""


class Worker(Protocol):
    """Somebody who has something to work on."""

    def work(self) -> None:
        """Work on a little of it."""


class Backlog:
    """Peers that sent more than `FRAMES_AT_ONCE`, or when many others did. They take turns, and share a small part of each
    turn of the loop: for that part alone everybody else waits, however many they are.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.time: Callable[[], float] = self._loop.time
        """The loop's clock, at hand for every WebSocket."""
        self._waiting: deque[Worker] = deque()
        self._scheduled = False
        self._reading = False
        self._until = 0.0

    def admits(self) -> bool:
        """Return whether what somebody sent is worked on at once: those who send in one turn of the loop share as much of
        it as those who wait do.
        """
        now = time.perf_counter()
        if not self._reading:
            self._reading = True
            self._until = now + BACKLOG_SECONDS
            self._loop.call_soon(self._next)
        return now < self._until

    def _next(self) -> None:
        self._reading = False

    def add(self, worker: Worker) -> None:
        """Have it work on soon, after those who wait already."""
        self._waiting.append(worker)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        until = time.perf_counter() + BACKLOG_SECONDS
        while self._waiting:
            self._waiting.popleft().work()
            if time.perf_counter() > until:
                break
        self._scheduled = bool(self._waiting)
        if self._scheduled:
            self._loop.call_soon(self._run)
