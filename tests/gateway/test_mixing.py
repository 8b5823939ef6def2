"""Clients that switch between WebSocket, Server-Sent Events and polling, and between gateways, as they like.

Random histories again (see `test_histories.py` for those of sockets alone): events lost, repeated and in any order,
snapshots joined late, gateways restarted, clients that rarely read. A client keeps what it knows across every
switch, joins by version, and may carry a cursor from any road to any other. No loop, no network.
"""

import json

import prometheus_client
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from seatcast import wire, wire_events
from seatcast.gateway.audience import Audience, Waiting
from seatcast.gateway.hub import Hub
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.poll import Polls
from seatcast.gateway.session import Session
from seatcast.gateway.shared import Limits, Shared
from seatcast.gateway.stream import Stream

from .model import NOW, Database, join

TOURS = ("a", "b", "c", "d")
ROADS = ("socket", "stream", "poll")

small = st.integers(0, 7)
step = st.one_of(
    st.tuples(st.just("commit"), st.sampled_from(["book", "book", "book", "rename", "toggle", "toggle_departure",
                                                  "add_departure"]), small, small, small),
    st.tuples(st.just("deliver"), small, st.integers(0, 60)),
    st.tuples(st.just("deliver newest"), small),
    st.tuples(st.just("deliver newest"), small),
    st.tuples(st.just("read"), small),
    st.tuples(st.just("join"), small),
    st.tuples(st.just("flush"), small),
    st.tuples(st.just("switch"), small, st.sampled_from(ROADS), small),
    st.tuples(st.just("switch"), small, st.sampled_from(ROADS), small),
    st.tuples(st.just("listen"), small),
    st.tuples(st.just("listen"), small),
    st.tuples(st.just("listen a little"), small, small),
)  # fmt: skip
rare = st.one_of(
    st.tuples(st.just("commit"), st.just("restore"), small, small, small),
    st.tuples(st.just("restart"), small),
    st.tuples(st.just("foreign event"), small, st.sampled_from(TOURS), small),
)


class Gateway:
    """One gateway: a hub for sockets, another beside it for streams and polls."""

    def __init__(self, states):
        self.hub = Hub(self)
        self.hub.truth.history._max_states = states
        self.audience = Audience(
            self.hub, Metrics(prometheus_client.CollectorRegistry()), lambda: 0.0, lambda _: None
        )
        self.polls = Polls(self.shared(self.audience.hub))
        self.snapshot = None

    def shared(self, hub):
        return Shared(hub, Limits(), lambda: NOW, None)

    def flush(self):
        self.hub.flush()
        self.audience.hub.flush()

    # The outlet of the sockets' hub.

    def wake(self):
        """Flushed by the history alone."""

    def updated(self, followers, keys):
        for peer in followers:
            peer.frames += filter(None, map(self.hub.truth.update, keys))

    def restarted(self, followers, keys):
        for peer in followers:
            peer.send(wire.Reset(epoch=self.hub.truth.epoch))
            peer.offer(keys)


class Socket:
    """A peer whose frames wait until they are read."""

    def __init__(self, gateway):
        self.truth = gateway.hub.truth
        self.frames = []
        self.session = Session(self, gateway.shared(gateway.hub))

    def send(self, frame):
        self.frames.append(wire.encode(frame))

    def offer(self, keys):
        self.frames += filter(None, map(self.truth.initial, keys))

    def take(self):
        frames, self.frames = self.frames, []
        return [getattr(one, "payload", one) for one in frames]


