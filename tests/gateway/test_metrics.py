"""What is counted: every number moves when it should, on every port, and no label comes from a client."""

import asyncio
import itertools
import socket
import struct
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from seatcast import rest, wire, wire_events
from seatcast.broker import Message
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.domain import iso
from seatcast.gateway.app import gateway
from seatcast.gateway.metrics import Metrics, Times
from seatcast.gateway.slots import MAX_ANSWERS
from seatcast.tokens import Tokens


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def counted():
    """Metrics with a clock of the test's own, and a function that reads a sample."""
    registry, clock = CollectorRegistry(), Clock()
    metrics = Metrics(registry, clock)
    return (
        metrics,
        clock,
        lambda name, **labels: registry.get_sample_value(f"seatcast_gateway_{name}", labels),
    )


def samples(registry):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


@given(seconds=st.lists(st.floats(-1e6, 1e6)))
def test_a_histogram_counts_cumulatively(seconds):
    times = Times()
    for one in seconds:
        times.observe(one)
    found = {
        sample.labels["le"]: sample.value
        for sample in times.family("x", "").samples
        if sample.name == "x_bucket"
    }
    for bound in Times.BOUNDS:
        assert found[str(bound)] == sum(one <= bound for one in seconds)
    assert found["+Inf"] == len(seconds)
    assert times.sum == pytest.approx(sum(one for one in seconds if one > 0))


def test_the_way_from_commit_to_socket_is_measured_by_the_publishers_clock(counted):
    """A clock that is ahead of ours gives 0, what is no time gives nothing, and a zone is understood."""
    metrics, _, read = counted
    metrics.writing_due = True
    now = datetime(2026, 6, 1, 10, tzinfo=UTC)
    for heard in ("2026-06-01T09:59:59.970Z", "2026-06-01T12:59:59.970+03:00", "2026-06-01T09:59:59.970"):
        metrics.heard(heard)
    metrics.heard("2026-06-01T10:00:05.000Z")
    metrics.heard("this morning")
    metrics.written(now.timestamp())
    metrics.written(now.timestamp())
    assert read("commit_to_socket_seconds_count") == 4
    assert read("commit_to_socket_seconds_sum") == pytest.approx(0.09)
    assert read("commit_to_socket_seconds_bucket", le="0.05") == 4
    assert read("commit_to_socket_seconds_bucket", le="0.02") == 1


def test_what_is_written_to_nobody_is_not_measured(counted):
    metrics, _, read = counted
    metrics.heard("2026-06-01T09:00:00.000Z")
    metrics.writing_due = True
    metrics.written(time.time())
    metrics.heard("2026-06-01T09:00:00.000Z")
    metrics.written(time.time())
    assert read("commit_to_socket_seconds_count") == 0


def test_the_state_of_the_source_is_counted_in_seconds(counted):
    metrics, clock, read = counted
    assert (read("stale"), read("stale_seconds_total")) == (0, 0)
    metrics.lost()
    clock.now += 3
    metrics.lost()
    assert (read("stale"), read("stale_seconds_total")) == (1, 3)
    clock.now += 1
    metrics.regained()
    clock.now += 5
    assert (read("stale"), read("stale_seconds_total")) == (0, 4)
    metrics.lost()
    clock.now += 2
    assert read("stale_seconds_total") == 6


def test_the_age_of_a_snapshot_is_counted_from_the_beginning_of_its_reading(counted):
    metrics, clock, read = counted
    clock.now += 7
    assert read("snapshot_age_seconds") == 7
    metrics.snapshot_joined(2.0)
    clock.now += 1
    assert read("snapshot_age_seconds") == 3
    assert read("snapshots_total", outcome="joined") == 1


# Over sockets


