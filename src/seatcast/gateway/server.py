"""The listening socket and everybody connected to it: delivery.

One write per client per turn of the event loop, however many facts the turn carried: whatever is due when the
loop gets there leaves as one buffer, built once for all clients with the same subscriptions. A lone fact
waits for nothing. Here and in `connection.py` are the only sockets of the gateway; `upkeep.py` has what is
done to everybody in turn.
"""

from __future__ import annotations

import asyncio
import resource
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final, cast

from prometheus_client.registry import Collector

from seatcast import wire
from seatcast.domain import iso
from seatcast.gateway.addresses import Addresses
from seatcast.gateway.admission import Admission, Quotas
from seatcast.gateway.arrival import Arrival, Door
from seatcast.gateway.channels import Channels
from seatcast.gateway.connection import Connection
from seatcast.gateway.documents import Documents
from seatcast.gateway.facts import Key
from seatcast.gateway.hub import Follower, Hub, Way
from seatcast.gateway.messages import CLOSE_SECONDS, Bounds, text_frame
from seatcast.gateway.metrics import End, Metrics
from seatcast.gateway.reception import Reception
from seatcast.gateway.shared import Limits, Orders, Post, Shared, Stranger, Whisper, unheard
from seatcast.gateway.slots import Slot
from seatcast.health import Health
from seatcast.http_server import listen_on
from seatcast.origins import Origins
from seatcast.tokens import Tokens

SEND_BUFFER_BYTES: Final = 64 * 1024
"""The kernel otherwise hides a slow client behind up to 4 MB of stale seats."""

RECEIVE_BUFFER_BYTES: Final = 16 * 1024
"""Bounds what of one client waits unread."""

MAX_REST_SECONDS: Final = 0.1
"""How long facts may gather at most before the next write to everybody."""

SPARE_DESCRIPTORS: Final = 200
"""File descriptors kept for everything that is not a client."""


