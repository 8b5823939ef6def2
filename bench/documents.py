"""Fifty people who type in one document, on two gateways: from a key to everybody who has the document open.

Each is a client as y-websocket is one: a Yjs document of its own (pycrdt), a message for each key, another for the cursor,
and everything that it is told of others' cursors sent back. They type runs of letters at places of their own, and
delete others' once the text is long. Four of them, two on each gateway, note when each letter arrives. The others take
what has arrived into their documents before each key of their own, all at once: fifty people are not one processor, and
what Yjs does for each update grows with the document.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from pycrdt import Assoc, Doc, StickyIndex, Text

from bench import tables
from bench.outcomes import Outcome
from bench.parts import StackFailed
from bench.stacks import Stack, seatcast_distributed
from seatcast import yjs
from seatcast.yjs import Kind, Presence, Sync

EDITORS = 50
KEYS_PER_SECOND = 5.0
RUN = 30
LONG = 4_000
OBSERVERS = 4
TARGET_SECONDS = 0.050
DOCUMENT = "bench"
_REST_SECONDS = 20.0
_WARM_SECONDS = 5.0


class _Keys:
    """When each letter was typed, and how long it took to each observer."""

    def __init__(self) -> None:
        self.typed: dict[tuple[int, int], float] = {}
        self.late: list[float] = []
        self.timing = False


class _Editor(WSListener):
    """One client. An observer notes what arrives."""

    def __init__(self, keys: _Keys, number: int) -> None:
        self._keys = keys
        self._number = number
        self._random = random.Random(number)
        self.doc: Doc[Text] = Doc(client_id=number + 1)
        self.text = self.doc.get("description", type=Text)
        self._clocks: dict[int, int] = {}
        self._place: StickyIndex | None = None
        self._left = 0
        self._people: dict[int, int] = {}
        self._clock = 0
        self._arrived: list[bytes] = []
        self.synced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: str | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._send(yjs.sync_message(Sync.STEP_1, self.doc.get_state()))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.closed = self.closed or "disconnected"

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = time.perf_counter()
        if frame.msg_type == WSMsgType.CLOSE:
            self.closed = f"{frame.get_close_code()} {frame.get_close_message()}"
            return
        if frame.msg_type != WSMsgType.BINARY:
            return
        message = frame.get_payload_as_bytes()
        if message[0] == Kind.AWARENESS:
            self._look(message)
            return
        data = yjs.read_sized(message, 2)[0]
        if message[1] == Sync.STEP_1:
            self._send(yjs.sync_message(Sync.STEP_2, self.doc.get_update(data)))
            return
        self._arrived.append(data)
        if message[1] == Sync.STEP_2 and not self.synced.done():
            self.synced.set_result(None)
        if self._number < OBSERVERS:
            self.take()
            if self._keys.timing:
                self._note(now)

    def take(self) -> None:
        """Take into the document what has arrived."""
        with self.doc.transaction():
            for update in self._arrived:
                self.doc.apply_update(update)
        self._arrived.clear()

    def _look(self, message: bytes) -> None:
        """As y-websocket: what is news of others is sent back."""
        news = [
            one
            for one in yjs.read_awareness(yjs.read_sized(message, 1)[0])
            if one.clock > self._people.get(one.client, -1) and one.client != self.doc.client_id
        ]
        for one in news:
            self._people[one.client] = one.clock
        if news:
            self._send(yjs.awareness_message(yjs.awareness_update(news)))

    def _note(self, now: float) -> None:
        state = self.doc.get_state()
        count, at = yjs.read_varuint(state, 0)
        for _ in range(count):
            client, at = yjs.read_varuint(state, at)
            clock, at = yjs.read_varuint(state, at)
            before = self._clocks.get(client, 0)
            if clock > before:
                self._clocks[client] = clock
                for number in range(before, clock):
                    typed = self._keys.typed.get((client, number))
                    if typed is not None and client != self.doc.client_id:
                        self._keys.late.append(now - typed)

    def _send(self, message: bytes) -> None:
        self._transport.send(WSMsgType.BINARY, message)

    def press(self) -> None:
        """One key, and the cursor's new place."""
        if self.closed:
            raise StackFailed(f"editor {self._number} was closed: {self.closed}")
        self.take()
        before = self.doc.get_state()
        length = len(self.text)
        if self._place is None or self._left == 0:
            at = self._random.randrange(length + 1)
            self._left = RUN
            if length > LONG:
                # A word is marked and deleted: a key too.
                del self.text[at : min(length, at + RUN + 1)]
                self._place = self.text.sticky_index(at, Assoc.BEFORE) if at else None
                self._tell(before)
                return
        else:
            at = min(length, self._place.get_index())
        self._left -= 1
        self._keys.typed[self.doc.client_id, self._typed_clock(before)] = time.perf_counter()
        self.text.insert(at, self._random.choice("abcdefghijklmnop qrstuvw"))
        self._place = self.text.sticky_index(at + 1, Assoc.BEFORE)
        self._tell(before)

    def _typed_clock(self, state: bytes) -> int:
        count, at = yjs.read_varuint(state, 0)
        for _ in range(count):
            client, at = yjs.read_varuint(state, at)
            clock, at = yjs.read_varuint(state, at)
            if client == self.doc.client_id:
                return clock
        return 0

    def _tell(self, before: bytes) -> None:
        self._send(yjs.sync_message(Sync.UPDATE, self.doc.get_update(before)))
        self._clock += 1
        state = json.dumps({"user": {"name": f"editor {self._number}"}, "cursor": self._clock})
        me = Presence(self.doc.client_id, self._clock, state)
        self._send(yjs.awareness_message(yjs.awareness_update([me])))

    def disconnect(self) -> None:
        self._transport.disconnect()


