"""Messages for people over real sockets: to every connection of their user, also what came while it was away."""

import asyncio
import base64
import contextlib
import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from seatcast import wire, wire_events
from seatcast.gateway.mailboxes import TEAM
from seatcast.gateway.post import MOST_MISSED, Post
from seatcast.gateway.routing import Routing

NOW = "2026-06-01T10:00:00.000Z"


def nothing(event):
    """Of no concern here."""


class Service:
    """The streams of a tour service: of each user, and of the team (`TEAM`)."""

    def __init__(self):
        self.streams = {}
        self.asked = []
        self.open = asyncio.Event()
        self.open.set()
        self.down = False
        self.states = []

    def asked_of(self, path):
        return [query for asked, query in self.asked if asked == path]

    def booked(self, user, seats=2, **more):
        """Store a booking's message, and return its event."""
        stream = self.streams.setdefault(user, [])
        seq = len(stream) + 1
        event = wire_events.BookingConfirmedEvent(
            event_id=f"e_{user}_{seq}", user_id=user, booking_id=f"b{seq}", tour_name="Louvre", tour_id="louvre", seats=seats,
            timestamp=NOW, message_id=f"m_{user}_{seq}", seq=seq, **more,
        )  # fmt: skip
        frame = {
            "type": "BOOKING_CONFIRMED", "bookingId": f"b{seq}", "tourName": "Louvre", "tourId": "louvre",
            "seats": seats, "message": "in the language of who reads", "timestamp": NOW, "messageId": event.message_id,
        }  # fmt: skip
        stream.append(frame)
        return event

    def said(self, sender, to, text="hello", id="k"):
        user = sender if to == "support" else to
        stream, team = self.streams.setdefault(user, []), self.streams.setdefault(TEAM, [])
        event = wire_events.ChatMessageSent(
            event_id=f"c_{user}_{len(stream)}", user_id=user, sender=sender, to=to, message=text, conversation_id=user, id=id,
            timestamp=NOW, message_id=f"m_{user}_{len(stream) + 1}", seq=len(stream) + 1, support_seq=len(team) + 1,
        )  # fmt: skip
        frame = {
            "type": "CHAT_MESSAGE", "from": sender, "to": to, "message": text, "conversationId": user,
            "timestamp": NOW, "messageId": event.message_id,
        }  # fmt: skip
        stream.append(frame)
        team.append(frame)
        return event

    async def __call__(self, request):
        query = dict(request.url.params)
        self.asked.append((request.url.path, query))
        await self.open.wait()
        if self.down:
            return httpx.Response(503)
        if request.url.path == "/api/conversations":
            # Another's, so that reading this tells nobody anything new.
            last = Service().said("alice", "support")
            frame = {"type": "CHAT_MESSAGE", **json.loads(wire.encode(last)), "messageId": last.message_id}
            rows = [{"state": _state(state), "lastMessage": frame} for state in self.states]
            return httpx.Response(200, json={"conversations": rows})
        user = json.loads(_payload(request.headers["Authorization"]))["userId"]
        stream = self.streams.get(TEAM if query["stream"] == "support" else user, [])
        ids = [frame["messageId"] for frame in stream]
        after, resumed = int(query.get("afterSeq", 0)), True
        if "since" in query:
            resumed = query["since"] in ids
            after = ids.index(query["since"]) + 1 if resumed else 0
        rows = [{"seq": seq, "frame": frame} for seq, frame in enumerate(stream, 1) if seq > after]
        limit = int(query["limit"])
        body = {"messages": rows[:limit], "head": len(stream), "resumed": resumed, "more": len(rows) > limit}
        return httpx.Response(200, json=body)


def _state(event):
    fields = json.loads(wire.encode(event))
    return {"type": "CONVERSATION_UPDATE"} | {
        name: value for name, value in fields.items() if name not in ("eventType", "eventId")
    }


