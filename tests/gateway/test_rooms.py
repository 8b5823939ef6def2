"""A room: nobody is told what is not stored, everybody is told all that is, whatever gets lost on the way."""

import random

import pytest
from pycrdt import Doc, Text

from seatcast import yjs
from seatcast.gateway import rooms, unsaved
from seatcast.gateway.rooms import SAVED, Room
from seatcast.yjs import Kind, Sync


class Client:
    """A stock client as far as a room can tell, with a network that holds messages back."""

    def __init__(self, name="ana", counts=False, doc=None):
        self.token, self.counts = name, counts
        self.doc = doc or Doc()
        self.text = self.doc.get("description", type=Text)
        self.inbox, self.closed, self.synced = [], None, False
        self.saved, self.sent = None, 0
        self.people = {}
        self.room = None

    # As the room's peer

    def send(self, message):
        self.inbox.append(message)

    mention = send

    def close(self, code, reason):
        self.closed = code
        self.room.leave(self)

    # As a client

    def enter(self, room):
        self.room, self.closed, self.synced, self.inbox = room, None, False, []
        self.saved, self.sent = None, 0
        room.join(self)
        room.receive(self, yjs.sync_message(Sync.STEP_1, self.doc.get_state()))
        return self

    def type(self, text, at=0):
        before = self.doc.get_state()
        self.text.insert(at, text)
        self.sent += 1
        self.room.receive(self, yjs.sync_message(Sync.UPDATE, self.doc.get_update(before)))

    def read(self):
        """Act on what has arrived."""
        inbox, self.inbox = self.inbox, []
        for message in inbox:
            kind, at = yjs.read_varuint(message, 0)
            if kind == SAVED:
                self.saved = yjs.read_varuint(message, at)[0]
            elif kind == Kind.SYNC:
                data = yjs.read_sized(message, at + 1)[0]
                if message[at] == Sync.STEP_1:
                    answer = yjs.sync_message(Sync.STEP_2, self.doc.get_update(data))
                    self.room.receive(self, answer)
                else:
                    self.doc.apply_update(data)
                    self.synced |= message[at] == Sync.STEP_2
            elif kind == Kind.AWARENESS:
                for one in yjs.read_awareness(yjs.read_sized(message, at)[0]):
                    self.people[one.client] = one.state


class Service:
    """What the tour service and the broker do for rooms, as far as they can tell."""

    def __init__(self):
        self.epoch, self.log = "e1", []
        self.rooms = []

    def room(self):
        self.rooms.append(Room("doc", lambda: None))
        return self.rooms[-1]

    def store(self, room, heard=None):
        """Store what waits in a room; the event reaches `heard`, all of them if None."""
        parts = room.take()
        stored = Doc()
        for update in self.log:
            stored.apply_update(update)
        before = stored.get_state()
        refused = {}
        for index, part in enumerate(parts):
            test = Doc()
            test.apply_update(stored.get_update())
            test.apply_update(part.update)
            if yjs.whole(part.update, test.get_state()):
                stored.apply_update(part.update)
            else:
                refused[index] = "DOCUMENT_UPDATE_INCOMPLETE"
        if stored.get_state() != before:
            self.log.append(stored.get_update(before))
            for one in self.rooms if heard is None else heard:
                one.stored(self.epoch, len(self.log), self.log[-1])
        room.settle(parts, refused)
        return parts

    def answer(self, room):
        """Have a room read what it lacks."""
        if room.behind:
            head = room.head or 0
            assert room.read(self.epoch, len(self.log), self.log[head:], room.doubts)


@pytest.fixture
def service():
    return Service()


def settled(service, *clients):
    """Let everything arrive that is under way."""
    for _ in range(20):
        for client in clients:
            client.read()
        for room in service.rooms:
            service.answer(room)
            if room.unsaved:
                service.store(room)


def texts(*clients):
    return {str(client.text) for client in clients}


def test_two_who_come_into_a_new_document_at_once_both_work(service):
    room = service.room()
    ana, bob = Client("ana").enter(room), Client("bob").enter(room)
    assert ana.inbox == bob.inbox == []  # nothing is known yet
    settled(service, ana, bob)
    assert ana.synced
    assert bob.synced
    ana.type("A")
    bob.type("B")
    settled(service, ana, bob)
    assert texts(ana, bob) in ({"AB"}, {"BA"})


def test_what_is_typed_before_the_document_was_read_is_not_lost(service):
    room = service.room()
    ana = Client("ana").enter(room)
    ana.type("early")
    settled(service, ana)
    bob = Client("bob").enter(room)
    settled(service, ana, bob)
    assert texts(ana, bob) == {"early"}


