"""Composition root of a gateway: everything it is made of, opened and closed in one place."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
import structlog
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry

from seatcast import rest, wire, wire_events
from seatcast.broker import Broker
from seatcast.config import Settings
from seatcast.gateway.addresses import Addresses
from seatcast.gateway.admission import Quotas
from seatcast.gateway.attendance import Attendance
from seatcast.gateway.commands import Commands
from seatcast.gateway.descriptions import Descriptions
from seatcast.gateway.document_requests import read_document, read_tour
from seatcast.gateway.documents import Documents
from seatcast.gateway.edits import Edits
from seatcast.gateway.fallbacks import Fallbacks
from seatcast.gateway.feed import Feed
from seatcast.gateway.figures import LatestFigures
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.post import Post
from seatcast.gateway.routing import Routing
from seatcast.gateway.server import Server
from seatcast.gateway.shared import Limits
from seatcast.gateway.snapshot import ReadSnapshot
from seatcast.gateway.support_team import SupportTeam
from seatcast.gateway.upkeep import Upkeep
from seatcast.gateway.whispers import Whispers
from seatcast.health import Health, health_routes
from seatcast.origins import Origins
from seatcast.siblings import Own, Place, reporting, shared_health_routes
from seatcast.tokens import Tokens

log = structlog.get_logger(__name__)


class Gateway:
    """A running gateway. `port` is the bound port of the WebSockets; `registry` has its metrics."""

    def __init__(
        self,
        settings: Settings,
        broker: Broker,
        read_snapshot: ReadSnapshot | None,
        tokens: Tokens,
        place: Place | None,
        tours: httpx.AsyncClient | None,
    ) -> None:
        self.id = settings.gateway_id or default_id()
        self.port = settings.port
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry)
        self._broker = broker
        self._whispers = Whispers(broker)
        self._post = Post(tours, metrics)
        self._commands = None if tours is None else Commands(tours, metrics)
        self._documents = None
        if tours is not None:
            self._documents = Documents(
                tours,
                self._whispers.say,
                tokens,
                metrics,
                gateway_id=self.id,
                heartbeat_seconds=settings.heartbeat_seconds,
            )
        self._server = Server(
            tokens=tokens,
            limits=Limits(
                follow_all=settings.follow_all_limit,
                subscriptions=settings.max_subscriptions,
                heartbeat_seconds=settings.heartbeat_seconds,
                auth_required=settings.auth == "required",
            ),
            metrics=metrics,
            registry=self.registry if place is None else Own(place, self.registry),
            health=self.health,
            snapshots=read_snapshot is not None,
            orders=self._commands,
            whisper=self._whispers.say,
            documents=self._documents,
            post=self._post,
            quotas=Quotas(
                settings.messages_per_minute,
                settings.handshakes_per_address,
                settings.connections_per_address,
                settings.connections_per_user,
            ),
            addresses=Addresses(settings.trusted_proxies),
            origins=Origins(settings.allowed_origins),
        )
        self.fallbacks = Fallbacks(self._server)
        """Polls and streams, to be put in front of the application of any HTTP port."""
        self.channels = self._server.channels
        """What is told to those who ask for it, beside facts about tours."""
        self._support_team = SupportTeam(self._server)
        begin = None if self._documents is None else self._documents.begin
        self._edits = Edits(self.channels, None if tours is None else partial(read_document, tours), begin)
        self._descriptions = Descriptions(
            self._server.hub,
            self._server.told,
            self._server.clock,
            asyncio.get_running_loop().call_later,
            None if tours is None else partial(read_tour, tours),
            begin,
        )
        self._feed = Feed(
            broker,
            None if read_snapshot is None else partial(self._snapshot, read_snapshot),
            self._server.hub.truth,
            self,
            Routing(
                self.channels,
                self._post.mailboxes,
                self._post.conversations,
                LatestFigures(self.channels, self._server.clock).take,
                self._support_team.hear,
                metrics,
                self._edited,
                None if self._documents is None else self._documents.take,
            ).take,
            metrics,
            gateway_id=self.id,
            stale_seconds=settings.stale_seconds,
            snapshot_seconds=settings.snapshot_seconds,
        )
        self._upkeep = Upkeep(self._server)
        self._attendance = Attendance(self._server, self.fallbacks.audience, broker, self.id)
        self._farewell_seconds = settings.farewell_seconds
        self._place = place
        self.routes: list[HTTPRouteHandler] = (
            health_routes(self.health, self.registry) if place is None else shared_health_routes(place)
        )
        """Health and metrics, for an HTTP port of their own: of all the workers if this is one of several."""

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._server.connections)

    def broadcast(self, frame: wire.RandomNumber) -> None:
        """Tell every client something that is no fact about a tour (the demo's numbers)."""
        self._server.broadcast(frame)
        self.fallbacks.audience.broadcast(frame)

    def lost(self, since: str) -> None:
        """Tell every client that the source of facts is lost."""
        self._server.lost(since)
        self.fallbacks.audience.broadcast(wire.Stale(since=since))

    def regained(self, since: str) -> None:
        """Tell every client that the facts are fresh again."""
        self._server.regained(since)
        self.fallbacks.audience.broadcast(wire.Fresh(since=since))

    def _edited(self, event: wire_events.DocumentEdited) -> None:
        self._edits.take(event)
        self._descriptions.take(event)

    async def _snapshot(self, read: ReadSnapshot) -> rest.Snapshot:
        snapshot = await read()
        self._descriptions.join(snapshot)
        return snapshot

    def resubscribed(self) -> None:
        """Some messages may have been missed."""
        if self._documents is not None:
            self._documents.resubscribed()
        self._edits.resubscribed()
        self._post.doubt()

    def health(self) -> Health:
        """Return how the gateway is: unready while it drains, has no numbers yet or could let nobody in, degraded
        while stale or while the keys of tokens cannot be read.
        """
        feed = self._feed
        checks = {
            "broker": "connected" if self._broker.connected else "not connected",
            "source": "fresh" if feed.stale_since is None else f"stale since {feed.stale_since}",
            "snapshot": feed.snapshot_error or ("read" if feed.loaded else "not read yet"),
        }
        tokens, limits = self._server.tokens, self._server.limits
        if tokens.problem is not None:
            checks["public keys"] = tokens.problem
        if self._server.draining:
            return Health("unready", {**checks, "gateway": "draining"})
        if not feed.loaded or (limits.auth_required and tokens.blind):
            return Health("unready", checks)
        if feed.stale_since is not None or feed.snapshot_error is not None or tokens.problem is not None:
            return Health("degraded", checks)
        return Health("ok", checks)

    async def drain(self) -> None:
        """Become unready, take nobody any more, and send everybody away within `farewell_seconds`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._upkeep.drain(self._farewell_seconds), name="drain")
            group.create_task(
                self.fallbacks.drain(self._farewell_seconds, self._upkeep.slot), name="drain of the fallbacks"
            )
            if self._documents is not None:
                group.create_task(self._documents.drain(self._farewell_seconds), name="drain of documents")

    @asynccontextmanager
    async def drained(self) -> AsyncIterator[None]:
        """Drain at the end of the context, while what was opened before it still answers."""
        yield
        await self.drain()

    @asynccontextmanager
    async def _running(self, host: str, port: int) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            if self._documents is not None:
                await enter(self._documents.running())
            self.port = await enter(self._server.listening(host, port, shared=self._place is not None))
            # At once: the first client may come with the next turn of the loop.
            group = await enter(asyncio.TaskGroup())
            self._post.start(group)
            if self._commands is not None:
                self._commands.start(group)
            if self._place is not None:
                await enter(reporting(self._place, self.health, self.registry))
            attendance = group.create_task(self._attendance.run(), name="attendance")
            tasks = [
                attendance,
                group.create_task(self._feed.run(), name="feed"),
                group.create_task(self._upkeep.sweep(), name="upkeep"),
                group.create_task(self._whispers.run(), name="whispers"),
                group.create_task(self._support_team.run(), name="support team"),
            ]
            log.info("Gateway listens", url=f"ws://{host}:{self.port}/", gateway_id=self.id)
            try:
                yield
                if not self._server.draining:
                    await self.drain()
                attendance.cancel()
                await self._attendance.leave()
            finally:
                for task in tasks:
                    task.cancel()
                self._post.stop()
                if self._commands is not None:
                    self._commands.stop()


@asynccontextmanager
async def gateway(
    settings: Settings,
    broker: Broker,
    read_snapshot: ReadSnapshot | None,
    tokens: Tokens,
    place: Place | None = None,
    tours: httpx.AsyncClient | None = None,
) -> AsyncIterator[Gateway]:
    """Run a gateway inside the context, and drain it at the end if that was not done. Raises `PortTaken`.

    `tours` asks the tour service, which carries out what clients command; without it nobody does.
    With a `place` it is one of several workers on the same port. Should one of its tasks die, the body is cancelled
    and the error raised.
    """
    made = Gateway(settings, broker, read_snapshot, tokens, place, tours)
    async with made._running(settings.host, settings.port):
        yield made


def default_id() -> str:
    """Return the name of a gateway that was given none: of its host and process."""
    host = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:40] or "gateway"
    return f"{host}-{os.getpid()}"
