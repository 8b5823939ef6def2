"""Random histories: several gateways, events lost, repeated and in any order, snapshots read early and joined late,
clients that rarely read, subscriptions changed while something waits, closes, and other databases.

They prove the contract's promises 1 (versions never go back), 2 (no gap) and 3 (a client that was behind
ends on the newest state, in bounded memory), and that everybody ends on the database's state. The hub, the
sessions and the connections are the real ones; `model.py` has the rest.
"""

import prometheus_client
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from seatcast import wire
from seatcast.gateway.addresses import Addresses
from seatcast.gateway.connection import Connection
from seatcast.gateway.handshake import Accepted
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.server import Server
from seatcast.gateway.session import Limits
from seatcast.tokens import Tokens

from .model import NOW, Client, Database, Socket

TOURS = ("a", "b", "c", "d")

small = st.integers(0, 7)
step = st.one_of(
    st.tuples(st.just("commit"), st.sampled_from(["book", "book", "book", "rename", "toggle", "toggle_departure",
                                                  "add_departure"]), small, small, small),
    st.tuples(st.just("deliver"), small, st.integers(0, 60)),
    st.tuples(st.just("deliver newest"), small),
    st.tuples(st.just("read"), small),
    st.tuples(st.just("join"), small),
    st.tuples(st.just("flush"), small),
    st.tuples(st.just("connect"), small, st.none() | st.sets(st.sampled_from(TOURS))),
    st.tuples(st.just("subscribe"), small, st.sampled_from(TOURS)),
    st.tuples(st.just("unsubscribe"), small, st.sampled_from(TOURS)),
    st.tuples(st.just("stop reading"), small),
    st.tuples(st.just("read again"), small),
    st.tuples(st.just("disconnect"), small),
)  # fmt: skip
rare = st.one_of(
    st.tuples(st.just("commit"), st.just("restore"), small, small, small),
    st.tuples(st.just("foreign event"), small, st.sampled_from(TOURS), small),
)


def make_server():
    registry = prometheus_client.CollectorRegistry()
    server = Server(
        tokens=Tokens(None), limits=Limits(), metrics=Metrics(registry), registry=registry, health=None,
        snapshots=True,
    )  # fmt: skip
    # Flushed by the history alone.
    server.wake = lambda: None
    server.hub._outlet = server
    return server


