"""Shared documents: one order for everybody, nothing lost, whoever stores and however often it is tried."""

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pycrdt import Doc, Text

from seatcast import wire_events
from seatcast.domain import (
    MAX_UPDATE_BYTES,
    DocumentConflict,
    DocumentTooLarge,
)
from seatcast.tours import document_memory
from seatcast.tours import documents as module
from seatcast.tours.database import open_database
from seatcast.tours.document_changes import Part
from seatcast.tours.documents import Documents
from seatcast.tours.migrate import migrate

from .test_replica import typed


class Desk:
    """Documents on a database, and what they told."""

    def __init__(self, database):
        self.events = []
        self.documents = Documents(database, "epoch", self.told)
        self.database = database

    def told(self, rows):
        self.events += [wire_events.decode_event(row.routing_key, row.payload.encode()) for row in rows]

    async def text(self, field="description", document="doc"):
        _, fields = await self.documents.read(document)
        return {row.field: row.value for row in fields}.get(field)

    async def doc(self, document="doc"):
        """The document as somebody new reads it."""
        _head, updates = await self.documents.updates(document, 0)
        made = Doc()
        for update in updates:
            made.apply_update(update)
        return made

    async def add(self, *parts, document="doc"):
        return await self.documents.add(document, [Part(user, update) for user, update in parts])

    async def edit(self, value, field="description", *, user="olga", document="doc", **more):
        return await self.documents.edit(document, user, field, value, **more)


@asynccontextmanager
async def opened(url):
    async with open_database(url) as database:
        yield Desk(database)


@pytest.fixture
async def desk(clean_url):
    await migrate(clean_url)
    async with opened(clean_url) as made:
        yield made


async def test_what_is_typed_is_stored_told_and_read_again(desk):
    writer = Doc()
    stored = await desk.add(("ana", typed(writer, 0, "Paris")))
    assert (stored.head, stored.refused) == (1, {})
    assert await desk.text() == "Paris"
    assert str((await desk.doc()).get("description", type=Text)) == "Paris"
    updated, edited = desk.events
    assert (updated.document_id, updated.seq, updated.epoch) == ("doc", 1, "epoch")
    assert (edited.user_id, edited.changes.field, edited.changes.value) == ("ana", "description", "Paris")
    assert edited.version == 1
    other = Doc()
    other.apply_update(updated.update)
    assert str(other.get("description", type=Text)) == "Paris"


async def test_a_document_that_nobody_has_written_to_is_empty(desk):
    row, fields = await desk.documents.read("new")
    assert (row.head, row.version, fields) == (0, 0, [])
    assert await desk.documents.updates("new", 0) == (0, [])


async def test_people_who_open_a_new_document_at_once_all_find_their_text_in_it(desk):
    updates = [typed(Doc(), 0, letter) for letter in "abcde"]
    await asyncio.gather(*(desk.add((letter, u)) for letter, u in zip("abcde", updates, strict=True)))
    assert sorted(await desk.text()) == list("abcde")


async def test_an_edit_and_typing_meet_in_one_text(desk):
    writer = Doc()
    await desk.add(("ana", typed(writer, 0, "A red boat.")))
    typing = typed(writer, 11, " It floats.")
    edited = await desk.edit("A blue boat.")
    await desk.add(("ana", typing))
    assert await desk.text() == "A blue boat. It floats."
    assert [e.version for e in desk.events if isinstance(e, wire_events.DocumentEdited)] == [1, 2, 3]
    assert (edited.version, edited.repeated) == (2, False)


async def test_an_edit_of_what_somebody_changed_meanwhile_is_refused_with_what_it_says_now(desk):
    first = await desk.edit("one")
    await desk.edit("two", user="ana", base_version=first.version)
    before = list(desk.events)
    with pytest.raises(DocumentConflict) as refused:
        await desk.edit("three", base_version=first.version)
    assert refused.value.details == {"field": "description", "value": "two", "version": 2}
    assert (await desk.text(), desk.events) == ("two", before)
    # Another field's change is no conflict.
    await desk.edit("a title", "title", base_version=first.version)
    await desk.edit("three", base_version=2)
    assert await desk.text() == "three"


