"""What a client of Server-Sent Events is told, and in which bytes, without sockets."""

import json

import pytest
from prometheus_client import CollectorRegistry

from seatcast import wire
from seatcast.gateway.audience import Audience
from seatcast.gateway.hub import Hub
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.shared import Limits, Shared
from seatcast.gateway.slots import MAX_ANSWERS
from seatcast.gateway.stream import Stream
from seatcast.tokens import Identity

from .model import NOW, Database, join


class House:
    """A gateway's audience, its tours, and streams that are read by hand."""

    def __init__(self):
        self.metrics = Metrics(CollectorRegistry())
        self.audience = Audience(Hub(None), self.metrics, lambda: 0.0, lambda _: None)
        self.truth = self.audience.hub.truth
        self.database = Database()
        self.publish(self.database.add("a") + self.database.add("b", 2))
        join(self.truth, self.database.snapshot())
        self.woken = 0

    def publish(self, events):
        for event in events:
            self.truth.publish(event)

    def book(self, id, seats, place=0):
        self.publish(self.database.book(id, place, seats))

    def connect(self, **more):
        stream = Stream(
            Shared(self.audience.hub, Limits(), lambda: NOW, None), lambda: 0.0, self._wake, retry_ms=2_500
        )
        self.audience.enter(stream)
        stream.session.open("c_1", **more)
        return stream

    def _wake(self):
        self.woken += 1


@pytest.fixture
def house():
    return House()


def parse(data):
    """The messages in whole events, each with its id; comments and pauses are left out."""
    assert not data or data.endswith(b"\n\n")
    found = []
    for block in data.decode().split("\n\n"):
        lines = [line.partition(":")[::2] for line in block.splitlines()]
        assert {name for name, _ in lines} <= {"data", "id", "retry"}
        for name, value in lines:
            if name == "data":
                ids = [text.strip() for other, text in lines if other == "id"]
                found.append((json.loads(value), ids[-1] if ids else None))
    return found


def take(stream):
    """Everything there is for a client."""
    found = []
    while data := stream.take()[0]:
        found += parse(data)
    return found


def last_id(events):
    return events[-1][1]


def test_welcome_comes_first_then_the_state_of_every_departure_and_then_the_cursor(house):
    told = take(house.connect(identity=Identity("user_1")))
    frames = [frame for frame, _ in told]
    assert [frame["type"] for frame in frames] == ["WELCOME", *["INITIAL_STATE"] * 3]
    assert frames[0]["userId"] == "user_1"
    assert "resumed" not in frames[0]
    ids = [id for _, id in told]
    # An empty one takes away what a browser had before: should it break here, there is nothing to go on from.
    assert ids[:3] == ["", None, None]
    assert ids[3]


def test_the_pause_before_a_browser_comes_back_is_said_first(house):
    data, _ = house.connect().take()
    assert data.startswith(b"retry: 2500\n\ndata: {")


def test_changes_of_one_turn_come_together_with_one_cursor_at_the_end(house):
    stream = house.connect()
    take(stream)
    house.book("a", 4)
    house.book("b", 3, place=1)
    house.audience.hub.flush()
    data, count = stream.take()
    told = parse(data)
    assert count == len(told) == 2
    assert [id is None for _, id in told] == [True, False]
    assert told[0][0]["availableSeats"] == 4
    assert stream.take() == (b"", 0)


def test_only_the_newest_state_of_each_departure_waits_for_a_client_that_does_not_read(house):
    stream = house.connect()
    take(stream)
    for seats in range(1_000):
        house.book("a", seats % 10)
        house.audience.hub.flush()
    ((frame, _),) = take(stream)
    assert frame["availableSeats"] == 999 % 10
    assert house.metrics.conflated == 999


def test_a_cursor_never_covers_what_is_still_owed(house):
    """What changed in this turn and was not told to anybody yet is told before the cursor that covers it."""
    stream = house.connect()
    take(stream)
    house.book("b", 3)
    house.book("a", 4)
    assert {frame["tourId"] for frame, _ in take(stream)} == {"a", "b"}


