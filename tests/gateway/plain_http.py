"""The fallbacks of a gateway on a port of their own, and those who ask there."""

import asyncio
import contextlib
import json

import httpx

from seatcast.gateway.fallbacks import Fallbacks
from seatcast.http_server import serve_http
from seatcast.rest import LIVE_PATH as PATH
from seatcast.rest import LIVE_STREAM_PATH as STREAM_PATH

__all__ = ["PATH", "STREAM_PATH", "facts", "served", "streaming"]


async def others(scope, receive, send):
    """Whatever else the port serves."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@contextlib.asynccontextmanager
async def served(house):
    """A gateway's fallbacks on a port of their own; yields the house, with `fallbacks`, `web` and `base` beside."""
    async with house.open():
        house.fallbacks = Fallbacks(house.server)
        app = house.fallbacks.in_front_of(others)
        async with serve_http(app, "127.0.0.1", 0, name="fallbacks") as house.web:
            house.base = f"http://127.0.0.1:{house.web}"
            async with httpx.AsyncClient(base_url=house.base, timeout=20) as house.http:
                yield house
                house.fallbacks.audience.send_away(lambda: 100)


class Events:
    """A stream as a browser reads it. `id` is what it would send as Last-Event-ID; `lines` is everything."""

    def __init__(self, answer):
        self.answer = answer
        self.lines = []
        self.id = ""
        self.retry = None
        self._read = answer.aiter_lines()

    async def next(self):
        """The next message; None at the end."""
        data = None
        async with asyncio.timeout(20):
            async for line in self._read:
                self.lines.append(line)
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "data":
                    data = json.loads(value)
                elif name == "id":
                    self.id = value
                elif name == "retry":
                    self.retry = int(value)
                elif not line and data is not None:
                    return data
        return None

    async def until(self, kind, **fields):
        while (frame := await self.next()) is not None:
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame
        raise AssertionError(f"the stream ended without {kind} {fields}")


@contextlib.asynccontextmanager
async def streaming(h, query="", **headers):
    async with h.http.stream("GET", STREAM_PATH + query, headers=headers) as answer:
        yield Events(answer)


def facts(answer):
    return {frame["tourId"]: frame["availableSeats"] for frame in answer.json()["messages"]}
