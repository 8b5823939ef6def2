"""For clients that no WebSocket reaches: snapshots, long polls and Server-Sent Events, over plain HTTP.

The same messages as on a socket, of the same hub, so a client may mix them (docs/fallbacks.md). An ASGI application in
front of others, on the HTTP port of a lone gateway or beside the REST API: `poll.py` and `stream.py` have what is
answered, here is how it is asked for, waited for and sent.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send
from multidict import CIMultiDict

from seatcast import wire
from seatcast.gateway import asked
from seatcast.gateway.admission import Visitor
from seatcast.gateway.answers import PREFLIGHT, PROBLEM, STREAM, answer, begin, come_back
from seatcast.gateway.asked import Asked, Refusal
from seatcast.gateway.audience import Audience, Waiting
from seatcast.gateway.auth import Rejected, identify
from seatcast.gateway.metrics import Unanswered
from seatcast.gateway.poll import Poll, Polls
from seatcast.gateway.refusals import error_frame
from seatcast.gateway.server import Server
from seatcast.gateway.stream import HEARTBEAT, Stream
from seatcast.rest import LIVE_PATH, LIVE_STREAM_PATH
from seatcast.tokens import Identity
from seatcast.wire import CloseCode

log = structlog.get_logger(__name__)

RETRY_MS: Final = (1_000, 4_000)
"""How long a browser waits before it reconnects, at random: those that lost a gateway together do not come together."""

FIRST_SNAPSHOT_SECONDS: Final = 5.0
"""After that they are given what there is, which may be events alone, or nothing; it says that it is stale."""

WORTH_GZIP: Final = 1_400
"""Bytes of a whole state from which on it is compressed: less is one packet anyway."""


class Fallbacks:
    """All the clients of one gateway that have no WebSocket. It is the outlet of a hub of their own."""

    def __init__(self, server: Server) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._metrics = server.metrics
        self.audience = Audience(server.hub, server.metrics, server.clock, self._loop.call_soon)
        self._shared = replace(server.shared, hub=self.audience.hub, post=None)
        self._polls = Polls(self._shared)
        self._left = asyncio.Event()

    def in_front_of(self, others: ASGIApp) -> ASGIApp:
        """Return an application that answers our two routes itself and hands every other request to `others`."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == ScopeType.HTTP and (path := scope["path"].rstrip("/")) in (
                LIVE_PATH,
                LIVE_STREAM_PATH,
            ):
                await self._serve(scope, receive, send, streaming=path == LIVE_STREAM_PATH)
            else:
                await others(scope, receive, send)

        return application

    # Requests

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send, *, streaming: bool) -> None:
        server = self._server
        headers = asked.fields(scope)
        visitor = server.reception.arrive(scope["client"][0] if scope["client"] else "")
        cors = {"Vary": "Origin"}
        try:
            cors |= self._let_pages(headers, visitor)
            if scope["method"] == "OPTIONS":
                await answer(send, 204, cors | PREFLIGHT)
                return
            if scope["method"] not in ("GET", "HEAD"):
                raise Refusal("method", headers={"Allow": "GET, HEAD, OPTIONS"})
            wanted = asked.read(scope, headers)
            identity = self._admit(visitor, headers, wanted)
            await self._first_snapshot()
            if not streaming:
                await self._poll(wanted, identity, receive, send, cors)
            elif scope["method"] == "GET":
                await self._stream(wanted, identity, receive, send, cors)
            else:
                await answer(send, 200, cors | STREAM)
        except Refusal as refusal:
            self._metrics.fallbacks_refused[refusal.reason] += 1
            if streaming and refusal.status == 503:
                # To anything but a stream a browser would never come back.
                body = come_back(random.SystemRandom().randint(*RETRY_MS))
                await answer(send, 200, cors | STREAM | {"Connection": "close"}, body)
                return
            language = asked.language(scope, headers)
            body = wire.encode(refusal.problem(language))
            more = PROBLEM | {"Content-Language": language} | refusal.headers
            await answer(send, refusal.status, cors | more, body)
        finally:
            server.admission.leave(visitor)

    def _let_pages(self, headers: CIMultiDict[str], visitor: Visitor) -> dict[str, str]:
        """Return what a browser has to be told before it hands an answer to the page that asked."""
        if not self._server.reception.allows(headers, trusted=visitor.peer.trusted):
            raise Refusal("origin")
        origin = headers.get("Origin")
        if origin is None:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "ETag, Retry-After"}

    def _admit(self, visitor: Visitor, headers: CIMultiDict[str], wanted: Asked) -> Identity | None:
        """Return whom a request speaks for. Raises `Refusal`."""
        server = self._server
        away = server.reception.ask(visitor, headers)
        if server.draining:
            raise Refusal("draining", headers={"Retry-After": "2"})
        if away is not None:
            reason: Unanswered = "full" if away.reason == "full" else "address"
            raise Refusal(reason, headers={"Retry-After": str(math.ceil(away.seconds))})
        identity = identify(server.tokens, wanted.accepted.token)
        challenge = {"WWW-Authenticate": "Bearer"}
        if isinstance(identity, Rejected):
            if identity.code != CloseCode.UNAUTHENTICATED:
                raise Refusal("no keys", headers={"Retry-After": "2"})
            raise Refusal("token", {"token": identity.reason.removeprefix("token: ")}, challenge)
        if identity is None and server.limits.auth_required:
            raise Refusal("token", headers=challenge)
        if identity is not None and not server.admission.sign_in(visitor, identity.user):
            raise Refusal("user", headers={"Retry-After": "10"})
        return identity

    async def _first_snapshot(self) -> None:
        """Wait for it, within reason: whoever comes back to a gateway that has just started would forget all they
        know for an empty list, and their cursor with it.
        """
        deadline = self._server.clock() + FIRST_SNAPSHOT_SECONDS
        while self.audience.hub.truth.awaited and self._server.clock() < deadline:  # noqa: ASYNC110 - once, at a start
            await asyncio.sleep(0.02)
        if self._server.draining:
            raise Refusal("draining", headers={"Retry-After": "2"})

    # Polls

    async def _poll(
        self, wanted: Asked, identity: Identity | None, receive: Receive, send: Send, cors: dict[str, str]
    ) -> None:
        poll = self._polls.ask(wanted.accepted.tours, wanted.cursor)
        headers = cors | {"Content-Type": "application/json"}
        if wanted.cursor is None:
            state = self._polls.everything(poll, self._server.stale)
            headers |= {"Cache-Control": "no-cache", "Vary": "Origin, Accept-Encoding"}
            if wanted.gzip and len(state.data) >= WORTH_GZIP:
                state = state.gzipped
                headers["Content-Encoding"] = "gzip"
            headers["ETag"] = state.etag
            same = state.etag in wanted.etags or "*" in wanted.etags
            self._metrics.polls["unchanged" if same else "everything"] += 1
            await answer(send, 304 if same else 200, headers, None if same else state.data)
            return
        news = self._polls.news(poll, self._server.stale)
        if news is None and wanted.wait > 0:
            news = await self._news(poll, identity, wanted.wait, receive)
        self._metrics.polls["nothing" if news is None else "news"] += 1
        body = self._polls.nothing(poll, self._server.stale) if news is None else news
        await answer(send, 200, headers | {"Cache-Control": "no-store"}, body)

    async def _news(
        self, poll: Poll, identity: Identity | None, seconds: float, receive: Receive
    ) -> bytes | None:
        """Wait for something new; None when there is nothing in time, or it is better to answer without."""
        wake = asyncio.Event()
        waiting = Waiting(wake.set, identity)
        self.audience.enter(waiting)
        self.audience.hub.follow(waiting, poll.tours)
        gone = self._watch(receive, wake)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await wake.wait()
                    wake.clear()
                    news = self._polls.news(poll, self._server.stale)
                    if news is not None or waiting.over or gone.done():
                        return news
        except TimeoutError:
            return self._polls.news(poll, self._server.stale)
        finally:
            gone.cancel()
            self._leave(waiting)

    def _leave(self, one: Stream | Waiting) -> None:
        self.audience.leave(one)
        self._left.set()

    def _watch(self, receive: Receive, wake: asyncio.Event) -> asyncio.Task[None]:
        """Return a task that is done, and wakes us, once the client has hung up."""

        async def until_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        task = self._loop.create_task(until_gone(), name="a client of the fallbacks")
        task.add_done_callback(lambda _: wake.set())
        return task

    # Streams

    async def _stream(
        self, wanted: Asked, identity: Identity | None, receive: Receive, send: Send, cors: dict[str, str]
    ) -> None:
        wake = asyncio.Event()
        retry = random.SystemRandom().randint(*RETRY_MS)
        stream = Stream(self._shared, self._server.clock, wake.set, retry)
        self.audience.enter(stream)
        gone = self._watch(receive, wake)
        try:
            await begin(send, 200, cors | STREAM)
            stream.session.open(
                self._server.connection_id(),
                identity=identity,
                language=wanted.accepted.language,
                tours=wanted.accepted.tours,
                stale=self._server.stale,
                cursor=wanted.cursor,
            )
            await self._write(stream, identity, wake, gone, send)
        finally:
            gone.cancel()
            self._leave(stream)

    async def _write(
        self,
        stream: Stream,
        identity: Identity | None,
        wake: asyncio.Event,
        gone: asyncio.Task[None],
        send: Send,
    ) -> None:
        """Send what there is as fast as the client takes it, until either side ends it."""
        heartbeat = self._server.limits.heartbeat_seconds
        clock = self._server.tokens.clock
        ends = math.inf if identity is None else identity.ends
        while not gone.done():
            data, frames = stream.take()
            if data:
                self._metrics.frames += frames
                self._metrics.frame_bytes += len(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
                continue
            if stream.closing:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            wake.clear()
            try:
                async with asyncio.timeout(min(heartbeat, max(0.0, ends - clock()))):
                    await wake.wait()
            except TimeoutError:
                if clock() >= ends:
                    stream.send(error_frame("UNAUTHENTICATED", "token: expired"))
                    stream.close()
                else:
                    await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})

    async def drain(self, seconds: float, after_ms: Callable[[], int]) -> None:
        """Send everybody away, each told to come back in `after_ms` of its own, and return when they are gone.

        Within `seconds`. The server says whether somebody new is still taken.
        """
        self.audience.send_away(after_ms)
        try:
            async with asyncio.timeout(seconds):
                while self.audience.here:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            log.warning("Clients of the fallbacks are cut off", left=len(self.audience.here))