def _payload(authorization):
    part = authorization.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Gateway:
    def __init__(self, house, service, post):
        self.house, self.service, self.post = house, service, post
        self.routing = Routing(
            house.server.channels,
            post.mailboxes,
            post.conversations,
            nothing,
            nothing,
            house.metrics,
            nothing,
        )

    def hear(self, event):
        """An event comes from the broker."""
        self.routing.take(event)

    def connect(self, user=None, roles=(), *, path="/?tours=", language="fr", **more):
        headers = {"Accept-Language": language}
        if user is not None:
            headers["Authorization"] = f"Bearer {self.token(user, roles)}"
        return self.house.connect(path, additional_headers=headers, **more)

    def token(self, user, roles=()):
        return self.house.tokens.mint(user, list(roles), 60)


@pytest.fixture
def gateway(house):
    """`async with gateway() as g:` a gateway's server whose post reads from a service that the test fills."""

    @contextlib.asynccontextmanager
    async def open(*, readable=True, **limits):
        service = Service()
        h = house(**limits)
        transport = httpx.MockTransport(service)
        async with httpx.AsyncClient(transport=transport, base_url="http://tours") as client:
            post = h.more["post"] = Post(client if readable else None, h.metrics)
            async with h.open(), asyncio.TaskGroup() as group:
                post.start(group)
                try:
                    yield Gateway(h, service, post)
                finally:
                    post.stop()

    return open


@pytest.fixture
def messages(told):
    """`await messages(websocket, count)`: the next so many that are for people."""

    async def receive(websocket, count=1):
        found = []
        while len(found) < count:
            frame = await told(websocket)
            if frame["type"].startswith(("BOOKING", "CHAT", "CONVERSATION")):
                found.append(frame)
        return found

    return receive


async def silent(websocket):
    """Return whether nothing more has come: a PONG comes at once."""
    await websocket.send('{"type":"PING"}')
    return json.loads(await websocket.recv())["type"] == "PONG"


async def welcomed(websocket, told):
    welcome = await told(websocket)
    assert welcome["type"] == "WELCOME"
    return welcome


async def test_a_booking_reaches_every_connection_of_its_user_in_its_language(gateway, told, messages):
    async with (
        gateway() as g,
        g.connect("alice") as one,
        g.connect("alice", language="en") as two,
        g.connect("bob") as other,
        g.connect() as nobody,
    ):
        for websocket in (one, two, other, nobody):
            await welcomed(websocket, told)
        event = g.service.booked("alice")
        g.hear(event)
        g.hear(event)
        (french,), (english,) = await messages(one), await messages(two)
        assert "confirmée" in french.pop("message")
        assert french == {
            "type": "BOOKING_CONFIRMED", "bookingId": "b1", "tourName": "Louvre", "tourId": "louvre", "seats": 2,
            "timestamp": NOW, "messageId": "m_alice_1",
        }  # fmt: skip
        assert "confirmed" in english["message"]
        for websocket in (one, two, other, nobody):
            assert await silent(websocket)
    assert g.service.asked == []


async def test_a_publisher_that_is_not_ours_writes_its_own_words(gateway, told, messages):
    async with gateway() as g, g.connect("alice") as one:
        await welcomed(one, told)
        event = wire_events.BookingConfirmedEvent(
            event_id="x", user_id="alice", booking_id="b", tour_name="t", message="Bravo !", timestamp=NOW
        )
        g.hear(event)
        g.hear(event)
        assert await messages(one) == [
            {
                "type": "BOOKING_CONFIRMED",
                "bookingId": "b",
                "tourName": "t",
                "message": "Bravo !",
                "timestamp": NOW,
            }
        ]
        assert await silent(one)


async def test_a_chat_message_reaches_both_ends_and_only_its_sender_gets_its_mark(gateway, told, messages):
    """Agents need not ask: who has the role follows the team's stream."""
    async with (
        gateway() as g,
        g.connect("alice") as alice,
        g.connect("bob") as bob,
        g.connect("ann", ["support"]) as ann,
        g.connect("eve", ["support"]) as eve,
    ):
        for websocket in (alice, bob, ann, eve):
            await welcomed(websocket, told)
        g.hear(g.service.said("alice", "support", id="a1"))
        g.hear(g.service.said("ann", "alice", id="k1"))
        marks = {
            websocket: [message.get("id") for message in await messages(websocket, 2)]
            for websocket in (alice, ann, eve)
        }
        assert marks == {alice: ["a1", None], ann: [None, "k1"], eve: [None, None]}
        assert await silent(bob)


