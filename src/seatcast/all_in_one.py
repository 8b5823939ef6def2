"""Tour service, relay, gateway and pages in one process: `seatcast serve`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from seatcast.alone import open_broker, open_tokens
from seatcast.config import Settings, redacted, web_url
from seatcast.demo import numbers
from seatcast.demo_travellers import travellers
from seatcast.gateway.app import gateway
from seatcast.gateway.snapshot import http_snapshot
from seatcast.http_server import serve_http
from seatcast.secret_file import generated_secret
from seatcast.tours.app import tours

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running process answers, as URLs that open on this machine."""

    api: str
    websocket: str


@contextlib.asynccontextmanager
async def all_in_one(settings: Settings) -> AsyncIterator[Addresses]:
    """Run everything inside the context, which yields once everything answers.

    At the end the travellers stop first, then the gateway drains its clients, then requests in flight are
    answered, then the relay sends what is committed. A part that dies cancels the body.
    """
    secret = settings.jwt_secret or generated_secret(settings.data_dir)
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        tokens = await enter(open_tokens(settings, secret))
        broker = await enter(open_broker(settings))
        leaving = asyncio.Event()
        # Two libraries name the same ASGI types differently.
        app: Any = await enter(
            tours(settings, broker, tokens, live=True, gateway_port=lambda: running.port, leaving=leaving)
        )
        # The same application, without the detour over a socket.
        client = await enter(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tours"))
        running = await enter(gateway(settings, broker, http_snapshot(client), tokens, tours=client))
        front = running.fallbacks.in_front_of(app)
        api_port = await enter(
            serve_http(
                front,
                settings.host,
                settings.api_port,
                name="the tour service",
                grace_seconds=settings.requests_seconds,
            )
        )
        await enter(running.drained())
        addresses = Addresses(
            web_url("http", settings.host, api_port), web_url("ws", settings.host, running.port)
        )
        if settings.demo:
            await enter(numbers(running))
            await enter(travellers(addresses.api, tokens))
        _log.info(
            "Seatcast is listening",
            pages=addresses.api,
            websocket=addresses.websocket,
            database=redacted(settings.database),
            broker=redacted(settings.broker_url) if settings.broker_url else "in process",
        )
        yield addresses
        # Before anything ends: both ports then say that no traffic should come here.
        leaving.set()


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run everything until `stop` is set."""
    async with all_in_one(settings):
        await stop.wait()
