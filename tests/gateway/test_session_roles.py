"""One client's protocol, without sockets: whom the session speaks for, and the channels and commands that takes."""

import pytest
from joserfc import jwt

from seatcast import wire
from seatcast.tokens import Identity

from .model import NOW
from .session_house import KEY, House, kinds, say

# Channels


def number(value):
    return wire.RandomNumber(value, NOW)


@pytest.mark.parametrize(
    ("channel", "role"), [("metrics", "admin"), ("support", "support"), ("document:7", "staff")]
)
def test_who_has_the_role_follows_a_channel_until_they_leave_it(channel, role):
    house = House()
    session, peer = house.connect(identity=Identity("me", frozenset({role})))
    peer.take()
    say(session, type="SUBSCRIBE", channel=channel, id=1)
    say(session, type="SUBSCRIBE", channel=channel, id=2)
    assert peer.take() == [{"type": "SUBSCRIBED", "channel": channel, "id": id} for id in (1, 2)]
    house.channels.publish(channel, number(1))
    house.channels.publish(channel, number(2), "numbers")
    house.channels.publish("metrics" if channel == "support" else "support", number(3))
    assert [(kind, frame["value"]) for kind, frame in peer.take()] == [(None, 1), ("numbers", 2)]
    say(session, type="UNSUBSCRIBE", channel=channel, id=3)
    say(session, type="UNSUBSCRIBE", channel=channel)
    assert [frame["type"] for frame in peer.take()] == ["UNSUBSCRIBED"] * 2
    house.channels.publish(channel, number(4))
    assert peer.take() == []
    assert len(house.channels) == 0


def test_a_channel_that_is_open_takes_no_role():
    house = House()
    house.channels.open("random-numbers")
    session, peer = house.connect()
    peer.take()
    say(session, type="SUBSCRIBE", channel="random-numbers")
    assert peer.take() == [{"type": "SUBSCRIBED", "channel": "random-numbers"}]


def test_channels_are_limited():
    session, peer = House(subscriptions=1).connect(identity=Identity("me", frozenset({"staff"})))
    peer.take()
    for id in (1, 2, 1):
        say(session, type="SUBSCRIBE", channel=f"document:{id}", id=id)
    assert [(f["type"], f.get("code"), f["id"]) for f in peer.take()] == [
        ("SUBSCRIBED", None, 1),
        ("ERROR", "TOO_MANY_SUBSCRIPTIONS", 2),
        ("SUBSCRIBED", None, 1),
    ]


def test_a_token_without_the_role_ends_what_an_earlier_one_allowed():
    house = House()
    session, peer = house.connect(identity=Identity("me", frozenset({"admin", "staff"})))
    for channel in ("metrics", "document:7"):
        say(session, type="SUBSCRIBE", channel=channel)
    peer.take()
    say(session, type="AUTH", token=house.tokens.mint("me", ["staff"], 60))
    assert [(f["type"], f.get("channel")) for f in peer.take()] == [
        ("AUTHENTICATED", None),
        ("UNSUBSCRIBED", "metrics"),
    ]
    house.channels.publish("metrics", number(1))
    house.channels.publish("document:7", number(2))
    assert [frame["value"] for _, frame in peer.take()] == [2]


def test_who_closes_follows_no_channel():
    house = House()
    session, _ = house.connect(identity=Identity("me", frozenset({"admin"})))
    say(session, type="SUBSCRIBE", channel="metrics")
    session.close()
    assert len(house.channels) == 0


# Commands


class Orders:
    def __init__(self):
        self.taken = []

    def submit(self, session, command):
        self.taken.append((session.identity.user, session.token, type(command).__name__))

    def forget(self, session):
        """Nothing is under way."""


COMMANDS = {
    "to the team": {"type": "CHAT_MESSAGE", "to": "support", "message": "hello"},
    "to oneself": {"type": "CHAT_MESSAGE", "to": "me", "message": "hello"},
    "to somebody else": {"type": "CHAT_MESSAGE", "to": "other", "message": "hello"},
    "typing to the team": {"type": "CHAT_TYPING", "to": "support"},
    "typing to somebody else": {"type": "CHAT_TYPING", "to": "other"},
    "marking one's own": {"type": "CHAT_MARK", "conversationId": "me", "messageId": "m", "mark": "read"},
    "marking another's": {"type": "CHAT_MARK", "conversationId": "other", "messageId": "m", "mark": "read"},
    "taking one's own": {"type": "CHAT_TAKE", "conversationId": "me"},
    "taking": {"type": "CHAT_TAKE", "conversationId": "other"},
    "releasing": {"type": "CHAT_RELEASE", "conversationId": "other"},
}
OF_TRAVELLERS = {"to the team", "to oneself", "typing to the team", "marking one's own"}


@pytest.mark.parametrize("roles", [None, (), ("support",), ("staff",), ("admin",), ("staff", "admin")])
@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_refused_by_role(name, roles):
    """Without a token nobody commands anything; travellers have their own conversation, agents every one."""
    house = House()
    house.orders = Orders()
    identity = None if roles is None else Identity("me", frozenset(roles))
    session, peer = house.connect(identity=identity, token="t")
    peer.take()
    say(session, id=5, **COMMANDS[name])
    releases = name == "releasing" and roles is not None and "admin" in roles
    allowed = releases or (roles is not None and (name in OF_TRAVELLERS or "support" in roles))
    assert len(house.orders.taken) + len(house.whispers) == allowed
    if allowed:
        assert peer.take() == []
    else:
        code = "UNAUTHENTICATED" if roles is None else "FORBIDDEN"
        assert [(frame["code"], frame["id"]) for frame in peer.take()] == [(code, 5)]