def test_a_client_that_comes_back_with_its_cursor_is_told_what_is_new(house):
    first = house.connect()
    cursor = last_id(take(first))
    house.audience.leave(first)
    house.book("a", 2)
    house.publish(house.database.toggle_departure("b", 0))
    told = take(house.connect(cursor=cursor))
    welcome, *news = [frame for frame, _ in told]
    assert welcome["resumed"] is True
    assert told[0][1] is None, "it keeps its cursor until it has everything"
    assert [(frame["type"], frame["tourId"]) for frame in news] == [
        ("INITIAL_STATE", "a"), ("TOUR_CLOSED", "b"), ("INITIAL_STATE", "b"),
    ]  # fmt: skip
    assert last_id(told)


def test_with_nothing_new_the_welcome_is_all(house):
    cursor = last_id(take(house.connect()))
    ((welcome, id),) = take(house.connect(cursor=cursor))
    assert welcome["resumed"] is True
    assert id == cursor


@pytest.mark.parametrize("cursor", ["nonsense", "0" * 16 + "." + "0" * 16])
def test_a_cursor_that_cannot_be_placed_is_as_none(house, cursor):
    told = take(house.connect(cursor=cursor))
    assert "resumed" not in told[0][0]
    assert len(told) == 4


def test_when_versions_start_anew_the_cursor_goes_and_everything_follows(house):
    stream = house.connect()
    take(stream)
    house.book("a", 2)
    house.database.restore()
    join(house.truth, house.database.snapshot())
    told = take(stream)
    assert [frame["type"] for frame, _ in told] == ["RESET", *["INITIAL_STATE"] * 3]
    assert told[0][0]["epoch"] == "e2"
    assert [id for _, id in told][:3] == ["", None, None]
    assert last_id(told)


def test_the_newest_word_on_the_source_replaces_those_before(house):
    stream = house.connect()
    take(stream)
    for number in range(100):
        house.audience.broadcast(wire.Stale(since=NOW) if number % 2 else wire.Fresh(since=NOW))
    ((frame, _),) = take(stream)
    assert frame["type"] == "STALE"


def test_a_client_that_lets_too_many_answers_wait_is_ended(house):
    stream = house.connect()
    for _ in range(MAX_ANSWERS + 1):
        stream.send(wire.Pong(server_time=NOW))
    assert stream.closing
    assert len(house.audience.hub) == 0


def test_whoever_is_sent_away_is_told_when_to_come_back_and_keeps_its_older_cursor(house):
    stream = house.connect()
    take(stream)
    house.book("a", 2)
    house.audience.hub.flush()
    house.audience.send_away(lambda: 700)
    data, _ = stream.take()
    assert data.startswith(b"retry: 700\n\n")
    assert parse(data) == [({"type": "RECONNECT", "afterMs": 700}, None)]
    assert stream.closing
    house.book("a", 1)
    house.audience.hub.flush()
    assert stream.take() == (b"", 0), "nothing more is told"


def test_a_client_of_named_tours_hears_of_no_other(house):
    stream = house.connect(tours=["a", "nowhere"])
    frames = [frame for frame, _ in take(stream)]
    assert [frame["type"] for frame in frames] == ["WELCOME", "ERROR", "INITIAL_STATE"]
    assert "nowhere" in frames[1]["message"]
    house.book("b", 1)
    house.audience.hub.flush()
    assert take(stream) == []


def test_whoever_leaves_leaves_nothing_behind(house):
    for _ in range(100):
        house.audience.leave(house.connect(tours=["a"]))
        house.audience.leave(house.connect())
    hub = house.audience.hub
    assert (len(hub), hub._groups, hub._by_tour, house.audience.here) == (0, {}, {}, {})
    assert house.metrics.streams == 0


def test_each_thing_to_take_wakes_who_writes(house):
    stream = house.connect()
    take(stream)
    for act in (
        lambda: house.book("a", 3),
        lambda: house.audience.broadcast(wire.Stale(since=NOW)),
        stream.close,
    ):
        before = house.woken
        act()
        house.audience.hub.flush()
        assert house.woken > before