class History:
    def __init__(self, gateways):
        self.database = Database()
        self.log = [event for place, id in enumerate(TOURS[:3]) for event in self.database.add(id, place)]
        self.servers = [make_server() for _ in range(gateways)]
        self.reads = [None] * gateways
        self.connections = []
        self.foreign = 0

    def server(self, place):
        return self.servers[place % len(self.servers)]

    def run(self, steps):
        note(f"gateways={len(self.servers)} steps={steps!r}")
        for place in range(len(self.servers)):
            self.read(place)
            self.join(place)
            self.connect(place, None)
            self.connect(place, {"a"})
        for name, *arguments in steps:
            getattr(self, name.replace(" ", "_"))(*arguments)
        for place, server in enumerate(self.servers):
            self.read(place)
            if not self.join(place):
                self.read(place)
                assert self.join(place)
            server.hub.flush()
        for connection in list(self.connections):
            connection.socket.drain()
            assert connection.owed is None
            self.compare(connection)
            shown = connection.socket.client.view(connection.session.tours)
            everything = self.database.view()
            tours = connection.session.tours
            assert shown == {id: one for id, one in everything.items() if tours is None or id in tours}
        self.leave_nothing()

    def leave_nothing(self):
        for connection in self.connections:
            connection.lost()
        for server in self.servers:
            assert not server.connections
            assert not server.hub._place
            assert not server.hub._groups
            assert not server.hub._by_tour

    def compare(self, connection):
        """A client that reads shows, after a flush, exactly what its gateway holds true."""
        tours = connection.session.tours
        told = Client()
        server = connection._server
        for key in server.hub.truth.keys(tours):
            encoded = server.hub.truth.initial(key)
            if encoded is not None:
                told.read(encoded.frame)
        client = connection.socket.client
        assert client.view(tours) == told.view(tours)
        assert client.epoch == server.hub.truth.epoch

    # Steps

    def commit(self, what, tour, place, seats):
        id = TOURS[tour % len(TOURS)]
        if what == "restore":
            self.database.restore()
        elif id not in self.database.tours:
            self.log += self.database.add(id, place % 3)
        elif what == "book":
            self.log += self.database.book(id, place, seats)
        elif what == "add_departure":
            if self.database.tours[id]["departures"]:
                self.log += self.database.add_departure(id, place)
        elif what == "toggle_departure":
            self.log += self.database.toggle_departure(id, place)
        else:
            self.log += getattr(self.database, what)(id)

    def deliver(self, gateway, index):
        self.server(gateway).hub.truth.publish(self.log[index % len(self.log)])

    def deliver_newest(self, gateway):
        self.server(gateway).hub.truth.publish(self.log[-1])

    def foreign_event(self, gateway, id, seats):
        self.foreign += 1
        self.server(gateway).hub.truth.publish(
            wire.AvailabilityUpdated(
                event_id=f"foreign{self.foreign}", tour_id=id, available_seats=seats, timestamp=NOW
            )
        )

    def read(self, gateway):
        place = gateway % len(self.servers)
        self.reads[place] = (self.servers[place].hub.truth.clock, self.database.snapshot())

    def join(self, gateway):
        place = gateway % len(self.servers)
        if self.reads[place] is None:
            return False
        mark, snapshot = self.reads[place]
        self.reads[place] = None
        return self.servers[place].hub.truth.join_snapshot(snapshot, mark, NOW)

    def flush(self, gateway):
        server = self.server(gateway)
        server.hub.flush()
        for connection in server.connections:
            if connection.owed is None:
                self.compare(connection)
            else:
                # Bounded: a slot for each key there is, whatever went by.
                assert len(connection.owed.slots) <= 40

    def connect(self, gateway, tours):
        client = Client()
        named = None if tours is None else tuple(sorted(tours))
        server = self.server(gateway)
        visitor = server.admission.arrive(Addresses().of("127.0.0.1"))
        connection = Connection(server, visitor, Accepted("fr", named, None, None), None)
        socket = Socket(client)
        socket.connection = connection
        connection.opening(socket)
        connection.opened()
        self.connections.append(connection)
        self.compare(connection)

    def pick(self, place):
        return self.connections[place % len(self.connections)] if self.connections else None

    def subscribe(self, place, tour):
        if connection := self.pick(place):
            connection.socket.subscribing = tour
            self.say(connection, b'{"type":"SUBSCRIBE","tourId":"%s"}' % tour.encode())
            connection.socket.subscribing = None

    def unsubscribe(self, place, tour):
        if connection := self.pick(place):
            self.say(connection, b'{"type":"UNSUBSCRIBE","tourId":"%s"}' % tour.encode())

    def say(self, connection, message):
        before = connection.session.tours
        connection.session.receive(message)
        client = connection.socket.client
        after = connection.session.tours
        if after != before and after is not None:
            # What is not followed any more is not shown any more.
            for id in [id for id in client.tours if id not in after]:
                client.tours.pop(id)
            for key in [key for key in client.departures if key[0] not in after]:
                client.departures.pop(key)
            if connection.owed is None and not connection.socket.full:
                self.compare(connection)

    def stop_reading(self, place):
        if connection := self.pick(place):
            connection.socket.full = True

    def read_again(self, place):
        if connection := self.pick(place):
            connection.socket.drain()

    def disconnect(self, place):
        if connection := self.pick(place):
            self.connections.remove(connection)
            connection.lost()


quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@quick
@given(gateways=st.integers(1, 3), steps=st.lists(step, min_size=40, max_size=80))
async def test_everybody_ends_on_the_truth_and_never_goes_back(gateways, steps):
    History(gateways).run(steps)


@quick
@given(steps=st.lists(st.one_of(step, step, step, rare), min_size=40, max_size=80))
async def test_the_same_when_databases_change_and_others_publish_without_versions(steps):
    History(1).run(steps)


@pytest.mark.parametrize("tours", [None, {"a"}])
async def test_a_client_an_hour_behind_costs_a_slot_per_departure(tours):
    """A thousand facts go by; what waits is one slot, and what comes is the last."""
    history = History(1)
    history.read(0)
    history.join(0)
    history.connect(0, tours)
    (connection,) = history.connections
    connection.socket.full = True
    for seats in range(1_000):
        history.log += history.database.book("a", 0, seats % 10)
        history.deliver_newest(0)
        history.flush(0)
    assert list(connection.owed.slots) == [("a", None)]
    frames = connection.socket.client.frames
    connection.socket.drain()
    # The write that found the socket full, and the slot.
    assert connection.socket.client.frames == frames + 2
    assert connection.socket.client.view({"a"})["a"][0] == 999 % 10
