"""What a connection costs: memory while it idles, and the handshake that made it, snapshot included."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bench import broadcasters, tables
from bench.broadcasters import Broadcaster
from bench.outcomes import Outcome
from bench.rabbit import Rabbit
from seatcast.tokens import Tokens

CONNECTIONS = 18_000
TOURS = 200
FIRST = 2_000
FOLLOWED = 3
MOST_KIB = 10.0

HANDSHAKES = 5_000
HANDSHAKE_TOURS = 20
INFLIGHT = 64
ANONYMOUS_TARGET = 12_000
AUTHENTICATED_TARGET = 6_000


@asynccontextmanager
async def tokens(server: Broadcaster, many: int) -> AsyncIterator[dict[str, str]]:
    """Make a token for each of so many users; yields the load client's option that uses them."""
    signer = Tokens(server.secret)
    with tempfile.NamedTemporaryFile("w", prefix="seatcast-bench-tokens-") as file:
        file.writelines(f"{signer.mint(f'user-{number}', [], 3_600)}\n" for number in range(many))
        file.flush()
        yield {"tokens": file.name}


async def memory(rabbit: Rabbit, *, connections: int = CONNECTIONS) -> list[Outcome]:
    """Print what an idle connection takes."""
    rows: list[list[str]] = []
    outcomes: list[Outcome] = []
    for title, options in (
        (f"{FOLLOWED} tours each, HS256", {"follow": FOLLOWED}),
        (f"the same {FOLLOWED} tours, HS256", {"follow": FOLLOWED, "same": 1}),
    ):
        async with AsyncExitStack() as opened:
            server = await opened.enter_async_context(broadcasters.seatcast(rabbit, TOURS))
            brought = await opened.enter_async_context(tokens(server, connections))
            load = await opened.enter_async_context(server.clients({**options, **brought}))
            before = server.resident_bytes()
            await load.connect(FIRST, states=FOLLOWED)
            await load.wait(1)
            early = server.resident_bytes()
            made = await load.connect(connections - FIRST, states=FOLLOWED)
            await load.wait(3)
            now = server.resident_bytes()
            kib = (now - before) / connections / 1024
            marginal = (now - early) / (connections - FIRST) / 1024
        if not outcomes:
            # Judged by the harder case: hardly two clients with the same tours.
            what = f"memory of an idle connection, {connections:,} of them, {title}"
            outcomes.append(Outcome(what, f"{kib:.1f} KiB", f"<= {MOST_KIB:g} KiB", kib <= MOST_KIB))
        rows.append([
            title, f"{connections:,}", f"{before / 2**20:.0f}", f"{kib:.1f}", f"{marginal:.1f}", f"{made['up'] / made['seconds']:,.0f}",
            "" if rows else str(outcomes[0]),
        ])  # fmt: skip
    tables.show(
        "Memory of an idle connection",
        [
            "Seatcast, following",
            "connections",
            "before MiB",
            "KiB each",
            "of the later",
            "handshakes/s",
            "target",
        ],
        rows,
        [
            "RSS with the connections less RSS before, divided by them; of the later: after the first"
            f" {FIRST:,}, which may find memory left over from the start. The kernel's socket buffers are not in it."
        ],
    )
    return outcomes


async def handshakes(rabbit: Rabbit, *, rounds: int, many: int = HANDSHAKES) -> list[Outcome]:
    """Print how many handshakes a second are answered with WELCOME and a snapshot."""
    rows = []
    outcomes: list[Outcome] = []
    for title, target in (("anonymous", ANONYMOUS_TARGET), ("HS256, a user each", AUTHENTICATED_TARGET)):
        figures: list[dict[str, Any]] = []
        async with AsyncExitStack() as opened:
            server = await opened.enter_async_context(broadcasters.seatcast(rabbit, HANDSHAKE_TOURS))
            brought: dict[str, str] = {}
            if target == AUTHENTICATED_TARGET:
                brought = await opened.enter_async_context(tokens(server, many))
            for number in range(rounds + 1):
                before = server.cpu_seconds()
                async with server.clients(brought) as load:
                    made = await load.connect(many, inflight=INFLIGHT, states=HANDSHAKE_TOURS)
                    made["cpu_us"] = (server.cpu_seconds() - before) / many * 1e6
                    made["rate"] = many / made["seconds"]
                    await load.wait(0.5)
                if number:  # the first warms up
                    figures.append(made)
        rate = tables.median([one["rate"] for one in figures])
        outcomes.append(Outcome(f"handshakes/s, {title}", f"{rate:,.0f}", f">= {target:,}", rate >= target))
        rows.append([
            title, f"{rate:,.0f}", f"{max(one['rate'] for one in figures):,.0f}",
            f"{tables.median([one['cpu_us'] for one in figures]):.0f}",
            f"{tables.median([one['p50'] for one in figures]):.1f}",
            f"{tables.median([one['p99'] for one in figures]):.1f}",
            str(outcomes[-1]),
        ])  # fmt: skip
    tables.show(
        f"Handshakes/s, {INFLIGHT} at a time, with WELCOME and a snapshot of {HANDSHAKE_TOURS} tours"
        f" ({rounds} rounds of {many:,})",
        ["Seatcast", "handshakes/s", "most", "CPU us each", "p50 ms", "p99 ms", "target"],
        rows,
    )
    return outcomes
