"""What a page of another origin may read of the REST API: the seats, so that any site can show them (docs/widget.md).

Which pages those are is the same question as at a gateway, with the same answer (`--allowed-origins`). Everything else of
the API stays with pages of its own origin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from seatcast.origins import Origins
from seatcast.rest import EPOCH_HEADER

_PATHS: Final = re.compile(r"/api/(config|tours(/[^/]+)?)/?")
_READING: Final = ("GET", "HEAD")

Headers = list[tuple[bytes, bytes]]

_PREFLIGHT: Final[Headers] = [
    (b"access-control-allow-methods", ", ".join(_READING).encode()),
    (b"access-control-allow-headers", b"Authorization"),
    (b"access-control-max-age", b"600"),
]


@dataclass(frozen=True, slots=True)
class SharedReads:
    """An ASGI application in front of `others`, whose answers about seats it lets browsers hand to the pages of `origins`."""

    others: ASGIApp
    origins: Origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not _PATHS.fullmatch(scope["path"]):
            await self.others(scope, receive, send)
            return
        asked = {name: value.decode("latin-1") for name, value in scope["headers"]}
        before = asked.get(b"access-control-request-method") if scope["method"] == "OPTIONS" else None
        more = self._allowed(before or scope["method"], asked.get(b"origin"), asked.get(b"host", ""))

        async def send_with_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more]
            await send(message)

        if before is None:
            await self.others(scope, receive, send_with_more)
            return
        await send({"type": "http.response.start", "status": 204, "headers": more + _PREFLIGHT})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _allowed(self, method: str, origin: str | None, host: str) -> Headers:
        """Return what tells a browser whether the page of `origin` may have the answer."""
        headers: Headers = [(b"vary", b"Origin")]
        if origin is not None and method in _READING and self.origins.allow(origin, host):
            headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
            headers.append((b"access-control-expose-headers", EPOCH_HEADER.encode()))
        return headers
