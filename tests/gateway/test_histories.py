"""Random histories: several gateways, events lost, repeated and in any order, snapshots read early and joined late,
clients that rarely read or read a little, subscriptions changed while something waits, closes, other databases.

They prove the contract's promises 1 (versions never go back), 2 (no gap) and 3 (a client that was behind
ends on the newest state, in bounded memory), and that everybody ends on the database's state. `histories.py` has
what must hold at every step; `test_mutations.py` proves that these tests notice when it does not.
"""

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from seatcast.gateway import slots, truth

from .histories import TOURS, History

small = st.integers(0, 7)
tour = st.sampled_from(TOURS)
changes = ["book", "book", "book", "rename", "toggle", "toggle_departure", "add_departure"]
step = st.one_of(
    st.tuples(st.just("commit"), st.sampled_from(changes), small, small, small),
    st.tuples(st.just("change"), st.sampled_from(changes), small, small, small, small),
    st.tuples(st.just("change"), st.sampled_from(changes), small, small, small, small),
    st.tuples(st.just("deliver"), small, st.integers(0, 60)),
    st.tuples(st.just("deliver newest"), small),
    st.tuples(st.just("read"), small),
    st.tuples(st.just("join"), small, small),
    st.tuples(st.just("join more"), small),
    st.tuples(st.just("flush"), small),
    st.tuples(st.just("connect"), small, st.none() | st.sets(tour)),
    st.tuples(st.just("subscribe"), small, tour),
    st.tuples(st.just("unsubscribe"), small, tour),
    st.tuples(st.just("stop reading"), small, st.booleans()),
    st.tuples(st.just("read a little"), small, st.integers(1, 3)),
    st.tuples(st.just("read again"), small),
    st.tuples(st.just("disconnect"), small),
    st.tuples(st.just("source"), small, st.booleans()),
)
rare = st.one_of(
    st.tuples(st.just("commit"), st.just("restore"), small, small, small),
    st.tuples(st.just("move"), small),
    st.tuples(st.just("foreign event"), small, tour, small),
    st.tuples(st.just("ping"), small, st.integers(1, 70)),
)

quick = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    # Explaining takes minutes; the shortest history does.
    phases=[phase for phase in settings.default.phases if phase is not Phase.explain],
)

pytestmark = pytest.mark.timeout(600)  # finding the shortest history that fails takes longer than they all


@pytest.fixture(autouse=True, scope="module")
def small_chunks():
    """Who reads again is given two slots at a time, so that it may stop again between them; and of a snapshot one
    tour is joined at a time, so that anything may happen between it and the next.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "CHUNK_KEYS", 2)
        patch.setattr(truth, "SLICE_KEYS", 1)
        yield


@quick
@given(gateways=st.integers(1, 3), steps=st.lists(step, min_size=40, max_size=80))
# Who narrows while behind hears that a departure was closed.
@example(1, [("stop reading", 0, True), ("change", "toggle_departure", 1, 0, 0, 0), ("subscribe", 0, "b")])
async def test_everybody_ends_on_the_truth_and_never_goes_back(gateways, steps):
    History(gateways).run(steps)


@quick
@given(steps=st.lists(st.one_of(step, step, step, rare), min_size=40, max_size=80))
async def test_the_same_when_databases_change_and_others_publish_without_versions(steps):
    History(1).run(steps)


@quick
@given(steps=st.lists(st.one_of(step, step, step, rare), min_size=40, max_size=80))
async def test_the_same_for_a_gateway_that_knows_events_alone(steps):
    History(1, snapshots=False).run(steps)


@pytest.mark.parametrize("tours", [None, {"a"}])
async def test_a_client_an_hour_behind_costs_a_slot_per_departure(tours):
    """A thousand facts go by; what waits is one slot, and what comes is the last."""
    history = History(1)
    history.learn(0)
    history.connect(0, tours)
    (connection,) = history.connections
    connection.socket.room = 0
    for seats in range(1_000):
        history.log += history.database.book("a", 0, seats % 10)
        history.deliver_newest(0)
        history.flush(0)
    assert list(connection.owed.slots) == [("a", None)]
    frames = connection.socket.client.frames
    history.drain(connection)
    # The write that found the socket full, and the slot.
    assert connection.socket.client.frames == frames + 2
    assert connection.socket.client.view({"a"})["a"][0] == 999 % 10
