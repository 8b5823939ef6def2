"""The tour service and the gateway as processes of their own, and what every process needs: broker and secret."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import structlog
from litestar import Litestar

from seatcast.broker import Broker
from seatcast.broker.memory import MemoryBroker
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.config import Settings, SettingsError, redacted
from seatcast.gateway.app import gateway
from seatcast.gateway.snapshot import http_snapshot
from seatcast.http_server import serve_http
from seatcast.tokens import Tokens
from seatcast.tours.app import tours

SECRET_FILE: Final = "seatcast.secret"  # noqa: S105 - a file name

_log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def open_broker(settings: Settings) -> AsyncIterator[Broker]:
    """Open the broker that the settings name, connected; without one, the broker inside the process.

    Waits up to `start_seconds`, with a log line. Raises `BrokerUnavailable`.
    """
    if settings.broker_url is None:
        async with MemoryBroker() as memory:
            yield memory
        return
    async with RabbitBroker(settings.broker_url) as rabbit:
        # Only a wait that one notices is worth a line.
        notice = asyncio.get_running_loop().call_later(
            0.5, _log.warning, f"Waiting for the broker {redacted(settings.broker_url)}"
        )
        try:
            await rabbit.wait_connected(settings.start_seconds)
        finally:
            notice.cancel()
        yield rabbit


def generated_secret(data_dir: Path) -> str:
    """Return the secret in the data folder, made on first use, readable by its owner alone.

    Raises `SettingsError` when it can be neither read nor made.
    """
    path = data_dir / SECRET_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            made = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
            # Written aside and linked: of two processes that start together one wins, and nobody reads half.
            aside = path.with_name(f"{SECRET_FILE}.{os.getpid()}")
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(made + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
            aside.unlink()
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"the secret {path} cannot be read or made: {reason}") from None
    if len(secret) < 16:
        raise SettingsError(f"the secret {path} is too short: delete the file to have a new one made")
    return secret


def web_url(scheme: str, host: str, port: int) -> str:
    """Return an address that a browser on this machine can open: a wildcard host becomes its loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


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
        serve_http(app, settings.host, settings.api_port, name="the tour service") as port,
    ):
        url = web_url("http", settings.host, port)
        _log.info("Tour service is listening", url=url, database=redacted(settings.database))
        yield url


@contextlib.asynccontextmanager
async def gateway_alone(settings: Settings) -> AsyncIterator[str]:
    """Run a gateway with its health port; yields its WebSocket address once it takes connections."""
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(open_broker(settings))
        snapshot = None
        if settings.tours_url is not None:
            client = httpx.AsyncClient(base_url=settings.tours_url, timeout=5.0)
            snapshot = http_snapshot(await stack.enter_async_context(client))
        running = await stack.enter_async_context(gateway(settings, broker, snapshot, _tokens(settings)))
        app = Litestar(list(running.routes), openapi_config=None, logging_config=None)
        health = await stack.enter_async_context(
            serve_http(app, settings.host, settings.http_port, name="the gateway's health port")
        )
        url = web_url("ws", settings.host, running.port)
        _log.info("Gateway is listening", url=url, health=web_url("http", settings.host, health))
        yield url