async def test_an_agent_with_a_conversation_of_their_own_is_told_of_it_once(gateway, told, messages):
    async with gateway() as g, g.connect("ann", ["support"]) as ann:
        await welcomed(ann, told)
        g.hear(g.service.said("ann", "support"))
        assert len(await messages(ann)) == 1
        assert await silent(ann)


async def test_an_agent_may_leave_the_team_and_come_back(gateway, told, messages):
    async with gateway() as g, g.connect("ann", ["support"]) as ann:
        await welcomed(ann, told)
        await ann.send('{"type":"UNSUBSCRIBE","channel":"support"}')
        assert (await told(ann))["type"] == "UNSUBSCRIBED"
        g.hear(g.service.said("alice", "support"))
        assert await silent(ann)
        await ann.send('{"type":"SUBSCRIBE","channel":"support"}')
        assert (await told(ann))["type"] == "SUBSCRIBED"
        g.hear(g.service.said("alice", "support"))
        assert [message["messageId"] for message in await messages(ann)] == ["m_alice_2"]


async def test_a_token_without_the_role_ends_what_the_team_is_told(gateway, told):
    async with gateway() as g, g.connect("ann", ["support"]) as ann:
        await welcomed(ann, told)
        await ann.send(json.dumps({"type": "AUTH", "token": g.token("ann")}))
        assert [(await told(ann))["type"] for _ in range(2)] == ["AUTHENTICATED", "UNSUBSCRIBED"]
        g.hear(g.service.said("alice", "support"))
        assert await silent(ann)


# What was missed


async def test_who_comes_back_is_told_first_what_it_missed(gateway, told, messages):
    async with gateway() as g:
        for _ in range(3):
            g.service.booked("alice")
        async with g.connect("alice", path="/?tours=&since=m_alice_1", language="en") as one:
            assert (await welcomed(one, told))["resumed"] is True
            g.hear(g.service.booked("alice"))
            found = await messages(one, 3)
            assert [message["messageId"] for message in found] == ["m_alice_2", "m_alice_3", "m_alice_4"]
            assert all("confirmed" in message["message"] for message in found)
    assert g.house.count("catch_ups_total", outcome="resumed") == 1


async def test_nothing_is_told_before_the_welcome(gateway, told, messages):
    """Not even what everybody is told, or what comes while the stream is read: that comes after what was missed."""
    async with gateway() as g:
        g.service.booked("alice")
        late = g.service.booked("alice")
        g.service.open.clear()
        async with g.connect("alice", path="/?since=m_alice_1") as one:
            await one.send('{"type":"PING"}')
            async with asyncio.timeout(5):
                while not g.service.asked:
                    await asyncio.sleep(0.005)
            g.house.read(("louvre", 1, 5))
            g.house.change("louvre", 2, 4)
            g.house.server.lost(NOW)
            g.hear(late)
            newest = g.service.booked("alice")
            g.hear(newest)
            await asyncio.sleep(0.05)
            g.service.open.set()
            assert (await told(one))["type"] == "WELCOME"
            found = []
            while not found or found[-1]["type"] != "PONG":
                found.append(await told(one))
    assert [frame["messageId"] for frame in found if "messageId" in frame] == ["m_alice_2", "m_alice_3"]
    assert [frame["version"] for frame in found if "version" in frame] == [2]
    assert "STALE" in [frame["type"] for frame in found]


