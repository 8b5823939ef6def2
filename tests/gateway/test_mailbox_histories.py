"""Random histories of one stream: every connection is told each message once and in order, from its start on.

Two gateways, whose broker repeats, reorders and loses; a tour service whose answers come late; people who come, go, and
come back with the last message they had. At the end everything settles, and everybody who is there knows everything.
"""

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from seatcast.gateway.mailbox import Letter
from seatcast.gateway.mailboxes import Mailboxes
from seatcast.wire_events import BookingConfirmedEvent

USER = "alice"
PAGE = 3


def message(seq):
    return BookingConfirmedEvent(
        event_id=f"e{seq}", user_id=USER, booking_id="b", tour_name="t", timestamp="now", message_id=f"m{seq}", seq=seq
    )  # fmt: skip


class Connection:
    """`since`: the number of the message that it comes with; `begun`: of the newest there was when it came."""

    def __init__(self, gateway, person, since, begun):
        self.gateway, self.person, self.since, self.begun = gateway, person, since, begun
        self.catching_up = since is not None
        self.told = []

    def tell(self, seq):
        assert not self.catching_up
        self.told.append(seq)
        self.person.last = seq


class Person:
    last = None


class Gateway:
    """A gateway's mailboxes, what the broker has for it, and what it reads."""

    def __init__(self, world):
        self.world = world
        self.mailboxes = Mailboxes(self, lambda: world.time)
        self.subscribed = True
        self.on_its_way = []
        self.asking = []
        # Begun, with what the database had then, and not answered yet.
        self.reading = []
        self.catching_up = []

    def tell(self, stream, followers, event):
        assert stream == USER
        for connection in followers:
            connection.tell(event.seq)

    def ask(self, mailbox):
        assert mailbox not in self.asking
        self.asking.append(mailbox)

    def deliver(self, place):
        if self.on_its_way:
            event = self.on_its_way.pop(place % len(self.on_its_way))
            self.mailboxes.take(USER, event.seq, event)

    def begin_reading(self):
        if self.asking:
            mailbox = self.asking.pop(0)
            self.reading.append((mailbox, mailbox.place, self.world.read(mailbox.place)))

    def finish_reading(self):
        if self.reading:
            mailbox, place, (letters, head, more) = self.reading.pop(0)
            mailbox.read(place, letters, head, more=more)
            if more:
                self.reading.append((mailbox, mailbox.place, self.world.read(mailbox.place)))

    def finish_catching_up(self, *, readable):
        if self.catching_up:
            connection, letters, head = self.catching_up.pop(0)
            if connection not in self.mailboxes.followers(USER):
                return
            if not readable:
                letters, head = [], None
            late, whole = self.mailboxes[USER].caught_up(connection, letters, head)
            connection.catching_up = False
            if not whole:
                connection.since = None
            for letter in late:
                connection.tell(letter.seq)


