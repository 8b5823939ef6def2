"""`python tests/conformance/echo_server.py PORT`: the gateway's WebSockets with an echo behind them.

For conformance suites, such as Autobahn's fuzzing client (`docs/conformance.md`). Requests, frames, messages, closing and
flow control are the gateway's own; only what is said over them differs, and the limits: messages of 16 MiB, in any
number of fragments, binary ones too.
"""

import asyncio
import contextlib
import signal
import sys
from http import HTTPStatus

import uvloop

from seatcast.gateway.addresses import Addresses
from seatcast.gateway.admission import Visitor
from seatcast.gateway.arrival import Answer, Arrival, Door, Upgrade
from seatcast.gateway.frames import BINARY, TEXT
from seatcast.gateway.handshake import Accepted, examine
from seatcast.gateway.messages import CLOSE_SECONDS, Bounds, Kind, frame
from seatcast.gateway.request import Refused

BOUNDS = Bounds(max_bytes=16 * 2**20, max_fragments=2**62, binary=True)


class Echo:
    """One peer, told what it tells."""

    def __init__(self, unfinished):
        self.unfinished = unfinished
        self.closing = False

    def opening(self, websocket):
        self.websocket = websocket

    def opened(self):
        """There is nothing to say yet."""

    def admits(self, message):
        return True

    def receive(self, message):
        self.websocket.write(frame(TEXT if message.kind is Kind.TEXT else BINARY, message.data))

    def close(self, code, reason, why):
        self.unfinished[self] = asyncio.get_running_loop().time() + CLOSE_SECONDS
        self.websocket.close(code, reason)

    def pause_writing(self):
        """The WebSocket does not read while its peer does not."""

    def resume_writing(self):
        self.websocket.listen()

    def lost(self):
        self.unfinished.pop(self, None)

    def abort(self):
        self.websocket.abort()


@contextlib.asynccontextmanager
async def echoing(port=0, bounds=BOUNDS):
    """Listen on 127.0.0.1 inside the context, which yields the port."""
    loop = asyncio.get_running_loop()
    unfinished = {}

    def judge(request, visitor):
        verdict = request if isinstance(request, Refused) else examine(request.target, request.headers)
        if isinstance(verdict, Accepted):
            return Upgrade(Echo(unfinished))
        if isinstance(verdict, Refused):
            return Answer(verdict.status, verdict.text.encode(), verdict.headers)
        return Answer(HTTPStatus.NOT_FOUND, b"")

    def expect(one, seconds):
        unfinished[one] = loop.time() + seconds

    async def sweep():
        while True:
            await asyncio.sleep(0.1)
            for one in [one for one, deadline in unfinished.items() if deadline <= loop.time()]:
                del unfinished[one]
                one.abort()

    door = Door(
        arrive=lambda address: Visitor(Addresses().of(address)), judge=judge, bounds=bounds, expect=expect,
        gone=lambda one: unfinished.pop(one, None), leave=lambda visitor: None,
    )  # fmt: skip
    listening = await loop.create_server(lambda: Arrival(door), "127.0.0.1", port)
    sweeping = asyncio.create_task(sweep())
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        sweeping.cancel()
        listening.close()


async def main():
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with echoing(int(sys.argv[1])) as port:
        print(f"echo on ws://127.0.0.1:{port}/", flush=True)  # noqa: T201 - a program
        await stop.wait()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("usage: echo_server.py PORT")
    uvloop.run(main())
