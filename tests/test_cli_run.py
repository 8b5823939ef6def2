"""What a command's end looks like from outside: exit codes, one line, signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest

from seatcast.broker import BrokerUnavailable
from seatcast.cli_run import CommandFailed, exit_with, run_until_signal
from seatcast.config import SettingsError
from seatcast.http_server import PortTaken
from seatcast.tours.database import DatabaseUnavailable


def _ended(capsys: pytest.CaptureFixture[str], error: BaseException) -> tuple[object, str]:
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        exit_with(command)
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize("error", [BrokerUnavailable, CommandFailed, DatabaseUnavailable, PortTaken])
def test_a_named_error_is_its_line_and_exit_1(capsys, error):
    assert _ended(capsys, error("nobody is there")) == (1, "seatcast: nobody is there\n")


def test_a_wrong_setting_is_exit_2(capsys):
    assert _ended(capsys, SettingsError("port is wrong")) == (2, "seatcast: port is wrong\n")


def test_an_error_inside_groups_is_found(capsys):
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [PortTaken("taken")])])
    assert _ended(capsys, group) == (1, "seatcast: taken\n")


def test_a_line_stays_one_line(capsys):
    assert _ended(capsys, CommandFailed("first\n  second")) == (1, "seatcast: first second\n")


def test_a_defect_is_not_hidden_even_beside_a_named_error():
    def command() -> None:
        raise ExceptionGroup("both", [PortTaken("taken"), ZeroDivisionError("a defect")])

    with pytest.raises(ExceptionGroup):
        exit_with(command)


def test_an_interrupt_is_130(capsys):
    assert _ended(capsys, KeyboardInterrupt()) == (130, "")


def test_a_signal_leaves_the_context_in_order():
    """Not by cancelling: whoever drains in there may take its time."""
    seen: list[str] = []

    @contextlib.asynccontextmanager
    async def context() -> AsyncIterator[str]:
        seen.append("entered")
        yield "value"
        seen.append("left")

    run_until_signal(
        context(), started=lambda value: (seen.append(value), os.kill(os.getpid(), signal.SIGTERM))
    )
    assert seen == ["entered", "value", "left"]


def test_a_supervised_process_is_not_cut_short_by_a_second_signal():
    """Ctrl+C reaches it and its supervisor, which sends its own: that is no impatience."""
    seen: list[str] = []

    @contextlib.asynccontextmanager
    async def context() -> AsyncIterator[None]:
        yield
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
            await asyncio.sleep(0)
        seen.append("left")

    run_until_signal(context(), started=lambda _: os.kill(os.getpid(), signal.SIGTERM), supervised=True)
    assert seen == ["left"]


def test_a_signal_before_the_start_is_done_abandons_it():
    seen: list[str] = []

    @contextlib.asynccontextmanager
    async def context() -> AsyncIterator[None]:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("abandoned")
        yield

    run_until_signal(context())
    assert seen == ["abandoned"]
