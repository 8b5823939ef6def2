"""Answers over plain HTTP, as ASGI sends them, and the headers that they share."""

from __future__ import annotations

from typing import Final

from litestar.types import Send

from seatcast import wire
from seatcast.gateway.stream import event

PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, Cache-Control, If-None-Match, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
PROBLEM: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
STREAM: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",
    # nginx would keep events back until it has a buffer full of them.
    "X-Accel-Buffering": "no",
}


def come_back(after_ms: int) -> bytes:
    """Return a whole stream that says no more than when to try again."""
    return b"retry: %d\n\n" % after_ms + event(wire.encode(wire.Reconnect(after_ms=after_ms)))


async def begin(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def answer(send: Send, status: int, headers: dict[str, str], body: bytes | None = b"") -> None:
    """Send a whole answer; None for one that has no body at all."""
    length = {} if body is None or status == 204 else {"Content-Length": str(len(body))}
    await begin(send, status, headers | length)
    await send({"type": "http.response.body", "body": body or b"", "more_body": False})