async def test_every_metric_is_on_both_ports_and_moves(eventually):
    """A whole gateway, from an event at the broker to a client that reads it."""
    broker = MemoryBroker()

    async def read():
        return rest.Snapshot("e1", [rest.Tour(id="a", name="A", available_seats=5, version=1)])

    settings = Settings(port=0, stale_seconds=0.5, drain_seconds=2.0)
    async with gateway(settings, broker, read, Tokens(None)) as running:
        before = samples(running.registry)
        app = Litestar(list(running.routes), openapi_config=None, logging_config=None)
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as websockets_port,
        ):
            await eventually(lambda: running.health().status == "ok")
            client = await asyncio.open_connection("127.0.0.1", running.port)
            client[1].write(
                b"GET /?tours=a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await client[0].readuntil(b'"INITIAL_STATE"')
            committed = iso(datetime.now(UTC) - timedelta(seconds=0.3))
            event = wire_events.AvailabilityUpdated(
                event_id="x", tour_id="a", available_seats=4, timestamp=committed, epoch="e1", version=2
            )
            await broker.publish([Message("tour.availability.updated", wire.encode(event))] * 2)
            await broker.publish([Message("tour.availability.updated", b"no event")])
            await client[0].readuntil(b'"AVAILABILITY_UPDATE"')
            await eventually(lambda: samples(running.registry)["seatcast_gateway_followed_tours", ()] == 1)

            texts = [(await one.get("/metrics")).raise_for_status().text for one in (http, websockets_port)]
            moved = samples(running.registry)
            client[1].close()
        names = [{family.name for family in text_string_to_metric_families(text)} for text in texts]
        assert names[0] == names[1] == {family.name for family in running.registry.collect()}

    def grew(name, by=None, **labels):
        key = (f"seatcast_gateway_{name}", tuple(sorted(labels.items())))
        return moved[key] - before[key] == by if by is not None else moved[key] > before[key]

    assert moved.keys() == before.keys()
    assert grew("connections", 1)
    assert grew("handshakes_total", 1)
    assert grew("followers", 1, kind="named")
    assert grew("departures", 1)
    # WELCOME, the state, the change; FRESH may have come before or between.
    assert 3 <= moved["seatcast_gateway_frames_total", ()] <= 4
    assert grew("frame_bytes_total")
    assert grew("facts_total", 1, outcome="applied")
    assert grew("facts_total", 1, outcome="ignored")
    assert grew("dead_letters_total", 1)
    assert grew("source_subscriptions_total", 1, outcome="made")
    assert grew("snapshots_total", outcome="joined")
    assert grew("stale", -1)
    assert grew("stale_seconds_total")
    assert grew("loop_lag_seconds_count")
    assert grew("commit_to_socket_seconds_count", 1)
    assert 0.3 <= moved["seatcast_gateway_commit_to_socket_seconds_sum", ()] < 5


HANDSHAKE = {
    b"Host": b"x", b"Upgrade": b"websocket", b"Connection": b"Upgrade",
    b"Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version": b"13",
}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "path", "headers"),
    [
        ("path", b"/elsewhere-4711", {}),
        ("host", b"/", {b"Host": None}),
        ("upgrade", b"/", {b"Upgrade": b"h2c"}),
        ("version", b"/", {b"Sec-WebSocket-Version": b"4711"}),
        ("key", b"/", {b"Sec-WebSocket-Key": b"4711"}),
        ("query", b"/?" + b"a=4711&" * 100, {}),
    ],
)
async def test_a_failed_handshake_is_counted_by_its_reason(house, reason, path, headers):
    async with house().open() as h:
        before = samples(h.registry)
        lines = [b"%s: %s" % one for one in (HANDSHAKE | headers).items() if one[1] is not None]
        request = b"\r\n".join([b"GET %s HTTP/1.1" % path, *lines, b"", b""])
        async with h.raw(request) as (reader, _), asyncio.timeout(10):
            assert b"HTTP/1.1 4" in await reader.readline()
        assert h.count("handshakes_refused_total", reason=reason) == 1
        assert h.count("handshakes_total") == 0
        assert samples(h.registry).keys() == before.keys()


async def test_a_full_and_a_draining_gateway_count_whom_they_send_away(house, upgrade, eventually):
    h = house()
    h.max_connections = 1
    async with h.open(), h.raw(upgrade):
        await eventually(lambda: h.count("connections") == 1)
        for reason in ("full", "draining"):
            async with h.raw(upgrade) as (reader, _), asyncio.timeout(10):
                assert b"503" in await reader.readline()
            assert h.count("handshakes_refused_total", reason=reason) == 1
            h.server.draining = True


async def test_a_fault_of_ours_is_counted_as_internal(house, upgrade, monkeypatch):
    async with house().open() as h:
        monkeypatch.setattr(h.server.admission, "ask", lambda *_: 1 / 0)
        async with h.raw(upgrade) as (reader, _), asyncio.timeout(10):
            assert b"500" in await reader.readline()
        assert h.count("handshakes_refused_total", reason="internal") == 1


async def test_every_end_is_counted_once(house, upgrade, masked, eventually):
    """However connections ended: what was accepted is either open or counted as closed, by reason."""
    async with house(heartbeat_seconds=0.4).open() as h:
        before = samples(h.registry)

        async def end(reason, sent=b"", request=upgrade, abort=False):
            async with h.raw(request) as (reader, writer), asyncio.timeout(10):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(sent)
                if abort:
                    writer.transport.abort()
                await eventually(lambda: h.count("closed_total", reason=reason) == 1)

        await end("peer", masked(8, b"\x03\xe8"))
        await end("violation", masked(2, b"binary"))
        await end("unauthenticated", request=upgrade.replace(b"GET /", b"GET /?token=4711"))
        await end("gone", abort=True)
        await end("heartbeat")
        async with h.raw(upgrade) as (reader, _):
            await reader.readuntil(b"\r\n\r\n")
            await h.upkeep.drain(5.0)
        assert h.count("closed_total", reason="drain") == 1
        await eventually(lambda: h.count("connections") == 0)
        after = samples(h.registry)
        assert after.keys() == before.keys()
        closed = [value for (name, _), value in after.items() if name == "seatcast_gateway_closed_total"]
        assert sum(closed) == h.count("handshakes_total") == 6


