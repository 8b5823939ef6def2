"""What `seatcast publish` and `listen` do: Seatcast seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import websockets
from msgspec import UNSET
from rich.console import Console

from seatcast.broker import Message
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.cli_run import CommandFailed
from seatcast.config import SettingsError, redacted
from seatcast.domain import MAX_TOUR_SEATS, iso
from seatcast.wire import Subscribe, encode
from seatcast.wire_events import AvailabilityUpdated

PUBLISH_SECONDS: Final = 5.0
"""How long `publish` waits for the broker: somebody is watching."""


async def publish(url: str, tour: str, seats: int, name: str | None) -> None:
    """Send one event without a version, as a publisher that is not ours would; returns when the broker holds it.

    Raises `BrokerUnavailable` or `MessageRefused`, and `SettingsError` for a tour or a count that no gateway takes.
    """
    if not 0 <= seats <= MAX_TOUR_SEATS:
        raise SettingsError(f"SEATS must be between 0 and {MAX_TOUR_SEATS}, not {seats}")
    if not 1 <= len(tour) <= 128:
        raise SettingsError("TOUR takes 1 to 128 characters")
    event = AvailabilityUpdated(
        event_id=str(uuid4()),
        tour_id=tour,
        available_seats=seats,
        timestamp=iso(datetime.now(UTC)),
        tour_name=UNSET if name is None else name,
    )
    async with RabbitBroker(url) as broker:
        await broker.wait_connected(PUBLISH_SECONDS)
        message = Message("tour.availability.updated", encode(event), event_id=event.event_id)
        (problem,) = await broker.publish([message])
    if problem is not None:
        raise problem


@contextlib.asynccontextmanager
async def listening(url: str, tour: str | None, token: str | None) -> AsyncIterator[None]:
    """Print every frame to standard output while the context lasts.

    Raises `CommandFailed` when the connection cannot be made or ends, inside an exception group.
    """
    if urlsplit(url).scheme not in ("ws", "wss"):
        raise SettingsError("URL must begin with ws:// or wss://")
    # In a header and not in the address: addresses end up in logs.
    headers = {"Authorization": f"Bearer {token}"} if token else None
    where = redacted(url)
    try:
        connection = await websockets.connect(url, additional_headers=headers, open_timeout=10)
    except TimeoutError:
        raise CommandFailed(f"{where} did not answer in time") from None
    except websockets.InvalidStatus as error:
        raise CommandFailed(f"{where} refused: HTTP {error.response.status_code}") from None
    except (OSError, websockets.WebSocketException, ValueError) as error:
        raise CommandFailed(f"cannot connect to {where}: {_reason(error)}") from None
    async with connection:
        if tour is not None:
            await connection.send(encode(Subscribe(tour_id=tour)).decode())
        async with asyncio.TaskGroup() as group:
            printing = group.create_task(_print_frames(connection, where))
            yield
            printing.cancel()


async def _print_frames(connection: websockets.ClientConnection, where: str) -> None:
    console = Console() if sys.stdout.isatty() else None
    try:
        async for frame in connection:
            body = frame.encode() if isinstance(frame, str) else frame
            try:
                line = msgspec.json.encode(msgspec.json.decode(body)).decode()
            except msgspec.DecodeError:
                line = body.decode(errors="replace")
            if console is not None:
                console.print_json(line, indent=None)
            else:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
    except BrokenPipeError:
        raise CommandFailed("nobody reads the output any more") from None
    except websockets.ConnectionClosed:
        pass
    raise CommandFailed(
        f"{where} closed the connection: {connection.close_code} {connection.close_reason}".rstrip()
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "connection refused"
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
