"""What is done to connections in turn: heartbeat, end of tokens, end of closing handshakes, drain."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import islice
from typing import Final

import structlog

from seatcast import wire
from seatcast.gateway.arrival import Arrival
from seatcast.gateway.server import Server
from seatcast.gateway.shared import Stranger
from seatcast.wire import CloseCode

log = structlog.get_logger(__name__)

MIN_ACCEPT_RATE: Final = 500.0
"""Connections per second that a gateway is assumed to take before it has measured more."""

FIRST_SLOT_MS: Final = 100

MAX_ENDED: Final = 1_000
"""Connections that one sweep closes because their tokens are over, and as many that it aborts: each takes some ten
microseconds, and a herd that came together ends together.
"""


class Upkeep:
    """One task for everybody: a timer or a task per connection would cost more than the connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._accept_rate = MIN_ACCEPT_RATE
        self._sent_away = 0

    async def sweep(self) -> None:
        """Ping who is silent, close who does not answer or whose token is over, abort who does not finish a handshake.

        Runs for ever.
        """
        server = self._server
        every = min(0.5, server.limits.heartbeat_seconds / 8)
        while True:
            before, began, asleep = server.accepted, server.clock(), time.monotonic()
            await asyncio.sleep(every)
            # Not by the loop's clock, which stands still during a turn.
            server.metrics.loop_lag_seconds.observe(time.monotonic() - asleep - every)
            now = server.clock()
            self._accept_rate = max(self._accept_rate, (server.accepted - before) / (now - began))
            self._abort_unfinished(now)
            self.expire()
            self._beat(now)

    def _abort_unfinished(self, now: float) -> None:
        unfinished = self._server.unfinished
        late = (one for one, deadline in unfinished.items() if deadline <= now)
        for one in list(islice(late, MAX_ENDED)):
            del unfinished[one]
            if isinstance(one, Arrival) and one.late:
                self._server.metrics.handshakes_refused["slow"] += 1
            one.abort()

    def expire(self) -> None:
        """Close whose token has ended, and strangers who have not said in time who they are."""
        now = self._server.tokens.clock()
        # 20,000 comparisons take 0.6 ms: nothing to keep in order.
        over = (one for one, end in self._server.deadlines.items() if end <= now)
        for connection in list(islice(over, MAX_ENDED)):
            if isinstance(connection.session.identity, Stranger):
                connection.close(CloseCode.UNAUTHENTICATED, "no token in time", "unauthenticated")
            else:
                connection.close(CloseCode.UNAUTHENTICATED, "token: expired", "expired")

    def _beat(self, now: float) -> None:
        server = self._server
        heartbeat = server.limits.heartbeat_seconds
        # A herd that connected together is not pinged in one turn: some get their ping a little later.
        pings = len(server.connections) // 8 + 32
        behind, oldest = 0, now
        for connection in list(server.connections):
            if connection.closing:
                continue
            if connection.owed is not None:
                behind += 1
                if (since := connection.owed.since) is not None and since < oldest:
                    oldest = since
                if now - connection.socket.seen >= heartbeat:
                    connection.socket.seen = now
                    if connection.unreachable():
                        connection.abort("heartbeat")
            elif connection.socket.pinged:
                if now - connection.socket.pinged >= heartbeat:
                    connection.close(CloseCode.HEARTBEAT_LOST, "no pong", "heartbeat")
            elif now - connection.socket.seen >= heartbeat and pings:
                pings -= 1
                connection.socket.ping()
        server.metrics.connections_behind = behind
        server.metrics.oldest_undelivered_seconds = now - oldest
        self._count()

    def _count(self) -> None:
        hub, metrics = self._server.hub, self._server.metrics
        metrics.followers = {
            "everything": hub.following_everything,
            "named": len(hub) - hub.following_everything,
        }
        metrics.followed_tours = hub.followed_tours
        metrics.departures = hub.truth.departures

    def slot(self) -> int:
        """Return after how many milliseconds the next one to be sent away is to come back.

        Each its own: as many a second as this gateway was seen to take.
        """
        slot = FIRST_SLOT_MS + int(1_000 * self._sent_away / self._accept_rate)
        self._sent_away += 1
        return slot

    async def drain(self, seconds: float) -> None:
        """Take nobody any more, send everybody away, and return when they are gone, within `seconds`."""
        server = self._server
        deadline = server.clock() + seconds
        await server.stop_listening()
        server.hub.flush()
        connections = list(server.connections)
        random.SystemRandom().shuffle(connections)
        for connection in connections:
            connection.send(wire.Reconnect(after_ms=self.slot()))
            connection.close(CloseCode.SERVICE_RESTART, "restarting", "drain")
        while server.connections and server.clock() < deadline:
            await asyncio.sleep(0.02)
            self._abort_unfinished(server.clock())
        if connections:
            log.info("Drained", connections=len(connections), left=len(server.connections))