def test_nobody_is_told_what_is_not_stored(service):
    room = service.room()
    ana, bob = Client("ana", counts=True).enter(room), Client("bob").enter(room)
    settled(service, ana, bob)
    ana.type("A")
    bob.read()
    assert texts(bob) == {""}
    parts = room.take()
    assert not room.unsaved
    bob.read()
    ana.read()
    assert (texts(bob), ana.saved) == ({""}, 0)
    room.put_back(parts)
    assert room.unsaved
    settled(service, ana, bob)
    assert (texts(ana, bob), ana.saved) == ({"A"}, 1)


def test_a_client_is_told_how_much_of_what_it_brought_is_stored(service):
    room = service.room()
    ana = Client("ana", counts=True).enter(room)
    settled(service, ana)
    for number in range(3):
        ana.type("x")
        assert ana.saved == number
        settled(service, ana)
        assert ana.saved == ana.sent == number + 1
    assert not any(message[0] == SAVED for message in Client("bob").enter(room).inbox)


def test_what_is_sent_again_goes_before_what_came_since(service):
    room = service.room()
    ana = Client("ana", counts=True).enter(room)
    settled(service, ana)
    ana.type("1")
    parts = room.take()
    ana.type("2")
    room.put_back(parts)
    settled(service, ana)
    assert (ana.saved, len(service.log)) == (2, 1)


def test_what_one_brought_who_left_is_stored(service):
    room = service.room()
    ana = Client("ana").enter(room)
    settled(service, ana)
    ana.type("A")
    room.leave(ana)
    assert room.unsaved
    bob = Client("bob").enter(room)
    settled(service, bob)
    assert texts(bob) == {"A"}
    assert not room.unsaved


def test_an_update_that_was_not_heard_of_is_read(service):
    here, there = service.room(), service.room()
    ana, bob = Client("ana").enter(here), Client("bob").enter(there)
    settled(service, ana, bob)
    ana.type("1")
    service.store(here, heard=[here])
    ana.type("2", 1)
    service.store(here)
    assert there.behind
    bob.read()
    assert texts(bob) == {""}
    settled(service, ana, bob)
    assert texts(ana, bob) == {"12"}


def test_a_doubt_during_a_reading_asks_for_another(service):
    room = service.room()
    ana = Client("ana").enter(room)
    doubts = room.doubts
    room.doubt()
    room.read("e1", 0, [], doubts)
    assert room.behind
    settled(service, ana)
    assert not room.behind


def test_the_same_update_twice_is_told_once(service):
    room = service.room()
    ana, bob = Client("ana").enter(room), Client("bob").enter(room)
    settled(service, ana, bob)
    ana.type("A")
    service.store(room)
    bob.read()
    room.stored("e1", 1, service.log[0])
    assert bob.inbox == []
    assert not room.behind


def test_a_restored_database_is_noticed(service):
    room = service.room()
    ana = Client("ana").enter(room)
    settled(service, ana)
    room.stored("another", 7, b"\0\0")
    assert room.behind
    assert not room.read("another", 7, [], room.doubts)
    room = service.room()
    Client("bob").enter(room)
    assert room.read("e1", 5, [], room.doubts)
    assert not room.read("e1", 4, [], room.doubts)


def test_who_builds_on_what_nobody_has_is_asked_for_it(service):
    """As after a change that came by another way than this socket, or was refused."""
    room = service.room()
    ana = Client("ana").enter(room)
    settled(service, ana)
    ana.text.insert(0, "by another way ")
    ana.type("and by this", len(ana.text))
    settled(service, ana)
    bob = Client("bob").enter(room)
    settled(service, ana, bob)
    assert texts(ana, bob) == {"by another way and by this"}
    assert ana.closed is None


def test_who_always_builds_on_what_nobody_has_is_sent_away(service):
    room = service.room()
    ana = Client("ana").enter(room)
    settled(service, ana)
    for _ in range(rooms.MAX_RESYNCS + 1):
        doc = Doc()
        doc.get("description", type=Text).insert(0, "x")
        before = doc.get_state()
        doc.get("description", type=Text).insert(0, "y")
        room.receive(ana, yjs.sync_message(Sync.STEP_2, doc.get_update(before)))
        service.store(room)
    assert ana.closed == 1013
    assert not room.unsaved