async def test_an_edit_that_is_sent_again_is_done_once(desk):
    done = await desk.edit("one", mark="e1")
    await desk.edit("two", user="ana", mark="e1")
    again = await desk.edit("one", mark="e1", base_version=0)
    assert (again.version, again.timestamp, again.repeated) == (done.version, done.timestamp, True)
    assert await desk.text() == "two"
    assert not (await desk.edit("three", mark=1)).repeated
    assert not (await desk.edit("four", mark="1")).repeated


async def test_an_edit_that_changes_nothing_has_its_place_in_the_order_all_the_same(desk):
    await desk.edit("one")
    again = await desk.edit("one", user="ana")
    assert again.version == 2
    assert [type(event) for event in desk.events[2:]] == [wire_events.DocumentEdited]


async def test_what_is_known_already_is_not_stored_again(desk):
    update = typed(Doc(), 0, "one")
    await desk.add(("ana", update))
    assert (await desk.add(("bob", update), ("bob", b"\0\0"))).head == 1
    assert len(desk.events) == 2


async def test_one_bad_change_does_not_take_the_others_with_it(desk):
    writer, late = Doc(), Doc()
    typed(late, 0, "missing")
    stored = await desk.add(
        ("ana", typed(writer, 0, "a")),
        ("bob", b"junk"),
        ("eve", typed(late, 0, "without its ground")),
        ("eve", typed(Doc(), 0, "x" * (MAX_UPDATE_BYTES + 1))),
        ("eve", typed(Doc(), 0, "y" * 40_000)),
        ("ana", typed(writer, 1, "b")),
    )
    assert {index: error.code for index, error in stored.refused.items()} == {
        1: "DOCUMENT_UPDATE_INVALID",
        2: "DOCUMENT_UPDATE_INCOMPLETE",
        3: "DOCUMENT_TOO_LARGE",
        4: "DOCUMENT_TOO_LARGE",
    }
    assert await desk.text() == "ab"
    assert str((await desk.doc()).get("description", type=Text)) == "ab"
    assert (await desk.add(("ana", typed(writer, 2, "c")))).head == 2
    assert await desk.text() == "abc"


async def test_a_value_past_its_bound_is_refused(desk):
    with pytest.raises(DocumentTooLarge):
        await desk.edit("é" * 20_000)
    assert await desk.text() is None


async def test_a_document_past_its_bound_is_refused_and_what_is_deleted_counts_no_more(desk, monkeypatch):
    monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", 100_000)
    for number in range(3):
        await desk.edit("x" * 30_000, f"field_{number}")
    with pytest.raises(DocumentTooLarge):
        await desk.edit("x" * 30_000, "field_3")
    assert await desk.text("field_3") is None
    await desk.edit("", "field_0")
    await desk.edit("x" * 30_000, "field_3")
    assert len(await desk.text("field_3")) == 30_000


async def test_many_updates_become_one_and_say_the_same(desk, monkeypatch):
    monkeypatch.setattr(module, "COMPACT_AFTER", 10)
    writer = Doc()
    follower = Doc()
    at = 0
    for number in range(35):
        await desk.add(("ana", typed(writer, number, chr(97 + number % 26))))
        if number % 7 == 0:
            # Somebody who reads now and then: what he has is a compacted document, or not, or older than that.
            head, updates = await desk.documents.updates("doc", at)
            for update in updates:
                follower.apply_update(update)
            at = head
            assert str(follower.get("description", type=Text)) == await desk.text()
    _, updates = await desk.documents.updates("doc", 0)
    assert len(updates) == 6
    assert str((await desk.doc()).get("description", type=Text)) == await desk.text()