class Server:
    """Everybody connected. It is the hub's outlet: the hub decides who is told what, this writes it."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        limits: Limits,
        metrics: Metrics,
        registry: Collector,
        health: Callable[[], Health],
        snapshots: bool,
        orders: Orders | None = None,
        whisper: Whisper = unheard,
        documents: Documents | None = None,
        post: Post | None = None,
        max_connections: int | None = None,
        quotas: Quotas | None = None,
        addresses: Addresses | None = None,
        origins: Origins | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.tokens = tokens
        self.limits = limits
        self.metrics = metrics
        self.documents = documents
        self.hub = Hub(self, snapshots=snapshots)
        self.channels = Channels(self.told)
        self.shared = Shared(
            self.hub, limits, self.present, tokens.verify, self.channels, orders, whisper, post
        )
        self.clock: Callable[[], float] = self._loop.time
        self._rest_until = 0.0
        self.stale: wire.Stale | None = None
        """What newcomers are told of the source; None while it is fresh."""
        self.draining = False
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = max_connections or max(16, soft - SPARE_DESCRIPTORS)
        self.admission = Admission(quotas or Quotas(), most, self.clock)
        self.reception = Reception(
            self, self.admission, addresses or Addresses(), origins or Origins(), registry, health
        )
        self.connections: dict[Connection, None] = {}
        self.unfinished: dict[Arrival | Connection, float] = {}
        """Handshakes under way, opening and closing, and when to give up on each, on `clock`."""
        self.deadlines: dict[Connection, float] = {}
        """Who is closed with 4401 unless AUTH comes first, and when, on the clock of the tokens."""
        self._name = f"c_{secrets.token_urlsafe(6)}_"
        self.accepted = 0
        """Connections taken so far."""
        self.changes = 0
        """Another number whenever somebody came, left, or said who they are."""
        self._snapshot: tuple[int, tuple[bytes, int]] = (-1, (b"", 0))
        self._second = (-1, "")

    def present(self) -> str:
        """Return the wall clock's time as the wire writes it."""
        now = time.time()
        second = int(now)
        if self._second[0] != second:
            # All but the milliseconds, which are all that changes within a second.
            self._second = second, iso(datetime.fromtimestamp(second, UTC)).removesuffix("000Z")
        return f"{self._second[1]}{int((now - second) * 1e3):03d}Z"

    def connection_id(self) -> str:
        # For logs and support, no secret: this process and a number.
        return f"{self._name}{self.accepted}"

    @asynccontextmanager
    async def listening(self, host: str, port: int, *, shared: bool = False) -> AsyncIterator[int]:
        """Take connections inside the context, which yields the bound port. Raises `PortTaken`.

        `shared`: beside other gateways on the same port, see `listen_on`.
        """
        listener = await listen_on(host, port, name="gateway", shared=shared)
        # On the listening socket: connections inherit both before their first byte.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        bound: int = listener.getsockname()[1]
        reception = self.reception
        door = Door(
            reception.arrive, reception.judge, Bounds(), self._expect, self._gone, self.admission.leave
        )
        self._listening = await self._loop.create_server(partial(Arrival, door), sock=listener, backlog=4_096)
        try:
            yield bound
        finally:
            self._listening.close()
            for connection in list(self.connections):
                connection.abort("drain")
            for one in list(self.unfinished):
                one.abort()
            listener.close()

    async def stop_listening(self) -> None:
        """Take nobody any more: others on this port do, and a proxy asks elsewhere at once."""
        self.draining = True
        # The kernel resets whoever still waits in the socket's queue: a few turns in which the loop empties it.
        for _ in range(4):
            await asyncio.sleep(0)
        self._listening.close()

    # From arrivals

    def _expect(self, arrival: Arrival, seconds: float) -> None:
        self.unfinished[arrival] = self.clock() + seconds

    def _gone(self, arrival: Arrival) -> None:
        self.unfinished.pop(arrival, None)

    # From connections

    def connected(self, connection: Connection) -> None:
        self.connections[connection] = None
        self.accepted += 1
        self.changes += 1
        self.metrics.handshakes += 1
        self.metrics.connections += 1

    def disconnected(self, connection: Connection) -> None:
        self.admission.leave(connection.visitor)
        self.changes += 1
        self.connections.pop(connection, None)
        self.unfinished.pop(connection, None)
        self.deadlines.pop(connection, None)
        self.metrics.connections = len(self.connections)
        if not connection.closing:
            self.metrics.closed["gone"] += 1

    def watch(self, connection: Connection) -> None:
        """Note until when the connection may go on without another token."""
        self.changes += 1
        identity = connection.session.identity
        if isinstance(identity, Stranger):
            self.deadlines[connection] = self.tokens.clock() + self.limits.auth_seconds
        elif identity is not None and identity.expires is not None:
            self.deadlines[connection] = identity.ends
        else:
            self.deadlines.pop(connection, None)

    def closing(self, connection: Connection, why: End) -> None:
        self.deadlines.pop(connection, None)
        self.metrics.closed[why] += 1
        self.unfinished[connection] = self.clock() + CLOSE_SECONDS

    def initial(self, keys: Sequence[Key]) -> tuple[bytes, int]:
        """Return the frames of these keys' state as one buffer, and how many; the whole catalogue's is kept."""
        truth = self.hub.truth
        whole = truth.whole(keys)
        if whole and self._snapshot[0] == truth.clock:
            return self._snapshot[1]
        encoded = map(truth.initial, keys)
        frames = [one.frame for one in encoded if one is not None]
        joined = b"".join(frames), len(frames)
        if whole:
            self._snapshot = (truth.clock, joined)
        return joined

    def render(self, key: Key, initial: bool) -> bytes | None:
        """Return what a key is owed in bytes, as `Owed.take` asks for it."""
        encoded = self.hub.truth.frame(key, initial=initial)
        return None if encoded is None else encoded.frame

    # From the hub

    def wake(self) -> None:
        self.metrics.writing_due = True
        wait = self._rest_until - time.monotonic()
        if wait <= 0:
            self._loop.call_soon(self._flush)
        else:
            self._loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        began = time.monotonic()
        self.hub.flush()
        self.metrics.written(time.time())
        ended = time.monotonic()
        # As long as it took, everything else has its turn: facts that come too fast for everybody gather meanwhile.
        self._rest_until = ended + min(ended - began, MAX_REST_SECONDS)

    def spread(self, ways: Mapping[Way, Follower], keys: Sequence[Key]) -> None:
        frames = self._changes(keys)
        joined = b"".join(frames)
        size = len(joined)
        if not size:
            return
        short: list[tuple[Way, int]] = []
        # This loop is what the gateway's processor time goes into. It touches nothing of a client but its socket.
        for send in ways:
            try:
                sent = send(joined)
            except BlockingIOError:
                sent = 0
            except OSError:
                continue  # a connection that is being lost: its protocol is told so by the loop
            if sent != size:
                short.append((send, sent))
        self.metrics.frames += len(ways) * len(frames)
        self.metrics.frame_bytes += len(ways) * size
        # Only now: whoever is behind loses its way, and `ways` changes.
        for connection, sent in [(cast(Connection, ways[send]), sent) for send, sent in short]:
            connection.socket.write(joined[sent:])

    def _changes(self, keys: Sequence[Key]) -> list[bytes]:
        encoded = map(self.hub.truth.update, keys)
        return [one.frame for one in encoded if one is not None]

    def updated(self, followers: Collection[Follower], keys: Sequence[Key]) -> None:
        frames = self._changes(keys)
        if not frames:
            return
        joined = b"".join(frames)
        slot = Slot(False, self.clock())
        for connection in cast(Collection[Connection], list(followers)):
            if connection.owed is not None:
                self.metrics.conflated += connection.owed.update(keys, slot)
            else:
                connection.tell(joined, len(frames))

    def restarted(self, followers: Collection[Follower], keys: Sequence[Key]) -> None:
        if self.shared.post is not None:
            self.shared.post.restart()
        reset = text_frame(wire.encode(wire.Reset(epoch=self.hub.truth.epoch)))
        for connection in cast(Collection[Connection], followers):
            connection.drop(None, "reset")
            connection.notify("versions", reset)
            connection.offer(keys)

    # From channels

    def told(self, followers: Collection[Follower], kind: str | None, frame: bytes) -> None:
        for connection in cast(Collection[Connection], followers):
            if kind is None:
                connection.push(frame)
            else:
                connection.notify(kind, frame)

    # The source

    def lost(self, since: str) -> None:
        """Tell everybody that the source of facts is lost."""
        self.stale = wire.Stale(since=since)
        self.broadcast(self.stale)

    def regained(self, since: str) -> None:
        """Tell everybody that the facts are fresh again."""
        self.stale = None
        self.broadcast(wire.Fresh(since=since))

    def broadcast(self, frame: wire.Stale | wire.Fresh | wire.RandomNumber) -> None:
        """Tell everybody; a client that is behind gets the newest such notice when it reads again."""
        # What is known comes first: FRESH means that everything before it is current.
        self.hub.flush()
        notice = text_frame(wire.encode(frame))
        for connection in self.connections:
            connection.notify(frame.kind, notice)
