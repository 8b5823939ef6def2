"""What live figures for admins cost: processor time of Seatcast's own processes while they are followed, and while not.

Two gateways, one tour service, PostgreSQL and RabbitMQ, travellers connected and bookings coming in at a steady pace, so
that figures change all the time. Windows with followers and without take turns: the load and the machine are the same.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import load, tables
from bench.follower import booking
from bench.outcomes import Outcome
from bench.stacks import Stack, seatcast_distributed

ADMINS = 20
TRAVELLERS = 200
TOURS = 50
PACES = (0.0, 10.0)
"""Bookings a second."""
TARGET_SHARE = 0.01
_SETTLE_SECONDS = 3.0


class _Client(WSListener):
    """Counts the figures that it is told."""

    def __init__(self) -> None:
        self.updates = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT and b'"METRICS_UPDATE"' in frame.get_payload_as_bytes()[:40]:
            self.updates += 1

    def say(self, kind: str) -> None:
        self._transport.send(WSMsgType.TEXT, json.dumps({"type": kind, "channel": "metrics"}).encode())

    def disconnect(self) -> None:
        self._transport.disconnect()


async def measure(*, rounds: int, seconds: float) -> list[Outcome]:
    """Print the table; returns the outcomes."""
    tours = [f"tour_{number}" for number in range(TOURS)]
    rows, outcomes = [], []
    async with seatcast_distributed(gateways=2, more=("--messages-per-minute", "0")) as stack:
        await stack.create_tours(tours, 100_000)
        async with _everybody(stack) as admins:
            for pace in PACES:
                async with _bookings(stack, tours, pace):
                    row, outcome = await _compared(stack, admins, pace, rounds, seconds)
                rows.append(row)
                outcomes.append(outcome)
    tables.show(
        f"Live figures for {ADMINS} admins on two gateways, {TRAVELLERS} travellers, {TOURS} tours,"
        f" {rounds} rounds of {seconds:.0f} s each, % of a core",
        ["bookings/s", "nobody follows", "20 follow", "for the figures", "told an admin", "target"],
        rows,
        [
            "Processor time of the tour service and both gateways together; PostgreSQL's and RabbitMQ's are not in it."
        ],
    )
    return outcomes


async def _compared(
    stack: Stack, admins: list[_Client], pace: float, rounds: int, seconds: float
) -> tuple[list[str], Outcome]:
    without, with_them, told = [], [], []
    for _ in range(rounds):
        without.append(await _share(stack, seconds))
        for admin in admins:
            admin.say("SUBSCRIBE")
        await asyncio.sleep(_SETTLE_SECONDS)
        before = sum(admin.updates for admin in admins)
        with_them.append(await _share(stack, seconds))
        told.append((sum(admin.updates for admin in admins) - before) / ADMINS / seconds)
        for admin in admins:
            admin.say("UNSUBSCRIBE")
        await asyncio.sleep(_SETTLE_SECONDS)
    cost = tables.median([b - a for a, b in zip(without, with_them, strict=True)])
    outcome = Outcome(
        f"Live figures for {ADMINS} admins, {pace:.0f} bookings/s",
        f"{cost:.2%} of a core",
        "< 1 % of a core",
        cost < TARGET_SHARE and min(told) > 0,
    )
    shares = (tables.median(without), tables.median(with_them), cost)
    row = [f"{pace:.0f}", *(f"{s:.2%}" for s in shares), f"{tables.median(told):.1f}/s", str(outcome)]
    return row, outcome


async def _share(stack: Stack, seconds: float) -> float:
    before, began = stack.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (stack.cpu_seconds() - before) / (time.perf_counter() - began)


@asynccontextmanager
async def _everybody(stack: Stack) -> AsyncIterator[list[_Client]]:
    """Connect admins and travellers, half of them on either gateway; nobody follows any tour."""
    assert stack.tokens is not None
    async with AsyncExitStack() as opened:
        clients = []
        for number in range(ADMINS + TRAVELLERS):
            client, port = _Client(), stack.ws_ports[number % len(stack.ws_ports)]
            roles = ["admin"] if number < ADMINS else []
            token = stack.tokens.mint(f"user-{number}", roles, 3600)
            url = f"ws://127.0.0.1:{port}/?tours=&token={token}"
            await ws_connect(lambda client=client: client, url, enable_auto_pong=True)
            opened.callback(client.disconnect)
            clients.append(client)
        yield clients[:ADMINS]


@asynccontextmanager
async def _bookings(stack: Stack, tours: list[str], pace: float) -> AsyncIterator[None]:
    """Book one seat after the other at a pace, inside the context."""

    async def book() -> None:
        async with booking(stack.api_port) as booker:
            number = 0
            while pace:
                body = b'{"seatsToBook":1}'
                await booker.send(load.post(f"/api/tours/{tours[number % TOURS]}/book", body))
                number += 1
                await asyncio.sleep(1 / pace)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(book())
        await asyncio.sleep(_SETTLE_SECONDS)
        yield
        task.cancel()
