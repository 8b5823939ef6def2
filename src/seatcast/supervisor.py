"""One process that keeps others: starts them, replaces the dead, ends them all on a signal, and leaves no orphan.

Workers are forked, so each starts at once and shares what was imported. Forking is only safe before there is an event
loop or a thread, so the supervisor has neither: it sleeps until a worker or a signal has something to say.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

STABLE_SECONDS: Final = 10.0
"""A worker that lived as long is replaced at once, one that did not after a pause."""

FIRST_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 30.0

GRACE_SECONDS: Final = 5.0
"""What a worker may take beyond its drain before it is killed."""

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG: Final = 1
_fork = multiprocessing.get_context("fork")


@dataclass(slots=True)
class _Worker:
    number: int
    process: multiprocessing.context.ForkProcess | None = None
    hears: Connection | None = None
    """Tells that the worker is ready; None once it has, and while there is no worker."""
    began: float = 0.0
    failures: int = 0
    due: float | None = None
    """When to start it; None while it runs or need not."""
    leaving: bool = False
    """It was asked to end, to be replaced at once."""


class Supervisor:
    """Runs `work(number, ready)` in `count` processes, numbered from 1.

    `work` calls `ready` when it serves, and returns or exits after SIGTERM, of which it may get several, within
    `drain_seconds`. `started` is called once all are ready for the first time. On SIGHUP the workers are replaced
    one after the other.
    """

    def __init__(
        self,
        count: int,
        work: Callable[[int, Callable[[], None]], object],
        *,
        drain_seconds: float,
        started: Callable[[], None],
    ) -> None:
        self._work = work
        self._drain_seconds = drain_seconds
        self._started = started
        self._workers = [_Worker(number) for number in range(1, count + 1)]
        self._whole = False
        self._to_replace: list[_Worker] = []
        self._signals: list[int] = []

    def run(self) -> int:
        """Keep the workers until SIGTERM or SIGINT, end them, and return the exit code of the whole.

        A worker that ends before all were ready once ends the whole, with its exit code: it has said why. A second
        signal ends everything at once.
        """
        # What every worker shares need not be walked, and so copied, by the collections of each.
        gc.collect()
        gc.freeze()
        with self._hearing_signals() as wake:
            # One alone first: what is wrong with the settings is said once, not by each.
            self._workers[0].due = 0.0
            code = self._keep(wake)
            left_badly = self._end(wake)
        return code or left_badly

    # While it runs

    def _keep(self, wake: socket.socket) -> int:
        while True:
            self._wait(wake, min((w.due for w in self._workers if w.due is not None), default=None))
            for number in self._take_signals():
                if number != signal.SIGHUP:
                    _log.info("Stopping the workers", signal=signal.Signals(number).name)
                    return 0
                _log.info("Replacing the workers one by one")
                self._to_replace = [w for w in self._workers if w.process is not None]
            for worker in self._workers:
                self._hear(worker)
                if worker.process is not None and not worker.process.is_alive():
                    code = self._ended(worker)
                    if not self._whole:
                        return code
                if worker.due is not None and worker.due <= time.monotonic():
                    self._start(worker)
            self._progress()

    def _progress(self) -> None:
        """Take the next step of starting the first workers, or of replacing them all."""
        if any(w.hears is not None or w.due is not None for w in self._workers):
            return
        if missing := [w for w in self._workers if w.process is None]:
            for worker in missing:
                worker.due = 0.0
        elif not self._whole:
            self._whole = True
            self._started()
        elif self._to_replace and not any(w.leaving for w in self._workers):
            worker = self._to_replace.pop(0)
            worker.leaving = True
            if worker.process is not None:
                worker.process.terminate()

    def _hear(self, worker: _Worker) -> None:
        if worker.hears is not None and worker.hears.poll():
            with contextlib.suppress(EOFError):
                worker.hears.recv()
                worker.hears.close()
                worker.hears = None

    def _ended(self, worker: _Worker) -> int:
        """Note that a worker is gone and when to replace it. Returns its exit code, 1 for a signal's."""
        code = self._forget(worker)
        if not self._whole:
            if code < 0:
                _log.error("A worker ended while starting", worker=worker.number, exit=_named(code))
            return code if code > 0 else 1
        now = time.monotonic()
        if worker.leaving or now - worker.began >= STABLE_SECONDS:
            worker.failures = 0
        pause = 0.0
        if worker.failures:
            pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (worker.failures - 1))
        if not worker.leaving:
            worker.failures += 1
            _log.error(
                "A worker ended and is replaced", worker=worker.number, exit=_named(code), pause_seconds=pause
            )
        worker.leaving = False
        worker.due = now + pause
        return code

    # Processes

    def _start(self, worker: _Worker) -> None:
        worker.due = None
        worker.began = time.monotonic()
        worker.hears, says = _fork.Pipe(duplex=False)
        worker.process = _fork.Process(
            target=self._be, args=(worker.number, says, os.getpid()), name=f"worker {worker.number}", daemon=True
        )  # fmt: skip
        # A signal must not meet the child while it still has our way of hearing them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            worker.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        says.close()

    def _be(self, number: int, says: Connection, parent: int) -> None:
        """The worker's side."""
        signal.set_wakeup_fd(-1)
        for known in _SIGNALS:
            signal.signal(known, signal.SIG_IGN if known == signal.SIGHUP else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        # Should the supervisor be killed, its workers drain and end.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)

        def ready() -> None:
            says.send(True)
            says.close()

        self._work(number, ready)

    @staticmethod
    def _forget(worker: _Worker) -> int:
        assert worker.process is not None  # noqa: S101 - for mypy
        worker.process.join()
        code = worker.process.exitcode or 0
        worker.process.close()
        worker.process = None
        if worker.hears is not None:
            worker.hears.close()
            worker.hears = None
        return code

    def _end(self, wake: socket.socket) -> int:
        """End every worker, kindly, then not. Returns 0 if all went well."""
        code = 0
        deadline = time.monotonic() + self._drain_seconds + GRACE_SECONDS
        for worker in self._workers:
            if worker.process is not None:
                worker.process.terminate()
        while left := [w for w in self._workers if w.process is not None]:
            self._wait(wake, deadline)
            hurry = [number for number in self._take_signals() if number != signal.SIGHUP]
            for worker in left:
                self._hear(worker)
                if worker.process is not None and not worker.process.is_alive():
                    ended = self._forget(worker)
                    # By the signal itself: it did not listen to it yet.
                    if ended not in (0, -signal.SIGTERM, -signal.SIGINT):
                        _log.error("A worker did not end in order", worker=worker.number, exit=_named(ended))
                        code = 1
                elif worker.process is not None and (hurry or time.monotonic() >= deadline):
                    worker.process.kill()
        return code

    # Waiting

    def _wait(self, wake: socket.socket, until: float | None) -> None:
        """Sleep until a signal, a worker's word or end, or the time is there."""
        waited: list[socket.socket | Connection | int] = [wake]
        for worker in self._workers:
            if worker.process is not None:
                waited.append(worker.process.sentinel)
                if worker.hears is not None:
                    waited.append(worker.hears)
        wait(waited, None if until is None else max(0.0, until - time.monotonic()))
        with contextlib.suppress(BlockingIOError):
            wake.recv(4_096)

    def _take_signals(self) -> list[int]:
        taken, self._signals = self._signals, []
        return taken

    @contextlib.contextmanager
    def _hearing_signals(self) -> Iterator[socket.socket]:
        """Note signals, and make the yielded socket readable when there are any."""
        wake, woken = socket.socketpair()
        for end in (wake, woken):
            end.setblocking(False)

        before = {
            known: signal.signal(known, lambda number, _: self._signals.append(number)) for known in _SIGNALS
        }
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        try:
            yield wake
        finally:
            signal.set_wakeup_fd(-1)
            for known, handler in before.items():
                signal.signal(known, handler)
            wake.close()
            woken.close()


def _named(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else str(code)
