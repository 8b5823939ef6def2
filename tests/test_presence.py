"""Counting who is there: each user once, however many gateways and connections they have; the silent are forgotten."""

import random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from seatcast.presence import MAX_GATEWAYS, SILENCE_SECONDS, Presence, user_hash
from seatcast.wire_events import GatewayPresent
from seatcast.wire_figures import GatewayFigures


def word(gateway="g1", *users, instance="i", anonymous=0, agents=(), followers=0, gone=False, at="t"):
    return GatewayPresent(
        event_id=f"evt_{at}",
        gateway_id=gateway,
        instance=instance,
        connections=len(users) + anonymous,
        anonymous=anonymous,
        users=b"".join(sorted(map(user_hash, users))),
        agents=list(agents),
        metrics_followers=followers,
        timestamp=at,
        gone=gone,
    )


def test_a_user_on_two_gateways_is_one_user_and_anonymous_connections_are_one_each():
    presence = Presence()
    presence.hear(word("g1", "ana", "ben", anonymous=3), 0)
    presence.hear(word("g2", "ana", "cleo", anonymous=2), 0)

    assert presence.active_users == 3 + 5
    assert presence.gateways == [GatewayFigures("g1", 5, 2), GatewayFigures("g2", 4, 2)]


def test_the_newest_word_of_a_gateway_replaces_the_one_before():
    presence = Presence()
    assert presence.hear(word("g1", "ana", anonymous=3, agents=["sam"], followers=2), 0)
    assert presence.active_users == 4
    assert presence.hear(word("g1", "ben"), 1)

    assert (presence.active_users, presence.agents, presence.metrics_followers) == (1, [], 0)


def test_the_same_again_is_no_change_but_a_sign_of_life():
    presence = Presence()
    presence.hear(word("g1", "ana", at="t1"), 0)

    assert not presence.hear(word("g1", "ana", at="t2"), 5)
    assert not presence.forget(5 + SILENCE_SECONDS)
    assert presence.forget(5.1 + SILENCE_SECONDS)


def test_a_silent_gateway_is_forgotten_and_the_others_are_not():
    presence = Presence()
    presence.hear(word("g1", "ana", anonymous=1, agents=["sam"], followers=1), 0)
    presence.hear(word("g2", "ben"), 5)

    assert presence.forget(SILENCE_SECONDS + 0.1)

    assert (presence.active_users, presence.agents, presence.metrics_followers) == (1, [], 0)
    assert [one.id for one in presence.gateways] == ["g2"]
    assert not presence.forget(SILENCE_SECONDS + 0.1)


def test_everybody_has_forgotten_a_dead_gateway_within_10_seconds():
    assert SILENCE_SECONDS + 0.5 <= 10


def test_a_gateway_that_says_goodbye_is_forgotten_at_once_and_its_successor_is_not():
    presence = Presence()
    presence.hear(word("g1", "ana", instance="old"), 0)
    presence.hear(word("g1", "ben", instance="new"), 1)

    assert presence.hear(word("g1", instance="old", gone=True), 2)

    assert presence.active_users == 1
    assert not presence.hear(word("g1", instance="old", gone=True), 3)


def test_agents_are_named_once_and_in_order():
    presence = Presence()
    presence.hear(word("g1", "tom", "sam", agents=["tom", "sam"]), 0)
    presence.hear(word("g2", "sam", agents=["sam"]), 0)

    assert presence.agents == ["sam", "tom"]


def test_gateways_without_end_are_not_remembered():
    presence = Presence()
    for number in range(MAX_GATEWAYS + 5):
        presence.hear(word(f"g{number}", anonymous=1), 0)

    assert presence.active_users == MAX_GATEWAYS
    assert presence.hear(word("g0", anonymous=2), 1)


def test_hashes_cut_short_are_no_users():
    presence = Presence()
    presence.hear(replace(word("g1"), users=user_hash("ana") + b"half"), 0)

    assert presence.active_users == 1


_visits = st.lists(
    st.tuples(st.sampled_from(["g1", "g2", "g3"]), st.sampled_from([None, "ana", "ben", "cleo", "dan"])),
    max_size=30,
)


@given(_visits, st.randoms(use_true_random=False))
def test_whatever_the_order_in_which_gateways_are_heard_the_count_is_that_of_the_people(visits, order):
    words = []
    for gateway in ("g1", "g2", "g3"):
        here = [user for at, user in visits if at == gateway]
        words.append(word(gateway, *{user for user in here if user}, anonymous=here.count(None)))
    words = random.Random(order.random()).sample(words * 2, len(words) * 2)
    presence = Presence()
    for one in words:
        presence.hear(one, 0)

    signed_in = {user for _, user in visits if user}
    assert presence.active_users == len(signed_in) + sum(user is None for _, user in visits)