async def test_what_could_not_be_committed_is_not_remembered_either(desk, monkeypatch):
    await desk.edit("one")

    async def broken(*_):
        raise OSError("the disk is full")

    with monkeypatch.context() as broken_store:
        for way in ("append", "append_at_once"):
            broken_store.setattr(module.store, way, broken)
        with pytest.raises(OSError, match="disk"):
            await desk.edit("two")
    assert await desk.text() == "one"
    await desk.edit("one more")
    assert str((await desk.doc()).get("description", type=Text)) == "one more"
    assert [e.seq for e in desk.events if isinstance(e, wire_events.DocumentUpdated)] == [1, 2]


async def test_only_so_many_documents_are_kept_in_memory(desk, monkeypatch):
    monkeypatch.setattr(document_memory, "MAX_REPLICAS", 3)
    for number in range(10):
        await desk.edit("one", document=f"doc_{number}")
        assert len(desk.documents._memory) <= 3
    await desk.edit("one two", document="doc_0")
    assert await desk.text(document="doc_0") == "one two"

    monkeypatch.setattr(document_memory, "MAX_REPLICA_BYTES", 1_000)
    await desk.edit("long " * 300, document="doc_1")
    assert "doc_0" not in desk.documents._memory


@pytest.mark.parametrize("seed", range(3))
async def test_several_services_and_histories_of_both_kinds_make_one_document(clean_url, seed, monkeypatch):
    """Random typing and edits through two services at once, with compaction, resends and restarts."""
    monkeypatch.setattr(module, "COMPACT_AFTER", 7)
    choice = random.Random(seed)
    await migrate(clean_url)
    async with AsyncExitStack() as stack:
        # SQLite is one process's: there, the second service is one with nothing in memory.
        database = await stack.enter_async_context(open_database(clean_url))
        other = database
        if database.postgresql:
            other = await stack.enter_async_context(open_database(clean_url))
        desks = [Desk(database), Desk(other)]
        clients = [Doc() for _ in range(4)]
        synced = [0] * 4
        unsent = [[] for _ in range(4)]

        def write(number):
            doc = clients[number]
            text = doc.get("description", type=Text)
            before = doc.get_state()
            at = choice.randrange(len(text) + 1)
            if len(text) and choice.random() < 0.3:
                del text[max(0, at - 2) : at]
            else:
                text.insert(at, choice.choice("abcdef "))
            unsent[number].append(doc.get_update(before))

        async def send(number):
            batch, unsent[number] = unsent[number], []
            if batch:
                desk = choice.choice(desks)
                stored = await desk.add(*((f"u{number}", update) for update in batch))
                assert not stored.refused
                if choice.random() < 0.3:
                    await choice.choice(desks).add(*((f"u{number}", update) for update in batch))

        async def read(number):
            head, updates = await choice.choice(desks).documents.updates("doc", synced[number])
            for update in updates:
                clients[number].apply_update(update)
            synced[number] = head

        for step in range(60):
            for number in range(4):
                if choice.random() < 0.6:
                    write(number)
            work = [send(number) for number in range(4) if choice.random() < 0.5]
            if choice.random() < 0.2:
                work.append(choice.choice(desks).edit(f"set {step}", mark=step))
            await asyncio.gather(*work)
            if choice.random() < 0.3:
                await read(choice.randrange(4))
            if choice.random() < 0.05:
                desks[choice.randrange(2)].documents._memory.clear()
        for number in range(4):
            await send(number)
        for number in range(4):
            await read(number)
        texts = {str(doc.get("description", type=Text)) for doc in clients}
        assert texts == {await desks[0].text()}
        events = sorted(
            (e for desk in desks for e in desk.events if isinstance(e, wire_events.DocumentUpdated)),
            key=lambda e: e.seq,
        )
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
        told = Doc()
        for event in events:
            told.apply_update(event.update)
        assert {str(told.get("description", type=Text))} == texts
        edits = [e for desk in desks for e in desk.events if isinstance(e, wire_events.DocumentEdited)]
        assert sorted(e.version for e in edits) == list(range(1, len(edits) + 1))
        assert {max(edits, key=lambda e: e.version).changes.value} == texts
