"""The sockets of shared documents: who is let in, who is sent away with which code, and what a drain or an absent tour
service costs: nothing that was brought."""

import asyncio
import contextlib
import json
from base64 import b64decode, b64encode

import httpx
import prometheus_client
import pytest
from pycrdt import Doc, Text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from seatcast import wire_events, yjs
from seatcast.gateway import company
from seatcast.gateway import documents as module
from seatcast.gateway import editor as editor_module
from seatcast.gateway.documents import Documents
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.rooms import SAVED
from seatcast.gateway.server import Server
from seatcast.gateway.shared import Limits
from seatcast.health import Health
from seatcast.tokens import Tokens
from seatcast.yjs import Kind, Sync


class Service:
    """A tour service that stores everything, when it is there, and tells the gateways that listen."""

    def __init__(self):
        self.log, self.gateways, self.asked = [], [], []
        self.away = False
        self.heard = True

    async def __call__(self, request):
        self.asked.append(request)
        if self.away:
            raise httpx.ConnectError("away")
        if request.method == "GET":
            since = int(request.url.params["since"])
            updates = [b64encode(update).decode() for update in self.log[since:]]
            return httpx.Response(200, json={"epoch": "e1", "head": len(self.log), "updates": updates})
        for part in json.loads(request.content)["updates"]:
            self.store(b64decode(part["update"]))
        return httpx.Response(200, json={"epoch": "e1", "head": len(self.log), "refused": []})

    def store(self, update):
        self.log.append(update)
        event = wire_events.DocumentUpdated(
            event_id="e", document_id="doc", epoch="e1", seq=len(self.log), update=update, timestamp=""
        )
        if self.heard:
            for gateway in self.gateways:
                gateway.take(event)

    @property
    def text(self):
        doc = Doc()
        for update in self.log:
            doc.apply_update(update)
        return str(doc.get("description", type=Text))


class House:
    """A gateway's server with documents."""

    def __init__(self, service):
        self.service = service
        self.tokens = Tokens("a secret for the tests only")
        self.whispers = []

    def token(self, user="ana", *roles, lifetime=3_600):
        return self.tokens.mint(user, set(roles or ("staff",)), lifetime)

    @contextlib.asynccontextmanager
    async def open(self, heartbeat=20.0):
        registry = prometheus_client.CollectorRegistry()
        metrics = Metrics(registry)
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.service), base_url="http://tours")
        async with client:
            self.documents = Documents(
                client, lambda about, event: self.whispers.append(event), self.tokens, metrics,
                gateway_id="here", heartbeat_seconds=heartbeat,
            )  # fmt: skip
            self.service.gateways.append(self.documents)
            server = Server(
                tokens=self.tokens, limits=Limits(), metrics=metrics, registry=registry,
                health=lambda: Health("ok", {}), snapshots=False, documents=self.documents,
            )  # fmt: skip
            async with self.documents.running(), server.listening("127.0.0.1", 0) as self.port:
                yield self

    def connect(self, token=None, more="", document="doc"):
        token = self.token() if token is None else token
        return connect(f"ws://127.0.0.1:{self.port}/documents/{document}?token={token}{more}", max_size=None)


class Client:
    """A Yjs client over a socket."""

    def __init__(self, socket):
        self.socket, self.doc = socket, Doc()
        self.text = self.doc.get("description", type=Text)
        self.saved, self.alive = None, 0

    async def hello(self):
        await self.socket.send(yjs.sync_message(Sync.STEP_1, self.doc.get_state()))
        return self

    async def type(self, text, at=0):
        before = self.doc.get_state()
        self.text.insert(at, text)
        await self.socket.send(yjs.sync_message(Sync.UPDATE, self.doc.get_update(before)))

    async def until(self, predicate, seconds=10):
        async with asyncio.timeout(seconds):
            while not predicate():
                message = await self.socket.recv()
                kind, at = yjs.read_varuint(message, 0)
                if kind == SAVED:
                    self.saved = yjs.read_varuint(message, at)[0]
                elif kind == Kind.AWARENESS:
                    self.alive += 1
                elif message[1] == Sync.STEP_1:
                    state = yjs.read_sized(message, 2)[0]
                    await self.socket.send(yjs.sync_message(Sync.STEP_2, self.doc.get_update(state)))
                else:
                    self.doc.apply_update(yjs.read_sized(message, 2)[0])


