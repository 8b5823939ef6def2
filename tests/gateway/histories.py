"""One history: databases, events, gateways and clients in miniature, step by step, and what must hold meanwhile."""

import prometheus_client
from hypothesis import note

from seatcast import wire_events
from seatcast.gateway.addresses import Addresses
from seatcast.gateway.connection import Connection
from seatcast.gateway.handshake import Accepted
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.server import Server
from seatcast.gateway.shared import Limits
from seatcast.gateway.slots import MAX_ANSWERS
from seatcast.tokens import Tokens

from .model import NOW, Client, Database, Socket

TOURS = ("a", "b", "c", "d")

MAX_CONNECTIONS = 4
"""Few, so that much happens to each."""


def make_server(snapshots):
    registry = prometheus_client.CollectorRegistry()
    server = Server(
        tokens=Tokens(None), limits=Limits(), metrics=Metrics(registry), registry=registry, health=None,
        snapshots=snapshots,
    )  # fmt: skip
    # Flushed by the history alone.
    server.wake = lambda: None
    return server


class History:
    """The hub, the sessions and the connections are the real ones. Steps are methods; `run` performs them.

    Without `snapshots` the gateways know events alone.
    """

    def __init__(self, gateways, snapshots=True):
        self.snapshots = snapshots
        self.database = Database()
        self.log = [event for place, id in enumerate(TOURS[:3]) for event in self.database.add(id, place)]
        self.servers = [make_server(snapshots) for _ in range(gateways)]
        self.reads = [[] for _ in range(gateways)]
        # Of each gateway the rest of the snapshot that it is joining.
        self.slices = [iter(()) for _ in range(gateways)]
        self.connections = []
        self.foreign = 0

    def server(self, place):
        return self.servers[place % len(self.servers)]

    def run(self, steps):
        note(f"gateways={len(self.servers)} steps={steps!r}")
        for place in range(len(self.servers)):
            self.learn(place)
            self.connect(place, None)
            self.connect(place, {"a", "b"})
        for name, *arguments in steps:
            getattr(self, name.replace(" ", "_"))(*arguments)
        for place, server in enumerate(self.servers):
            self.learn(place)
            server.hub.flush()
        for connection in list(self.connections):
            self.drain(connection)
            assert connection.owed is None
            self.compare(connection)
            tours = connection.session.tours
            shown = connection.socket.client.view(tours)
            if not self.snapshots:
                # What others alone speak of stays: no snapshot says that it does not exist.
                shown = {id: one for id, one in shown.items() if id in self.database.tours}
            everything = self.database.view()
            assert shown == {id: one for id, one in everything.items() if tours is None or id in tours}
        self.leave_nothing()

    def learn(self, gateway):
        """Let a gateway know everything: by a snapshot, or by an event about each tour."""
        self.join_all(gateway)
        self.read(gateway)
        if not self.join(gateway, -1) and self.snapshots:
            self.read(gateway)
            assert self.join(gateway, -1)
        self.join_all(gateway)
        if not self.snapshots:
            for id, tour in self.database.tours.items():
                places = range(len(tour["departures"]))
                events = [event for place in places for event in self.database.touch(id, place)]
                for event in events or self.database.rename(id):
                    self.servers[gateway].hub.truth.publish(event)

    def leave_nothing(self):
        for connection in self.connections:
            connection.lost()
        for server in self.servers:
            assert not server.connections
            assert not server.unfinished
            assert not server.deadlines
            assert not server.hub._place
            assert not server.hub._groups
            assert not server.hub._by_tour

    def compare(self, connection):
        """A client that reads has, after a flush, every answer, and shows exactly what its gateway holds true."""
        tours = connection.session.tours
        told = Client()
        server = connection._server
        assert server.hub.truth.departures == len(server.hub.truth.catalogue())
        for key in server.hub.truth.keys(tours):
            encoded = server.hub.truth.initial(key)
            if encoded is not None:
                told.read(encoded.frame)
        client = connection.socket.client
        assert client.view(tours) == told.view(tours)
        assert client.epoch == server.hub.truth.epoch
        assert client.stale == (server.stale is not None)
        assert client.answered == client.asked
        assert not client.starting

    def drain(self, connection, room=None):
        """Let a client read: it gets the newest of what it missed, and not the backlog."""
        unflushed = self.unflushed(connection)
        client, owed = connection.socket.client, connection.owed
        frames = client.frames + sum(data.count(b'"type"') for data in connection.socket.kept)
        owed = 0 if owed is None else len(owed)
        connection.socket.drain(room)
        assert unflushed or client.frames <= frames + owed
        if connection.owed is None and not unflushed:
            self.compare(connection)

    def unflushed(self, connection):
        hub = connection._server.hub
        return bool(hub._dirty or hub._restarted)

    # Steps

    def commit(self, what, tour, place, seats):
        if what == "restore":
            self.database.restore()
            for server in () if self.snapshots else self.servers:
                # Epochs have no order: who knows events alone must have heard of each to know a former one.
                for event in self.database.rename("a"):
                    server.hub.truth.publish(event)
        else:
            self.log += self.database.commit(what, TOURS[tour % len(TOURS)], place, seats)

    def change(self, what, tour, place, seats, gateway):
        """A commit of which one gateway hears at once."""
        before = len(self.log)
        self.commit(what, tour, place, seats)
        for event in self.log[before:]:
            self.server(gateway).hub.truth.publish(event)

    def move(self, gateway):
        """Another database takes over, of which one gateway hears at once; what it has read before is still to be joined."""
        self.read(gateway)
        self.commit("restore", 0, 0, 0)
        self.learn(gateway % len(self.servers))

    def deliver(self, gateway, index):
        self.server(gateway).hub.truth.publish(self.log[index % len(self.log)])

    def deliver_newest(self, gateway):
        self.server(gateway).hub.truth.publish(self.log[-1])

    def foreign_event(self, gateway, id, seats):
        self.foreign += 1
        self.server(gateway).hub.truth.publish(
            wire_events.AvailabilityUpdated(
                event_id=f"foreign{self.foreign}", tour_id=id, available_seats=seats, timestamp=NOW
            )
        )

    def read(self, gateway):
        place = gateway % len(self.servers)
        if self.snapshots:
            self.reads[place].append((self.servers[place].hub.truth.clock, self.database.snapshot()))

    def join(self, gateway, which):
        """Begin to join one of the snapshots that were read, however long ago; returns whether it was taken."""
        place = gateway % len(self.servers)
        reads = self.reads[place]
        if not reads:
            return False
        self.join_all(place)
        mark, snapshot = reads.pop(which % len(reads))
        slices = self.servers[place].hub.truth.join_snapshot(snapshot, mark, NOW)
        if slices is None:
            return False
        self.slices[place] = slices
        self.join_more(place)
        return True

    def join_more(self, gateway):
        """Join the next slice."""
        next(self.slices[gateway % len(self.servers)], None)

    def join_all(self, gateway):
        for _ in self.slices[gateway % len(self.servers)]:
            pass

    def flush(self, gateway):
        server = self.server(gateway)
        server.hub.flush()
        self.look(server)

    def look(self, server):
        """Compare who reads with the truth, and count what waits for who does not."""
        for connection in server.connections:
            if connection.owed is None:
                self.compare(connection)
            else:
                # Bounded: a slot for each key there is, whatever went by.
                keys = {key for tour in server.hub.truth._ledger.tours.values() for key in every_key(tour)}
                assert connection.owed.slots.keys() <= keys
                assert len(connection.owed.answers) <= MAX_ANSWERS
                assert len(connection.owed.notices) <= 2

    def source(self, gateway, lost):
        server = self.server(gateway)
        server.lost(NOW) if lost else server.regained(NOW)
        self.look(server)

    def connect(self, gateway, tours):
        if len(self.connections) >= MAX_CONNECTIONS:
            self.disconnect(gateway)
        client = Client(self.database)
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
            self.say(connection, b"SUBSCRIBE", tour)
            connection.socket.subscribing = None

    def unsubscribe(self, place, tour):
        if connection := self.pick(place):
            self.say(connection, b"UNSUBSCRIBE", tour)

    def ping(self, place, times):
        for _ in range(times):
            if connection := self.pick(place):
                self.say(connection, b"PING", "")

    def say(self, connection, what, tour):
        client = connection.socket.client
        before = connection.session.tours
        more = b',"tourId":"%s"' % tour.encode() if tour else b""
        truth = connection._server.hub.truth
        stateless = not any(truth.initial(key) for key in truth.keys(frozenset({tour})))
        connection.session.receive(b'{"type":"%s","id":%d%s}' % (what, client.ask(stateless), more))
        if connection.closing:
            # Only who asks and does not read is closed, and only then.
            assert connection.socket.closed_with == 1013
            assert connection.socket.kept
            self.connections.remove(connection)
            connection.lost()
            return
        after = connection.session.tours
        if after != before and after is not None:
            # What is not followed any more is not shown any more.
            for id in [id for id in client.tours if id not in after]:
                client.tours.pop(id)
            for key in [key for key in client.departures if key[0] not in after]:
                client.departures.pop(key)
        if connection.owed is None and not self.unflushed(connection):
            self.compare(connection)

    def stop_reading(self, place, noticed):
        """A client stops reading; `noticed`: and is written something, so that it is behind."""
        if connection := self.pick(place):
            connection.socket.room = 0
            if noticed:
                self.say(connection, b"PING", "")

    def read_a_little(self, place, room):
        if connection := self.pick(place):
            self.drain(connection, room)

    def read_again(self, place):
        if connection := self.pick(place):
            self.drain(connection)

    def disconnect(self, place):
        if connection := self.pick(place):
            self.connections.remove(connection)
            connection.lost()


def every_key(tour):
    return [(tour.id, None), *((tour.id, departure) for departure in tour.departures)]