class World:
    def __init__(self, *, orderly):
        self.orderly = orderly
        self.time = 0
        self.stored = []
        self.gateways = [Gateway(self), Gateway(self)]
        self.people = [Person() for _ in range(3)]
        self.here = []
        self.gone = []

    def read(self, place):
        after = 0 if place.seq is None else place.seq
        letters = [
            Letter(seq, message(seq))
            for seq, time in enumerate(self.stored, 1)
            if seq > after and (place.seq is not None or time > place.moment)
        ]
        return letters[:PAGE], len(self.stored), len(letters) > PAGE

    # What happens

    def send(self, choice):
        self.stored.append(self.time)
        for gateway in self.gateways:
            if gateway.subscribed:
                gateway.on_its_way.append(message(len(self.stored)))

    def arrive(self, choice):
        self.gateways[choice % 2].deliver(0 if self.orderly else choice // 2)

    def repeat(self, choice):
        """Old ones come again, also such as came before somebody did."""
        gateway = self.gateways[choice % 2]
        if self.stored and gateway.subscribed:
            seq = 1 + choice // 2 % len(self.stored)
            if not (self.orderly and any(event.seq <= seq for event in gateway.on_its_way)):
                event = message(seq)
                gateway.mailboxes.take(USER, seq, event) if self.heard(gateway, seq) else None

    def heard(self, gateway, seq):
        """Repeats are of what came to everybody here: else they are no repeats."""
        position = gateway.mailboxes[USER].position if len(gateway.mailboxes) else None
        return position is not None or not self.orderly

    def lose(self, choice):
        gateway = self.gateways[choice % 2]
        if self.orderly:
            self.break_off(choice)
        elif gateway.on_its_way:
            gateway.on_its_way.pop(choice // 2 % len(gateway.on_its_way))

    def break_off(self, choice):
        gateway = self.gateways[choice % 2]
        gateway.subscribed = False
        gateway.on_its_way.clear()

    def subscribe(self, choice):
        gateway = self.gateways[choice % 2]
        gateway.subscribed = True
        gateway.mailboxes.doubt()

    def come(self, choice):
        gateway, person = self.gateways[choice % 2], self.people[choice // 2 % 3]
        since = person.last if choice // 6 % 3 else None
        connection = Connection(gateway, person, since, len(self.stored))
        gateway.mailboxes.join(connection, USER, catching_up=since is not None)
        self.here.append(connection)
        if since is not None:
            letters = [Letter(seq, message(seq)) for seq in range(since + 1, len(self.stored) + 1)]
            gateway.catching_up.append((connection, letters, len(self.stored)))

    def go(self, choice):
        if self.here:
            connection = self.here.pop(choice % len(self.here))
            connection.gateway.mailboxes.leave(connection, USER)
            self.gone.append(connection)

    def begin_reading(self, choice):
        self.gateways[choice % 2].begin_reading()

    def finish_reading(self, choice):
        self.gateways[choice % 2].finish_reading()

    def finish_catching_up(self, choice):
        self.gateways[choice % 2].finish_catching_up(readable=choice // 2 % 5 != 0)

    def settle(self):
        for number, gateway in enumerate(self.gateways):
            while gateway.catching_up:
                gateway.finish_catching_up(readable=True)
            while gateway.on_its_way:
                gateway.deliver(0)
            self.subscribe(number)
            while gateway.asking or gateway.reading:
                gateway.begin_reading()
                gateway.finish_reading()

    # What is promised

    def check(self):
        head = len(self.stored)
        for connection in self.here + self.gone:
            told = connection.told
            assert told == list(range(told[0], told[0] + len(told))) if told else True
            if connection.since is not None and told:
                assert told[0] == connection.since + 1
        for connection in self.here:
            start = connection.begun if connection.since is None else connection.since
            if head > start:
                # Of what is out of order or lost before a first one was told, the first one is the start.
                assert connection.told, connection.gateway.mailboxes[USER].place
                assert connection.told[-1] == head
                if self.orderly:
                    assert connection.told[0] <= start + 1


HAPPENINGS = [
    "send", "send", "send", "arrive", "arrive", "arrive", "arrive", "repeat", "lose", "break_off", "subscribe", "come",
    "come", "go", "begin_reading", "finish_reading", "finish_catching_up",
]  # fmt: skip
HISTORIES = st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 359)), min_size=30, max_size=90)


@pytest.mark.parametrize("orderly", [True, False], ids=["in order", "out of order"])
@given(history=HISTORIES)
@settings(max_examples=500, deadline=None)
def test_every_connection_is_told_everything_once_and_in_order(orderly, history):
    world = World(orderly=orderly)
    note(str(history))
    for what, choice in history:
        world.time += 1
        getattr(world, what)(choice)
    world.time += 1
    world.settle()
    world.check()
    for connection in world.here:
        connection.gateway.mailboxes.leave(connection, USER)
    assert not any(len(gateway.mailboxes) for gateway in world.gateways)