async def closed(socket):
    try:
        async with asyncio.timeout(10):
            while True:
                await socket.recv()
    except ConnectionClosed as end:
        return end.rcvd.code


@pytest.fixture
def service():
    return Service()


@pytest.fixture
async def house(service):
    async with House(service).open() as opened:
        yield opened


async def test_two_edit_and_are_told_what_is_saved(house, service):
    async with house.connect(more="&saved=1") as first, house.connect() as second:
        ana, bob = await Client(first).hello(), await Client(second).hello()
        await ana.until(lambda: ana.saved == 0)
        await ana.type("Paris")
        await ana.until(lambda: ana.saved == 1)
        await bob.until(lambda: str(bob.text) == "Paris")
    assert service.text == "Paris"
    assert all(request.headers["Authorization"].startswith("Bearer ") for request in service.asked)


@pytest.mark.parametrize(
    ("token", "code"), [("", 4401), ("nonsense", 4401), ("travellers", 4403), ("ended", 4401)]
)
async def test_who_may_not_is_told_with_a_code_that_keeps_y_websocket_away(house, token, code):
    if token == "travellers":
        token = house.token("ana", "admin")
    elif token == "ended":
        token = house.token(lifetime=-3_600)
    async with house.connect(token) as socket:
        assert await closed(socket) == code


async def test_a_path_that_is_no_document_is_not_served(house):
    from websockets.exceptions import InvalidStatus

    for document in ("", "a/b", "-a", "a" * 65):
        with pytest.raises(InvalidStatus) as refused:
            async with house.connect(document=document):
                pass
        assert refused.value.response.status_code == 403


async def test_text_is_refused_and_so_is_too_much(house):
    async with house.connect() as socket:
        await socket.send("text")
        assert await closed(socket) == 1003
    async with house.connect() as socket:
        await socket.send(b"\0\2" + b"x" * 300_000)
        assert await closed(socket) == 1009


async def test_who_sends_far_too_much_is_sent_away(house, monkeypatch):
    monkeypatch.setattr(editor_module, "MESSAGES", editor_module.Rate(per_second=1, burst=50))
    async with house.connect() as socket:
        for _ in range(60):
            await socket.send(b"\3")
        assert await closed(socket) == 1013


async def test_what_cannot_be_stored_yet_waits_and_nobody_is_told_that_it_is(house, service):
    async with house.connect(more="&saved=1") as first, house.connect() as second:
        ana, bob = await Client(first).hello(), await Client(second).hello()
        await ana.until(lambda: ana.saved == 0)
        await bob.until(lambda: len(service.asked) >= 1 and bob.doc is not None)
        service.away = True
        for number in range(20):
            await ana.type("x", number)
        await asyncio.sleep(0.3)
        assert (service.text, ana.saved) == ("", 0)
        service.away = False
        await ana.until(lambda: ana.saved == 20)
        await bob.until(lambda: str(bob.text) == "x" * 20)


async def test_a_broker_that_brings_nothing_costs_a_second(house, service):
    service.heard = False
    async with house.connect() as first, house.connect() as second:
        ana, bob = await Client(first).hello(), await Client(second).hello()
        await ana.type("Paris")
        await ana.until(lambda: service.log != [])
        await bob.until(lambda: str(bob.text) == "Paris", seconds=5)


async def test_a_document_that_cannot_be_read_yet_is_read_later(house, service):
    service.log.append(_update("Paris"))
    service.away = True
    async with house.connect() as socket:
        ana = await Client(socket).hello()
        await asyncio.sleep(0.2)
        service.away = False
        await ana.until(lambda: str(ana.text) == "Paris")


def _update(text):
    doc = Doc()
    doc.get("description", type=Text).insert(0, text)
    return doc.get_update()


async def test_a_drain_sends_everybody_away_and_stores_what_they_brought(house, service):
    async with house.connect(more="&saved=1") as socket:
        ana = await Client(socket).hello()
        await ana.until(lambda: ana.saved == 0)
        await ana.type("last words")
        draining = asyncio.create_task(house.documents.drain(5))
        assert await closed(socket) == 1012
        await draining
    assert service.text == "last words"


async def test_a_client_that_hears_nothing_is_told_that_the_socket_lives(house, monkeypatch):
    monkeypatch.setattr(editor_module, "KEEP_ALIVE_SECONDS", 0.1)
    async with house.connect() as socket:
        ana = await Client(socket).hello()
        await ana.until(lambda: ana.alive >= 2)


