"""Running a command to its end: the event loop, signals, and what an error looks like from outside."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

import structlog
import typer
import uvloop

from seatcast.broker import BrokerUnavailable, MessageRefused
from seatcast.config import SettingsError

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

COLLECTED_AT: Final = (10_000, 10, 100)
"""New objects, less those that were freed, at which the garbage collector walks the new ones; how often it does before
it walks those that it has walked once, and how often these before it walks all.
"""


class CommandFailed(Exception):
    """A command could not do its work; one line that says why."""


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on uvloop and return its result."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def run_until_signal(
    context: AbstractAsyncContextManager[_T],
    started: Callable[[_T], None] | None = None,
    *,
    supervised: bool = False,
) -> None:
    """Enter `context`, wait for SIGTERM or SIGINT, leave it; a second signal ends the process at once.

    A `supervised` process leaves that to its supervisor: a terminal's Ctrl+C, or a service manager, reaches both, and
    the supervisor's own signal then comes second.
    """

    async def main() -> None:
        loop, stop, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
        entered = False

        def on_signal(number: signal.Signals) -> None:
            if stop.is_set():
                return
            _log.info("Stopping", signal=number.name)
            stop.set()
            if not supervised:
                for known in (signal.SIGTERM, signal.SIGINT):
                    loop.remove_signal_handler(known)
            # Nobody waits for `stop` while the start itself still waits for a server.
            if not entered and task is not None:
                task.cancel()

        for known in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(known, on_signal, known)
        try:
            async with context as value:
                entered = True
                if started is not None:
                    started(value)
                # What the start made lives as long as the process: collections need not walk it again and again,
                # each time for some ten milliseconds in which nobody is served.
                gc.collect()
                gc.freeze()
                # Connections come by the thousand, each of ten objects, and are freed without the collector. Walking them
                # whenever there are 700 objects more took 17 us of each handshake, and once 130 ms, and found nothing.
                gc.set_threshold(*COLLECTED_AT)
                await stop.wait()
        except asyncio.CancelledError:
            if not stop.is_set():
                raise

    run(main())


def exit_with(command: Callable[[], Any]) -> None:
    """Call `command` and exit: 2 for a wrong setting, 1 for what went wrong otherwise, each in one line.

    What is none of our named errors is a defect: it is raised, for its traceback to be seen.
    """
    try:
        code = command()
    except typer.TyperException as error:
        _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        leaves = _leaves(error)
        if wrong := next((leaf for leaf in leaves if isinstance(leaf, SettingsError)), None):
            _fail(str(wrong), 2)
        # A part that failed may have torn others down: what speaks is the whole story only if all do.
        if all(map(_speaks, leaves)):
            _fail(str(leaves[0]), 1)
        raise
    sys.exit(code if isinstance(code, int) else 0)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]


def _speaks(error: BaseException) -> bool:
    """Say whether the error's text is the one clear line."""
    if isinstance(error, CommandFailed | BrokerUnavailable | MessageRefused):
        return True
    # Imported only now: a command that is not a server starts faster without them.
    from seatcast.http_server import PortTaken
    from seatcast.tours.database import DatabaseUnavailable

    return isinstance(error, PortTaken | DatabaseUnavailable)


def _fail(line: str, code: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(f"seatcast: {' '.join(line.split())}", file=sys.stderr)  # noqa: T201 - standard error is the place
    sys.exit(code)
