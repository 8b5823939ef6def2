"""Broker to hub: subscribe, snapshot, join; stale and fresh; dead letters; over the in-process broker."""

import asyncio
import contextlib
import json

import httpx
import prometheus_client
import pytest

from seatcast import rest, wire, wire_events
from seatcast.broker import BrokerUnavailable, Message
from seatcast.broker.memory import MemoryBroker
from seatcast.gateway.feed import Feed
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.snapshot import SnapshotUnavailable, http_snapshot
from seatcast.gateway.truth import Truth

NOW = "2026-06-01T10:00:00.000Z"


class Source:
    """Where snapshots come from; the test holds the database."""

    def __init__(self, epoch="e1"):
        self.epoch = epoch
        self.tours = {}
        self.reads = 0
        self.error = None
        self.hold = None

    def tour(self, id, version, seats):
        self.tours[id] = rest.Tour(id=id, name=id.upper(), available_seats=seats, version=version)

    async def __call__(self):
        self.reads += 1
        if self.error is not None:
            raise SnapshotUnavailable(self.error)
        snapshot = rest.Snapshot(self.epoch, list(self.tours.values()))
        if self.hold is not None:
            await self.hold.wait()
        return snapshot


class Deaf(MemoryBroker):
    """A broker whose deliveries the test cuts off, as a silent partition does: nothing fails, nothing comes."""

    def __init__(self):
        super().__init__()
        self.cut = False
        self.refuse = False
        self.subscribed = 0

    async def publish(self, messages):
        return [None] * len(messages) if self.cut else await super().publish(messages)

    @contextlib.asynccontextmanager
    async def subscribe(self, subscriber, routing_keys):
        if self.refuse:
            raise BrokerUnavailable("connection refused")
        self.subscribed += 1
        async with super().subscribe(subscriber, routing_keys) as subscription:
            yield subscription


class House:
    def __init__(self, source, **more):
        self.broker = Deaf()
        self.source = source
        self.said = []
        self.routed = []
        self.subscriptions = 0
        self.registry = prometheus_client.CollectorRegistry()
        self.truth = Truth(lambda key: None, lambda: None, snapshots=source is not None)
        self.more = {"stale_seconds": 0.3, "snapshot_seconds": 60.0} | more

    def lost(self, since):
        self.said.append("STALE")

    def regained(self, since):
        self.said.append("FRESH")

    def resubscribed(self):
        self.subscriptions += 1

    @contextlib.asynccontextmanager
    async def open(self):
        self.feed = Feed(
            self.broker, self.source, self.truth, self, self.routed.append, Metrics(self.registry),
            gateway_id="g1", **self.more,
        )  # fmt: skip
        task = asyncio.create_task(self.feed.run())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def send(self, key, body):
        await self.broker.publish([Message(key, body if isinstance(body, bytes) else wire.encode(body))])

    async def change(self, tour, version, seats, epoch="e1"):
        await self.send(
            "tour.availability.updated",
            wire_events.AvailabilityUpdated(
                event_id=f"{tour}{version}", tour_id=tour, available_seats=seats, timestamp=NOW, epoch=epoch,
                version=version,
            ),
        )  # fmt: skip

    async def tick(self, epoch="e1"):
        await self.send("seatcast.tick", wire_events.Tick(epoch=epoch, timestamp=NOW, watermark=1))

    def seats(self, tour):
        encoded = self.truth.update((tour, None))
        return None if encoded is None else json.loads(encoded.payload).get("availableSeats")

    def count(self, name, **labels):
        return self.registry.get_sample_value(f"seatcast_gateway_{name}", labels) or 0.0


@pytest.fixture
def source():
    made = Source()
    made.tour("a", 1, 5)
    return made


async def test_it_is_stale_until_a_snapshot_was_joined_on_a_living_subscription(source, eventually):
    source.hold = asyncio.Event()
    async with House(source).open() as h:
        await eventually(lambda: source.reads == 1)
        await asyncio.sleep(0.1)
        assert h.said == ["STALE"]
        assert not h.feed.loaded
        source.hold.set()
        await eventually(lambda: h.said == ["STALE", "FRESH"])
        assert h.feed.loaded
        assert h.seats("a") == 5


