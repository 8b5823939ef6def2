"""Ten thousand tours: whatever is done to them all is done in slices, and what else happens meanwhile is right."""

import asyncio
import contextlib
import json

import httpx
import pytest

from seatcast import rest, wire, wire_events
from seatcast.broker import Message
from seatcast.broker.memory import MemoryBroker
from seatcast.gateway import snapshot, truth
from seatcast.gateway.feed import Feed
from seatcast.gateway.ledger import Ledger
from seatcast.gateway.snapshot import http_snapshot
from seatcast.gateway.truth import Truth

from .model import NOW

TOURS = 10_000


def rows(number, version=1, seats=5, departures=1):
    return [
        rest.Tour(
            id=f"t{n}",
            name=f"Tour {n}",
            available_seats=seats,
            version=version,
            departures=[
                rest.TourDeparture(
                    id=f"t{n}_{place}", starts_at=NOW, available_seats=seats, capacity=20, held=0,
                    version=version,
                )
                for place in range(departures)
            ],
        )
        for n in range(number)
    ]  # fmt: skip


def event(tour, version, seats=3, epoch="e1"):
    return wire_events.AvailabilityUpdated(
        event_id=f"{tour}-{version}", tour_id=tour, available_seats=seats, timestamp=NOW, epoch=epoch,
        version=version,
    )  # fmt: skip


def closed(tour, version):
    return wire_events.TourClosedEvent(
        event_id=f"{tour}-{version}", tour_id=tour, timestamp=NOW, epoch="e1", version=version
    )


class Work:
    """How much was done in one turn of the loop, at most."""

    def __init__(self):
        self.now = self.most = self.sum = 0

    def do(self, much):
        self.now += much
        self.sum += much
        self.most = max(self.most, self.now)

    async def count(self):
        while True:
            self.now = 0
            await asyncio.sleep(0)


class Source:
    """The tour service's answer, which the test may replace; every tour that is decoded and told is counted."""

    def __init__(self, monkeypatch, tours):
        self.tours = tours
        self.epoch = "e1"
        self.decoded, self.told = Work(), Work()
        self.read = http_snapshot(
            httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url="http://tours")
        )
        monkeypatch.setattr(snapshot, "_tour", self)
        self._decode = snapshot.msgspec.json.Decoder(rest.Tour).decode

    def _answer(self, request):
        return httpx.Response(200, content=wire.encode(self.tours), headers={rest.EPOCH_HEADER: self.epoch})

    def decode(self, row):
        self.decoded.do(len(row))
        return self._decode(row)

    def lost(self, since):
        pass

    regained = lost

    def resubscribed(self):
        pass

    @contextlib.asynccontextmanager
    async def feeding(self, truth, metrics):
        """Feed a truth inside the context, which yields the broker."""
        broker = MemoryBroker()
        truth.listen(lambda key: self.told.do(1), lambda: None)
        feed = Feed(broker, self.read, truth, self, lambda event: None, metrics, gateway_id="g1")
        async with asyncio.TaskGroup() as group:
            each = (feed.run, self.decoded.count, self.told.count)
            tasks = [group.create_task(one()) for one in each]
            try:
                yield broker
            finally:
                for task in tasks:
                    task.cancel()


async def publish(broker, *events):
    await broker.publish([Message("tour.availability.updated", wire.encode(one)) for one in events])


async def test_no_turn_of_the_loop_has_more_than_a_slice_to_do(monkeypatch, house, eventually):
    source = Source(monkeypatch, rows(TOURS))
    async with house().open() as h, source.feeding(h.truth, h.metrics) as broker:
        await eventually(lambda: h.truth.complete)
        assert source.decoded.sum > 1_000_000
        assert source.decoded.most < snapshot.SLICE_BYTES + 1_000
        assert source.told.sum >= TOURS
        # A tour that opens is told once for its departure's sake and once for its own.
        assert source.told.most <= 3 * truth.SLICE_KEYS
        assert h.truth.departures == TOURS
        # None of them is sold any more, which a doubt makes known.
        source.told.most, source.tours = 0, []
        await publish(broker, event("t1", 2, epoch="e2"))
        await eventually(lambda: not h.truth.departures)
        assert source.told.most <= 3 * truth.SLICE_KEYS


async def test_ten_thousand_tours_are_followed_by_name_and_past_the_setting_not_all_at_once(
    monkeypatch, house, told, eventually
):
    monkeypatch.setattr(Ledger, "catalogue", None)  # nobody needs it
    source = Source(monkeypatch, rows(TOURS))
    async with house(follow_all=TOURS - 1).open() as h, source.feeding(h.truth, h.metrics) as broker:
        await eventually(lambda: h.truth.complete)
        async with h.connect() as crowded, h.connect("/?tours=t7,t9999") as named:
            assert (await told(crowded))["following"] == "named"
            assert (await told(named))["following"] == "named"
            assert [(await told(named))["tourId"] for _ in range(2)] == ["t7", "t9999"]
            await crowded.send(json.dumps({"type": "SUBSCRIBE", "tourId": "t5000"}))
            assert (await told(crowded))["type"] == "SUBSCRIBED"
            assert (await told(crowded))["departure"]["id"] == "t5000_0"
            await publish(broker, *(event(f"t{n}", 2) for n in range(TOURS)))
            assert [(await told(named))["tourId"] for _ in range(2)] == ["t7", "t9999"]
            assert (await told(crowded))["tourId"] == "t5000"
            await crowded.send(json.dumps({"type": "SUBSCRIBE", "tourId": "t10000"}))
            assert (await told(crowded))["code"] == "NOT_FOUND"
        h.upkeep._count()
        assert h.count("departures") == TOURS