async def measure(*, rounds: int, seconds: float) -> list[Outcome]:
    """Print the table; returns the outcomes."""
    found: list[list[float]] = []
    keys = 0
    async with seatcast_distributed(gateways=2) as stack, _crowd(stack) as (crowd, noted):
        await _type(crowd, _WARM_SECONDS)
        memory, cpu = _memory(stack), stack.cpu_seconds()
        for _ in range(rounds):
            noted.late, noted.typed, noted.timing = [], {}, True
            tables.progress(f"documents: {EDITORS} editors type for {seconds:g} s")
            await _type(crowd, seconds)
            await _rest(stack, crowd)
            noted.timing = False
            found.append(noted.late)
            keys += len(noted.late)
        used = (stack.cpu_seconds() - cpu) / (rounds * seconds)
        grown = [after - before for before, after in zip(memory, _memory(stack), strict=True)]
        length = len(str(crowd[0].text))
    middle, high = (tables.median([tables.percentile(one, share) for one in found]) for share in (0.5, 0.99))
    outcome = Outcome("Typing", f"p99 {high * 1e3:.1f} ms", "p99 < 50 ms", high < TARGET_SECONDS)
    tables.show(
        f"{EDITORS} editors, {KEYS_PER_SECOND:g} keys/s each, one document, two gateways, {rounds} x {seconds:g} s, ms",
        ["", "median", "p99", "worst", "target"],
        [["Seatcast", *(f"{v * 1e3:.1f}" for v in (middle, high, max(map(max, found)))), str(outcome)]],
        [
            f"{keys} arrivals timed; everybody identical at rest ({length} characters), and so is what REST says.",
            f"Processor time of our three processes: {used:.2f} cores. Memory of the tour service and the gateways after"
            f" {_WARM_SECONDS:g} s and at the end: {', '.join(f'{m / 2**20:+.1f}' for m in grown)} MiB.",
        ],
    )
    return [outcome]


@asynccontextmanager
async def _crowd(stack: Stack) -> AsyncIterator[tuple[list[_Editor], _Keys]]:
    assert stack.tokens is not None
    keys = _Keys()
    crowd: list[_Editor] = []
    async with AsyncExitStack() as opened:
        for number in range(EDITORS):
            editor = _Editor(keys, number)
            token = stack.tokens.mint(f"editor_{number}", ["staff"], 24 * 3600)
            port = stack.ws_ports[number % 2]
            url = f"ws://127.0.0.1:{port}/documents/{DOCUMENT}?token={token}"
            await ws_connect(lambda editor=editor: editor, url, enable_auto_pong=True, max_frame_size=2**22)
            opened.callback(editor.disconnect)
            crowd.append(editor)
        await asyncio.wait_for(asyncio.gather(*(editor.synced for editor in crowd)), 20)
        yield crowd, keys


async def _type(crowd: list[_Editor], seconds: float) -> None:
    begin = time.perf_counter()

    async def one(number: int, editor: _Editor) -> None:
        due = begin + number / EDITORS / KEYS_PER_SECOND
        while due < begin + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            editor.press()
            due += 1 / KEYS_PER_SECOND

    gc.collect()
    await asyncio.gather(*(one(number, editor) for number, editor in enumerate(crowd)))


async def _rest(stack: Stack, crowd: list[_Editor]) -> None:
    """Wait until everybody has the same text, and the tour service too."""
    headers = {"Authorization": f"Bearer {stack.staff}"}
    until = time.perf_counter() + _REST_SECONDS
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{stack.api_port}") as client:
        while True:
            for editor in crowd:
                editor.take()
            texts = {str(editor.text) for editor in crowd}
            answer = await client.get(f"/api/documents/{DOCUMENT}", headers=headers)
            fields = answer.raise_for_status().json()["fields"]
            if texts == {fields["description"]["value"]}:
                return
            if time.perf_counter() > until:
                raise StackFailed(f"{len(texts)} different texts {_REST_SECONDS:g} s after the last key")
            await asyncio.sleep(0.1)


def _memory(stack: Stack) -> list[int]:
    """Return the resident bytes of each process of the stack."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in stack.pids]
    return [count * 4096 for count in pages]
