"""`seatcast gateway`: one process, or `--workers N` whole gateways on the same ports under a supervisor.

Each worker has its own queue at the broker and its own connections, and answers fallbacks, health and metrics on the
HTTP port like any other: a client may meet a different one each time.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import msgspec
import structlog

from seatcast.alone import HTTP_PORT, Listening, gateway_alone
from seatcast.cli_run import exit_with, run_until_signal
from seatcast.config import Settings, web_url
from seatcast.gateway.app import default_id
from seatcast.http_server import reserve
from seatcast.siblings import places
from seatcast.supervisor import Supervisor

_log = structlog.get_logger(__name__)


def _announce(where: Listening, **more: int) -> None:
    _log.info("Gateway is listening", url=where.url, health=where.health, **more)


async def _reserve(settings: Settings) -> tuple[socket.socket, socket.socket]:
    return (
        await reserve(settings.host, settings.port, name="gateway"),
        await reserve(settings.host, settings.http_port, name=HTTP_PORT),
    )


def one_gateway(settings: Settings) -> None:
    """Run a gateway in this process until a signal."""
    run_until_signal(gateway_alone(settings), started=_announce)


def gateway_workers(settings: Settings) -> int:
    """Run `settings.workers` gateways until a signal and return the exit code. Raises `PortTaken`.

    The ports are kept by the supervisor: nobody else gets them while a worker is replaced, and a second start is
    told that they are taken. 0 takes any free one, the same for all.
    """
    sockets = asyncio.run(_reserve(settings))
    port, http_port = (one.getsockname()[1] for one in sockets)
    id = settings.gateway_id or default_id()
    each = [
        (
            msgspec.structs.replace(
                settings, port=port, http_port=http_port, gateway_id=f"{id}-{place.number}"
            ),
            place,
        )
        for place in places(settings.workers)
    ]

    def work(number: int, ready: Callable[[], None]) -> None:
        # The supervisor's: once it is gone, nobody should keep them.
        for one in sockets:
            one.close()
        context = gateway_alone(*each[number - 1])
        exit_with(lambda: run_until_signal(context, started=lambda _: ready(), supervised=True))

    where = Listening(web_url("ws", settings.host, port), web_url("http", settings.host, http_port))
    return Supervisor(
        settings.workers,
        work,
        drain_seconds=settings.drain_seconds,
        started=lambda: _announce(where, workers=settings.workers),
    ).run()
