"""The tour service and the gateway as processes of their own, and the broker that every process opens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpx
import structlog
from litestar import Litestar

from seatcast.broker import Broker
from seatcast.broker.memory import MemoryBroker
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.config import Settings, redacted, web_url
from seatcast.gateway.app import gateway
from seatcast.gateway.snapshot import http_snapshot
from seatcast.http_server import serve_http
from seatcast.siblings import Place
from seatcast.tokens import Tokens
from seatcast.tours.app import tours

_log = structlog.get_logger(__name__)

HTTP_PORT: Final = "the gateway's HTTP port"


@contextlib.asynccontextmanager
async def open_broker(settings: Settings) -> AsyncIterator[Broker]:
    """Open the broker that the settings name, connected; without one, the broker inside the process.

    Waits up to `start_seconds`; what the waiting meets is logged. Raises `BrokerUnavailable`.
    """
    if settings.broker_url is None:
        async with MemoryBroker() as memory:
            yield memory
        return
    async with RabbitBroker(settings.broker_url) as rabbit:
        await rabbit.wait_connected(settings.start_seconds)
        yield rabbit


def _tokens(settings: Settings) -> Tokens:
    tokens = Tokens(settings.jwt_secret)
    if not tokens.configured:
        _log.warning("No JWT secret is configured: no token is valid here")
    return tokens


@contextlib.asynccontextmanager
async def tours_alone(settings: Settings) -> AsyncIterator[str]:
    """Run the tour service and its relay; yields the address of its REST API once it answers."""
    async with (
        open_broker(settings) as broker,
        tours(settings, broker, _tokens(settings)) as app,
        serve_http(
            app,
            settings.host,
            settings.api_port,
            name="the tour service",
            grace_seconds=settings.requests_seconds,
        ) as port,
    ):
        url = web_url("http", settings.host, port)
        _log.info("Tour service is listening", url=url, database=redacted(settings.database))
        yield url


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a gateway answers, as URLs that open on this machine."""

    url: str
    health: str


@contextlib.asynccontextmanager
async def gateway_alone(settings: Settings, place: Place | None = None) -> AsyncIterator[Listening]:
    """Run a gateway with its HTTP port; yields once it takes connections. `place`: as one of several workers."""
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(open_broker(settings))
        snapshot = None
        if settings.tours_url is not None:
            client = httpx.AsyncClient(base_url=settings.tours_url, timeout=5.0)
            snapshot = http_snapshot(await stack.enter_async_context(client))
        running = await stack.enter_async_context(
            gateway(settings, broker, snapshot, _tokens(settings), place)
        )
        app = Litestar(list(running.routes), openapi_config=None, logging_config=None)
        http_port = await stack.enter_async_context(
            serve_http(
                app,
                settings.host,
                settings.http_port,
                name=HTTP_PORT,
                shared=place is not None,
                grace_seconds=settings.requests_seconds,
            )
        )
        yield Listening(web_url("ws", settings.host, running.port), web_url("http", settings.host, http_port))
        # Here and not at the end of its context: meanwhile the HTTP port still says that this one is unready.
        await running.drain()