async def test_messages_of_clients_are_counted_and_become_no_label(house, upgrade, masked, eventually):
    async with house().open() as h, h.raw(upgrade) as (reader, writer), asyncio.timeout(10):
        before = samples(h.registry)
        hostile = (b"{", b'{"type":"4711"}', b'{"type":"SUBSCRIBE","tourId":"4711"}', b'{"type":"PING"}')
        writer.write(b"".join(masked(1, one) for one in hostile))
        await reader.readuntil(b"PONG")
        assert h.count("client_messages_total") == 4
        assert h.count("frames_total") == 5
        assert samples(h.registry).keys() == before.keys()


async def test_time_in_which_the_loop_is_held_is_seen(house, eventually):
    async with house(heartbeat_seconds=0.4).open() as h:
        await eventually(lambda: h.count("loop_lag_seconds_count") >= 1)
        time.sleep(0.3)
        await eventually(
            lambda: h.count("loop_lag_seconds_count") > h.count("loop_lag_seconds_bucket", le="0.1")
        )


# Of a client that does not read


class Slow:
    """A client that reads nothing and has a small buffer, and changes until the gateway notices it."""

    def __init__(self, house, request):
        self.house = house
        self.versions = itertools.count(2)
        house.read(*((f"t{n}", 1, 5) for n in range(50)))
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.connect(("127.0.0.1", house.port))
        self.socket.sendall(request)

    async def behind(self, eventually):
        await eventually(lambda: self.house.server.connections)
        (self.connection,) = self.house.server.connections
        while self.connection.owed is None:
            await self.change()
        await self.change()

    async def change(self):
        version = next(self.versions)
        for n in range(50):
            self.house.change(f"t{n}", version, version % 10)
        # Now, and not when the server finds the time: each change is a flush of its own.
        self.house.server.hub.flush()
        await asyncio.sleep(0)

    def abort(self):
        """Close with a reset: what is in flight is void."""
        if self.socket.fileno() >= 0:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()


@pytest.fixture
def slow_client():
    """`slow_client(house, request)`: a `Slow`, whose socket is closed at the end of the test."""
    made = []

    def make(house, request):
        made.append(Slow(house, request))
        return made[-1]

    yield make
    for one in made:
        one.abort()


async def test_what_is_conflated_is_counted_and_its_age_is_known(house, slow_client, upgrade, eventually):
    async with house(heartbeat_seconds=0.8).open() as h:
        slow = slow_client(h, upgrade)
        await slow.behind(eventually)
        conflated = h.count("conflated_total")
        for _ in range(10):
            await slow.change()
        assert h.count("conflated_total") == conflated + 500
        await eventually(lambda: h.count("connections_behind") == 1)
        await eventually(lambda: h.count("oldest_undelivered_seconds") > 0.3)
        slow.abort()
        await eventually(lambda: not h.server.connections)
        assert h.count("dropped_total", reason="gone") == 50
        await eventually(lambda: h.count("oldest_undelivered_seconds") == 0)
        assert h.count("connections_behind") == 0


async def test_what_another_epoch_makes_void_is_counted(house, slow_client, upgrade, eventually):
    async with house().open() as h:
        slow = slow_client(h, upgrade)
        await slow.behind(eventually)
        h.read(("t1", 1, 2), epoch="e2")
        await eventually(lambda: h.count("dropped_total", reason="reset") == 50)
        assert len(slow.connection.owed) == 2  # RESET, and the state of the one tour


async def test_what_is_not_followed_any_more_is_counted(house, slow_client, upgrade, eventually):
    async with house().open() as h:
        slow = slow_client(h, upgrade.replace(b"GET /", b"GET /?tours=t1,t2"))
        await slow.behind(eventually)
        # Not over its socket: what it sends while it is behind is not acted on.
        slow.connection.session.receive(b'{"type":"UNSUBSCRIBE","tourId":"t1"}')
        assert h.count("dropped_total", reason="unsubscribed") == 1


async def test_what_a_closing_client_is_not_sent_is_counted(house, slow_client, upgrade, eventually):
    """Past the answers that may wait: these are lost, with the states that waited behind them."""
    async with house().open() as h:
        slow = slow_client(h, upgrade)
        await slow.behind(eventually)
        for _ in range(MAX_ANSWERS + 1):
            slow.connection.session.receive(b'{"type":"PING"}')
        assert h.count("closed_total", reason="too slow") == 1
        assert h.count("dropped_total", reason="queue full") == MAX_ANSWERS + 1
        assert h.count("dropped_total", reason="closing") == 50
