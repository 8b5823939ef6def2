"""A document in memory: its fields, and edits that leave alone what they do not change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text

from seatcast.tours.replica import Incomplete, Replica, differences
from seatcast.yjs import InvalidUpdate


def client(replica=None):
    doc = Doc()
    if replica is not None:
        doc.apply_update(replica.full())
    return doc


def typed(doc, at, text, field="description"):
    before = doc.get_state()
    doc.get(field, type=Text).insert(at, text)
    return doc.get_update(before)


_words = st.lists(st.sampled_from(["a", "b", "é", "😀", " ", "\n", "word", "\0"]), max_size=30).map("".join)


@given(_words, _words)
def test_differences_make_one_text_the_other(before, after):
    made = before
    for start, end, new in reversed(differences(before, after)):
        made = made[:start] + new + made[end:]
    assert made == after


def test_what_is_alike_at_both_ends_and_in_the_middle_is_left_alone():
    before, after = (
        "One red boat. The river runs. Two old bridges.",
        "One blue boat. The river runs. Two bridges.",
    )
    replaced = sum(end - start for start, end, _ in differences(before, after))
    assert replaced == len("red") + len("old ")


@given(_words, _words)
def test_setting_a_field_makes_its_text_this_one(before, after):
    replica = Replica()
    replica.set("description", before)
    replica.set("description", after)
    other = Doc()
    other.apply_update(replica.full())
    assert str(other.get("description", type=Text)) == after


def test_what_others_type_while_a_field_is_set_survives():
    replica = Replica()
    replica.set("description", "The boat is red. The river is wide.")
    typist = client(replica)
    typing = typed(typist, len("The boat is red."), " It floats.")
    replica.set("description", "The boat is blue. The river is wide.")
    replica.apply(typing)
    assert replica.fields() == {"description": "The boat is blue. It floats. The river is wide."}


def test_what_changed_is_said_once_with_the_fields_that_it_changed():
    replica = Replica()
    writer = client()
    replica.apply(typed(writer, 0, "one"))
    replica.apply(typed(writer, 0, "two ", "title"))
    update, fields = replica.take()
    assert fields == {"description": "one", "title": "two "}
    other = Doc()
    other.apply_update(update)
    assert str(other.get("title", type=Text)) == "two "
    assert replica.take() == (None, {})


def test_what_is_known_already_changes_nothing():
    replica = Replica()
    update = typed(client(), 0, "one")
    replica.apply(update)
    replica.take()
    replica.apply(update)
    replica.apply(b"\0\0")
    assert replica.take() == (None, {})


def test_an_update_whose_ground_is_missing_is_refused():
    writer = client()
    typed(writer, 0, "one")
    with pytest.raises(Incomplete):
        Replica().apply(typed(writer, 0, "two"))


@pytest.mark.parametrize("update", [b"", b"\1", b"junk", b"\xff" * 30])
def test_what_is_no_update_is_refused(update):
    replica = Replica()
    with pytest.raises(InvalidUpdate):
        replica.apply(update)
    assert replica.fields() == {}


def test_roots_of_other_types_and_of_strange_names_are_kept_but_are_no_fields():
    writer = Doc()
    writer.get("cursors", type=Map)["a"] = 1
    writer.get("list", type=Array).append("x")
    writer.get("a/b", type=Text).insert(0, "x")
    replica = Replica()
    replica.apply(writer.get_update())
    assert not any(replica.fields().values())
    assert "a/b" not in replica.fields()
    other = Doc()
    other.apply_update(replica.full())
    assert dict(other.get("cursors", type=Map)) == {"a": 1}


def test_a_field_with_more_than_text_in_it_is_replaced():
    writer = Doc()
    text = writer.get("description", type=Text)
    text.insert(0, "a picture:")
    text.insert_embed(3, {"image": "x"})
    replica = Replica()
    replica.apply(writer.get_update())
    replica.set("description", "no picture")
    assert replica.fields() == {"description": "no picture"}


def test_a_text_with_nul_is_shown_without_it():
    replica = Replica()
    replica.apply(typed(client(), 0, "a\0b"))
    assert replica.fields() == {"description": "a\N{REPLACEMENT CHARACTER}b"}


def test_what_others_have_stored_is_no_change_of_ours():
    replica = Replica()
    replica.load(3, [typed(client(), 0, "one")])
    assert (replica.head, replica.fields(), replica.take()) == (3, {"description": "one"}, (None, {}))
