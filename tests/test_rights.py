"""The table of rights is true: every role tries every route, WebSocket, channel and command of the real service, and the table
has a row for each of them."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio
import websockets
from litestar import Litestar
from litestar.routes import HTTPRoute

from seatcast import wire
from seatcast.all_in_one import all_in_one
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.gateway.handshake import PATHS
from seatcast.rights import CHANNELS, COMMANDS, NEEDS, ROUTES, SOCKETS, Act, Rule, channel_act, may
from seatcast.tokens import Identity, Tokens
from seatcast.tours.app import tours

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "a secret of the tests, of 32 bytes or more"
ROLES: dict[str, set[str] | None] = {
    "nobody": None, "traveller": set(), "staff": {"staff"}, "support": {"support"}, "admin": {"admin"},
}  # fmt: skip


class Caller:
    """Somebody new with a role, on REST and on the WebSocket."""

    def __init__(self, world: World, roles: set[str] | None) -> None:
        self.world = world
        self.roles = roles
        self.user = f"user_{secrets.token_hex(6)}"
        token = None if roles is None else Tokens(SECRET).mint(self.user, roles, 600)
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def may(self, rule: Rule, *, others: bool) -> bool:
        """What the table says. Whoever may do it with others' things may do it with their own."""
        identity = None if self.roles is None else Identity(self.user, frozenset(self.roles))
        acts = [rule.others] if others else [rule.own, rule.others]
        return any(act is not None and may(identity, act) for act in acts)

    async def call(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return await self.world.http.request(method, path, headers=self.headers, **sent)

    async def must(self, method: str, path: str, **sent: Any) -> Any:
        answer = await self.call(method, path, **sent)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    @asynccontextmanager
    async def connected(self, path: str = "/") -> Any:
        # Of one tour: what is not read would be in the way of closing.
        url = f"{self.world.websocket.rstrip('/')}{path}?tours={self.world.tour}"
        async with websockets.connect(url, additional_headers=self.headers) as socket:
            yield socket


@dataclass
class World:
    """A running service with a tour, and people in it."""

    http: httpx.AsyncClient
    websocket: str
    tour: str = "tour_orsay_at_night"
    numbers: list[int] = field(default_factory=list)

    def caller(self, *roles: str) -> Caller:
        return Caller(self, set(roles))

    def number(self) -> int:
        self.numbers.append(1)
        return len(self.numbers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    """Everything in one process, with the demo's channel, on real sockets."""
    settings = Settings(
        port=0, api_port=0, data_dir=tmp_path_factory.mktemp("rights"), jwt_secret=SECRET, demo=True,
        drain_seconds=0.1,
    )  # fmt: skip
    async with all_in_one(settings) as addresses, httpx.AsyncClient(base_url=addresses.api) as http:
        made = World(http, addresses.websocket)
        await made.caller("staff").must(
            "POST", "/api/tours", json={"id": made.tour, "name": "Louvre", "departures": []}
        )
        await made.caller("staff").must(
            "POST", f"/api/tours/{made.tour}/departures",
            json={"id": "dep_1", "startsAt": "2099-01-01T10:00:00Z", "capacity": 10_000},
        )  # fmt: skip
        yield made


# What is somebody's


async def booking(of: Caller) -> str:
    made = await of.must("POST", f"/api/tours/{of.world.tour}/book", json={"seatsToBook": 1})
    return str(made["booking"]["id"])


async def conversation(of: Caller) -> tuple[str, str]:
    """A conversation of somebody's, and the last message in it."""
    sent = await of.must("POST", "/api/conversations/support/messages", json={"message": "Bonjour"})
    return of.user, str(sent["message"]["messageId"])


async def somebodys(caller: Caller, *, others: bool) -> tuple[str, str]:
    """The caller's own conversation, or that of another traveller; of whoever can have none, only the name of one."""
    if others:
        return await conversation(caller.world.caller())
    return ("support", "msg_none") if caller.roles is None else await conversation(caller)


async def taken(caller: Caller, *, others: bool) -> str:
    """A conversation that the caller has taken, if they may, or that another agent has."""
    talk, _ = await conversation(caller.world.caller())
    agent = caller.world.caller("support") if others else caller
    if "support" in (agent.roles or ()):
        await agent.must("PUT", f"/api/conversations/{talk}/agent")
    return talk


Asked = tuple[str, dict[str, Any]]
Ask = Callable[[Caller, bool], Awaitable[Asked]]


def at(path: str, body: dict[str, Any] | None = None, **more: Any) -> Ask:
    """A request that is the same whoever asks."""

    async def ask(caller: Caller, others: bool) -> Asked:
        number = caller.world.number()
        filled = None if body is None else {k: f"{v}{number}" if k == "id" else v for k, v in body.items()}
        return path, ({} if filled is None else {"json": filled}) | more

    return ask


async def _booking(caller: Caller, others: bool) -> Asked:
    return f"/api/bookings/{await booking(caller.world.caller() if others else caller)}", {}


def _tours(path: str) -> Ask:
    """What is on sale, or everything."""

    async def ask(caller: Caller, others: bool) -> Asked:
        return path, {"params": {"closed": "true"}} if others else {}

    return ask


async def _messages(caller: Caller, others: bool) -> Asked:
    return "/api/messages", {"params": {"stream": "support" if others else "user"}}


async def _said(caller: Caller, others: bool) -> Asked:
    talk, _ = await somebodys(caller, others=others)
    return f"/api/conversations/{talk}/messages", {}


async def _say(caller: Caller, others: bool) -> Asked:
    return (await _said(caller, others))[0], {"json": {"message": "?"}}


async def _mark(caller: Caller, others: bool) -> Asked:
    talk, message = await somebodys(caller, others=others)
    return f"/api/conversations/{talk}/marks", {"json": {"messageId": message, "mark": "read"}}


async def _take(caller: Caller, others: bool) -> Asked:
    return f"/api/conversations/{(await conversation(caller.world.caller()))[0]}/agent", {}


async def _release(caller: Caller, others: bool) -> Asked:
    return f"/api/conversations/{await taken(caller, others=others)}/agent", {}


_TOUR = "/api/tours/tour_orsay_at_night"
_DEPARTURE = {"id": "dep_", "startsAt": "2099-01-01T10:00:00Z", "capacity": 1}
_EDIT = {"changes": {"field": "description", "value": "Ouvert la nuit"}}
ASK: dict[str, Ask] = {
    "GET /api/tours": _tours("/api/tours"),
    "GET /api/tours/{tour_id}": _tours(_TOUR),
    "GET /api/tours/availability": at("/api/tours/availability"),
    "GET /api/tours/availability/stream": at("/api/tours/availability/stream"),
    "POST /api/tours/{tour_id}/book": at(f"{_TOUR}/book", {"seatsToBook": 1}),
    "GET /api/bookings": at("/api/bookings"),
    "GET /api/bookings/{booking_id}": _booking,
    "DELETE /api/bookings/{booking_id}": _booking,
    "POST /api/tours": at("/api/tours", {"id": "tour_", "name": "Tour", "capacity": 1}),
    "PATCH /api/tours/{tour_id}": at(_TOUR, {"name": "Le Louvre"}),
    "POST /api/tours/{tour_id}/departures": at(f"{_TOUR}/departures", _DEPARTURE),
    "PATCH /api/tours/{tour_id}/departures/{departure_id}": at(
        f"{_TOUR}/departures/dep_1", {"capacity": 20_000}
    ),
    "GET /api/messages": _messages,
    "GET /api/conversations": at("/api/conversations"),
    "GET /api/conversations/{conversation_id}/messages": _said,
    "POST /api/conversations/{conversation_id}/messages": _say,
    "POST /api/conversations/{conversation_id}/marks": _mark,
    "PUT /api/conversations/{conversation_id}/agent": _take,
    "DELETE /api/conversations/{conversation_id}/agent": _release,
    "GET /api/documents/{document_id}": at("/api/documents/x"),
    "GET /api/documents/{document_id}/updates": at("/api/documents/x/updates"),
    "POST /api/documents/{document_id}/updates": at(
        "/api/documents/x/updates", {"updates": [{"update": "AAA="}]}
    ),
    "POST /api/documents/{document_id}/edits": at("/api/documents/x/edits", _EDIT | {"id": "edit_"}),
    "GET /api/metrics": at("/api/metrics"),
    "GET /api/config": at("/api/config"),
    "POST /api/demo/sessions": at("/api/demo/sessions", {"userId": "alice", "roles": []}),
    "GET /": at("/"),
    "GET /{path}": at("/a/page/of/the/front-end"),
    "GET /docs": at("/docs"),
    "GET /docs/start.js": at("/docs/start.js"),
    "GET /openapi.json": at("/openapi.json"),
    "GET /health/live": at("/health/live"),
    "GET /health/ready": at("/health/ready"),
    "GET /metrics": at("/metrics"),
}
"""How to use each route, so that whoever may succeeds."""

HIDDEN = {"GET /api/bookings/{booking_id}", "DELETE /api/bookings/{booking_id}"}
"""Where what is others' is not there: whether an id exists is nobody's business."""


# The table has them all


async def test_every_route_of_the_application_has_a_row_and_every_row_a_route(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", demo=True)
    async with tours(settings, MemoryBroker(), Tokens(SECRET), live=True) as app:
        inner = app
        while not isinstance(inner, Litestar):
            inner = inner.others
        routes = {
            f"{method} {route.path_format}"
            for route in inner.routes
            if isinstance(route, HTTPRoute)
            for method in route.methods - {"OPTIONS"}
        }
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tours") as client:
            document = (await client.get("/openapi.json")).json()
            # The framework's own pages about the API are not there.
            frameworks = {route for route in routes if route.startswith("GET /schema")}
            for route in frameworks:
                path = route.removeprefix("GET ").replace("{path}", "x")
                assert (await client.get(path)).status_code == 404, path
    described = {f"{m.upper()} {path}" for path, methods in document["paths"].items() for m in methods}
    assert described <= set(ROUTES)
    # Outside the framework: booking, and what the gateway in the same process answers.
    assert routes - frameworks == set(ROUTES) - {
        "POST /api/tours/{tour_id}/book", "GET /api/tours/availability", "GET /api/tours/availability/stream",
    }  # fmt: skip
    assert set(ASK) == set(ROUTES)


async def test_every_message_of_a_client_has_a_row():
    assert set(COMMANDS) == {kind.__struct_config__.tag for kind in get_args(wire.ClientFrame)}


async def test_every_path_of_a_websocket_has_a_row():
    assert set(SOCKETS) == PATHS | {"/documents/{document_id}"}


async def test_every_act_is_somewhere_in_the_table():
    rules = [*ROUTES.values(), *COMMANDS.values()]
    acts = {*SOCKETS.values(), *CHANNELS.values()}
    assert {act for rule in rules for act in rule if act} | acts == set(NEEDS)
    assert set(get_args(Act)) == set(NEEDS)


@pytest.mark.parametrize(
    ("channel", "act"),
    [("metrics", "follow metrics"), ("document:x", "edit documents"), ("document:a:b", "edit documents"),
     ("document:", None), ("document", None), ("metrics:", None), ("metrics:x", None), ("", None), (":", None)],
)  # fmt: skip
async def test_a_name_is_a_channel_only_if_the_table_has_it(channel, act):
    assert channel_act(channel) == act


# The table is true


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES)
async def test_every_route_lets_in_whom_the_table_says(world, route, role):
    rule, caller = ROUTES[route], Caller(world, ROLES[role])
    method, _, _ = route.partition(" ")
    for others in (False, True) if rule.others is not None else (False,):
        path, sent = await ASK[route](caller, others)
        if route == "GET /api/conversations" and others:
            await _others_are_listed(caller, allowed=caller.may(rule, others=True))
            continue
        async with world.http.stream(method, path, headers=caller.headers, **sent) as answer:
            status = answer.status_code
            code = "" if answer.is_success else json.loads(await answer.aread())["code"]
        if caller.may(rule, others=others):
            assert status < 300, (path, code)
        elif route in HIDDEN:
            assert (status, code) == (404, "BOOKING_NOT_FOUND")
        elif caller.roles is None:
            assert (status, code) == (401, "UNAUTHENTICATED")
        else:
            assert (status, code) == (403, "FORBIDDEN")


async def _others_are_listed(caller: Caller, *, allowed: bool) -> None:
    """The same list for everyone, in which only some see what is others'."""
    talk, _ = await conversation(caller.world.caller())
    answer = await caller.call("GET", "/api/conversations")
    listed = answer.json()["conversations"] if answer.is_success else []
    assert (talk in [entry["state"]["conversationId"] for entry in listed]) == allowed


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", SOCKETS)
async def test_every_websocket_stays_open_for_whom_the_table_says(world, path, role):
    caller = Caller(world, ROLES[role])
    async with caller.connected(path.format(document_id="x")) as socket:
        if caller.may(Rule(SOCKETS[path]), others=False):
            assert await asyncio.wait_for(socket.recv(), 10)
        else:
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
            assert socket.close_code == (4401 if caller.roles is None else 4403)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("channel", CHANNELS)
async def test_every_channel_is_followed_by_whom_the_table_says(world, channel, role):
    name, caller = channel + "x" * channel.endswith(":"), Caller(world, ROLES[role])
    async with caller.connected() as socket:
        await socket.send(json.dumps({"type": "SUBSCRIBE", "channel": name, "id": "mine"}))
        answer = await _answer(socket)
    if caller.may(Rule(CHANNELS[channel]), others=False):
        assert answer == {"type": "SUBSCRIBED", "channel": name, "id": "mine"}
    else:
        assert (answer["type"], answer["code"]) == ("ERROR", "FORBIDDEN")


async def _answer(socket: websockets.ClientConnection) -> dict[str, Any]:
    """The answer to the message whose mark is "mine"."""
    async with asyncio.timeout(10):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if frame.get("id") == "mine":
                return frame


async def _command(caller: Caller, kind: str, *, others: bool) -> dict[str, Any]:
    """A command's fields, so that whoever may succeeds."""
    token = Tokens(SECRET).mint(caller.user, caller.roles or set(), 600)
    if kind in ("CHAT_MESSAGE", "CHAT_TYPING"):
        talk, _ = await somebodys(caller, others=others)
        return {"to": talk} | ({"message": "?"} if kind == "CHAT_MESSAGE" else {})
    if kind == "CHAT_MARK":
        talk, message = await somebodys(caller, others=others)
        return {"conversationId": talk, "messageId": message, "mark": "read"}
    if kind == "CHAT_TAKE":
        return {"conversationId": (await conversation(caller.world.caller()))[0]}
    if kind == "CHAT_RELEASE":
        return {"conversationId": await taken(caller, others=others)}
    if kind == "DOCUMENT_EDIT":
        return {"documentId": "x"} | _EDIT
    tour = {"tourId": caller.world.tour}
    return {"PING": {}, "AUTH": {"token": token}, "SUBSCRIBE": tour, "UNSUBSCRIBE": tour}[kind]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", COMMANDS)
async def test_every_command_is_taken_from_whom_the_table_says(world, kind, role):
    rule = COMMANDS[kind]
    for others in (False, True) if rule.others is not None else (False,):
        caller = Caller(world, ROLES[role])
        fields = await _command(caller, kind, others=others)
        async with caller.connected() as socket:
            await socket.send(json.dumps({"type": kind, "id": "mine"} | fields))
            if kind == "CHAT_TYPING":
                # Answered only if it is refused, which is at once.
                await socket.send(json.dumps({"type": "PING", "id": "mine"}))
            answer = await _answer(socket)
        if caller.may(rule, others=others):
            assert answer["type"] != "ERROR", answer
        else:
            expected = "UNAUTHENTICATED" if caller.roles is None else "FORBIDDEN"
            assert (answer["type"], answer.get("code")) == ("ERROR", expected)


# Where a token is required


@pytest.mark.asyncio
async def test_where_a_token_is_required_nobody_is_anybody_but_who_reads_tours(tmp_path):
    """Gateways read tours over REST and have no token; live seats, and everything that anybody may do, then take one."""
    settings = Settings(
        port=0, api_port=0, data_dir=tmp_path, jwt_secret=SECRET, auth="required", drain_seconds=0.1
    )
    async with all_in_one(settings) as addresses, httpx.AsyncClient(base_url=addresses.api) as http:
        world = World(http, addresses.websocket)
        nobody = Caller(world, None)
        refused = set()
        for route in ROUTES:
            method, path = route.split(" ")
            _, sent = await ASK[route](nobody, False) if "{booking_id}" not in route else ("", {})
            answer = await http.request(method, path.replace("{path}", "page"), **sent)
            if answer.status_code == 401:
                refused.add(route)
        async with nobody.connected() as socket:
            await socket.send(json.dumps({"type": "SUBSCRIBE", "tourId": world.tour, "id": "mine"}))
            answer = await _answer(socket)
    read = {"GET /api/tours", "GET /api/tours/{tour_id}"}
    assert refused == {route for route, rule in ROUTES.items() if rule.own != "see the service"} - read
    assert (answer["type"], answer["code"]) == ("ERROR", "UNAUTHENTICATED")
