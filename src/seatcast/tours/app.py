"""The composition root of the tour service: everything is opened, joined and closed here, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from litestar import Litestar, Router
from litestar.types import ASGIApp
from msgspec import UNSET
from prometheus_client import CollectorRegistry

from seatcast import rest
from seatcast.broker import Broker
from seatcast.config import Settings
from seatcast.health import Health, health_routes
from seatcast.origins import Origins
from seatcast.tokens import Tokens
from seatcast.tours import openapi, store
from seatcast.tours.api import Travellers, travellers
from seatcast.tours.book_route import BookRoute
from seatcast.tours.bookings import Desk, now_iso
from seatcast.tours.callers import Callers
from seatcast.tours.catalogue import Catalogue
from seatcast.tours.chat_api import WholeIds, conversation_routes
from seatcast.tours.conversations import Conversations
from seatcast.tours.database import open_database
from seatcast.tours.demo_api import USERS, demo_routes
from seatcast.tours.documents import Documents
from seatcast.tours.documents_api import documents_routes
from seatcast.tours.figures_api import figures_routes
from seatcast.tours.live_figures import LiveFigures
from seatcast.tours.messages_api import message_routes
from seatcast.tours.metrics import ApiMetrics, FiguresMetrics, RelayMetrics
from seatcast.tours.migrate import migrate
from seatcast.tours.operator_api import operators
from seatcast.tours.pages import page_routes
from seatcast.tours.problems import HANDLERS
from seatcast.tours.relay import Relay
from seatcast.tours.sharing import SharedReads
from seatcast.tours.sweep import sweep
from seatcast.tours.till import Till

_log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 256 * 1024


@asynccontextmanager
async def tours(
    settings: Settings,
    broker: Broker,
    tokens: Tokens,
    *,
    live: bool = False,
    gateway_port: Callable[[], int] | None = None,
    leaving: asyncio.Event | None = None,
) -> AsyncIterator[ASGIApp]:
    """Run the tour service and yield its application, to be served by the caller; `live`: behind a gateway's routes.

    Migrates the database first, waiting for it up to `settings.start_seconds`. Inside the context the relay and
    the sweep run; should one of them die, the body is cancelled and its error raised.
    `gateway_port` says where pages find their WebSocket if it is not `settings.port`.
    Once `leaving` is set it says that it is unready, and answers all the same. Raises `DatabaseUnavailable`.
    """
    await migrate(
        settings.database,
        wait_seconds=settings.start_seconds,
        waiting=lambda reason: _log.warning("waiting for the database", reason=reason),
    )
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.database))
        async with database.reading() as connection:
            epoch = await store.epoch(connection)
        registry = CollectorRegistry()
        relay = Relay(database, broker, epoch, RelayMetrics(registry))
        catalogue = Catalogue(database, epoch, relay.wake)
        till = Till(database, epoch, relay.committed, now_iso)
        desk = Desk(database, epoch, till, relay.wake)
        conversations = Conversations(database, relay.committed, now_iso)
        live_figures = LiveFigures(database, broker, FiguresMetrics(registry))
        callers = Callers(tokens, required=settings.auth == "required")
        documents = Documents(database, epoch, relay.committed)
        services = Travellers(
            database=database,
            desk=desk,
            callers=callers,
            config=lambda: _page_config(settings, settings.port if gateway_port is None else gateway_port()),
        )
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = [
            tasks.create_task(relay.run(), name="relay"),
            tasks.create_task(till.run(), name="till"),
            tasks.create_task(conversations.run(), name="conversations"),
            tasks.create_task(live_figures.run(), name="live figures"),
            tasks.create_task(sweep(database, catalogue, now_iso), name="sweep"),
        ]
        # Called in reverse: the tasks end before the group is left and the database closes. Each is cancelled once:
        # a second time, while the first makes SQLAlchemy close a connection, leaves that waiting for ever.
        stack.callback(lambda: [task.cancel() for task in running if not task.cancelling()])
        app = Litestar(
            route_handlers=[
                Router(
                    "/api",
                    route_handlers=[
                        *travellers(services),
                        *message_routes(database, callers),
                        *conversation_routes(conversations, callers),
                        *operators(catalogue, callers),
                        *figures_routes(database, live_figures, callers),
                        *documents_routes(documents, callers),
                        *(demo_routes(tokens) if settings.demo else ()),
                    ],
                ),
                *health_routes(lambda: _health(relay, broker, tokens, leaving), registry),
                *page_routes(live=live),
            ],
            exception_handlers=HANDLERS,
            request_max_body_size=MAX_BODY_BYTES,
            openapi_config=openapi.config(),
            logging_config=None,
        )
        others = SharedReads(WholeIds(app), Origins(settings.allowed_origins))
        yield BookRoute(others, desk, callers, ApiMetrics(registry))


def _page_config(settings: Settings, port: int) -> rest.Config:
    return rest.Config(
        websocket_url=settings.websocket_url,
        websocket_port=port,
        demo=settings.demo,
        demo_users=list(USERS) if settings.demo else UNSET,
    )


def _health(relay: Relay, broker: Broker, tokens: Tokens, leaving: asyncio.Event | None) -> Health:
    """Bookings go on without a broker, so its absence degrades; the gateways' screens say so themselves."""
    checks = {
        "broker": "ok" if broker.connected else "unreachable: events wait in the outbox",
        "outbox": f"{relay.backlog.waiting} waiting, {relay.backlog.parked} set aside",
        "relay": "ok" if relay.healthy else "cannot send at the moment",
    }
    if tokens.problem is not None:
        checks["public keys"] = tokens.problem
    if leaving is not None and leaving.is_set():
        return Health(status="unready", checks={**checks, "process": "draining"})
    degraded = (
        not broker.connected or not relay.healthy or relay.backlog.parked > 0 or tokens.problem is not None
    )
    return Health(status="degraded" if degraded else "ok", checks=checks)
