"""Who is let in and what he may say, by a clock that the test holds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast.gateway.addresses import Addresses
from seatcast.gateway.admission import BURST_SECONDS, FINE, SPARE_SOCKETS, Admission, Quotas

ADDRESSES = Addresses()
HOTEL = ADDRESSES.of("203.0.113.9")
OTHER = ADDRESSES.of("203.0.113.10")
LOCAL = ADDRESSES.of("127.0.0.1")


class House:
    """An admission with its clock."""

    def __init__(self, most_sockets=math.inf, **quotas):
        self.now = 1_000.0
        self.admission = Admission(Quotas(**quotas), most_sockets, lambda: self.now)

    def enter(self, address=HOTEL, user=None):
        visitor = self.admission.arrive(address)
        away = self.admission.ask(visitor, address)
        if user is not None:
            assert self.admission.sign_in(visitor, user)
        return visitor, away

    def says(self, visitor, times):
        return [self.admission.message(visitor) for _ in range(times)]


# Handshakes


def test_an_address_has_its_handshakes_and_others_have_theirs():
    house = House(handshakes_per_address=2)
    assert [house.enter()[1] for _ in range(2 * BURST_SECONDS)] == [None] * 20
    away = house.enter()[1]
    assert (away.reason, away.silently) == ("address rate", False)
    assert away.seconds == pytest.approx(0.5, abs=0.01)
    assert house.enter(OTHER)[1] is None
    house.now += away.seconds
    assert house.enter()[1] is None
    assert house.enter()[1].reason == "address rate"


def test_whoever_goes_on_is_not_even_answered():
    house = House(handshakes_per_address=1)
    away = [house.enter()[1] for _ in range(3 * BURST_SECONDS)][BURST_SECONDS:]
    assert [one.silently for one in away] == [False] * BURST_SECONDS + [True] * BURST_SECONDS


def test_connections_of_an_address_end_and_make_room():
    house = House(connections_per_address=2)
    visitors = [house.enter()[0] for _ in range(2)]
    third, away = house.enter()
    assert (away.reason, away.silently) == ("address connections", False)
    assert house.enter(OTHER)[1] is None
    house.admission.leave(third)
    assert house.enter()[1] is not None
    for visitor in visitors:
        house.admission.leave(visitor)
    assert house.enter()[1] is None


def test_sockets_far_past_a_limit_are_just_dropped():
    house = House(connections_per_address=1)
    away = [house.enter()[1] for _ in range(2 + SPARE_SOCKETS)]
    assert away[0] is None
    assert [one.silently for one in away[1:]] == [False] * SPARE_SOCKETS + [True]
    house = House(most_sockets=1)
    away = [house.enter()[1] for _ in range(2 + SPARE_SOCKETS)]
    assert away[0] is None
    assert {one.reason for one in away[1:]} == {"full"}
    assert [one.silently for one in away[1:]] == [False] * SPARE_SOCKETS + [True]


def test_this_machine_is_not_counted_unless_a_limit_was_set():
    """Load tests, and everybody behind a proxy that was not named."""
    house = House()
    assert {house.enter(LOCAL, user="u")[1] for _ in range(5_000)} == {None}
    set_limits = House(handshakes_per_address=1, connections_per_address=3, connections_per_user=2)
    assert [set_limits.enter(LOCAL)[1] is None for _ in range(4)] == [True] * 3 + [False]
    first, second, third = (set_limits.enter(LOCAL)[0] for _ in range(3))
    assert [set_limits.admission.sign_in(one, "u") for one in (first, second, third)] == [True, True, False]


def test_a_hotel_fits_through_the_defaults():
    house = House()
    assert {house.enter()[1] for _ in range(2_000)} == {None}
    assert house.enter()[1] is not None


def test_zero_is_no_limit():
    house = House(
        messages_per_minute=0, handshakes_per_address=0, connections_per_address=0, connections_per_user=0
    )
    for _ in range(5_000):
        visitor, away = house.enter(user="u")
        assert away is None
        assert house.admission.message(visitor) == house.admission.control(visitor) == 0
    assert house.says(visitor, 1_000) == [0] * 1_000


def test_behind_a_trusted_proxy_each_client_is_counted_for_itself():
    house = House(connections_per_address=1, handshakes_per_address=1)
    proxy = Addresses(["10.0.0.1"]).of("10.0.0.1")
    visitors = [house.admission.arrive(proxy) for _ in range(50)]
    assert {visitor.away for visitor in visitors} == {None}
    assert house.admission.ask(visitors[0], HOTEL) is None
    assert house.admission.ask(visitors[1], OTHER) is None
    assert house.admission.ask(visitors[2], HOTEL).reason == "address connections"
    for visitor in visitors:
        house.admission.leave(visitor)
    assert house.enter()[1] is None


# Users


def test_connections_of_a_user_end_and_make_room():
    house = House(connections_per_user=2)
    first, _ = house.enter(user="u")
    house.enter(OTHER, user="u")
    third, _ = house.enter()
    assert not house.admission.sign_in(third, "u")
    assert house.admission.sign_in(third, "someone else")
    house.admission.leave(first)
    assert house.admission.sign_in(third, "u")
    assert house.admission.sign_in(third, "u")
    assert not house.admission.sign_in(house.enter()[0], "u")


def test_whoever_signs_in_as_another_makes_room():
    house = House(connections_per_user=1)
    visitor, _ = house.enter(user="u")
    assert house.admission.sign_in(visitor, "v")
    house.enter(user="u")
    assert not house.admission.sign_in(house.enter()[0], "v")


# Messages


def test_a_user_has_one_allowance_over_all_connections_and_after_coming_back():
    house = House()
    first, _ = house.enter(user="u")
    second, _ = house.enter(OTHER, user="u")
    assert house.says(first, 60) == [0] * 60
    assert house.says(second, 40) == [0] * 40
    house.admission.leave(first)
    again, _ = house.enter(user="u")
    assert house.admission.message(again) == pytest.approx(0.6, abs=0.01)
    assert house.says(house.enter(user="v")[0], 100) == [0] * 100
    house.now += 0.7
    assert house.admission.message(again) == 0
    assert house.admission.message(second) > 0


def test_the_anonymous_have_one_each():
    house = House()
    first, second = house.enter()[0], house.enter()[0]
    assert house.says(first, 100) == [0] * 100
    assert house.admission.message(first) > 0
    assert house.says(second, 100) == [0] * 100


def test_signing_in_changes_the_allowance():
    house = House()
    other, _ = house.enter(user="u")
    assert house.says(other, 100) == [0] * 100
    visitor, _ = house.enter()
    assert house.admission.message(visitor) == 0
    assert house.admission.sign_in(visitor, "u")
    assert house.admission.message(visitor) > 0


def test_whoever_keeps_on_is_closed_and_whoever_waits_is_not():
    house = House()
    stubborn, patient = house.enter()[0], house.enter()[0]
    said = house.says(stubborn, 201)
    assert said[:100] == [0] * 100
    assert all(0 < wait < 1 for wait in said[100:200])
    assert said[200] == math.inf
    for _ in range(1_000):
        if wait := house.admission.message(patient):
            house.now += wait
            assert house.admission.message(patient) == 0


def test_one_connection_that_keeps_on_closes_no_other_of_its_user():
    house = House()
    stubborn, innocent = house.enter(user="u")[0], house.enter(user="u")[0]
    assert house.says(stubborn, 300)[-1] == math.inf
    assert 0 < house.admission.message(innocent) < math.inf


def test_control_frames_are_limited_too_and_by_connection():
    house = House()
    visitor, other = house.enter(user="u")[0], house.enter(user="u")[0]
    told = [house.admission.control(visitor) for _ in range(1_101)]
    assert told[:1_000] == [0] * 1_000
    assert all(0 < wait < 1 for wait in told[1_000:1_100])
    assert told[1_100] == math.inf
    assert house.admission.control(other) == 0
    assert house.admission.message(visitor) == 0


def test_being_closed_for_it_costs_handshakes():
    """So that coming back at once with another bucket does not pay."""
    house = House(handshakes_per_address=FINE // BURST_SECONDS + 1)
    visitor, away = house.enter()
    assert away is None
    assert house.says(visitor, 201)[-1] == math.inf
    left = [house.enter()[1] is None for _ in range(BURST_SECONDS + 1)]
    assert left == [True] * (BURST_SECONDS - 1) + [False] * 2


# Memory


@given(
    st.lists(st.tuples(st.sampled_from(["arrive", "sign in", "leave"]), st.integers(0, 3), st.integers(0, 2)))
)
def test_whoever_left_is_forgotten(steps):
    house = House(connections_per_user=2, connections_per_address=3)
    here = []
    for step, which, user in steps:
        if step == "arrive":
            here.append(house.enter([HOTEL, OTHER, LOCAL, LOCAL][which])[0])
        elif here and step == "sign in":
            house.admission.sign_in(here[which % len(here)], f"user {user}")
        elif here:
            house.admission.leave(here.pop(which % len(here)))
        users = [visitor.user for visitor in here if visitor.user is not None]
        assert house.admission._per_user == {user: users.count(user) for user in users}
        assert all(count <= 2 for count in house.admission._per_user.values())
        assert house.admission.sockets == len(here) == sum(house.admission._per_address.values())
    for visitor in here:
        house.admission.leave(visitor)
    assert (house.admission.sockets, house.admission._per_address, house.admission._per_user) == (0, {}, {})