class Client:
    """What every client does: keep the highest version, within one epoch.

    What a list leaves out that claims to be whole is not shown any more, but its version is kept, and it is shown
    again once it is listed, as the newest that was ever known of it. A cursor goes with what it stands for.
    """

    def __init__(self, tours):
        self.tours = tours
        self.cursor = None
        self.epoch = None
        self.known = {}
        self.shown_before = {}
        self.unread = []
        self.leave = lambda: None
        self.followed = lambda: tours

    def enter(self, epoch, whole):
        if epoch != self.epoch:
            self.epoch, self.known, self.shown_before, whole = epoch, {}, {}, True
        if whole:
            self.cursor = None
            self.known = {key: (version, content, False) for key, (version, content, _) in self.known.items()}

    def frame(self, frame):
        kind = frame["type"]
        if kind == "WELCOME":
            self.enter(frame["epoch"], not frame.get("resumed"))
        elif kind == "RESET":
            self.enter(frame["epoch"], True)
        elif kind == "TOUR_CLOSED":
            self.join((frame["tourId"], frame.get("departureId")), frame["version"], None)
        elif kind in ("INITIAL_STATE", "AVAILABILITY_UPDATE"):
            numbers = (frame["availableSeats"], frame.get("tourName"))
            self.join((frame["tourId"], None), frame["version"], numbers)
            if departure := frame.get("departure"):
                key = (frame["tourId"], departure["id"])
                self.join(key, departure["version"], departure["availableSeats"])
        self.check()

    def join(self, key, version, content):
        """Versions decide; closed wins at an equal one."""
        before, known, listed = self.known.get(key, (-1, None, True))
        if version > before or (version == before and content is None):
            self.known[key] = (version, content, True)
        elif not listed and known is not None:
            self.known[key] = (before, known, True)

    def view(self):
        return {
            id: (
                *content,
                {key[1]: seats for key, (_, seats, listed) in self.known.items()
                 if key[0] == id and key[1] is not None and listed and seats is not None},
            )
            for (id, departure), (_, content, listed) in self.known.items()
            if departure is None and listed and content is not None
        }  # fmt: skip

    def check(self):
        """What is shown never goes back, however it got here."""
        for key, (version, content, listed) in self.known.items():
            if listed and content is not None:
                assert version >= self.shown_before.get(key, -1), ("back in time", key, version)
                self.shown_before[key] = version


