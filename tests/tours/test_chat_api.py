"""The support chat over REST: who writes to whom, what each end reads, and what is refused with which words."""

import secrets
from urllib.parse import quote

import pytest

from seatcast.text import text

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Caller:
    """Somebody with a token, who calls `/api/conversations`."""

    def __init__(self, shop, headers, user):
        self.shop, self.headers, self.user = shop, headers, user

    async def call(self, method, path, **sent):
        headers = self.headers | sent.pop("headers", {})
        return await self.shop.client.request(method, f"/api/conversations{path}", headers=headers, **sent)

    async def say(self, to, message, id=None):
        body = {"message": message} | ({} if id is None else {"id": id})
        answer = await self.call("POST", f"/{to}/messages", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def read(self, of, **query):
        answer = await self.call("GET", f"/{of}/messages", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def caller(shop, bearer):
    """`caller(*roles)`: somebody new with these roles."""

    def make(*roles, user=None):
        user = user or f"user_{secrets.token_hex(4)}"
        return Caller(shop, bearer(user, *roles), user)

    return make


@pytest.fixture
def ana(caller):
    return caller()


@pytest.fixture
def sam(caller):
    return caller("support")


async def test_a_traveller_writes_and_an_agent_answers(ana, sam):
    asked = await ana.say("support", "Bonjour,\n<b>?</b>", "a1")
    answered = await sam.say(ana.user, "Bonjour !", "s1")

    message = asked["message"]
    assert message == {
        "type": "CHAT_MESSAGE", "from": ana.user, "to": "support", "message": "Bonjour,\n<b>?</b>",
        "timestamp": message["timestamp"], "messageId": message["messageId"], "conversationId": ana.user, "id": "a1",
    }  # fmt: skip
    assert (asked["repeated"], answered["repeated"]) == (False, False)
    assert (answered["message"]["from"], answered["message"]["to"]) == (sam.user, ana.user)
    hers, his = await ana.read("support"), await sam.read(ana.user)
    assert [m["messageId"] for m in hers["messages"]] == [m["messageId"] for m in his["messages"]]
    # A mark is its sender's own.
    assert [m.get("id") for m in hers["messages"]] == ["a1", None]
    assert [m.get("id") for m in his["messages"]] == [None, "s1"]


async def test_who_writes_is_whose_token_it_is(ana):
    answer = await ana.call("POST", "/support/messages", json={"message": "?", "from": "sam"})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert "from" in str(answer.json()["details"])


async def test_a_message_sent_again_is_the_stored_one(ana):
    first = await ana.say("support", "Bonjour", 1)

    assert await ana.say(ana.user, "Bonjour", 1) == first | {"repeated": True}
    refused = await ana.call("POST", "/support/messages", json={"message": "Bonsoir", "id": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "MESSAGE_ID_REUSED")
    assert len((await ana.read("support"))["messages"]) == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [("", "MESSAGE_EMPTY"), (" \n", "MESSAGE_EMPTY"), ("é" * 4_097, "MESSAGE_TOO_LONG"), ("a\x07", "MESSAGE_NOT_TEXT"),
     (7, "INVALID_BODY")],
)  # fmt: skip
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_what_is_no_message_is_refused_in_the_callers_language(ana, message, code, language):
    answer = await ana.call(
        "POST", "/support/messages", json={"message": message}, headers={"Accept-Language": language}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["error"] == text(language, f"error.{code.lower()}")
    assert (await ana.read("support"))["messages"] == []


async def test_a_message_of_4096_characters_comes_back_whole(ana):
    message = "𝄞" * 4_096

    await ana.say("support", message)

    assert [m["message"] for m in (await ana.read("support"))["messages"]] == [message]


async def test_nobody_reads_or_writes_in_a_conversation_of_others(ana, caller):
    await ana.say("support", "Bonjour")
    for bob in (caller(), caller("staff"), caller("admin")):
        for method, path, body in (
            ("GET", "messages", None), ("POST", "messages", {"message": "?"}),
            ("POST", "marks", {"messageId": "m", "mark": "read"}), ("PUT", "agent", None),
        ):  # fmt: skip
            answer = await bob.call(method, f"/{ana.user}/{path}", json=body)
            assert (answer.status_code, answer.json()["details"]) == (403, {"role": "support"}), (
                method,
                path,
            )
        assert (await bob.call("GET", "")).json() == {"conversations": []}


async def test_an_agent_writes_to_nobody_in_particular_in_vain(sam):
    for path in ("messages", "marks", "agent"):
        body = {"messages": {"message": "?"}, "marks": {"messageId": "m", "mark": "read"}, "agent": None}[
            path
        ]
        answer = await sam.call("PUT" if path == "agent" else "POST", f"/user_nobody/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "CONVERSATION_NOT_FOUND"), path
    assert (await sam.call("GET", "/user_nobody/messages")).status_code == 404


async def test_an_agent_opens_the_conversation_of_somebody_who_has_booked(shop, ana, sam, tour_id):
    await shop.create(tour_id, 5)
    await shop.book(tour_id, headers=ana.headers)

    await sam.say(ana.user, "Votre visite de demain")

    assert [m["from"] for m in (await ana.read("support"))["messages"]] == [sam.user]


async def test_history_comes_in_pages_in_one_order(ana, sam):
    ids = [(await ana.say("support", str(n)))["message"]["messageId"] for n in range(5)]

    def of(page):
        return [m["messageId"] for m in page["messages"]], page["more"]

    assert of(await sam.read(ana.user, limit=2)) == (ids[3:], True)
    assert of(await sam.read(ana.user, limit=2, before=ids[3])) == (ids[1:3], True)
    assert of(await sam.read(ana.user, limit=2, before=ids[1])) == (ids[:1], False)
    assert of(await ana.read("support", limit=2, since=ids[0])) == (ids[1:3], True)
    assert of(await ana.read("support", since=ids[2])) == (ids[3:], False)
    both = await ana.call("GET", "/support/messages", params={"since": ids[0], "before": ids[1]})
    assert (both.status_code, both.json()["code"]) == (400, "INVALID_REQUEST")
    unknown = await ana.call("GET", "/support/messages", params={"since": "msg_x"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "MESSAGE_NOT_FOUND")


async def test_an_agent_sees_all_conversations_the_newest_first_and_a_traveller_their_own(caller, sam):
    travellers = [caller() for _ in range(3)]
    for traveller in [*travellers, travellers[0]]:
        last = await traveller.say("support", "Bonjour")

    first = (await sam.call("GET", "", params={"limit": 2})).json()
    second = (await sam.call("GET", "", params={"limit": 2, "before": first["before"]})).json()

    found = [c["state"]["conversationId"] for c in first["conversations"] + second["conversations"]]
    assert found[:3] == [travellers[0].user, travellers[2].user, travellers[1].user]
    assert first["conversations"][0]["state"]["unread"] == {"traveller": 0, "support": 2}
    assert first["conversations"][0]["lastMessage"]["messageId"] == last["message"]["messageId"]
    own = (await travellers[0].call("GET", "")).json()
    assert [c["state"] for c in own["conversations"]] == [first["conversations"][0]["state"]]
    assert "before" not in own
    assert (await travellers[0].call("GET", "", params={"before": 0})).json() == {"conversations": []}


async def test_a_traveller_waits_since_the_first_thing_that_nobody_has_answered(ana, caller, sam):
    async def waiting():
        own = (await ana.call("GET", "")).json()["conversations"]
        everybodys = (await sam.call("GET", "")).json()["conversations"]
        assert [c for c in everybodys if c["state"]["conversationId"] == ana.user] == own
        return own[0].get("waitingSince")

    first = await ana.say("support", "Bonjour")
    await ana.say("support", "Quelqu'un ?")
    assert await waiting() == first["message"]["timestamp"]
    await sam.say(ana.user, "Bonjour !")
    assert await waiting() is None
    again = await ana.say("support", "Merci. Et demain ?")
    await ana.say("support", "À 9 heures ?")
    await caller().say("support", "Bonjour aussi")
    assert await waiting() == again["message"]["timestamp"]


async def test_each_side_marks_what_it_was_handed_and_has_read(ana, sam):
    asked = (await ana.say("support", "Bonjour"))["message"]["messageId"]
    said = (await sam.say(ana.user, "Bonjour !"))["message"]["messageId"]

    await sam.call("POST", f"/{ana.user}/marks", json={"messageId": asked, "mark": "read"})
    answer = await ana.call("POST", "/support/marks", json={"messageId": said, "mark": "delivered"})

    state = answer.json()
    assert state["delivered"] == {"traveller": said, "support": asked}
    assert state["read"] == {"support": asked}
    assert state["unread"] == {"traveller": 1, "support": 0}
    behind = await ana.call("POST", "/support/marks", json={"messageId": asked, "mark": "delivered"})
    assert behind.json() == state
    for body, status, code in (
        ({"messageId": "msg_x", "mark": "read"}, 404, "MESSAGE_NOT_FOUND"),
        ({"messageId": said, "mark": "seen"}, 400, "INVALID_BODY"),
    ):
        answer = await ana.call("POST", "/support/marks", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_first_agent_who_takes_a_conversation_has_it(ana, sam, caller):
    await ana.say("support", "Bonjour")
    kim, admin, path = caller("support"), caller("admin"), f"/{ana.user}/agent"

    assert (await sam.call("PUT", path)).json()["takenBy"] == sam.user
    late = await kim.call("PUT", path)
    assert (late.status_code, late.json()["code"]) == (409, "CONVERSATION_TAKEN")
    assert late.json()["details"] == {"takenBy": sam.user}
    kims = await kim.call("DELETE", path)
    assert (kims.status_code, kims.json()["details"]) == (403, {"role": "admin", "takenBy": sam.user})
    assert (await ana.call("DELETE", path)).status_code == 403
    assert "takenBy" not in (await admin.call("DELETE", path)).json()
    assert (await kim.call("PUT", path)).json()["takenBy"] == kim.user
    assert "takenBy" not in (await kim.call("DELETE", path)).json()


async def test_without_a_token_there_is_no_conversation(shop):
    for method, path, body in (
        ("GET", "", None), ("GET", "/support/messages", None), ("POST", "/support/messages", {"message": "?"}),
        ("POST", "/support/marks", {"messageId": "m", "mark": "read"}), ("PUT", "/ana/agent", None),
        ("DELETE", "/ana/agent", None),
    ):  # fmt: skip
        answer = await shop.client.request(method, f"/api/conversations{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED"), (method, path)


async def test_what_is_said_is_told_to_the_gateways(shop, ana, eventually):
    message = (await ana.say("support", "Bonjour"))["message"]

    def told():
        return [event for event in shop.told if getattr(event, "conversation_id", None) == ana.user]

    said, updated = await eventually(lambda: told() if len(told()) == 2 else None)
    assert (said.message_id, said.user_id, said.seq) == (message["messageId"], ana.user, 1)
    assert (updated.version, updated.last_message_id) == (1, message["messageId"])


@pytest.mark.parametrize(
    "user", ["https://id.example/users/{}", "a b?c=#{}", "{}%2F", "été|{}", "/{}/", "..{}", "{}\n"]
)
async def test_any_user_id_can_be_in_a_path(caller, user):
    user = user.format(secrets.token_hex(4))
    ana, sam, path = caller(user=user), caller("support"), quote(user, safe="")
    asked = await ana.say("support", "Bonjour")

    await sam.say(path, "Bonjour !")
    await sam.call("PUT", f"/{path}/agent")
    marks = {"messageId": asked["message"]["messageId"], "mark": "read"}
    state = (await sam.call("POST", f"/{path}/marks", json=marks)).json()

    assert [m["to"] for m in (await ana.read(path))["messages"]] == ["support", user]
    assert (state["conversationId"], state["takenBy"]) == (user, sam.user)
    assert "takenBy" not in (await sam.call("DELETE", f"/{path}/agent")).json()
