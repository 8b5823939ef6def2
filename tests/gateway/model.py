"""A tour service, a socket and a client in miniature, for histories: no loop, no network, no clock."""

import copy
import json

from seatcast import rest, wire, wire_events

NOW = "2026-06-01T10:00:00.000Z"


def join(truth, snapshot, mark=None):
    """Join a whole snapshot, by default one that was read this instant. Returns whether it was taken."""
    slices = truth.join_snapshot(snapshot, truth.clock if mark is None else mark, NOW)
    for _ in slices or ():
        pass
    return slices is not None


STATES = ("INITIAL_STATE", "AVAILABILITY_UPDATE", "TOUR_CLOSED")


class Database:
    """Tours under one epoch; every method is a commit and returns the events it publishes."""

    def __init__(self):
        self.epochs = 1
        self.tours = {}
        self.commits = 0
        # (epoch, id of a tour or departure) -> version -> what was true then; None: closed.
        self.past = {}

    @property
    def epoch(self):
        return f"e{self.epochs}"

    def add(self, id, departures=0):
        """A tour with that many departures, or an undated one."""
        if id in self.tours:
            return []
        self.tours[id] = {
            "version": 0,
            "closed": False,
            "name": id.upper(),
            "seats": 10,
            "departures": {},
        }
        return [event for place in range(departures) for event in self.add_departure(id, place)] or [
            self._event(id)
        ]

    def add_departure(self, id, place):
        tour = self.tours[id]
        name = f"{id}_{place}"
        if name in tour["departures"]:
            return []
        tour["departures"][name] = {"version": 0, "closed": False, "seats": 10}
        tour["version"] += 1
        return [self._event(id, name)]

    def commit(self, what, id, place, seats):
        """Do one of the following to a tour, by its name; a tour that is not there is added instead."""
        if id not in self.tours:
            return self.add(id, place % 3)
        if what == "book":
            return self.book(id, place, seats)
        if what == "add_departure":
            return self.add_departure(id, place) if self.tours[id]["departures"] else []
        return self.toggle_departure(id, place) if what == "toggle_departure" else getattr(self, what)(id)

    def book(self, id, place, seats):
        """Leave that many seats, on a departure if there are any."""
        tour = self.tours[id]
        tour["version"] += 1
        if not tour["departures"]:
            tour["seats"] = seats
            return [self._event(id)]
        name = sorted(tour["departures"])[place % len(tour["departures"])]
        departure = tour["departures"][name]
        departure["seats"] = seats
        departure["version"] += 1
        self._remember(id)
        return [] if departure["closed"] else [self._event(id, name)]

    def rename(self, id):
        tour = self.tours[id]
        tour["version"] += 1
        tour["name"] += "!"
        return [self._event(id)]

    def touch(self, id, place):
        """Change a departure and nothing of it, closed or not."""
        tour = self.tours[id]
        name = sorted(tour["departures"])[place]
        tour["version"] += 1
        tour["departures"][name]["version"] += 1
        return [self._event(id, name), self._event(id)]

    def toggle(self, id):
        """Close a tour, or open it again."""
        tour = self.tours[id]
        tour["version"] += 1
        tour["closed"] = not tour["closed"]
        return [self._event(id)]

    def toggle_departure(self, id, place):
        tour = self.tours[id]
        if not tour["departures"]:
            return []
        name = sorted(tour["departures"])[place % len(tour["departures"])]
        departure = tour["departures"][name]
        tour["version"] += 1
        departure["version"] += 1
        departure["closed"] = not departure["closed"]
        return [self._event(id, name), self._event(id)] if departure["closed"] else [self._event(id, name)]

    def restore(self):
        """Another database takes over: other versions, another epoch."""
        self.epochs += 1
        for tour in self.tours.values():
            tour["version"] //= 2
            for departure in tour["departures"].values():
                departure["version"] //= 2
        for id in self.tours:
            self._remember(id)
        return []

    def _remember(self, id):
        tour = self.tours[id]
        content = None if tour["closed"] else (self.seats(id), tour["name"])
        self.past.setdefault((self.epoch, id), {})[tour["version"]] = content
        for name, one in tour["departures"].items():
            content = None if one["closed"] else one["seats"]
            self.past.setdefault((self.epoch, name), {})[one["version"]] = content

    def check(self, epoch, id, version, content):
        """What is told was true at that version; what is told closed is closed at that version, or was later.

        Later, because a snapshot that does not list it closes it without saying at which version.
        """
        if (epoch, id) not in self.past:
            return  # an epoch of the gateway's own
        past = self.past[epoch, id]
        if content is None:
            closed = [at for at, what in past.items() if what is None and at >= version]
            assert closed, ("never closed", epoch, id, version)
        else:
            assert past[version] == content, ("never true", epoch, id, version, content)

    def _event(self, id, name=None):
        self._remember(id)
        self.commits += 1
        tour = self.tours[id]
        common = {"event_id": f"evt_{self.commits}", "tour_id": id, "timestamp": NOW, "epoch": self.epoch}
        if name is not None and tour["departures"][name]["closed"]:
            version = tour["departures"][name]["version"]
            return wire_events.TourClosedEvent(**common, version=version, departure_id=name)
        if tour["closed"]:
            return wire_events.TourClosedEvent(**common, version=tour["version"])
        more = {}
        if name is not None:
            departure = tour["departures"][name]
            more["departure"] = wire.Departure(
                id=name, starts_at=NOW, available_seats=departure["seats"], capacity=10, held=0,
                version=departure["version"],
            )  # fmt: skip
        return wire_events.AvailabilityUpdated(
            **common, available_seats=self.seats(id), tour_name=tour["name"], capacity=100, held=0,
            version=tour["version"], **more,
        )  # fmt: skip

    def seats(self, id):
        tour = self.tours[id]
        if not tour["departures"]:
            return tour["seats"]
        return sum(one["seats"] for one in tour["departures"].values() if not one["closed"])

    def snapshot(self):
        return rest.Snapshot(
            self.epoch,
            [
                rest.Tour(
                    id=id, name=tour["name"], available_seats=self.seats(id), capacity=100, held=0,
                    version=tour["version"], timestamp=NOW,
                    departures=[
                        rest.TourDeparture(
                            id=name, starts_at=NOW, available_seats=one["seats"], capacity=10, held=0,
                            version=one["version"],
                        )
                        for name, one in tour["departures"].items()
                        if not one["closed"]
                    ],
                )
                for id, tour in copy.deepcopy(self.tours).items()
                if not tour["closed"]
            ],
        )  # fmt: skip

    def view(self):
        """What a client should show: per open tour its seats, name and version, and those of its departures."""
        return {
            id: (
                self.seats(id),
                tour["name"],
                {name: one["seats"] for name, one in tour["departures"].items() if not one["closed"]},
            )
            for id, tour in self.tours.items()
            if not tour["closed"]
        }


