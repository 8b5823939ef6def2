"""What was asked of a figure, and whether it was reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench import tables


class Outcome(NamedTuple):
    """One row of the summary."""

    measure: str
    figure: str
    target: str
    met: bool

    def __str__(self) -> str:
        return f"{self.target}: {tables.verdict(self.met)}"


def summary(outcomes: Sequence[Outcome]) -> None:
    """Print the table of all outcomes."""
    tables.show(
        "Targets",
        ["measure", "figure", "target", ""],
        [[one.measure, one.figure, one.target, tables.verdict(one.met)] for one in outcomes],
    )