async def test_within_the_setting_ten_thousand_tours_are_followed_at_once(
    monkeypatch, house, told, eventually
):
    source = Source(monkeypatch, rows(TOURS))
    everything = {f"t{n}" for n in range(TOURS)}
    house = house(follow_all=TOURS)
    # One from before the first slice on, and one from after the last.
    async with house.open() as h, source.feeding(h.truth, h.metrics), h.connect() as early:
        assert (await told(early))["following"] == "all"
        await eventually(lambda: h.truth.complete)
        async with h.connect() as late:
            assert (await told(late))["following"] == "all"
            states = [await told(late) for _ in range(TOURS)]
            assert {state["tourId"] for state in states} == everything
            assert {state["type"] for state in states} == {"INITIAL_STATE"}
        seen = set()
        while seen != everything:
            frame = await told(early)
            seen |= {frame["tourId"]} if "tourId" in frame else set()


# Between two slices


def finish(slices):
    for _ in slices:
        pass


class Known:
    """A truth whose snapshots are joined by hand, one tour at a time."""

    def __init__(self, monkeypatch, *tours):
        monkeypatch.setattr(truth, "SLICE_KEYS", 1)
        self.keys, self.restarts = [], 0
        self.truth = Truth(self.keys.append, self._restart)
        if tours:
            self.whole(*tours)
            self.keys.clear()

    def _restart(self):
        self.restarts += 1

    def slices(self, tours, epoch="e1"):
        return self.truth.join_snapshot(rest.Snapshot(epoch, tours), self.truth.clock, NOW)

    def whole(self, *tours):
        finish(self.slices(list(tours)))

    def seats(self):
        """What is sold, by tour."""
        frames = (json.loads(self.truth.initial(key).payload) for key in self.truth.catalogue())
        assert self.truth.departures == len(self.truth.catalogue())
        return {frame["tourId"]: frame["availableSeats"] for frame in frames}


def test_an_event_between_two_slices_is_newer_than_the_snapshot(monkeypatch):
    known = Known(monkeypatch)
    slices = known.slices(rows(3, departures=0))
    next(slices)
    for tour in ("t0", "t2"):  # joined already, and still to be joined
        assert known.truth.publish(event(tour, 2)) == "applied"
    finish(slices)
    assert known.seats() == {"t0": 3, "t1": 5, "t2": 3}


def test_what_closes_between_two_slices_stays_closed(monkeypatch):
    known = Known(monkeypatch)
    slices = known.slices(rows(3, departures=0))
    next(slices)
    for tour in ("t0", "t2"):
        assert known.truth.publish(closed(tour, 2)) == "applied"
    finish(slices)
    assert known.seats() == {"t1": 5}


def test_a_tour_is_missed_only_once_the_whole_snapshot_is_joined_and_not_if_it_opened_meanwhile(monkeypatch):
    known = Known(monkeypatch, *rows(3, departures=0))
    (_, _, last), gone = rows(3, version=2, seats=4, departures=0), ("t1", None)
    first = rows(1, version=2, seats=4, departures=0)
    slices = known.slices([*first, last])
    next(slices)
    known.truth.publish(event("new", 1))
    assert known.seats() == {"t0": 4, "t1": 5, "t2": 5, "new": 3}
    assert gone not in known.keys
    finish(slices)
    assert known.seats() == {"t0": 4, "t2": 4, "new": 3}
    assert gone in known.keys


def test_another_database_begins_with_its_first_slice_and_is_complete_with_its_last(monkeypatch):
    known = Known(monkeypatch, *rows(3, departures=0))
    assert (known.restarts, known.truth.awaited) == (1, False)
    slices = known.slices(rows(2, seats=7, departures=0), epoch="e2")
    next(slices)
    assert (known.restarts, known.truth.epoch, known.truth.awaited) == (2, "e2", True)
    assert known.truth.publish(event("t1", 9, epoch="e1")) == "ignored"
    assert known.seats() == {"t0": 7}
    finish(slices)
    assert (known.restarts, known.truth.awaited) == (2, False)
    assert known.seats() == {"t0": 7, "t1": 7}


@pytest.mark.parametrize("departures", [0, 2])
def test_how_many_are_sold_is_known_without_the_catalogue(monkeypatch, departures):
    known = Known(monkeypatch, *rows(3, departures=departures))
    sold = max(1, departures)
    assert known.truth.departures == 3 * sold
    known.truth.publish(closed("t0", 2))
    assert known.truth.departures == 2 * sold
    known.truth.publish(event("t0", 3))
    assert known.truth.departures == 3 * sold
    known.whole()
    assert known.truth.departures == 0