async def test_what_changes_while_the_snapshot_is_read_is_not_lost(source, eventually):
    source.hold = asyncio.Event()
    async with House(source).open() as h:
        await eventually(lambda: source.reads == 1)
        await h.change("a", 2, 3)
        await eventually(lambda: h.seats("a") == 3)
        source.hold.set()
        await eventually(lambda: h.feed.loaded)
        assert h.seats("a") == 3


async def test_ticks_that_stop_make_it_stale_and_snapshots_are_read_meanwhile(source, eventually):
    async with House(source).open() as h:
        await h_fresh(h, eventually)
        await h.tick()
        await eventually(lambda: h.feed._ticks_seen)
        await eventually(lambda: h.said == ["STALE", "FRESH", "STALE"])
        # Probes are answered, but once there were ticks they are what counts.
        source.tour("a", 7, 1)
        await eventually(lambda: h.seats("a") == 1)
        assert h.said[-1] == "STALE"
        await eventually(lambda: h.broker.subscribed > 1)

        async def ticking():
            await h.tick()
            return h.said[-1] == "FRESH"

        await eventually(ticking)


async def h_fresh(h, eventually):
    await eventually(lambda: h.said[-1:] == ["FRESH"])


async def test_before_any_tick_our_own_probes_tell_that_deliveries_come(source, eventually):
    async with House(source).open() as h:
        await h_fresh(h, eventually)
        await asyncio.sleep(0.8)
        assert h.said == ["STALE", "FRESH"]
        h.broker.cut = True
        await eventually(lambda: h.said == ["STALE", "FRESH", "STALE"])
        source.tour("a", 9, 2)
        await eventually(lambda: h.seats("a") == 2)
        h.broker.cut = False
        await eventually(lambda: h.said[-1] == "FRESH")


async def test_after_a_lost_subscription_the_snapshot_brings_what_was_missed(source, eventually):
    async with House(source).open() as h:
        await h_fresh(h, eventually)
        for subscriptions in list(h.broker._by_key.values()):
            for subscription in subscriptions:
                subscription._lost = "the broker went away"
                subscription._wake()
        source.tour("a", 4, 1)
        await eventually(lambda: h.said == ["STALE", "FRESH", "STALE", "FRESH"])
        assert h.seats("a") == 1


async def test_a_broker_that_is_away_is_tried_again_for_ever(source, eventually):
    house = House(source)
    house.broker.refuse = True
    async with house.open() as h:
        await eventually(lambda: h.count("source_subscriptions_total", outcome="lost") >= 3)
        assert h.said == ["STALE"]
        # The numbers are there all the same.
        assert h.seats("a") == 5
        house.broker.refuse = False
        await h_fresh(h, eventually)


async def test_a_snapshot_source_that_is_down_is_tried_again_and_the_numbers_stay(source, eventually):
    source.error = "answered 503"
    async with House(source).open() as h:
        await eventually(lambda: source.reads >= 3)
        assert (h.said, h.feed.snapshot_error, h.feed.loaded) == (["STALE"], "answered 503", False)
        await h.change("a", 2, 3)
        await eventually(lambda: h.seats("a") == 3)
        source.tour("a", 2, 3)
        source.error = None
        await h_fresh(h, eventually)
        assert h.feed.snapshot_error is None
        assert h.seats("a") == 3


async def test_a_periodic_snapshot_repairs_what_no_event_told(source, eventually):
    async with House(source, snapshot_seconds=0.2).open() as h:
        await h_fresh(h, eventually)
        source.tour("a", 5, 4)
        source.tour("b", 1, 9)
        await eventually(lambda: (h.seats("a"), h.seats("b")) == (4, 9))
        del source.tours["b"]
        await eventually(lambda: h.seats("b") is None)


@pytest.mark.parametrize("by", ["event", "tick"])
async def test_another_epoch_is_believed_when_a_snapshot_says_so(source, eventually, by):
    async with House(source).open() as h:
        await h_fresh(h, eventually)
        source.epoch = "e2"
        source.tours.clear()
        source.tour("a", 1, 2)
        await (h.change("a", 1, 2, epoch="e2") if by == "event" else h.tick(epoch="e2"))
        await eventually(lambda: h.truth.epoch == "e2")
        assert h.seats("a") == 2


