"""A transport for httpx that keeps connections: what gateways ask the tour service over.

HTTP/1.1 (RFC 9112), read by httptools. httpx's own takes half a millisecond of the processor for a request, and more the more
are under way; this one a tenth of it. A request on a kept connection that ends before a byte of its answer is there is
sent once more on a new one: servers close idle connections at any moment. So requests must have one effect however often they
come, as those of gateways do.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, cast

import httptools
import httpx

MAX_IDLE: Final = 64
"""Connections that are kept although nobody uses them."""

MAX_HEADERS: Final = 200


class _Dead(Exception):
    """The connection ended before a byte of the answer came."""


class _Line(asyncio.Protocol):
    """One connection, with one request at a time. `idle` hears when it may be used again, `lost` when no more."""

    __slots__ = (
        "_answer", "_body", "_fresh", "_headers", "_heard", "_idle", "_loop", "_lost", "_parser", "_timer", "_transport",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, idle: Callable[[_Line], None], lost: Callable[[_Line], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle = idle
        self._lost = lost
        self._answer: asyncio.Future[httpx.Response] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0

    # Asking

    async def ask(self, request: bytes, seconds: float | None) -> httpx.Response:
        """Send a request and return its answer. `seconds` may go by without a byte of it."""
        self._answer = self._loop.create_future()
        self._fresh = True
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)
        if seconds is not None:
            self._heard = self._loop.time()
            self._timer = self._loop.call_later(seconds, self._late, seconds)
        try:
            return await self._answer
        except BaseException:
            # Whatever still comes on it is nobody's.
            self._transport.abort()
            raise
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _late(self, seconds: float) -> None:
        left = self._heard + seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._late, seconds)
        else:
            self._fail(httpx.ReadTimeout("no answer in time"))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def close(self) -> None:
        self._transport.close()

    # From the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # Nobody asked.
            self._transport.abort()
            return
        self._heard = self._loop.time()
        self._fresh = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(httpx.RemoteProtocolError("no proper answer"))

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(self)
        if self._answer is None or self._answer.done():
            return
        if self._fresh:
            self._fail(_Dead())
        elif self._until_the_end():
            self._complete(kept=False)
        else:
            self._fail(httpx.RemoteProtocolError("the answer breaks off"))

    def _until_the_end(self) -> bool:
        names = {name.lower() for name, _ in self._headers}
        return bool(names) and not names & {b"content-length", b"transfer-encoding"}

    # From the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) >= MAX_HEADERS:
            raise httptools.HttpParserCallbackError("too many headers")
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            # 103 and the like come before the answer.
            self._headers, self._body = [], []
            return
        self._complete(kept=self._parser.should_keep_alive())

    def _complete(self, *, kept: bool) -> None:
        assert self._answer is not None  # noqa: S101 - for the type checker: it was asked for
        response = httpx.Response(
            self._parser.get_status_code(),
            headers=self._headers,
            stream=httpx.ByteStream(b"".join(self._body)),
        )
        if not self._answer.done():
            self._answer.set_result(response)
        if kept:
            self._idle(self)
        else:
            self._transport.close()


class Lines(httpx.AsyncBaseTransport):
    """Connections to servers, kept by where they lead. How many are used at once is the callers' business."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, int], list[_Line]] = {}
        self._ssl: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, read to its end. Raises `httpx.TransportError`."""
        url = request.url
        where = url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)
        limits = request.extensions.get("timeout", {})
        body = await request.aread()
        head = b"\r\n".join(
            [
                b"%s %s HTTP/1.1" % (request.method.encode(), url.raw_path),
                *(b"%s: %s" % header for header in request.headers.raw),
                b"\r\n",
            ]
        )
        kept = self._kept.get(where)
        if kept:
            try:
                return await kept.pop().ask(head + body, limits.get("read"))
            except _Dead:
                pass
        line = await self._connect(where, limits.get("connect"))
        try:
            return await line.ask(head + body, limits.get("read"))
        except _Dead:
            raise httpx.RemoteProtocolError("hung up without an answer") from None

    async def _connect(self, where: tuple[str, str, int], seconds: float | None) -> _Line:
        scheme, host, port = where
        if scheme == "https" and self._ssl is None:
            self._ssl = httpx.create_ssl_context()

        def line() -> _Line:
            return _Line(lambda one: self._keep(where, one), lambda one: self._forget(where, one))

        try:
            async with asyncio.timeout(seconds):
                _, made = await asyncio.get_running_loop().create_connection(
                    line, host, port, ssl=self._ssl if scheme == "https" else None
                )
        except TimeoutError:
            raise httpx.ConnectTimeout("not connected in time") from None
        except OSError as error:
            raise httpx.ConnectError(str(error)) from None
        return made

    def _keep(self, where: tuple[str, str, int], line: _Line) -> None:
        kept = self._kept.setdefault(where, [])
        if len(kept) < MAX_IDLE:
            kept.append(line)
        else:
            line.close()

    def _forget(self, where: tuple[str, str, int], line: _Line) -> None:
        kept = self._kept.get(where, [])
        if line in kept:
            kept.remove(line)

    async def aclose(self) -> None:
        """Close what is kept."""
        for kept in self._kept.values():
            for line in list(kept):
                line.close()