def frames_in(data):
    """The JSON of the WebSocket frames in a buffer of whole ones."""
    while data:
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        yield json.loads(data[start : start + size])
        data = data[start + size :]


class Socket:
    """A WebSocket that takes `room` writes (None: any number), then pauses its connection and keeps what comes.

    It checks what may be written at all: nothing that is not followed, nothing after the CLOSE, and nothing to
    a connection that is behind.
    """

    def __init__(self, client):
        self.client = client
        self.connection = None
        self.room = None
        self.subscribing = None
        self.kept = []
        self.closed_with = None
        self.transport = self
        self.sent = b""

    def set_write_buffer_limits(self, high):
        """As a transport does."""

    def listen(self):
        """What the client sends is none of this model's business."""

    def send(self, data):
        """As the kernel's: takes all, or a part, whose rest is then written."""
        assert not self.connection.paused, "sent to a client that does not read"
        if self.room == 0:
            self.sent = data[: len(data) // 2]
            return len(self.sent)
        self.write(data)
        return len(data)

    def close(self, code, reason):
        self.closed_with = code

    def write(self, data):
        assert self.closed_with is None, "written after the CLOSE"
        data, self.sent = self.sent + data, b""
        assert self.connection.closing or not self.connection.paused, "written to a client that does not read"
        tours = self.connection.session.tours
        for frame in frames_in(data) if tours is not None else ():
            if frame["type"] in STATES:
                assert frame["tourId"] in tours | {self.subscribing}, ("not followed", tours, frame)
        if self.room == 0:
            # A partial write: everything handed over stays ours, and the connection hears that it is enough.
            self.kept.append(data)
            if not self.connection.paused:
                self.connection.pause_writing()
        else:
            self.room = None if self.room is None else self.room - 1
            self.client.read(data)

    def drain(self, room=None):
        """The client reads again, all of what was kept and `room` writes more."""
        self.room = room
        kept, self.kept = self.kept, []
        for data in kept:
            self.client.read(data)
        if self.connection.paused:
            self.connection.resume_writing()


class Client:
    """Joins frames by version, as every client does, and checks contract promise 1 on each of them.

    It also checks that what is told was once true in the database (if one is given), that epochs do not come
    back, and that every request is answered, in their order. `starting` must be empty once nothing is owed.
    """

    def __init__(self, database=None):
        self.database = database
        self.epoch = None
        self.frames = 0
        self.asked, self.answered = 0, 0
        # Marks of SUBSCRIBEs at which there was no state yet to start from.
        self.stateless = set()
        self.stale = False
        self.epochs = []
        self.forget()

    def forget(self):
        # tour -> (version, closed), and the newest frame under it; the same per departure.
        self.tours, self.departures = {}, {}
        # key -> the versions last told under it: they strictly increase, INITIAL_STATEs apart.
        self.told = {}
        # Tours whose state to start from is due.
        self.starting = set()

    def ask(self, stateless=False):
        """Return a mark for a request; `stateless`: nothing is known yet of what it subscribes to."""
        self.asked += 1
        if stateless:
            self.stateless.add(self.asked)
        return self.asked

    def read(self, data):
        for frame in frames_in(data):
            self.frame(frame)

    def frame(self, frame):
        self.frames += 1
        kind = frame["type"]
        if "id" in frame:
            self.answered += 1
            assert frame["id"] == self.answered, ("an answer is missing", self.answered, frame)
        if kind == "RESET":
            self.forget()
            self.enter(frame["epoch"])
        elif kind == "WELCOME":
            self.enter(frame["epoch"])
        elif kind in ("STALE", "FRESH"):
            self.stale = kind == "STALE"
        elif kind == "SUBSCRIBED":
            if frame["id"] not in self.stateless:
                self.starting.add(frame["tourId"])
        elif kind == "UNSUBSCRIBED":
            self.starting.discard(frame["tourId"])
        elif kind == "TOUR_CLOSED":
            self.closed(frame)
        elif kind in STATES:
            self.state(frame, kind == "INITIAL_STATE")

    def enter(self, epoch):
        """The database's epochs count up; the ones between are the gateway's own."""
        assert epoch not in self.epochs or epoch == self.epochs[-1], ("a former epoch", epoch, self.epochs)
        self.epoch = epoch
        self.epochs.append(epoch)

    def check(self, id, version, content):
        if self.database is not None:
            self.database.check(self.epoch, id, version, content)

    def closed(self, frame):
        if "departureId" in frame:
            known, key = self.departures, (frame["tourId"], frame["departureId"])
            # The tour's own frame comes with it, whether or not it is news.
            self.told.pop((frame["tourId"], None), None)
        else:
            known, key = self.tours, frame["tourId"]
        self.starting.discard(frame["tourId"])
        self.check(frame.get("departureId", frame["tourId"]), frame["version"], None)
        self.forward(known.get(key), frame["version"], None)
        known[key] = (frame["version"], True, None)

    def state(self, frame, initial):
        tour, departure = frame["tourId"], frame.get("departure")
        if initial:
            self.starting.discard(tour)
        numbers = (frame["availableSeats"], frame.get("tourName"))
        self.check(tour, frame["version"], numbers)
        self.forward(self.tours.get(tour), frame["version"], numbers)
        self.tours[tour] = (frame["version"], False, numbers)
        key, versions = (tour, None), (frame["version"], 0)
        if departure is not None:
            key, versions = (tour, departure["id"]), (frame["version"], departure["version"])
            numbers = departure["availableSeats"]
            self.check(departure["id"], departure["version"], numbers)
            self.forward(self.departures.get(key), departure["version"], numbers)
            self.departures[key] = (departure["version"], False, numbers)
        assert initial or versions > self.told.get(key, (-1, -1)), ("told twice", frame)
        self.told[key] = versions

    def forward(self, known, version, numbers):
        """Versions never go back, closed wins at an equal one, and one version is one truth."""
        if known is not None:
            before, closed, content = known
            assert version >= before, ("back in time", known, version, numbers)
            if version == before and numbers is not None:
                assert not closed, ("reopened without a version", known, version)
                assert content == numbers, ("two truths", known, version, numbers)

    def view(self, tours):
        """What is shown of these tours; None: of all."""
        return {
            id: (
                *content,
                {key[1]: one[2] for key, one in self.departures.items() if key[0] == id and not one[1]},
            )
            for id, (_, closed, content) in self.tours.items()
            if not closed and (tours is None or id in tours)
        }
