"""The Yjs protocols in bytes, and updates of which nothing is known."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text

from seatcast import yjs
from seatcast.yjs import InvalidUpdate, Presence, merged, whole


def typed(text, doc=None):
    """Return a document into which somebody typed, and the update that says so."""
    doc = doc or Doc()
    before = doc.get_state()
    doc.get("description", type=Text).insert(0, text)
    return doc, doc.get_update(before)


@given(st.integers(0, 2**53))
def test_numbers_are_read_as_they_are_written(number):
    assert yjs.read_varuint(b"x" + yjs.varuint(number), 1) == (number, 1 + len(yjs.varuint(number)))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 20, b"\xff" * 7 + b"\x7f"])
def test_a_number_without_end_or_too_large_is_refused(data):
    with pytest.raises(InvalidUpdate):
        yjs.read_varuint(data, 0)


@given(st.lists(st.builds(Presence, st.integers(0, 2**53), st.integers(0, 2**32), st.text(max_size=20))))
def test_awareness_is_read_as_it_is_written(states):
    assert yjs.read_awareness(yjs.awareness_update(states)) == states


@given(st.binary(max_size=60))
def test_bytes_that_are_no_awareness_are_refused_and_nothing_else_happens(data):
    with contextlib.suppress(InvalidUpdate):
        yjs.read_awareness(data)


def test_an_update_whose_ground_is_missing_is_not_whole():
    doc, _first = typed("one")
    _, second = typed("two", doc)
    elsewhere = Doc()
    elsewhere.apply_update(second)
    assert not whole(second, elsewhere.get_state())
    assert whole(second, doc.get_state())


def test_a_deletion_of_what_is_missing_is_not_whole():
    doc, _first = typed("one")
    before = doc.get_state()
    del doc.get("description", type=Text)[0:2]
    deletion = doc.get_update(before)
    elsewhere = Doc()
    elsewhere.apply_update(deletion)
    assert not whole(deletion, elsewhere.get_state())
    assert whole(deletion, doc.get_state())


def test_what_announces_more_than_it_brings_costs_nothing():
    with pytest.raises(InvalidUpdate):
        merged([bytes.fromhex("87f2eea76022") + b"\0" * 200])


def test_whatever_somebody_sends_is_an_update_or_is_refused():
    """Mutations of a real update, one of which makes pycrdt panic."""
    doc, _ = typed("hello wörld 😀")
    text = doc.get("description", type=Text)
    text.format(0, 4, {"bold": True})
    del text[2:5]
    base = doc.get_update()
    choice = random.Random(4)
    outcomes = set()
    for _ in range(3_000):
        update = bytearray(base)
        for _ in range(choice.randrange(1, 4)):
            update[choice.randrange(len(update))] = choice.randrange(256)
        try:
            merged([bytes(update)])
            yjs.guarded(lambda u=bytes(update): Doc().apply_update(u))
            outcomes.add("taken")
        except InvalidUpdate:
            outcomes.add("refused")
    assert outcomes == {"taken", "refused"}


def test_a_panic_is_a_refusal():
    class PanicException(BaseException):
        pass

    def panics():
        raise PanicException("index out of bounds")

    with pytest.raises(InvalidUpdate):
        yjs.guarded(panics)
    with pytest.raises(KeyboardInterrupt):
        yjs.guarded(lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
