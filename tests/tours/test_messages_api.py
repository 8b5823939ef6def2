"""`GET /api/messages`: the caller's own, in their language, from where they know."""

import secrets

import pytest

from seatcast import wire_events
from seatcast.tours import streams
from seatcast.tours.database import open_database

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def user():
    """A user whom no other test knows."""
    return f"user_{secrets.token_hex(6)}"


@pytest.fixture
def tell(shop, user):
    """`await tell(n)`: n notifications for the user. Returns their events."""

    async def told(count=1):
        events = []
        async with open_database(shop.url) as database, database.transaction() as tx:
            for _ in range(count):
                identity = f"msg_{secrets.token_hex(6)}"
                told = {"event_id": identity, "message_id": identity, "user_id": user}
                told["timestamp"] = "2026-06-01T10:00:00.000Z"
                event = wire_events.BookingConfirmedEvent(
                    **told, booking_id="bkg_1", tour_name="Le Louvre", tour_id="louvre", seats=2
                )
                events.append((await streams.add_message(tx, event))[0])
        return events

    return told


@pytest.fixture
def ask(shop, bearer, user):
    """`await ask(roles..., **query)`: the user's messages, over REST."""

    async def get(*roles, headers=None, **query):
        sent = bearer(user, *roles) | (headers or {})
        return await shop.client.get("/api/messages", params=query, headers=sent)

    return get


async def test_messages_are_listed_as_the_contract_shows(ask, tell, contract_example):
    [event] = await tell()

    answer = await ask()

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    golden = contract_example("rest.json", "Messages")
    body = answer.json()
    assert set(body) == set(golden)
    assert (body["head"], body["resumed"], body["more"]) == (1, True, False)
    [message] = body["messages"]
    assert message["seq"] == 1
    assert set(message["frame"]) == set(golden["messages"][1]["frame"]) - {"departureId"}
    assert message["frame"]["messageId"] == event.message_id


async def test_sentences_are_in_the_callers_language(ask, tell):
    await tell()

    french, english = await ask(), await ask(headers={"Accept-Language": "en"})

    assert french.json()["messages"][0]["frame"]["message"] == (
        "Votre réservation est confirmée\u00a0: Le Louvre, 2\u00a0places"
    )
    assert english.json()["messages"][0]["frame"]["message"] == (
        "Your booking is confirmed: Le Louvre, 2 seats"
    )
    assert [answer.headers["content-language"] for answer in (french, english)] == ["fr", "en"]


async def test_nobody_reads_the_messages_of_others(shop, ask, tell, bearer):
    await tell()

    other = await shop.client.get("/api/messages", headers=bearer("somebody_else", "staff", "admin"))
    nobody = await shop.client.get("/api/messages")

    assert other.json() == {"messages": [], "head": 0, "resumed": True, "more": False}
    assert (nobody.status_code, nobody.json()["code"]) == (401, "UNAUTHENTICATED")


async def test_a_reader_goes_on_after_a_message_a_moment_or_a_number(ask, tell):
    events = await tell(3)

    by_message = (await ask(since=events[0].message_id)).json()
    by_number = (await ask(afterSeq=1)).json()
    by_moment = (await ask(after="2026-06-01T11:59:59.999+02:00")).json()
    page = (await ask(limit=1)).json()

    assert [m["seq"] for m in by_message["messages"]] == [2, 3]
    assert by_number == by_message
    assert [m["seq"] for m in by_moment["messages"]] == [1, 2, 3]
    assert (len(page["messages"]), page["more"], page["head"]) == (1, True, 3)


async def test_an_unknown_message_is_said_to_be_one(ask, tell):
    await tell()

    body = (await ask(since="msg_unknown")).json()

    assert (body["resumed"], len(body["messages"])) == (False, 1)


async def test_what_is_said_in_all_conversations_is_for_the_support_team(shop, ask, bearer, user):
    wish = {"message": "Bonjour", "id": "k1"}
    said = await shop.client.post("/api/conversations/support/messages", json=wish, headers=bearer(user))
    assert said.status_code in (200, 201), said.text

    refused = await ask("staff", stream="support")
    allowed = (await ask("support", stream="support")).json()
    own = (await ask()).json()

    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert allowed["messages"][-1]["seq"] == allowed["head"]
    assert allowed["messages"][-1]["frame"] == own["messages"][-1]["frame"]
    frame = own["messages"][-1]["frame"]
    assert (own["messages"][-1]["seq"], frame["type"], frame["from"], frame["message"], frame["id"]) == (
        1, "CHAT_MESSAGE", user, "Bonjour", "k1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"since": "msg_1", "afterSeq": 1}, "query"),
        ({"after": "yesterday"}, "query.after"),
        ({"after": "2026-06-01T10:00:00"}, "query.after"),
        ({"since": "a\x00b"}, "query.since"),
        ({"since": ""}, "query.since"),
        ({"afterSeq": -1}, "query.afterSeq"),
        ({"limit": 0}, "query.limit"),
        ({"limit": 501}, "query.limit"),
        ({"stream": "user:olga"}, "query.stream"),
    ],
)
async def test_a_place_that_is_none_is_refused(ask, query, where):
    answer = await ask(**query)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert list(answer.json()["details"]) == [where]
