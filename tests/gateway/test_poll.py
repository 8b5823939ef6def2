"""What a client that polls is answered, without sockets."""

import json

import msgspec
import pytest

from seatcast import rest, wire, wire_events
from seatcast.gateway.hub import Hub
from seatcast.gateway.poll import Polls
from seatcast.gateway.shared import Limits, Shared

from .model import NOW, Database, join


class House:
    """A gateway with tours, and its answers."""

    def __init__(self, **limits):
        self.truth = Hub(None).truth
        self.database = Database()
        self.publish(self.database.add("a") + self.database.add("b", 2))
        join(self.truth, self.database.snapshot())
        hub = Hub(None)
        hub.truth = self.truth
        self.polls = Polls(Shared(hub, Limits(**limits), lambda: NOW, None))

    def publish(self, events):
        for event in events:
            self.truth.publish(event)

    def book(self, id, seats):
        self.publish(self.database.book(id, 0, seats))

    def everything(self, names=None, stale=None):
        return self.polls.everything(self.polls.ask(names, None), stale)

    def body(self, names=None):
        return json.loads(self.everything(names).data)

    def news(self, cursor, names=None):
        news = self.polls.news(self.polls.ask(names, cursor), None)
        return None if news is None else json.loads(news)


@pytest.fixture
def house():
    return House()


def told(body):
    return [(frame["type"], frame["tourId"], frame["availableSeats"]) for frame in body["messages"]]


def test_everything_is_every_departure_as_a_socket_would_be_told_it(house):
    body = house.body()
    assert told(body) == [("INITIAL_STATE", "a", 10), ("INITIAL_STATE", "b", 20), ("INITIAL_STATE", "b", 20)]
    assert body | {"cursor": "", "messages": []} == {
        "epoch": "e1", "cursor": "", "reset": True, "following": "all", "messages": [],
    }  # fmt: skip


def test_every_answer_is_what_the_contract_shows(house):
    cursor = house.body()["cursor"]
    house.book("a", 4)
    house.publish(house.database.toggle("b"))
    poll = house.polls.ask(["a", "b", "x"], cursor)
    stale = wire.Stale(since=NOW)
    for data in (
        house.everything(["x", "a"]).data, house.polls.news(house.polls.ask(None, cursor), stale),
        house.polls.nothing(poll, None), house.everything(stale=stale).data,
    ):  # fmt: skip
        body = msgspec.json.decode(data, type=rest.Live)
        assert json.loads(data) == json.loads(wire.encode(body))


def test_the_whole_catalogue_is_written_once_for_a_herd(house):
    first = house.everything()
    assert house.everything() is first
    house.book("a", 4)
    assert house.everything() is not first
    assert house.everything(stale=wire.Stale(since=NOW)).data != house.everything().data


def test_an_etag_is_that_of_these_bytes(house):
    first = house.everything()
    house.book("a", 4)
    assert house.everything().etag != first.etag
    assert House().everything().etag == first.etag, "another gateway with the same facts"
    assert first.etag[0] == first.etag[-1] == '"'


def test_the_answer_about_named_tours_is_the_same_while_others_change(house):
    before = house.everything(["a"])
    house.book("b", 3)
    assert house.everything(["a"]) == before
    assert house.everything(["a", "a"]) == before
    house.book("a", 3)
    assert house.everything(["a"]).etag != before.etag


def test_the_next_answer_has_what_is_new_and_a_cursor_to_go_on_from(house):
    cursor = house.body()["cursor"]
    assert house.news(cursor) is None
    house.book("a", 4)
    house.book("a", 3)
    body = house.news(cursor)
    assert told(body) == [("AVAILABILITY_UPDATE", "a", 3)]
    assert body["reset"] is False
    assert house.news(body["cursor"]) is None


def test_nothing_new_goes_on_from_the_same_state(house):
    cursor = house.body()["cursor"]
    body = json.loads(house.polls.nothing(house.polls.ask(None, cursor), None))
    assert (body["messages"], body["reset"], body["cursor"]) == ([], False, cursor)


@pytest.mark.parametrize("cursor", ["", "garbage", "0" * 16 + "." + "1" * 16])
def test_an_unknown_cursor_gets_everything_and_is_told_so(house, cursor):
    body = house.news(cursor)
    assert body["reset"] is True
    assert len(body["messages"]) == 3


def test_a_change_of_epoch_gets_everything_also_for_one_that_waits(house):
    waiting = house.polls.ask(None, house.body()["cursor"])
    # Somebody publishes without a version: the same facts, under another epoch.
    house.truth.publish(
        wire_events.AvailabilityUpdated(event_id="x", tour_id="a", available_seats=1, timestamp=NOW)
    )
    body = json.loads(house.polls.news(waiting, None))
    assert body["reset"] is True
    assert body["epoch"] != "e1"
    assert len(body["messages"]) == 3


def test_a_tour_that_does_not_exist_is_named_and_told_of_once_it_does(house):
    body = house.body(["x"])
    assert body["following"] == "named"
    (error,) = body["messages"]
    assert (error["type"], error["code"]) == ("ERROR", "NOT_FOUND")
    assert house.news(body["cursor"], ["x"]) is None
    waiting = house.polls.ask(["x"], body["cursor"])
    house.publish(house.database.add("x"))
    assert told(json.loads(house.polls.news(waiting, None))) == [("AVAILABILITY_UPDATE", "x", 10)]


def test_named_tours_may_be_too_many():
    house = House(subscriptions=1)
    body = house.body(["a", "b"])
    assert [frame["type"] for frame in body["messages"]] == ["ERROR", "INITIAL_STATE"]
    assert body["messages"][0]["code"] == "TOO_MANY_SUBSCRIPTIONS"


def test_past_the_limit_everything_is_not_followed_but_gone_on_with():
    house = House(follow_all=3)
    body = house.body()
    assert (body["following"], len(body["messages"])) == ("all", 3)
    house.publish(house.database.add("c"))
    assert house.body()["messages"] == []
    assert house.body()["following"] == "named"
    assert told(house.news(body["cursor"])) == [("AVAILABILITY_UPDATE", "c", 10)]


def test_a_closed_tour_that_is_named_is_said_to_be_closed(house):
    house.publish(house.database.toggle("a"))
    (closed,) = house.body(["a"])["messages"]
    assert closed["type"] == "TOUR_CLOSED"
    assert ("INITIAL_STATE", "a") not in [frame[:2] for frame in told(house.body())]


def test_a_lost_source_is_said_in_every_answer(house):
    stale = wire.Stale(since=NOW)
    assert json.loads(house.everything(stale=stale).data)["staleSince"] == NOW
    assert json.loads(house.polls.nothing(house.polls.ask(None, ""), stale))["staleSince"] == NOW
