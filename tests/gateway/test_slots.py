"""What waits for a client that does not read: the newest of each key, in bounded memory, in order of age."""

from hypothesis import given
from hypothesis import strategies as st

from seatcast.gateway.slots import CHUNK_BYTES, CHUNK_KEYS, MAX_ANSWERS, MAX_NOTICES, Owed, Slot

KEYS = [(tour, departure) for tour in "abc" for departure in (None, "x", "y")]

keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)
step = st.one_of(
    st.tuples(st.just("update"), keys),
    st.tuples(st.just("offer"), keys),
    st.tuples(st.just("drop"), st.none() | st.sampled_from("abc")),
    st.tuples(st.just("keep"), st.sampled_from("abc")),
    st.tuples(st.just("push"), st.just(())),
    st.tuples(st.just("notify"), st.sampled_from(["source", "versions"])),
    st.tuples(st.just("take"), st.just(())),
)


def render(key, initial):
    """A frame that says of which key it is, and whether it is the state to start from."""
    return f"{'I' if initial else 'U'}{key[0]}{key[1] or '-'} ".encode()


@given(steps=st.lists(step, max_size=60))
def test_what_is_owed_is_what_was_missed_since_it_was_last_taken(steps):
    """Against a model that keeps everything: a key is owed once, as INITIAL_STATE if that was ever offered."""
    owed, conflated = Owed(), 0
    missed, answers, notices = {}, [], {}
    for now, (what, argument) in enumerate(steps):
        if what == "update":
            conflated = owed.update(argument, Slot(False, float(now)))
            assert conflated == sum(key in missed for key in argument)
            for key in argument:
                missed.setdefault(key, (False, float(now)))
        elif what == "offer":
            owed.offer(argument, float(now))
            for key in argument:
                missed[key] = (True, missed.get(key, (True, float(now)))[1])
        elif what == "drop":
            dropped = [key for key in missed if argument is None or key[0] == argument]
            assert owed.drop(argument) == len(dropped)
            for key in dropped:
                del missed[key]
        elif what == "keep":
            before, missed = missed, {key: slot for key, slot in missed.items() if key[0] == argument}
            assert owed.keep(argument) == len(before) - len(missed)
        elif what == "push":
            assert owed.push(b"%d " % now) is (len(answers) < MAX_ANSWERS)
            answers.append(b"%d " % now)
        elif what == "notify":
            assert owed.notify(argument, b"%d " % now) is (argument in notices)
            notices[argument] = b"%d " % now
        elif answers or notices:
            assert owed.take(render) == [*answers, *notices.values()]
            answers, notices = [], {}
        else:
            assert owed.take(render) == [render(key, slot[0]) for key, slot in missed.items()]
            missed = {}
        assert len(owed) == len(answers) + len(notices) + len(missed)
        assert owed.since == min((since for _, since in missed.values()), default=None)


def test_an_hour_of_a_thousand_facts_a_second_costs_a_slot_per_departure():
    """Memory is counted: the slots of one flush are one value, and what was owed already costs nothing."""
    owed = Owed()
    seen = {}
    for second in range(3_600):
        # A thousand facts, on the same departures every second.
        keys = [("t", str(n)) for n in range(1_000)]
        conflated = owed.update(keys, Slot(False, float(second)))
        assert conflated == (1_000 if second else 0)
    assert len(owed) == 1_000
    assert owed.since == 0.0
    assert len({id(slot) for slot in owed.slots.values()}) == 1
    while frames := owed.take(lambda key, initial: key[1].encode()):
        for number in frames:
            seen[number] = seen.get(number, 0) + 1
    assert set(seen.values()) == {1}
    assert len(seen) == 1_000


def test_answers_past_the_limit_are_not_owed():
    owed = Owed()
    assert all(owed.push(b"x") for _ in range(MAX_ANSWERS))
    assert not owed.push(b"y")
    assert owed.take(render) == [b"x"] * MAX_ANSWERS


def test_states_are_given_in_chunks():
    """So that a client that stops again in between is not written everything it is owed."""
    owed = Owed()
    owed.offer([("t", str(n)) for n in range(CHUNK_KEYS * 3)], 0.0)
    chunks = []
    while frames := owed.take(lambda key, initial: b"x" * 1_000):
        chunks.append(sum(map(len, frames)))
    assert sum(chunks) == CHUNK_KEYS * 3 * 1_000
    assert max(chunks) < CHUNK_BYTES + 1_000


def test_what_there_is_nothing_to_tell_of_does_not_end_the_rest():
    """A departure of a tour that was closed meanwhile renders as nothing; what is behind it still comes."""
    owed = Owed()
    owed.offer([("t", str(n)) for n in range(CHUNK_KEYS * 2)] + [("last", None)], 0.0)
    assert owed.take(lambda key, initial: b"last" if key[0] == "last" else None) == [b"last"]
    assert owed.take(render) == []


def test_kinds_of_notices_are_bounded():
    """As those of conversations are, to somebody of the team who does not read. A known kind always has its place."""
    owed = Owed()
    for number in range(MAX_NOTICES):
        assert owed.notify(f"conversation {number}", b"old") is False
    assert owed.notify("one more", b"new") is None
    assert owed.notify("conversation 7", b"new") is True
    assert len(owed) == MAX_NOTICES
    assert "one more" not in owed.notices
    assert owed.notices["conversation 7"] == b"new"