def test_a_command_is_handed_on_with_the_newest_token():
    house = House()
    house.orders = Orders()
    session, _ = house.connect(identity=Identity("me"), token="old")
    say(session, **COMMANDS["to the team"])
    token = house.tokens.mint("me", [], 60)
    say(session, type="AUTH", token=token)
    say(session, **COMMANDS["to the team"])
    assert house.orders.taken == [("me", "old", "SendChat"), ("me", token, "SendChat")]


def test_where_nobody_carries_commands_out_they_are_not_found():
    session, peer = House().connect(identity=Identity("me"))
    peer.take()
    say(session, id=5, **COMMANDS["to the team"])
    (answer,) = peer.take()
    assert (answer["code"], answer["id"]) == ("NOT_FOUND", 5)


def test_typing_is_told_to_all_gateways_as_its_users_own():
    house = House()
    session, _ = house.connect(identity=Identity("me"))
    say(session, **{**COMMANDS["typing to the team"], "from": "somebody else"})
    ((about, event),) = house.whispers
    assert about == "typing me me"
    assert (event.conversation_id, event.sender, event.timestamp) == ("me", "me", NOW)


# AUTH


def test_auth_makes_an_anonymous_connection_a_user():
    house = House()
    session, peer = house.connect()
    peer.take()
    say(session, type="AUTH", token=house.tokens.mint("alice", ["staff"], 60), id=7)
    (answer,) = peer.take()
    assert answer == {
        "type": "AUTHENTICATED", "userId": "alice", "following": "all", "id": 7,
        "expiresAt": answer["expiresAt"],
    }  # fmt: skip
    assert (session.identity.user, session.identity.roles) == ("alice", {"staff"})
    assert peer.times_identified == 1
    house.change("a", 2, 4)
    assert kinds(peer.take()) == [("AVAILABILITY_UPDATE", "a")]


def test_auth_renews_and_replaces_roles():
    house = House()
    session, peer = house.connect(tours=["a"], identity=Identity("alice", frozenset({"admin"}), 5.0))
    peer.take()
    say(session, type="AUTH", token=jwt.encode({"alg": "HS256"}, {"userId": "alice"}, KEY))
    assert peer.take() == [{"type": "AUTHENTICATED", "userId": "alice", "following": "named"}]
    assert session.identity == Identity("alice")


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "x" * 9_000])
def test_a_bad_token_is_answered_and_changes_nothing(token):
    before = Identity("alice", frozenset({"admin"}), 5.0)
    session, peer = House().connect(identity=before)
    peer.take()
    say(session, type="AUTH", token=token, id=7)
    (answer,) = peer.take()
    assert (answer["type"], answer["code"], answer["id"]) == ("ERROR", "UNAUTHENTICATED", 7)
    assert token not in answer["message"]
    assert session.identity is before
    assert peer.times_identified == 0


def test_a_connection_belongs_to_one_user():
    house = House()
    before = Identity("alice")
    session, peer = house.connect(identity=before)
    peer.take()
    say(session, type="AUTH", token=house.tokens.mint("bob", [], 60))
    assert [frame["code"] for frame in peer.take()] == ["FORBIDDEN"]
    assert session.identity is before


@pytest.mark.parametrize(
    ("tours", "following", "states"),
    [(None, "all", ["a", "b", "c"]), (("b", "nowhere"), "named", ["b"])],
)
def test_where_authentication_is_required_a_stranger_follows_nothing_before_auth(tours, following, states):
    house = House(auth_required=True)
    session, peer = house.connect(tours=tours)
    welcome, error = peer.take()
    assert (welcome["type"], welcome["following"], "userId" in welcome) == ("WELCOME", "named", False)
    assert (error["code"], error["message"]) == (
        "UNAUTHENTICATED",
        "Authentication required: send AUTH within 5 s",
    )
    for message in (
        {"type": "PING"},
        {"type": "SUBSCRIBE", "tourId": "a"},
        {"type": "UNSUBSCRIBE", "tourId": "a"},
        {"type": "SUBSCRIBE", "channel": "metrics"},
        {"type": "AUTH", "token": "nonsense"},
    ):
        say(session, id=1, **message)
        assert [(frame["code"], frame["id"]) for frame in peer.take()] == [("UNAUTHENTICATED", 1)]
    house.change("a", 2, 4)
    assert peer.take() == []

    say(session, type="AUTH", token=house.tokens.mint("alice", [], 60))
    told = peer.take()
    assert (told[0]["type"], told[0]["following"]) == ("AUTHENTICATED", following)
    assert [frame["code"] for frame in told[1:] if frame["type"] == "ERROR"] == (
        ["NOT_FOUND"] if tours else []
    )
    assert [frame["tourId"] for frame in told[1:] if frame["type"] == "INITIAL_STATE"] == states
    house.change("b", 2, 4)
    assert kinds(peer.take()) == [("AVAILABILITY_UPDATE", "b")]


def test_where_authentication_is_required_a_token_at_the_handshake_is_enough():
    _, peer = House(auth_required=True).connect(identity=Identity("alice"))
    assert [frame["type"] for frame in peer.take()] == ["WELCOME", *["INITIAL_STATE"] * 3]
