"""The systemd units say what the program understands, and leave it the time that it takes."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest
import typer

from seatcast.cli import app
from seatcast.supervisor import GRACE_SECONDS

DEPLOY = Path(__file__).parents[1] / "deploy"


@pytest.mark.parametrize("name", ["gateway", "tours"])
def test_a_unit_starts_a_command_with_options_that_it_has_and_waits_for_its_drain(name):
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((DEPLOY / f"seatcast-{name}.service").read_text())
    service = unit["Service"]
    program, command, *options = shlex.split(service["ExecStart"])
    assert (Path(program).name, command) == ("seatcast", name)
    known = {
        flag
        for parameter in typer.main.get_command(app).commands[name].params  # type: ignore[attr-defined]
        for flag in parameter.opts
    }
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert set(given) <= known
    assert float(service["TimeoutStopSec"]) >= float(given["--drain-seconds"]) + GRACE_SECONDS
    assert service["KillMode"] == "mixed"
    assert service["KillSignal"] == "SIGTERM"