async def test_who_was_told_nothing_yet_comes_back_since_a_moment(gateway, told, messages):
    """The moment counts for a stream of which no message is named, and the clocks may be two seconds apart."""
    async with gateway() as g:
        for _ in range(2):
            g.service.booked("alice")
        for since, missed in ((NOW, ["m_alice_1", "m_alice_2"]), (f"{NOW},m_alice_1", ["m_alice_2"])):
            async with g.connect("alice", path=f"/?tours=&since={since}") as one:
                assert (await welcomed(one, told))["resumed"] is True
                assert [message["messageId"] for message in await messages(one, len(missed))] == missed
        asked = [{k: v for k, v in query.items() if k in ("since", "after")} for _, query in g.service.asked]
        assert asked == [{"after": "2026-06-01T09:59:58.000Z"}, {"since": "m_alice_1"}]


@pytest.mark.parametrize("since", ["nowhere", "m_bob_1", "", "%00", "x" * 200])
async def test_since_a_message_that_is_not_its_own_nothing_is_resumed(gateway, told, messages, since):
    async with gateway() as g:
        g.service.booked("bob")
        g.service.booked("alice")
        async with g.connect("alice", path=f"/?tours=&since={since}") as one:
            assert (await welcomed(one, told))["resumed"] is False
            assert await silent(one)
            g.hear(g.service.booked("alice"))
            assert [message["messageId"] for message in await messages(one)] == ["m_alice_2"]


async def test_who_missed_too_much_reads_it_itself(gateway, told):
    async with gateway() as g:
        for _ in range(MOST_MISSED + 102):
            g.service.booked("alice")
        async with g.connect("alice", path="/?tours=&since=m_alice_1") as one:
            assert (await welcomed(one, told))["resumed"] is False
            assert await silent(one)


async def test_as_much_as_that_is_told_also_to_who_reads_slowly(gateway, told, messages):
    """It is one message to the bounds of what may wait."""
    async with gateway() as g:
        for _ in range(MOST_MISSED):
            g.service.booked("alice")
        async with g.connect("alice", path="/?tours=&since=m_alice_1", max_queue=1) as one:
            assert (await welcomed(one, told))["resumed"] is True
            found = await messages(one, MOST_MISSED - 1)
            assert [message["messageId"] for message in found] == [
                f"m_alice_{seq}" for seq in range(2, MOST_MISSED + 1)
            ]


@pytest.mark.parametrize("how", ["down", "silent", "unreadable"])
async def test_without_an_answer_the_welcome_comes_all_the_same(gateway, told, messages, how, monkeypatch):
    monkeypatch.setattr("seatcast.gateway.post.CATCH_UP_SECONDS", 0.2)
    async with gateway(readable=how != "unreadable") as g:
        g.service.booked("alice")
        g.service.booked("alice")
        g.service.down = how == "down"
        if how == "silent":
            g.service.open.clear()
        async with g.connect("alice", path="/?tours=&since=m_alice_1") as one:
            assert (await welcomed(one, told))["resumed"] is False
            g.hear(g.service.booked("alice"))
            assert [message["messageId"] for message in await messages(one)] == ["m_alice_3"]
        g.service.open.set()


async def test_an_agent_catches_up_in_both_streams(gateway, told, messages):
    async with gateway() as g:
        for _ in range(2):
            g.service.booked("ann")
            g.service.said("alice", "support")
        path = "/?tours=&since=m_ann_1,m_alice_1"
        async with g.connect("ann", ["support"], path=path) as ann:
            assert (await welcomed(ann, told))["resumed"] is True
            assert sorted(message["messageId"] for message in await messages(ann, 2)) == [
                "m_alice_2",
                "m_ann_2",
            ]
        async with g.connect("ann", ["support"], path="/?tours=&since=m_alice_1") as ann:
            assert (await welcomed(ann, told))["resumed"] is True
            assert [message["messageId"] for message in await messages(ann)] == ["m_alice_2"]
            assert await silent(ann)


