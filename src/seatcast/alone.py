"""The tour service and the gateway as processes of their own; the broker and the keys that every process opens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog
from litestar import Litestar

from seatcast.broker import Broker
from seatcast.broker.memory import MemoryBroker
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.config import Settings, SettingsError, redacted, web_url
from seatcast.gateway.app import gateway
from seatcast.gateway.snapshot import http_snapshot
from seatcast.http_lines import Lines
from seatcast.http_server import serve_http
from seatcast.key_source import FILE_SECONDS, KeySource, from_file, from_url
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


@contextlib.asynccontextmanager
async def open_tokens(settings: Settings, secret: str | None) -> AsyncIterator[Tokens]:
    """Read the public keys that the settings name, and read them anew inside the context.

    An address that cannot be read does not stop the start: whoever needs no token can be served, and health says
    what is wrong. A file that cannot be read is a wrong setting. Raises `SettingsError`.
    """
    async with contextlib.AsyncExitStack() as stack:
        source = None
        if settings.jwks_file is not None:
            source = KeySource(from_file(settings.jwks_file), str(settings.jwks_file), FILE_SECONDS)
        elif settings.jwks_url is not None:
            _warn_of_plain_http(settings.jwks_url)
            client = await stack.enter_async_context(httpx.AsyncClient())
            read = from_url(client, settings.jwks_url)
            source = KeySource(read, redacted(settings.jwks_url), settings.jwks_refresh_seconds)
        tokens = Tokens(secret, source, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
        if source is not None:
            await source.refresh()
            if settings.jwks_file is not None and source.problem is not None:
                raise SettingsError(f"jwks-file {settings.jwks_file} {source.problem}")
            group = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(group.create_task(source.run(), name="public keys").cancel)
        if not tokens.configured:
            if settings.auth == "required":
                raise SettingsError(
                    "auth is required but no token could be valid: set jwt-secret or a JWK Set"
                )
            _log.warning("Neither a JWT secret nor a JWK Set is configured: no token is valid here")
        yield tokens


def _warn_of_plain_http(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        _log.warning(
            "Public keys come over plain HTTP: whoever sits in between can forge tokens", source=redacted(url)
        )


@contextlib.asynccontextmanager
async def tours_alone(settings: Settings) -> AsyncIterator[str]:
    """Run the tour service and its relay; yields the address of its REST API once it answers."""
    async with (
        open_tokens(settings, settings.jwt_secret) as tokens,
        open_broker(settings) as broker,
        tours(settings, broker, tokens) as app,
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
        tokens = await stack.enter_async_context(open_tokens(settings, settings.jwt_secret))
        broker = await stack.enter_async_context(open_broker(settings))
        snapshot = client = None
        if settings.tours_url is not None:
            client = httpx.AsyncClient(base_url=settings.tours_url, timeout=5.0, transport=Lines())
            snapshot = http_snapshot(await stack.enter_async_context(client))
        running = await stack.enter_async_context(gateway(settings, broker, snapshot, tokens, place, client))
        app = Litestar(list(running.routes), openapi_config=None, logging_config=None)
        http_port = await stack.enter_async_context(
            serve_http(
                running.fallbacks.in_front_of(app),
                settings.host,
                settings.http_port,
                name=HTTP_PORT,
                shared=place is not None,
                grace_seconds=settings.requests_seconds,
            )
        )
        # Before its own context ends: meanwhile the HTTP port still says that this one is unready.
        await stack.enter_async_context(running.drained())
        yield Listening(web_url("ws", settings.host, running.port), web_url("http", settings.host, http_port))
