"""One client's protocol, as CONTRACT 1 has it, without sockets: tours, and what is wrong."""

import pytest

from seatcast import wire, wire_events
from seatcast.tokens import Identity

from .model import NOW
from .session_house import House, kinds, say


def test_welcome_comes_first_then_the_state_of_every_tour():
    _, peer = House().connect()
    told = peer.take()
    assert told[0] == {
        "type": "WELCOME", "message": "Connecté aux mises à jour temps réel", "connectionId": "c_1", "protocol": 1,
        "serverTime": NOW, "heartbeatSeconds": 20.0, "epoch": "e1", "following": "all",
    }  # fmt: skip
    assert kinds(told[1:]) == [("INITIAL_STATE", id) for id in "abc"]


def test_the_welcome_speaks_english_by_choice_and_knows_the_user():
    _, peer = House().connect(language="en", identity=Identity("user_789"))
    assert peer.told[0]["message"] == "Connected to real-time updates"
    assert peer.told[0]["userId"] == "user_789"


def test_a_newcomer_is_told_that_the_source_is_lost():
    _, peer = House().connect(stale=wire.Stale(since=NOW))
    assert [frame["type"] for frame in peer.told[:3]] == ["WELCOME", "STALE", "INITIAL_STATE"]


def test_tours_named_in_the_address_are_followed_and_no_others():
    house = House()
    _, peer = house.connect(tours=["b", "b"])
    told = peer.take()
    assert told[0]["following"] == "named"
    assert kinds(told[1:]) == [("INITIAL_STATE", "b")]
    house.change("a", 2, 4)
    house.change("b", 2, 4)
    assert kinds(peer.take()) == [("AVAILABILITY_UPDATE", "b")]


def test_unknown_tours_in_the_address_are_answered_with_an_error():
    _, peer = House().connect(tours=["b", "nowhere"])
    told = peer.take()
    assert kinds(told) == [("WELCOME", None), ("ERROR", None), ("INITIAL_STATE", "b")]
    assert told[1]["code"] == "NOT_FOUND"
    assert "nowhere" in told[1]["message"]


def test_a_catalogue_that_is_too_large_is_followed_by_name_only():
    house = House(follow_all=2)
    session, peer = house.connect()
    assert [frame["type"] for frame in peer.told] == ["WELCOME"]
    assert peer.take()[0]["following"] == "named"
    say(session, type="SUBSCRIBE", tourId="a")
    assert kinds(peer.take()) == [("SUBSCRIBED", "a"), ("INITIAL_STATE", "a")]


def test_the_first_subscribe_narrows_and_the_next_ones_add():
    house = House()
    session, peer = house.connect()
    peer.take()
    say(session, type="SUBSCRIBE", tourId="a", id=1)
    assert peer.take()[0] == {"type": "SUBSCRIBED", "tourId": "a", "id": 1}
    house.change("b", 2, 4)
    assert peer.take() == []
    say(session, type="SUBSCRIBE", tourId="b")
    assert peer.take()[1]["version"] == 2
    house.change("a", 2, 4)
    house.change("b", 3, 3)
    assert kinds(peer.take()) == [("AVAILABILITY_UPDATE", "a"), ("AVAILABILITY_UPDATE", "b")]


def test_subscribing_again_answers_with_the_state_again():
    session, peer = House().connect(tours=["a"])
    peer.take()
    say(session, type="SUBSCRIBE", tourId="a")
    assert kinds(peer.take()) == [("SUBSCRIBED", "a"), ("INITIAL_STATE", "a")]


def test_a_change_of_this_very_turn_is_told_once():
    """The fact arrived and was not flushed yet: what is offered is not told again as an update."""
    house = House()
    session, peer = house.connect(tours=["a"])
    peer.take()
    house.hub.truth.publish(
        wire_events.AvailabilityUpdated(
            event_id="x", tour_id="b", available_seats=1, timestamp=NOW, epoch="e1", version=2
        )
    )
    say(session, type="SUBSCRIBE", tourId="b")
    house.hub.flush()
    assert [(f["type"], f.get("version")) for f in peer.take()] == [
        ("SUBSCRIBED", None),
        ("INITIAL_STATE", 2),
    ]


def test_unsubscribe_stops_the_updates_and_may_be_repeated():
    house = House()
    session, peer = house.connect(tours=["a", "b"])
    peer.take()
    say(session, type="UNSUBSCRIBE", tourId="a", id="x")
    say(session, type="UNSUBSCRIBE", tourId="a")
    assert peer.take() == [
        {"type": "UNSUBSCRIBED", "tourId": "a", "id": "x"},
        {"type": "UNSUBSCRIBED", "tourId": "a"},
    ]
    house.change("a", 2, 4)
    house.change("b", 2, 4)
    assert kinds(peer.take()) == [("AVAILABILITY_UPDATE", "b")]


def test_there_is_no_name_to_unsubscribe_on_a_connection_that_follows_everything():
    session, peer = House().connect()
    peer.take()
    say(session, type="UNSUBSCRIBE", tourId="a", id=4)
    (answer,) = peer.take()
    assert (answer["code"], answer["id"]) == ("NOT_FOUND", 4)
    assert session.tours is None


