"""Commands are carried to a tour service over HTTP, one at a time for each client, and answered."""

import asyncio
import contextlib
import json

import httpx
import prometheus_client
import pytest

from seatcast import wire
from seatcast.gateway.commands import MAX_WAITING, Commands
from seatcast.gateway.metrics import Metrics

STORED = {
    "type": "CHAT_MESSAGE", "from": "me", "to": "support", "message": "hello",
    "timestamp": "2026-06-01T10:00:00.000Z", "messageId": "msg_1", "conversationId": "me", "id": "k1",
}  # fmt: skip
STANDS = {
    "type": "CONVERSATION_UPDATE", "conversationId": "you/../me", "version": 2, "unread": {"traveller": 0, "support": 0},
    "delivered": {}, "read": {}, "timestamp": "2026-06-01T10:00:00.000Z",
}  # fmt: skip


class Client:
    """A session and its peer in one."""

    def __init__(self, user="me", channels=frozenset()):
        self.token, self.channels, self.language, self.user = "t", channels, "en", user
        self.peer = self
        self.told = []

    def send(self, frame):
        self.told.append(json.loads(wire.encode(frame)))


class Service:
    """A tour service that answers as the test says, when it lets it."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = self.most_at_once = 0

    async def __call__(self, request):
        self.asked.append(request)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self.open.wait()
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return (
            httpx.Response(status, json=body) if isinstance(body, dict) else httpx.Response(status, text=body)
        )


@contextlib.asynccontextmanager
async def carrying(service):
    registry = prometheus_client.CollectorRegistry()
    async with httpx.AsyncClient(transport=httpx.MockTransport(service), base_url="http://tours") as client:
        commands = Commands(client, Metrics(registry))
        commands.count = lambda outcome: registry.get_sample_value(
            "seatcast_gateway_commands_total", {"outcome": outcome}
        )
        async with asyncio.TaskGroup() as group:
            commands.start(group)
            yield commands


def command(**fields):
    return wire.decode_client(json.dumps(fields).encode())


def say(message="hello", id="k1", to="support"):
    return command(type="CHAT_MESSAGE", to=to, message=message, id=id)


async def told(client, count=1):
    async with asyncio.timeout(5):
        while len(client.told) < count:
            await asyncio.sleep(0.005)
    return client.told


async def test_a_message_is_posted_as_its_sender_and_its_stream_is_the_answer():
    """A traveller's own stream, or the team's."""
    service, client = Service((201, {"message": STORED, "repeated": False})), Client()
    agent = Client("ann", channels={"support"})
    async with carrying(service) as commands:
        commands.submit(client, say())
        commands.submit(agent, say())
    request = service.asked[0]
    assert (request.method, request.url.path) == ("POST", "/api/conversations/support/messages")
    assert json.loads(request.content) == {"message": "hello", "id": "k1"}
    assert request.headers["Authorization"] == "Bearer t"
    assert request.headers["Accept-Language"] == "en"
    assert client.told == agent.told == []
    assert commands.count("done") == 2


async def test_an_agent_who_does_not_follow_the_team_is_told_the_stored_message():
    agent = Client("ann")
    async with carrying(Service((201, {"message": STORED, "repeated": False}))) as commands:
        commands.submit(agent, say())
    assert agent.told == [STORED]


async def test_a_repeated_message_is_answered_with_the_stored_one():
    service, client = Service((200, {"message": STORED, "repeated": True})), Client()
    async with carrying(service) as commands:
        commands.submit(client, say())
    assert client.told == [STORED]


async def test_a_message_without_a_mark_is_given_one():
    service = Service((201, {"message": STORED, "repeated": False}))
    async with carrying(service) as commands:
        for _ in range(2):
            commands.submit(Client(), command(type="CHAT_MESSAGE", to="support", message="hello"))
    marks = {json.loads(request.content)["id"] for request in service.asked}
    assert len(marks) == 2
    assert all(marks)


@pytest.mark.parametrize(
    ("more", "method", "rest", "body"),
    [
        (
            {"type": "CHAT_MARK", "messageId": "m1", "mark": "read"},
            "POST",
            "marks",
            {"messageId": "m1", "mark": "read"},
        ),
        ({"type": "CHAT_TAKE"}, "PUT", "agent", None),
        ({"type": "CHAT_RELEASE"}, "DELETE", "agent", None),
    ],
)
async def test_marks_and_hands_are_answered_with_how_the_conversation_stands(more, method, rest, body):
    """Whatever an id holds, it stays one part of the path."""
    service, marked, unmarked = Service((200, STANDS)), Client(), Client()
    async with carrying(service) as commands:
        commands.submit(marked, command(conversationId="you/../me", id=7, **more))
        commands.submit(unmarked, command(conversationId="you/../me", **more))
    assert marked.told == [STANDS | {"id": 7}]
    assert unmarked.told == []
    for request in service.asked:
        assert request.method == method
        assert request.url.raw_path == f"/api/conversations/you%2F..%2Fme/{rest}".encode()
        assert (json.loads(request.content) if request.content else None) == body


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, "INVALID_MESSAGE", "refused"), (401, "UNAUTHENTICATED", "refused"), (403, "FORBIDDEN", "refused"),
        (404, "NOT_FOUND", "refused"), (409, "CONFLICT", "refused"), (429, "RATE_LIMITED", "refused"),
        (418, "INTERNAL", "failed"), (500, "INTERNAL", "failed"), (503, "INTERNAL", "failed"),
    ],
)  # fmt: skip
async def test_a_refusal_becomes_an_error_in_the_services_words(status, code, outcome):
    problem = {"error": "Quelqu’un d’autre", "code": "CONVERSATION_TAKEN", "details": {"takenBy": "ann"}}
    client = Client()
    async with carrying(Service((status, problem))) as commands:
        commands.submit(client, say())
    (error,) = client.told
    assert (error["type"], error["code"], error["id"]) == ("ERROR", code, "k1")
    assert error["message"] == f"{wire.ERROR_MESSAGES[code]}: Quelqu’un d’autre"
    assert error["details"] == {"code": "CONVERSATION_TAKEN", "takenBy": "ann"}
    assert ("retryAfterMs" in error) == (code in ("INTERNAL", "RATE_LIMITED"))
    assert commands.count(outcome) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("no"), httpx.ReadTimeout("late"), (502, "<html>"), (200, "<html>"), (200, {"message": 5}),
        RuntimeError("a defect"),
    ],
    ids=repr,
)  # fmt: skip
async def test_no_proper_answer_is_an_internal_error_that_may_be_tried_again(answer):
    """The next command is carried out all the same."""
    service, client = Service(answer, (200, {"message": STORED, "repeated": True})), Client()
    async with carrying(service) as commands:
        commands.submit(client, say(id="k0"))
        commands.submit(client, say())
    error, stored = client.told
    assert (error["type"], error["code"], error["id"]) == ("ERROR", "INTERNAL", "k0")
    assert stored == STORED
    assert commands.count("failed") == 1


async def test_commands_of_one_client_are_carried_out_one_after_the_other():
    service, client = Service((200, {"message": STORED, "repeated": True})), Client()
    async with carrying(service) as commands:
        for number in range(5):
            commands.submit(client, say(message=str(number)))
    assert [json.loads(request.content)["message"] for request in service.asked] == list("01234")
    assert service.most_at_once == 1


async def test_a_client_does_not_wait_for_another():
    service, clients = Service((200, {"message": STORED, "repeated": True})), [Client(), Client()]
    async with carrying(service) as commands:
        service.open.clear()
        for client in clients:
            commands.submit(client, say())
        async with asyncio.timeout(5):
            while len(service.asked) < 2:
                await asyncio.sleep(0.005)
        service.open.set()
    assert service.most_at_once == 2


async def test_too_many_that_wait_are_refused_and_the_others_are_not_lost():
    service, client = Service((200, {"message": STORED, "repeated": True})), Client()
    service.open.clear()
    async with carrying(service) as commands:
        commands.submit(client, say())
        async with asyncio.timeout(5):
            while not service.asked:
                await asyncio.sleep(0.005)
        for _ in range(MAX_WAITING):
            commands.submit(client, say())
        commands.submit(client, say(id="over"))
        (refusal,) = client.told
        assert (refusal["code"], refusal["id"]) == ("RATE_LIMITED", "over")
        service.open.set()
    assert len(service.asked) == MAX_WAITING + 1


async def test_what_waits_of_a_client_that_left_is_not_carried_out():
    service, client = Service((200, {"message": STORED, "repeated": True})), Client()
    service.open.clear()
    async with carrying(service) as commands:
        commands.submit(client, say())
        commands.submit(client, say())
        async with asyncio.timeout(5):
            while not service.asked:
                await asyncio.sleep(0.005)
        commands.forget(client)
        service.open.set()
    assert len(service.asked) == 1


EDITED = {
    "documentId": "doc", "userId": "olga", "changes": {"field": "title", "value": "Nice"},
    "timestamp": "2026-06-01T10:00:00.000Z", "version": 4, "id": "e1",
}  # fmt: skip


def edit(**more):
    changes = {"field": "title", "value": "Nice"}
    return command(type="DOCUMENT_EDIT", documentId="doc", changes=changes, id="e1", **more)


async def test_an_edit_is_posted_and_comes_back_with_the_documents_channel():
    service, client = Service((200, EDITED | {"repeated": False})), Client(channels={"document:doc"})
    async with carrying(service) as commands:
        commands.submit(client, edit(baseVersion=3))
    (request,) = service.asked
    assert (request.method, request.url.path) == ("POST", "/api/documents/doc/edits")
    assert json.loads(request.content) == {"changes": EDITED["changes"], "baseVersion": 3, "id": "e1"}
    assert client.told == []


@pytest.mark.parametrize(("repeated", "channels"), [(True, {"document:doc"}), (False, {"document:other"})])
async def test_an_edit_that_its_channel_does_not_bring_is_answered(repeated, channels):
    service, client = Service((200, EDITED | {"repeated": repeated})), Client(channels=channels)
    async with carrying(service) as commands:
        commands.submit(client, edit())
    assert client.told == [{"type": "DOCUMENT_EDIT"} | EDITED]


async def test_an_edit_that_somebody_was_quicker_with_is_refused_with_what_the_field_says():
    problem = {"error": "Somebody changed this text meanwhile", "code": "DOCUMENT_CONFLICT",
               "details": {"field": "title", "value": "Paris", "version": 5}}  # fmt: skip
    client = Client(channels={"document:doc"})
    async with carrying(Service((409, problem))) as commands:
        commands.submit(client, edit(baseVersion=3))
    (error,) = client.told
    assert (error["code"], error["id"]) == ("CONFLICT", "e1")
    assert error["details"] == {"code": "DOCUMENT_CONFLICT", **problem["details"]}


async def test_at_the_end_no_answer_is_waited_for():
    service = Service((200, {"message": STORED, "repeated": True}))
    service.open.clear()
    async with asyncio.timeout(5), carrying(service) as commands:
        commands.submit(Client(), say())
        while not service.asked:
            await asyncio.sleep(0.005)
        commands.stop()
