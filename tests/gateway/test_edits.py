"""Edits reach who follows a document's channel: each once, in order, and what was missed is found out."""

import asyncio
import json

import httpx
import pytest

from seatcast.gateway.channels import Channels, document_channel
from seatcast.gateway.edits import Edits
from seatcast.rest_documents import Document, DocumentField
from seatcast.wire_documents import FieldChange
from seatcast.wire_events import DocumentEdited


class Follower:
    """A connection and its session in one."""

    def __init__(self):
        self.session, self.token = self, "t"


def edited(version, value="x", field="title", document="doc"):
    return DocumentEdited(
        event_id="e", document_id=document, user_id="olga", changes=FieldChange(field, value),
        timestamp="2026-06-01T10:00:00.000Z", version=version,
    )  # fmt: skip


def document(**fields):
    stand = {
        name: DocumentField(value, version, "ana", "2026-06-01T10:00:00.000Z")
        for name, (value, version) in fields.items()
    }
    newest = max((field.version for field in stand.values()), default=0)
    return Document(id="doc", version=newest, head=newest, epoch="e1", fields=stand)


class World:
    """A gateway's edits, with a tour service that answers as the test says."""

    def __init__(self):
        self.told, self.read, self.tasks = [], [], set()
        self.answers = []
        self.channels = Channels(lambda followers, kind, frame: self.told.append((kind, frame)))
        self.edits = Edits(self.channels, self.answer, self.begin)

    async def answer(self, id, token):
        self.read.append((id, token))
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def begin(self, work, name):
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def settled(self):
        async with asyncio.timeout(5):
            while self.tasks:
                await asyncio.sleep(0.005)

    def follow(self, id="doc"):
        self.channels.follow(Follower(), document_channel(id))

    @property
    def seen(self):
        frames = [json.loads(frame[frame.index(b"{") :]) for _, frame in self.told]
        return [(frame["version"], frame["changes"]["value"]) for frame in frames]


@pytest.fixture
def world():
    return World()


async def test_each_is_told_once_and_never_in_place_of_another(world):
    world.follow()
    for version in (4, 5, 5, 4, 6):
        world.edits.take(edited(version, f"v{version}"))
    assert world.seen == [(4, "v4"), (5, "v5"), (6, "v6")]
    assert {kind for kind, _ in world.told} == {None}
    assert world.read == []


async def test_nobody_is_told_of_what_nobody_follows(world):
    world.edits.take(edited(4))
    world.follow("other")
    world.edits.take(edited(5))
    assert world.told == []


async def test_what_was_missed_is_read_with_a_followers_token_and_told_as_it_is_now(world):
    world.follow()
    world.edits.take(edited(4, "v4"))
    world.answers = [document(title=("v7", 7), text=("v6", 6), old=("v3", 3))]
    world.edits.take(edited(7, "v7"))
    await world.settled()
    assert world.read == [("doc", "t")]
    assert world.seen == [(4, "v4"), (6, "v6"), (7, "v7")]
    world.edits.take(edited(7, "v7"))
    world.edits.take(edited(8, "v8"))
    assert world.seen[-1] == (8, "v8")


async def test_what_comes_while_it_is_read_is_not_told_too_early(world):
    world.follow()
    world.edits.take(edited(1, "v1"))

    def meanwhile():
        world.edits.take(edited(4, "v4"))
        return document(title=("v3", 3))

    world.answers = [meanwhile, document(title=("v4", 4))]
    world.edits.take(edited(3, "v3"))
    await world.settled()
    assert world.seen == [(1, "v1"), (3, "v3"), (4, "v4")]


async def test_a_tour_service_that_is_away_is_asked_again(world, monkeypatch):
    monkeypatch.setattr("seatcast.gateway.edits.PAUSE_SECONDS", 0.01)
    world.follow()
    world.edits.take(edited(1, "v1"))
    world.answers = [httpx.ConnectError("away"), ValueError("answered 503"), document(title=("v3", 3))]
    world.edits.resubscribed()
    await world.settled()
    assert world.seen == [(1, "v1"), (3, "v3")]


async def test_versions_of_a_restored_database_count_anew(world):
    world.follow()
    world.edits.take(edited(9, "v9"))
    world.answers = [document(title=("v2", 2))]
    world.edits.resubscribed()
    await world.settled()
    world.edits.take(edited(3, "v3"))
    assert world.seen == [(9, "v9"), (2, "v2"), (3, "v3")]
