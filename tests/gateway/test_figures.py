"""Followers of `metrics` are told newer figures only; a new one the latest at once."""

import json

from seatcast.gateway.channels import METRICS, Channels
from seatcast.gateway.figures import FRESH_SECONDS, LatestFigures
from seatcast.wire_events import MetricsUpdated


class House:
    def __init__(self):
        self.told = []
        self.now = 100.0
        self.channels = Channels(self.tell)
        self.figures = LatestFigures(self.channels, lambda: self.now)

    def tell(self, followers, kind, frame):
        update = json.loads(frame[frame.index(b"{") :])
        self.told += [(follower, kind, update["activeBookings"]) for follower in followers]

    def take(self, bookings, second):
        self.figures.take(
            MetricsUpdated(
                event_id="e", active_bookings=bookings, total_revenue=0.5, active_users=3,
                timestamp=f"2026-06-01T10:00:{second:02}.000Z",
            )
        )  # fmt: skip


def test_followers_are_told_and_of_those_that_wait_only_the_newest_counts():
    house = House()
    house.channels.follow("ada", METRICS)
    house.take(1, 1)
    house.take(2, 2)
    assert house.told == [("ada", METRICS, 1), ("ada", METRICS, 2)]


def test_older_figures_and_the_same_again_are_not_told():
    house = House()
    house.channels.follow("ada", METRICS)
    house.take(1, 5)
    house.take(2, 5)
    house.take(3, 4)
    assert house.told == [("ada", METRICS, 1)]


def test_a_clock_that_was_set_back_is_believed_once_nothing_newer_came():
    house = House()
    house.channels.follow("ada", METRICS)
    house.take(1, 50)
    house.now += FRESH_SECONDS
    house.take(2, 4)
    assert house.told == [("ada", METRICS, 1), ("ada", METRICS, 2)]


def test_a_new_follower_is_told_the_latest_alone():
    house = House()
    house.channels.follow("ada", METRICS)
    house.take(1, 1)
    house.channels.follow("ben", METRICS)
    house.channels.catch_up("ben", METRICS)
    assert house.told == [("ada", METRICS, 1), ("ben", METRICS, 1)]


def test_a_new_follower_is_not_told_what_may_not_be_so_any_more():
    house = House()
    house.channels.catch_up("ben", METRICS)
    house.take(1, 1)
    house.now += FRESH_SECONDS
    house.channels.catch_up("ben", METRICS)
    assert house.told == []