async def test_a_token_that_ends_ends_the_connection(house):
    async with house.connect(house.token(lifetime=3)) as socket:
        await Client(socket).hello()
        house.tokens.clock = lambda: 1e12
        assert await closed(socket) == 4401


async def test_who_does_not_read_is_sent_away_and_the_others_do_not_notice(house, service, monkeypatch):
    monkeypatch.setattr(editor_module, "MAX_UNREAD_BYTES", 100_000)
    slow = asyncio.create_task(_never_reads(house))
    other = Doc()
    async with house.connect(more="&saved=1") as socket:
        ana = await Client(socket).hello()
        await ana.until(lambda: ana.saved == 0)
        async with asyncio.timeout(20):
            while house.documents.metrics.document_closed == 0:
                before = other.get_state()
                other.get("description", type=Text).insert(0, "x" * 50_000)
                service.store(other.get_update(before))
                await ana.until(lambda: len(ana.text) == len(other.get("description", type=Text)))
        await ana.type("still here")
        await ana.until(lambda: "still here" in service.text)
    slow.cancel()


async def _never_reads(house):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=1_024)
    head = (
        f"GET /documents/doc?token={house.token('slow')} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    writer.write(head.encode())
    try:
        await asyncio.Event().wait()
    finally:
        writer.transport.abort()
        assert reader is not None


async def test_an_announcement_that_cannot_be_ends_a_room_and_nothing_else(house, service):
    async with house.connect() as socket:
        ana = await Client(socket).hello()
        await ana.type("Paris")
        await ana.until(lambda: service.text == "Paris")
        event = wire_events.DocumentUpdated(
            event_id="e",
            document_id="doc",
            epoch="e1",
            seq=len(service.log) + 1,
            update=b"junk",
            timestamp="",
        )
        house.documents.take(event)
        assert await closed(socket) == 1012
    async with house.connect() as socket:
        ana = await Client(socket).hello()
        await ana.until(lambda: str(ana.text) == "Paris")


async def test_an_empty_room_is_dropped_after_a_while(house, service, monkeypatch, eventually):
    monkeypatch.setattr(module, "EMPTY_SECONDS", 0.2)
    async with house.connect() as socket:
        ana = await Client(socket).hello()
        await ana.type("Paris")
        await ana.until(lambda: service.text == "Paris")
        assert len(house.documents._rooms) == 1
    await eventually(lambda: len(house.documents._rooms) == 0)
    assert not house.documents._editors
    async with house.connect() as socket:
        ana = await Client(socket).hello()
        await ana.until(lambda: str(ana.text) == "Paris")


async def test_a_gateway_that_asks_is_told_who_is_here_and_again_after_a_while(
    house, monkeypatch, eventually
):
    def said():
        """Who this gateway has said is here, each time."""
        known = [w.update for w in house.whispers if isinstance(w.update, bytes)]
        return [[one.client for one in yjs.read_awareness(update)] for update in known]

    async with house.connect() as socket:
        own = yjs.awareness_update([yjs.Presence(5, 0, "{}")])
        await socket.send(yjs.awareness_message(own))
        await eventually(lambda: said() == [[5]])
        house.documents.take(
            wire_events.DocumentAwareness(event_id="e", gateway_id="there", document_id="doc")
        )
        assert said() == [[5], [5]]
        monkeypatch.setattr(company, "INTRODUCE_SECONDS", 0.1)
        await eventually(lambda: len(said()) > 3)


async def test_cursors_cross_gateways_and_go_with_their_gateway(house, monkeypatch, eventually):
    monkeypatch.setattr(company, "SILENT_SECONDS", 0.5)
    elsewhere = wire_events.DocumentAwareness(
        event_id="e", gateway_id="there", document_id="doc",
        update=yjs.awareness_update([yjs.Presence(7, 1, '{"user":"bob"}')]),
    )  # fmt: skip
    async with house.connect() as socket:
        ana = await Client(socket).hello()
        own = yjs.awareness_update([yjs.Presence(ana.doc.client_id, 0, '{"user":"ana"}')])
        await socket.send(yjs.awareness_message(own))
        await eventually(lambda: [w for w in house.whispers if isinstance(w.update, bytes)])
        house.documents.take(elsewhere)
        room = house.documents._rooms["doc"].room
        assert len(room.awareness) == 2
        await eventually(lambda: len(room.awareness) == 1)
    await eventually(lambda: len(room.awareness) == 0)
    assert house.whispers[0].update is not house.whispers[-1].update
