"""From one end of a conversation to the other, and from an edit to everybody who sees the document.

Two gateways, one tour service, PostgreSQL and RabbitMQ: travellers are on the first gateway and agents on the second,
so that every message crosses. Open loop: messages are due at a fixed rate, and timed from when they were due.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import tables
from bench.outcomes import Outcome
from bench.parts import StackFailed
from bench.stacks import Stack, seatcast_distributed

CONVERSATIONS = 100
AGENTS = 20
RATE = 200.0
TARGET_SECONDS = 0.020
_LAST_SECONDS = 10.0


class _Client(WSListener):
    """One end: tells every frame that it gets, and sends."""

    def __init__(self, awaited: _Awaited, heard: _Heard) -> None:
        self._awaited = awaited
        self._heard = heard
        self.welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = time.perf_counter()
        if frame.msg_type != WSMsgType.TEXT:
            return
        message = json.loads(frame.get_payload_as_bytes())
        if message["type"] in ("WELCOME", "SUBSCRIBED") and not self.welcome.done():
            self.welcome.set_result(None)
        elif message["type"] == "ERROR":
            self._awaited.refused(message)
        self._heard(self, message, now)

    def send(self, message: dict[str, object]) -> None:
        self._transport.send(WSMsgType.TEXT, json.dumps(message).encode())

    def disconnect(self) -> None:
        self._transport.disconnect()


async def measure(*, rounds: int, seconds: float) -> list[Outcome]:
    """Print both tables; returns the outcomes."""
    async with seatcast_distributed(gateways=2, more=("--messages-per-minute", "0")) as stack:
        outcomes = []
        for title, one in (("Chat, sent to received", _chat), ("Edits, sent to seen", _edits)):
            async with one(stack) as send_one:
                found = [await _paced(send_one, seconds) for _ in range(rounds)]
            outcomes.append(_told(title, found))
    return outcomes


def _told(title: str, rounds: Sequence[Sequence[float]]) -> Outcome:
    middle, high = (
        tables.median([tables.percentile(values, share) for values in rounds]) for share in (0.5, 0.99)
    )
    outcome = Outcome(title, f"p99 {high * 1e3:.1f} ms", "p99 < 20 ms", high < TARGET_SECONDS)
    tables.show(
        f"{title}: {RATE:.0f}/s over {CONVERSATIONS}, two gateways, {len(rounds)} rounds, ms",
        ["", "median", "p99", "worst", "target"],
        [["Seatcast", *(f"{v * 1e3:.1f}" for v in (middle, high, max(map(max, rounds)))), str(outcome)]],
    )
    return outcome


_Heard = Callable[[_Client, dict[str, object], float], None]

Send = Callable[[int], Awaitable[float]]
"""Sends the message of this number and returns the moment it was received."""


async def _paced(send: Send, seconds: float) -> list[float]:
    """Send at the rate; return the seconds that each took from when it was due."""
    begin = time.perf_counter() + 0.1

    async def one(number: int) -> float:
        due = begin + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return await asyncio.wait_for(send(number), _LAST_SECONDS) - due

    return list(await asyncio.gather(*(one(number) for number in range(int(RATE * seconds)))))


class _Awaited:
    """What was sent and is still to be received, by a text that names it."""

    def __init__(self) -> None:
        self._arrivals: dict[str, asyncio.Future[float]] = {}
        self._numbers = count()

    def expect(self) -> tuple[str, asyncio.Future[float]]:
        text = f"message {next(self._numbers)}"
        self._arrivals[text] = asyncio.get_running_loop().create_future()
        return text, self._arrivals[text]

    def arrived(self, text: object, now: float) -> None:
        arrival = self._arrivals.pop(str(text), None)
        if arrival is not None and not arrival.done():
            arrival.set_result(now)

    def refused(self, error: dict[str, object]) -> None:
        arrival = self._arrivals.pop(str(error.get("id")), None)
        if arrival is not None and not arrival.done():
            arrival.set_exception(StackFailed(f"the gateway says {error}"))


@asynccontextmanager
async def _chat(stack: Stack) -> AsyncIterator[Send]:
    """Travellers and agents write in turn; each message counts once the other end has it."""
    awaited = _Awaited()
    agents: set[_Client] = set()

    def heard(client: _Client, message: dict[str, object], now: float) -> None:
        if message["type"] == "CHAT_MESSAGE" and (client in agents) == (message["to"] == "support"):
            awaited.arrived(message["message"], now)

    async with AsyncExitStack() as opened:
        first, second = stack.ws_ports
        enter = opened.enter_async_context
        travellers = [
            await enter(_connected(stack, first, awaited, heard, f"t{number}", []))
            for number in range(CONVERSATIONS)
        ]
        team = [
            await enter(_connected(stack, second, awaited, heard, f"a{number}", ["support"]))
            for number in range(AGENTS)
        ]
        agents.update(team)

        async def send(number: int) -> float:
            text, arrival = awaited.expect()
            conversation, reply = number % CONVERSATIONS, number // CONVERSATIONS % 2
            sender = team[conversation % AGENTS] if reply else travellers[conversation]
            to = f"t{conversation}" if reply else "support"
            sender.send({"type": "CHAT_MESSAGE", "to": to, "message": text, "id": text})
            return await arrival

        for number in range(2 * CONVERSATIONS):  # conversations exist, and everything is warm
            await send(number)
        yield send


@asynccontextmanager
async def _edits(stack: Stack) -> AsyncIterator[Send]:
    """Staff edits fields of documents that a colleague on the other gateway looks at."""
    awaited = _Awaited()
    readers: set[_Client] = set()

    def heard(client: _Client, message: dict[str, object], now: float) -> None:
        changes = message.get("changes")
        if message["type"] == "DOCUMENT_EDIT" and client in readers and isinstance(changes, dict):
            awaited.arrived(changes["value"], now)

    async with AsyncExitStack() as opened:
        first, second = stack.ws_ports
        enter = opened.enter_async_context
        writers = []
        for number in range(AGENTS):
            writers.append(await enter(_connected(stack, first, awaited, heard, f"w{number}", ["staff"])))
            reader = await enter(_connected(stack, second, awaited, heard, f"r{number}", ["staff"]))
            readers.add(reader)
            for document in range(number, CONVERSATIONS, AGENTS):
                reader.send({"type": "SUBSCRIBE", "channel": f"document:doc_{document}"})
        await asyncio.sleep(0.5)

        async def send(number: int) -> float:
            text, arrival = awaited.expect()
            document = number % CONVERSATIONS
            changes = {"field": "description", "value": text}
            writers[document % AGENTS].send(
                {"type": "DOCUMENT_EDIT", "documentId": f"doc_{document}", "changes": changes, "id": text}
            )
            return await arrival

        for number in range(CONVERSATIONS):
            await send(number)
        yield send


@asynccontextmanager
async def _connected(
    stack: Stack,
    port: int,
    awaited: _Awaited,
    heard: _Heard,
    user: str,
    roles: list[str],
) -> AsyncIterator[_Client]:
    assert stack.tokens is not None
    client = _Client(awaited, heard)
    token = stack.tokens.mint(user, roles, 3600)
    await ws_connect(lambda: client, f"ws://127.0.0.1:{port}/?tours=&token={token}", enable_auto_pong=True)
    await client.welcome
    if "support" in roles:
        client.send({"type": "SUBSCRIBE", "channel": "support"})
    try:
        yield client
    finally:
        client.disconnect()