def test_an_unknown_tour_is_not_found_once_the_catalogue_is_known():
    session, peer = House().connect()
    peer.take()
    say(session, type="SUBSCRIBE", tourId="nowhere", id=9)
    (answer,) = peer.take()
    assert (answer["type"], answer["code"], answer["id"]) == ("ERROR", "NOT_FOUND", 9)
    assert session.tours is None


def test_any_tour_may_be_followed_before_the_catalogue_is_known():
    """A gateway that just started, or has no source of snapshots, does not know what exists."""
    house = House(tours=())
    session, peer = house.connect(tours=["a"])
    assert kinds(peer.take()) == [("WELCOME", None)]
    say(session, type="SUBSCRIBE", tourId="b")
    assert kinds(peer.take()) == [("SUBSCRIBED", "b")]
    house.change("b", 1, 3)
    told = kinds(peer.take())
    assert told[-1] in {("INITIAL_STATE", "b"), ("AVAILABILITY_UPDATE", "b")}


def test_a_closed_tour_is_answered_with_its_closing():
    house = House()
    house.hub.truth.publish(
        wire_events.TourClosedEvent(event_id="x", tour_id="a", timestamp=NOW, epoch="e1", version=2)
    )
    session, peer = house.connect(tours=["b"])
    peer.take()
    say(session, type="SUBSCRIBE", tourId="a")
    assert kinds(peer.take()) == [("SUBSCRIBED", "a"), ("TOUR_CLOSED", "a")]


def test_subscriptions_are_limited():
    session, peer = House(subscriptions=2).connect(tours=["a", "b"])
    peer.take()
    say(session, type="SUBSCRIBE", tourId="c", id=1)
    (answer,) = peer.take()
    assert (answer["code"], answer["id"]) == ("TOO_MANY_SUBSCRIPTIONS", 1)
    say(session, type="SUBSCRIBE", tourId="a")
    assert peer.take()[0]["type"] == "SUBSCRIBED"


def test_too_many_names_in_the_address_are_cut_and_said():
    _, peer = House(subscriptions=1).connect(tours=["a", "b"])
    assert kinds(peer.take()) == [("WELCOME", None), ("ERROR", None), ("INITIAL_STATE", "a")]


def test_ping_is_answered_with_its_id():
    session, peer = House().connect()
    peer.take()
    say(session, type="PING", id="p1")
    say(session, type="PING")
    assert peer.take() == [
        {"type": "PONG", "serverTime": NOW, "id": "p1"},
        {"type": "PONG", "serverTime": NOW},
    ]


@pytest.mark.parametrize(
    ("channel", "roles", "code"),
    [
        ("metrics", None, "FORBIDDEN"),
        ("metrics", {"staff"}, "FORBIDDEN"),
        ("document:7", None, "FORBIDDEN"),
        ("document:7", {"admin"}, "FORBIDDEN"),
        ("support", {"staff", "admin"}, "FORBIDDEN"),
        ("document:", {"staff"}, "NOT_FOUND"),
        ("documents:7", {"staff"}, "NOT_FOUND"),
        ("metrics:7", {"admin"}, "NOT_FOUND"),
        ("random-numbers", {"admin"}, "NOT_FOUND"),
        ("weather", None, "NOT_FOUND"),
    ],
)
def test_channels_are_refused_by_role(channel, roles, code):
    """Nobody in particular and who lacks the role are told which role it takes."""
    identity = None if roles is None else Identity("me", frozenset(roles))
    session, peer = House().connect(identity=identity)
    peer.take()
    say(session, type="SUBSCRIBE", channel=channel, id=1)
    (answer,) = peer.take()
    assert (answer["code"], answer["id"]) == (code, 1)
    if code == "FORBIDDEN":
        needed = {"metrics": "admin", "support": "support"}.get(channel, "staff")
        assert answer["message"].endswith(f"needs the role {needed}")
    assert session.channels == frozenset()


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (b"hello", "malformed"),
        (b"[]", "object"),
        (b'{"type":"DANCE","id":7}', "DANCE"),
        (b'{"type":"SUBSCRIBE","tourId":5,"id":7}', "tourId"),
        (b'{"type":"SUBSCRIBE","id":7}', "tourId"),
        (b'{"type":"PING","x":' + b"[" * 30_000, ""),
    ],
)
def test_a_bad_message_is_answered_with_what_is_wrong_and_its_id(message, named):
    session, peer = House().connect()
    peer.take()
    session.receive(message)
    (answer,) = peer.take()
    assert answer["code"] == "INVALID_MESSAGE"
    assert answer["message"].startswith("Invalid message format")
    assert named in answer["message"]
    assert answer.get("id") == (7 if b'"id":7' in message else None)


def test_a_closed_session_is_told_nothing_and_leaves_nothing_behind():
    house = House()
    session, peer = house.connect(tours=["a"])
    peer.take()
    session.close()
    session.close()
    house.change("a", 2, 4)
    assert peer.take() == []
    assert len(house.hub) == 0
    assert not house.hub._groups
    assert not house.hub._by_tour
