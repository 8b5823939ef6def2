"""A thousand callers race for a hundred seats: who gets one, and do the seats add up?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench import load, tables
from bench.stacks import Stack

CALLERS = 1_000
SEATS = 100


async def measure(stacks: Sequence[Stack], *, rounds: int) -> bool:
    """Print the table; returns whether ours sold exactly the seats there were, each time."""
    rows = []
    good = True
    for stack in stacks:
        for number in range(rounds):
            tour = f"race-{number}"
            await stack.create_tours([tour], SEATS)
            request = load.post(f"/api/tours/{tour}/book", b'{"seatsToBook":1}')
            wishes = iter([request] * CALLERS)
            tally = await load.run(stack.api_port, CALLERS, partial(next, wishes, None))
            accounts = await stack.accounts([tour], SEATS)
            exact = (
                tally.accepted == SEATS == accounts.gone == accounts.booked
                and tally.refused == CALLERS - SEATS
            )
            if stack.ours:
                outcome = "exact" if exact else "WRONG"
                good = good and exact
            else:
                outcome = f"{tally.accepted - SEATS:+} sold" if tally.accepted != SEATS else "exact"
            rows.append(
                [
                    stack.name,
                    "PostgreSQL" if stack.database.startswith("postgresql:") else "SQLite",
                    f"{sum(tally.statuses.values()):,}",
                    str(tally.accepted),
                    str(tally.refused),
                    str(tally.failed),
                    str(accounts.gone),
                    "-" if accounts.booked is None else str(accounts.booked),
                    f"{tally.seconds * 1e3:.0f}",
                    outcome,
                ]
            )
    tables.show(
        f"{CALLERS:,} callers at once, {SEATS} seats",
        [
            "stack",
            "database",
            "attempts",
            "accepted",
            "refused",
            "failed",
            "counter moved",
            "seats in rows",
            "ms",
            "",
        ],
        rows,
    )
    return good