@pytest.mark.parametrize(
    ("code", "closed"),
    [("UNAUTHENTICATED", 4401), ("FORBIDDEN", 4403), ("DOCUMENT_TOO_LARGE", 4413), ("DOCUMENT_UPDATE_INVALID", 4400)],
)  # fmt: skip
def test_who_is_refused_is_told_why_and_the_others_are_not_touched(service, code, closed):
    room = service.room()
    ana, bob = Client("ana").enter(room), Client("bob").enter(room)
    settled(service, ana, bob)
    ana.type("A")
    bob.type("B")
    parts = room.take()
    room.settle(parts, {0: code})
    assert (ana.closed, bob.closed) == (closed, None)


@pytest.mark.parametrize(
    "message",
    [b"", b"\0", b"\0\0", b"\0\2\5ab", b"\0\1\4junk", b"\1\7", b"\xff" * 9, b"\0\0\1\x80", b"\1\2\xff\xff"],
)
def test_what_is_no_message_closes_its_sender_alone(service, message):
    room = service.room()
    ana, bob = Client("ana").enter(room), Client("bob").enter(room)
    settled(service, ana, bob)
    room.receive(ana, message)
    assert (ana.closed, bob.closed) == (4400, None)
    assert list(room.peers) == [bob]


@pytest.mark.parametrize("message", [b"\2\0\0", b"\x64\1", b"\x09whatever", b"\0\7\0"])
def test_messages_of_kinds_that_nobody_knows_are_ignored(service, message):
    room = service.room()
    ana = Client("ana").enter(room)
    settled(service, ana)
    room.receive(ana, message)
    assert ana.closed is None


def test_what_waits_is_bounded(service):
    room = service.room()
    ana = Client("ana").enter(room)
    settled(service, ana)
    while ana.closed is None:
        ana.type("x" * 60_000)
    assert ana.closed == 1013
    size = 0
    while parts := room.take():
        assert all(len(part.update) <= rooms.MAX_UPDATE_BYTES for part in parts)
        size += sum(len(part.update) for part in parts)
    assert 900_000 < size <= unsaved.MAX_UNSAVED_BYTES
    bob = Client("bob").enter(room)
    settled(service, bob)
    bob.type("y" * (rooms.MAX_UPDATE_BYTES + 1))
    assert bob.closed == 4413


@pytest.mark.parametrize("seed", range(25))
def test_whatever_gets_lost_everybody_ends_with_the_same_text(service, seed):
    """Random typing in two rooms, with lost events, failing requests, and people who come and go."""
    choice = random.Random(seed)
    here, there = service.room(), service.room()
    clients = [Client(name, counts=True).enter(choice.choice((here, there))) for name in "abcd"]
    typed = 0
    for _ in range(150):
        client = choice.choice(clients)
        what = choice.random()
        if what < 0.35:
            client.type(choice.choice("klmnop"), choice.randrange(len(str(client.text)) + 1))
            typed += 1
        elif what < 0.55:
            client.read()
        elif what < 0.75:
            service.store(choice.choice((here, there)), choice.choice((None, None, [here], [there], [])))
        elif what < 0.82:
            room = choice.choice((here, there))
            room.put_back(room.take())
        elif what < 0.9:
            service.answer(choice.choice((here, there)))
        elif what < 0.95:
            client.room.leave(client)
            # What it had sent is stored or is not; the client has it in any case.
            client.enter(choice.choice((here, there)))
        else:
            choice.choice((here, there)).doubt()
    for room in (here, there):
        room.doubt()
    settled(service, *clients)
    assert len(texts(*clients)) == 1
    assert len(str(clients[0].text)) == typed
    assert all(client.saved == client.sent for client in clients if client.sent)


def test_updates_that_cannot_be_merged_are_their_senders_trouble_alone(service, monkeypatch):
    room = service.room()
    ana, bob = Client("ana").enter(room), Client("bob").enter(room)
    settled(service, ana, bob)
    ana.type("A")
    ana.type("B")
    bob.type("C")

    def panics(updates):
        raise yjs.InvalidUpdate("an update that cannot be")

    monkeypatch.setattr(unsaved, "merged", panics)
    assert [part.peer for part in room.take()] == [bob]
    assert (ana.closed, bob.closed) == (4400, None)


def test_a_room_that_did_not_read_what_it_missed_would_stay_behind(service, monkeypatch):
    monkeypatch.setattr(Room, "doubt", lambda self: None)
    here, there = service.room(), service.room()
    ana, bob = Client("ana").enter(here), Client("bob").enter(there)
    settled(service, ana, bob)
    ana.type("1")
    service.store(here, heard=[here])
    ana.type("2", 1)
    settled(service, ana, bob)
    assert texts(bob) != texts(ana)