async def test_endless_doubt_does_not_become_a_flood_of_reads(source, eventually):
    async with House(source, stale_seconds=3.0).open() as h:
        await h_fresh(h, eventually)
        before = source.reads
        for n in range(50):
            await h.change("a", 1 + n, 2, epoch="other")
            await asyncio.sleep(0.01)
        assert 1 <= source.reads - before <= 3
        assert h.truth.epoch == "e1"


async def test_without_a_source_of_snapshots_it_starts_from_events_alone(eventually):
    async with House(None).open() as h:
        await h_fresh(h, eventually)
        assert h.feed.loaded
        body = {"eventId": "evt_1", "tourId": "tour_123", "availableSeats": 8, "timestamp": NOW}
        await h.send("tour.availability.updated", json.dumps(body).encode())
        await eventually(lambda: h.seats("tour_123") == 8)


@pytest.mark.parametrize(
    ("key", "body", "named"),
    [
        ("tour.availability.updated", b"seats!", "malformed"),
        ("tour.availability.updated", b"{}", "eventId"),
        ("tour.availability.updated", b'{"eventId":"e","tourId":"a","availableSeats":-1,"timestamp":"t"}', "availableSeats"),
        ("tour.closed", b"[]", "object"),
        ("seatcast.tick", b"{}", "epoch"),
    ],
)  # fmt: skip
async def test_what_is_no_event_is_put_aside_with_the_reason(source, eventually, key, body, named):
    async with House(source).open() as h:
        await h_fresh(h, eventually)
        await h.send(key, body)
        await h.change("a", 2, 3)
        await eventually(lambda: h.seats("a") == 3)
        (letter,) = h.broker.dead_letters
        assert (letter.delivery.routing_key, letter.delivery.body) == (key, body)
        assert named in letter.reason
        assert h.count("dead_letters_total") == 1


async def test_a_repeat_and_an_older_event_are_ignored_and_counted(source, eventually):
    async with House(source).open() as h:
        await h_fresh(h, eventually)
        await h.change("a", 3, 3)
        await h.change("a", 3, 3)
        await h.change("a", 2, 9)
        await eventually(lambda: h.count("facts_total", outcome="ignored") == 2)
        assert h.seats("a") == 3


# Over HTTP


def reader(answer):
    transport = httpx.MockTransport(
        lambda request: answer if isinstance(answer, httpx.Response) else answer()
    )
    return http_snapshot(httpx.AsyncClient(transport=transport, base_url="http://tours"))


async def test_a_snapshot_is_read_with_its_epoch():
    body = [{"id": "a", "name": "A", "available_seats": 3, "version": 2}]
    snapshot = await reader(httpx.Response(200, json=body, headers={"Seatcast-Epoch": "e1"}))()
    assert snapshot == rest.Snapshot("e1", [rest.Tour(id="a", name="A", available_seats=3, version=2)])


async def test_a_tour_service_that_is_not_ours_tells_seats_alone():
    snapshot = await reader(httpx.Response(200, json=[{"id": "a", "name": "A", "available_seats": 3}]))()
    assert snapshot == rest.Snapshot(None, [rest.Tour(id="a", name="A", available_seats=3)])


def refuse():
    raise httpx.ConnectError("http://user:secret@tours refused")


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (httpx.Response(503), "503"),
        (httpx.Response(200, text="<html>"), "no list of tours"),
        (httpx.Response(200, json={"error": "x"}), "no list of tours"),
        (httpx.Response(200, json=[{"id": "a"}]), "name"),
        (httpx.Response(200, json=[{"id": "a", "name": "A", "available_seats": -1}]), "impossible"),
        (httpx.Response(200, json=[{"id": "", "name": "A", "available_seats": 1}]), "impossible"),
        (refuse, "ConnectError"),
    ],
)
async def test_what_is_no_snapshot_is_unavailable_with_the_reason(answer, named):
    with pytest.raises(SnapshotUnavailable, match=named) as unavailable:
        await reader(answer)()
    assert "secret" not in str(unavailable.value)