class History:
    def __init__(self, states):
        self.states = states
        self.database = Database()
        self.log = [event for place, id in enumerate(TOURS[:3]) for event in self.database.add(id, place)]
        self.gateways = [Gateway(states), Gateway(states)]
        self.clients = [Client(None), Client(None), Client(frozenset("ab")), Client(frozenset("cd"))]

    def run(self, steps):
        note(f"{steps=}")
        for place in range(2):
            self.read(place)
            self.join(place)
        for place in range(len(self.clients)):
            self.switch(place, ROADS[place % 3], place)
            self.listen(place)
        for name, *arguments in steps:
            getattr(self, name.replace(" ", "_"))(*arguments)
        for place, gateway in enumerate(self.gateways):
            self.read(place)
            if not self.join(place):
                self.read(place)
                assert self.join(place)
            gateway.flush()
        truth = self.database.view()
        for place, client in enumerate(self.clients):
            self.listen(place)
            # Not what a socket or stream was told NOT_FOUND of: that is not followed, also if it comes to be.
            followed = client.followed()
            wanted = {id: one for id, one in truth.items() if followed is None or id in followed}
            assert client.view() == wanted
            client.leave()
        for gateway in self.gateways:
            assert len(gateway.hub) == len(gateway.audience.hub) == len(gateway.audience.here) == 0

    def gateway(self, place):
        return self.gateways[place % 2]

    # Steps

    def commit(self, what, tour, place, seats):
        if what == "restore":
            self.database.restore()
        else:
            self.log += self.database.commit(what, TOURS[tour % len(TOURS)], place, seats)

    def deliver(self, gateway, index):
        self.gateway(gateway).hub.truth.publish(self.log[index % len(self.log)])

    def deliver_newest(self, gateway):
        self.gateway(gateway).hub.truth.publish(self.log[-1])

    def foreign_event(self, place, id, seats):
        """Somebody publishes without a version, to one gateway: it goes on in an epoch of its own."""
        self.commits = getattr(self, "commits", 0) + 1
        self.gateway(place).hub.truth.publish(
            wire_events.AvailabilityUpdated(
                event_id=f"foreign{self.commits}", tour_id=id, available_seats=seats, timestamp=NOW
            )
        )

    def read(self, place):
        gateway = self.gateway(place)
        gateway.snapshot = (gateway.hub.truth.clock, self.database.snapshot())

    def join(self, place):
        gateway = self.gateway(place)
        if gateway.snapshot is None:
            return False
        (mark, snapshot), gateway.snapshot = gateway.snapshot, None
        return join(gateway.hub.truth, snapshot, mark)

    def flush(self, place):
        self.gateway(place).flush()

    def restart(self, place):
        """A gateway dies, and another that knows nothing of before takes its place."""
        old = self.gateway(place)
        self.gateways[place % 2] = Gateway(self.states)
        self.read(place)
        self.join(place)
        for number, client in enumerate(self.clients):
            if client.gateway is old:
                self.switch(number, client.road, place)

    def listen(self, place, count=None):
        """A client reads what there is for it, or the first few lines of it."""
        client = self.clients[place % len(self.clients)]
        client.unread += client.take()
        for _ in range(len(client.unread) if count is None else min(count, len(client.unread))):
            name, value = client.unread.pop(0)
            if name == "id":
                client.cursor = value or None
            else:
                client.frame(json.loads(value))

    def listen_a_little(self, place, count):
        self.listen(place, count)

    def switch(self, place, road, gateway):
        """What it did not read of the old road is lost."""
        client = self.clients[place % len(self.clients)]
        client.leave()
        client.unread.clear()
        client.gateway, client.road = self.gateway(gateway), road
        getattr(self, road)(client, client.gateway)

    # Roads

    def socket(self, client, gateway):
        peer = Socket(gateway)
        peer.session.open("c", tours=client.tours and sorted(client.tours))
        client.leave, client.followed = peer.session.close, lambda: peer.session.tours
        client.take = lambda: [("data", frame) for frame in peer.take()]

    def stream(self, client, gateway):
        stream = Stream(gateway.shared(gateway.audience.hub), lambda: 0.0, lambda: None, 1_000)
        gateway.audience.enter(stream)
        stream.session.open("c", tours=client.tours and sorted(client.tours), cursor=client.cursor)
        client.leave, client.followed = lambda: gateway.audience.leave(stream), lambda: stream.session.tours

        def take():
            lines = []
            while data := stream.take()[0]:
                lines += [line.partition(": ")[::2] for line in data.decode().split("\n")]
            return [line for line in lines if line[0] in ("data", "id")]

        client.take = take

    def poll(self, client, gateway):
        client.leave, client.followed = lambda: None, lambda: client.tours
        client.take = lambda: self.ask(client, gateway)

    def ask(self, client, gateway):
        """One poll: whatever is new, or everything to whoever comes from nowhere."""
        poll = gateway.polls.ask(client.tours and sorted(client.tours), client.cursor)
        if client.cursor is None:
            body = json.loads(gateway.polls.everything(poll, None).data)
            assert body["reset"]
        else:
            # What would have been waited for comes at once, or does not come.
            waiting = Waiting(lambda: None, None)
            gateway.audience.hub.follow(waiting, poll.tours)
            news = gateway.polls.news(poll, None)
            gateway.audience.hub.unfollow(waiting)
            body = json.loads(news or gateway.polls.nothing(poll, None))
            assert body["messages"] or news is None or body["reset"]
        # An answer comes whole, or not at all.
        client.enter(body["epoch"], body["reset"])
        client.cursor = body["cursor"]
        for frame in body["messages"]:
            client.frame(frame)
        return []


quick = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@quick
@given(
    states=st.sampled_from([1, 3, 1000]),
    steps=st.lists(st.one_of(step, step, step, step, rare), min_size=30, max_size=80),
)
def test_whoever_mixes_roads_and_gateways_ends_on_the_truth_and_never_goes_back(states, steps):
    History(states).run(steps)
