"""Shared documents with stock y-websocket clients, over real processes of which some die."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect

from seatcast.tokens import Tokens

from .conftest import SECRET, STAFF


def token(user, *roles):
    return Tokens(SECRET).mint(user, list(roles), 3_600)


class Writer:
    """A stock client that does as it is told."""

    def __init__(self, world, url, user="ana", document="tour_paris", roles=("staff",)):
        self.commands = world.folder / f"commands-{len(world.started)}"
        self.running = world.node(
            "edit.mjs", f"{url}documents", document, token(user, *roles), user, str(self.commands)
        )

    def do(self, **command):
        with self.commands.open("a") as file:
            file.write(json.dumps(command) + "\n")

    @property
    def seen(self):
        return (self.running.printed() or [{"text": None, "synced": False, "people": [], "closed": None}])[-1]

    @property
    def text(self):
        return self.seen["text"]


def edit(api, value, document="tour_paris", **more):
    body = {"changes": {"field": "description", "value": value}, **more}
    return api.post(f"/api/documents/{document}/edits", json=body, headers=STAFF)


def description(api, document="tour_paris"):
    fields = api.get(f"/api/documents/{document}", headers=STAFF).json()["fields"]
    return fields["description"]["value"] if "description" in fields else None


async def test_two_who_open_a_new_document_at_once_and_an_edit_meet_in_one_text(world, tmp_path, eventually):
    _, api, url = world.serve(tmp_path / "data")
    ana, bob = Writer(world, url, "ana"), Writer(world, url, "bob")
    ana.do(append="A")
    bob.do(append="B")
    await eventually(lambda: ana.seen["synced"] and bob.seen["synced"])
    await eventually(lambda: len(ana.text) == 2 and ana.text == bob.text)
    await eventually(lambda: ana.seen["people"] == bob.seen["people"] == ["ana", "bob"])
    await eventually(lambda: ana.seen["allSaved"] and bob.seen["allSaved"])

    assert edit(api, "A red boat 😀 floats").status_code == 200
    await eventually(lambda: ana.text == bob.text == "A red boat 😀 floats")
    ana.do(insert=[len("A red boat 😀 ") + 1, "gently "])
    await eventually(lambda: bob.text == "A red boat 😀 gently floats")
    await eventually(lambda: description(api) == "A red boat 😀 gently floats")

    bob.do(leave=True)
    await eventually(lambda: ana.seen["people"] == ["ana"])


@pytest.mark.parametrize(("roles", "code"), [((), 4403), (None, 4401)])
async def test_who_may_not_edit_is_told_so_and_does_not_come_back(world, tmp_path, eventually, roles, code):
    _, _, url = world.serve(tmp_path / "data")
    writer = Writer(world, url, roles=roles or ())
    if roles is None:
        writer.running.kill()
        writer.running = world.node(
            "edit.mjs", f"{url}documents", "doc", "nonsense", "x", str(writer.commands)
        )
    await eventually(lambda: writer.seen["closed"] == code)


async def test_what_was_typed_survives_the_death_of_any_process(world, postgres_url, amqp_url, eventually):
    """kill -9 of a gateway and of the tour service while three people type on two gateways."""
    ports = [world.free_port(), world.free_port()]
    tours, api = world.tours(postgres_url, amqp_url, ports[0])
    first, url = world.gateway(amqp_url, api, "--gateway-id", "first")
    _, other = world.gateway(amqp_url, api, "--gateway-id", "second")
    port = url.rpartition(":")[2].rstrip("/")
    writers = [Writer(world, url, "ana"), Writer(world, other, "bob"), Writer(world, other, "cid")]
    await eventually(lambda: all(w.seen["synced"] for w in writers))
    await eventually(lambda: all(w.seen["people"] == ["ana", "bob", "cid"] for w in writers))
    for number, writer in enumerate(writers):
        writer.do(type=[150, 40, 1_000 + number])
    await eventually(lambda: len(writers[0].text) > 20)

    tours.kill()
    world.tours(postgres_url, amqp_url, ports[0])
    await eventually(lambda: len(writers[0].text) > 60)
    first.kill()
    # Nobody of the dead gateway is seen at the other after a while.
    again = world.seatcast(
        "gateway", "--port", port, "--http-port", str(world.free_port()), "--broker-url", amqp_url,
        "--tours-url", str(api.base_url), "--gateway-id", "first",
    )  # fmt: skip
    again.line("Gateway is listening")

    def same():
        texts = {writer.text for writer in writers}
        return len(texts) == 1 and all(w.seen["allSaved"] and w.seen["synced"] for w in writers)

    edit(api, writers[0].text + " the end")
    await eventually(lambda: not any(writer.seen["typing"] for writer in writers), timeout=60)
    await eventually(lambda: same() and description(api) == writers[0].text, timeout=60, every=0.2)
    for writer in writers:
        writer.do(append="!")
    await eventually(lambda: same() and writers[0].text.count("!") == 3, timeout=30)
    assert description(api) == writers[0].text
    newcomer = Writer(world, other, "dan")
    await eventually(lambda: newcomer.text == writers[0].text)


async def test_people_of_a_dead_gateway_are_not_seen_any_more(world, postgres_url, amqp_url, eventually):
    _, api = world.tours(postgres_url, amqp_url)
    first, url = world.gateway(amqp_url, api)
    _, other = world.gateway(amqp_url, api)
    ana, bob = Writer(world, url, "ana"), Writer(world, other, "bob")
    await eventually(lambda: ana.seen["people"] == bob.seen["people"] == ["ana", "bob"])
    first.kill()
    await eventually(lambda: bob.seen["people"] == ["bob"], timeout=20)


class Follower:
    """The main socket, in order."""

    def __init__(self, socket):
        self.socket, self.frames = socket, []

    async def send(self, **frame):
        await self.socket.send(json.dumps(frame))

    async def until(self, type, predicate=lambda frame: True, seconds=20):
        async with asyncio.timeout(seconds):
            while True:
                for frame in self.frames:
                    if frame["type"] == type and predicate(frame):
                        return frame
                self.frames.append(json.loads(await self.socket.recv()))

    def edits(self):
        return [frame for frame in self.frames if frame["type"] == "DOCUMENT_EDIT"]


async def test_edits_and_descriptions_cross_gateways_and_survive_the_broker(
    world, postgres_url, private_rabbitmq, create_tour
):
    """The author has his edit back, everybody else sees it, a late one is refused, and an outage hides nothing."""
    _, api = world.tours(postgres_url, private_rabbitmq.url)
    create_tour(api, "tour_paris", 5)
    urls = [world.gateway(private_rabbitmq.url, api)[1] for _ in range(2)]
    query = f"?tours=tour_paris&token={token('ana', 'staff')}"
    async with connect(urls[0] + query) as first, connect(urls[1] + query) as second:
        ana, bob = Follower(first), Follower(second)
        for one in (ana, bob):
            await one.send(type="SUBSCRIBE", channel="document:tour_paris")
            await one.until("SUBSCRIBED")
        changes = {"field": "description", "value": "Paris by night"}
        await ana.send(type="DOCUMENT_EDIT", documentId="tour_paris", changes=changes, id="e1")
        mine = await ana.until("DOCUMENT_EDIT")
        assert (mine["id"], mine["version"], mine["changes"]) == ("e1", 1, changes)
        assert (await bob.until("DOCUMENT_EDIT"))["version"] == 1
        assert (await bob.until("TOUR_DESCRIPTION"))["description"] == "Paris by night"

        late = {"field": "description", "value": "Paris by day"}
        await bob.send(type="DOCUMENT_EDIT", documentId="tour_paris", changes=late, baseVersion=0, id="e2")
        error = await bob.until("ERROR")
        assert (error["code"], error["id"]) == ("CONFLICT", "e2")
        assert (error["details"]["value"], error["details"]["version"]) == ("Paris by night", 1)
        # Again with the same mark, as after an answer that was lost: the same edit, once.
        await ana.send(type="DOCUMENT_EDIT", documentId="tour_paris", changes=changes, id="e1")
        await ana.until("DOCUMENT_EDIT", lambda frame: len(ana.edits()) == 2)
        assert ana.edits()[1]["version"] == 1

        private_rabbitmq.kill()
        for number in range(3):
            assert edit(api, f"Paris {number}").status_code == 200
        await asyncio.to_thread(private_rabbitmq.start)
        for one in (ana, bob):
            last = await one.until("DOCUMENT_EDIT", lambda frame: frame["version"] == 4, seconds=60)
            assert last["changes"]["value"] == "Paris 2"
            await one.until("TOUR_DESCRIPTION", lambda frame: frame["version"] == 4, seconds=60)
        versions = [frame["version"] for frame in bob.edits()]
        assert versions == sorted(set(versions))


def test_documents_need_a_tour_service(world, amqp_url):
    """A gateway without one says no at the handshake."""
    _, url = world.gateway(amqp_url, None)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    answer = httpx.get(f"{url.replace('ws', 'http')}documents/doc", headers=upgrade)
    assert answer.status_code == 403
