"""A hub with tours, its channels and commands, and clients that keep what they are told, without sockets."""

import json

from joserfc.jwk import OctKey

from seatcast import rest, wire, wire_events
from seatcast.gateway.channels import Channels
from seatcast.gateway.hub import Hub
from seatcast.gateway.session import Session
from seatcast.gateway.shared import Limits, Shared
from seatcast.tokens import Tokens

from .model import NOW, join

SECRET = "a secret for the tests only"
KEY = OctKey.import_key(SECRET)


class Peer:
    """Keeps what the client is told, in order, as the wire shows it."""

    def __init__(self, hub):
        self.hub = hub
        self.told = []
        self.times_identified = 0

    def send(self, frame):
        self.told.append(json.loads(wire.encode(frame)))

    def offer(self, keys):
        self.told += [json.loads(self.hub.truth.initial(key).payload) for key in keys]

    def drop(self, tour_id):
        """Nothing waits here."""

    keep = drop

    def identified(self):
        self.times_identified += 1
        return True

    def take(self):
        told, self.told = self.told, []
        return told


class Outlet:
    def __call__(self, followers, kind, frame):
        for peer in followers:
            peer.told.append((kind, json.loads(frame[frame.index(b"{") :])))


class House:
    """A hub with tours, and what it tells whom."""

    def __init__(self, tours=("a", "b", "c"), snapshots=True, **limits):
        self.hub = Hub(self, snapshots=snapshots)
        self.limits = Limits(**limits)
        self.tokens = Tokens(SECRET)
        self.channels = Channels(Outlet())
        self.orders = None
        self.whispers = []
        if tours:
            self.read(tours)

    def read(self, tours):
        rows = [rest.Tour(id=id, name=id.upper(), available_seats=5, version=1) for id in tours]
        join(self.hub.truth, rest.Snapshot("e1", rows))

    def wake(self):
        """Flushed by hand."""

    def updated(self, followers, keys):
        for peer in followers:
            peer.told += [json.loads(self.hub.truth.update(key).payload) for key in keys]

    def restarted(self, followers, keys):
        for peer in followers:
            peer.send(wire.Reset(epoch=self.hub.truth.epoch))
            peer.offer(keys)

    def connect(self, **more):
        peer = Peer(self.hub)
        shared = Shared(
            self.hub, self.limits, lambda: NOW, self.tokens.verify, self.channels, self.orders,
            lambda *said: self.whispers.append(said),
        )  # fmt: skip
        session = Session(peer, shared)
        session.open("c_1", **more)
        return session, peer

    def change(self, tour, version, seats):
        self.hub.truth.publish(
            wire_events.AvailabilityUpdated(
                event_id=f"{tour}{version}", tour_id=tour, available_seats=seats, timestamp=NOW,
                epoch="e1", version=version,
            )
        )  # fmt: skip
        self.hub.flush()


def say(session, **message):
    session.receive(json.dumps(message).encode())


def kinds(frames):
    return [(frame["type"], frame.get("tourId")) for frame in frames]
