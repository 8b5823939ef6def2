"""A tour's followers are told how it is described: the newest, not too often, and what was missed."""

import asyncio
import json

import pytest

from seatcast import rest
from seatcast.gateway.descriptions import LEAST_SECONDS, MOST_BYTES_PER_SECOND, Descriptions
from seatcast.gateway.hub import Hub
from seatcast.wire_documents import FieldChange
from seatcast.wire_events import DocumentEdited

from .model import join


class Outlet:
    def wake(self): ...
    def updated(self, followers, keys): ...
    def spread(self, ways, keys): ...
    def restarted(self, followers, keys): ...


class World:
    """A gateway's descriptions, on a clock that stands still until it is set."""

    def __init__(self):
        self.now, self.timers, self.told, self.tasks = 100.0, [], [], []
        self.tours = {}
        self.hub = Hub(Outlet())
        self.descriptions = Descriptions(
            self.hub, self.tell, lambda: self.now, self.later, self.read, lambda work, name: self.tasks.append(work)
        )  # fmt: skip
        self.snapshot(paris=None, rome=None)

    def tell(self, followers, kind, frame):
        message = json.loads(frame[frame.index(b"{") :])
        self.told.append((sorted(followers), kind, message["description"], message["version"]))

    def later(self, delay, callback, tour_id):
        self.timers.append((self.now + delay, callback, tour_id))

    async def read(self, tour_id):
        return self.tours[tour_id]

    def snapshot(self, epoch="e1", **versions):
        tours = [
            rest.Tour(
                id=id, name=id, available_seats=1, version=1,
                **({} if version is None else {"description_version": version}),
            )
            for id, version in versions.items()
        ]  # fmt: skip
        snapshot = rest.Snapshot(epoch, tours)
        join(self.hub.truth, snapshot)
        self.descriptions.join(snapshot)

    def edit(self, version, value, tour="paris", field="description"):
        self.descriptions.take(
            DocumentEdited(
                event_id="e", document_id=tour, user_id="olga", changes=FieldChange(field, value),
                timestamp="2026-06-01T10:00:00.000Z", version=version,
            )
        )  # fmt: skip

    def forward(self, seconds):
        self.now += seconds
        due = [timer for timer in self.timers if timer[0] <= self.now + 1e-9]
        self.timers = [timer for timer in self.timers if timer not in due]
        for _, callback, tour_id in due:
            callback(tour_id)


@pytest.fixture
def world():
    return World()


def test_followers_by_name_and_of_everything_are_told_and_no_others(world):
    world.hub.follow("ana", frozenset({"paris"}))
    world.hub.follow("bob", frozenset({"rome"}))
    world.hub.follow("cid", None)
    world.edit(1, "Nice")
    assert world.told == [(["ana", "cid"], "description paris", "Nice", 1)]


def test_other_fields_and_documents_that_are_no_tours_are_nobodys_business(world):
    world.hub.follow("ana", None)
    world.edit(1, "secret", field="notes")
    world.edit(1, "not a tour", tour="memo")
    assert world.told == []


def test_what_is_typed_fast_is_told_seldom_and_the_last_of_it_is_told(world):
    world.hub.follow("ana", None)
    for version in range(1, 50):
        world.edit(version, "x" * version)
        world.forward(0.01)
    world.forward(1)
    lengths = [len(text) for _, _, text, _ in world.told]
    assert (lengths[0], lengths[-1]) == (1, 49)
    assert 3 <= len(lengths) <= 0.5 / LEAST_SECONDS + 2


def test_the_more_it_sends_the_less_often_it_is_told(world):
    for number in range(1_000):
        world.hub.follow(number, None)
    world.edit(1, "x" * 10_000)
    world.edit(2, "y" * 10_000)
    pause = 10_000 * 1_000 / MOST_BYTES_PER_SECOND
    world.forward(pause * 0.9)
    assert len(world.told) == 1
    world.forward(pause * 0.2)
    assert [version for *_, version in world.told] == [1, 2]


def test_an_older_version_is_not_told(world):
    world.hub.follow("ana", None)
    world.edit(5, "five")
    world.forward(1)
    world.edit(4, "four")
    world.edit(5, "five")
    assert [version for *_, version in world.told] == [5]


def described(version, text):
    return rest.Tour(id="paris", name="p", available_seats=1, description=text, description_version=version,
                     timestamp="2026-06-01T10:00:00.000Z")  # fmt: skip


def test_what_a_snapshot_knows_and_nobody_was_told_is_read(world):
    world.hub.follow("ana", None)
    world.edit(1, "one")
    world.forward(1)
    world.snapshot(paris=1, rome=None)
    assert world.tasks == []
    world.tours = {"paris": described(3, "three")}
    world.snapshot(paris=3, rome=None)
    asyncio.run(world.tasks.pop())
    assert [version for *_, version in world.told] == [1, 3]
    world.snapshot(paris=3, rome=None)
    assert world.tasks == []


def test_after_a_restore_versions_count_anew(world):
    world.hub.follow("ana", None)
    world.edit(9, "nine")
    world.forward(1)
    world.snapshot(epoch="e2", paris=2, rome=None)
    assert world.tasks == []
    world.edit(3, "three")
    assert [version for *_, version in world.told] == [9, 3]