async def test_auth_and_the_first_subscribe_may_say_since_when(gateway, told, messages):
    async with gateway() as g:
        g.house.read(("louvre", 1, 5))
        for _ in range(2):
            g.service.booked("alice")
        async with g.connect() as one:
            await welcomed(one, told)
            await one.send(
                json.dumps({"type": "AUTH", "token": g.token("alice"), "since": "m_alice_1", "id": 1})
            )
            answer = await told(one)
            assert (answer["type"], answer["resumed"]) == ("AUTHENTICATED", True)
            assert [message["messageId"] for message in await messages(one)] == ["m_alice_2"]
        async with g.connect("alice") as one:
            await welcomed(one, told)
            for again in (False, True):
                await one.send('{"type":"SUBSCRIBE","tourId":"louvre","since":"m_alice_1"}')
                answer = await told(one)
                assert (answer["type"], answer["resumed"]) == ("SUBSCRIBED", not again)
                assert (await told(one))["type"] == "INITIAL_STATE"
                if not again:
                    assert [message["messageId"] for message in await messages(one)] == ["m_alice_2"]
            # It was told some already: the rest would not come in order.
            assert await silent(one)
        async with g.connect() as one:
            await welcomed(one, told)
            await one.send('{"type":"SUBSCRIBE","tourId":"louvre","since":"m_alice_1"}')
            assert (await told(one))["resumed"] is False


async def test_who_leaves_while_its_stream_is_read_leaves_nothing_behind(gateway, eventually):
    async with gateway() as g:
        g.service.booked("alice")
        g.service.open.clear()
        async with g.connect("alice", path="/?since=m_alice_1"):
            await eventually(lambda: g.service.asked)
        await eventually(lambda: not g.house.server.connections)
        assert len(g.post.mailboxes) == 0
        g.service.open.set()
        await eventually(lambda: not [task for task in g.post._tasks if "catching" in task.get_name()])


# What the broker did not bring


async def test_what_the_broker_lost_is_read_and_told_in_order(gateway, told, messages):
    async with gateway() as g, g.connect("alice") as one, g.connect("alice", language="en") as two:
        for websocket in (one, two):
            await welcomed(websocket, told)
        g.hear(g.service.booked("alice"))
        g.service.booked("alice")
        g.hear(g.service.booked("alice"))
        for websocket, word in ((one, "confirmée"), (two, "confirmed")):
            found = await messages(websocket, 3)
            assert [message["messageId"] for message in found] == [f"m_alice_{seq}" for seq in (1, 2, 3)]
            assert all(word in message["message"] for message in found)
    assert g.house.count("messages_total", outcome="held") == 1


async def test_after_a_new_subscription_everybody_is_told_what_they_missed(
    gateway, told, messages, eventually
):
    """Also while the tour service is down for a moment, and who was told nothing yet."""
    async with gateway() as g, g.connect("alice") as alice, g.connect("ann", ["support"]) as ann:
        for websocket in (alice, ann):
            await welcomed(websocket, told)
        g.service.said("alice", "support")
        g.service.down = True
        g.post.mailboxes.doubt()
        await eventually(lambda: g.house.count("message_reads_total", outcome="failed") >= 2)
        g.service.down = False
        for websocket in (alice, ann):
            assert [message["messageId"] for message in await messages(websocket)] == ["m_alice_1"]
        streams = {(query["stream"], "after" in query) for _, query in g.service.asked}
        assert streams == {("user", True), ("support", True)}


async def test_streams_of_nobody_are_not_read(gateway, told, eventually):
    async with gateway() as g:
        async with g.connect("alice") as one:
            await welcomed(one, told)
        await eventually(lambda: not g.house.server.connections)
        g.post.mailboxes.doubt()
        await asyncio.sleep(0.05)
        assert g.service.asked == []


async def test_another_database_begins_anew(gateway, told, messages):
    async with gateway() as g, g.connect("alice", path="/") as one:
        g.house.read(("louvre", 1, 5))
        for _ in range(3):
            g.hear(g.service.booked("alice"))
        await messages(one, 3)
        g.service.streams.clear()
        g.house.read(("louvre", 1, 5), epoch="e2")
        g.house.server.hub.flush()
        g.hear(g.service.booked("alice"))
        assert [message["messageId"] for message in await messages(one)] == ["m_alice_1"]


# Who does not read


async def test_who_lets_too_many_messages_wait_is_closed(gateway, told, eventually):
    """They are never left out: 1013, and the rest when the client comes back."""
    async with gateway() as g, g.connect("alice", max_queue=1) as one:
        await welcomed(one, told)
        for _ in range(4_000):
            g.hear(g.service.booked("alice"))
        await eventually(lambda: g.house.count("closed_total", reason="too slow") == 1)
        with contextlib.suppress(ConnectionClosed):
            while True:
                last = await told(one)
        assert one.close_code == 1013
        async with g.connect("alice", path=f"/?tours=&since={last['messageId']}") as again:
            assert (await told(again))["type"] == "WELCOME"


# Conversations


def stands(version, conversation="alice"):
    return wire_events.ConversationUpdated(
        event_id=f"e{version}", conversation_id=conversation, version=version, timestamp=NOW,
        unread={"traveller": 0, "support": version}, delivered={}, read={},
    )  # fmt: skip


async def test_both_ends_are_told_how_a_conversation_stands_and_never_an_older_state(gateway, told, messages):
    async with (
        gateway() as g,
        g.connect("alice") as alice,
        g.connect("ann", ["support"]) as ann,
        g.connect("bob") as bob,
    ):
        for websocket in (alice, ann, bob):
            await welcomed(websocket, told)
        for version in (1, 3, 2, 3, 4):
            g.hear(stands(version))
        for websocket in (alice, ann):
            found = await messages(websocket, 3)
            assert [(f["type"], f["version"]) for f in found] == [
                ("CONVERSATION_UPDATE", version) for version in (1, 3, 4)
            ]
            assert await silent(websocket)
        assert await silent(bob)


async def test_typing_is_told_to_everybody_there_but_who_types(gateway, told, messages):
    async with (
        gateway() as g,
        g.connect("alice") as alice,
        g.connect("ann", ["support"]) as ann,
        g.connect("eve", ["support"]) as eve,
    ):
        for websocket in (alice, ann, eve):
            await welcomed(websocket, told)
        event = {"event_id": "e", "conversation_id": "alice", "timestamp": NOW}
        g.hear(wire_events.ChatTypingEvent(sender="ann", **event))
        for websocket in (alice, eve):
            assert await messages(websocket) == [
                {"type": "CHAT_TYPING", "conversationId": "alice", "from": "ann", "timestamp": NOW}
            ]
        assert await silent(ann)


async def test_how_a_conversation_stands_is_read_after_a_doubt(gateway, told, messages, eventually):
    """By an agent, who may read all of them; where there is none, by its traveller."""
    for agents in (True, False):
        async with gateway() as g, g.connect("alice") as alice:
            await welcomed(alice, told)
            async with g.connect("ann", ["support"]) if agents else contextlib.nullcontext() as ann:
                if agents:
                    await welcomed(ann, told)
                g.hear(stands(1))
                g.service.states = [stands(3)]
                g.service.down = True
                g.post.doubt()
                await eventually(lambda g=g: g.service.asked_of("/api/conversations"))
                g.service.down = False
                for websocket in (alice, ann) if agents else (alice,):
                    assert [frame["version"] for frame in await messages(websocket, 2)] == [1, 3]
                g.hear(stands(2))
                assert await silent(alice)


async def test_another_database_counts_versions_anew(gateway, told, messages):
    async with gateway() as g, g.connect("alice") as alice:
        await welcomed(alice, told)
        g.hear(stands(5))
        g.post.restart()
        g.hear(stands(1))
        assert [frame["version"] for frame in await messages(alice, 2)] == [5, 1]


def test_versions_of_conversations_are_remembered_for_so_many_only(monkeypatch):
    monkeypatch.setattr("seatcast.gateway.conversations.MAX_VERSIONS", 3)
    conversations = Post(None, None).conversations
    for name in ("a", "b", "c", "d"):
        conversations.stands(stands(5, name))
    assert list(conversations._versions) == ["b", "c", "d"]
