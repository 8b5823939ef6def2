"""Every field of every client message, wrong in every way: the answer names it, is small, and closes nothing."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast import wire

from .session_house import House

CHANGES = {"field": "description", "value": "x"}
FIELDS = {
    "SUBSCRIBE": {"tourId": "a", "channel": "metrics", "id": 7, "since": "x"},
    "UNSUBSCRIBE": {"tourId": "a", "channel": "metrics", "id": 7},
    "PING": {"id": 7},
    "AUTH": {"token": "x", "id": 7, "since": "x"},
    "CHAT_MESSAGE": {"to": "support", "message": "hello", "id": 7},
    "CHAT_MARK": {"conversationId": "a", "messageId": "m", "mark": "read", "id": 7},
    "CHAT_TAKE": {"conversationId": "a", "id": 7},
    "CHAT_RELEASE": {"conversationId": "a", "id": 7},
    "CHAT_TYPING": {"to": "support", "id": 7},
    "DOCUMENT_EDIT": {"documentId": "a", "changes": CHANGES, "baseVersion": 1, "id": 7},
}
"""Every message with every field, each lawful by itself; a tour and a channel exclude each other."""

OPTIONAL = {"id", "since", "baseVersion", "channel"}
LARGEST = 2**63 - 1


def answers(message):
    session, peer = House().connect()
    peer.take()
    session.receive(message)
    return peer.take()


def with_field(kind, field, raw):
    """A message of this kind, lawful but for the field, whose value is `raw` JSON; None: it is missing."""
    needed = {name: json.dumps(value) for name, value in FIELDS[kind].items() if name not in OPTIONAL}
    if field == "channel":
        needed.pop("tourId")
    fields = {"type": json.dumps(kind), **needed, field: raw}
    return (
        "{" + ",".join(f'"{name}":{raw}' for name, raw in fields.items() if raw is not None) + "}"
    ).encode()


def test_the_fields_here_are_those_of_the_wire():
    kinds = {kind.__struct_config__.tag: kind for kind in wire.ClientFrame.__args__}
    assert {tag: set(kind.__struct_encode_fields__) for tag, kind in kinds.items()} == {
        tag: set(fields) for tag, fields in FIELDS.items()
    }


WRONG = ["null", "true", "1.5", "[]", "{}", '{"a":1}', "1e999", "1" + "0" * 5_000]


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in FIELDS.items() for field in fields]
)
def test_a_wrong_field_is_named(kind, field):
    wrong = WRONG + {
        "id": [str(LARGEST + 1), str(-LARGEST - 2), "9" * 400],
        "since": ["5", json.dumps("x" * 301)],
        "token": ["5", '""'],
        "message": ["5", '""', '" "'],
        "baseVersion": ["-1", '""'],
    }.get(field, ["5", '""', json.dumps("x" * 129)])
    for raw in wrong:
        (answer,) = answers(with_field(kind, field, raw))
        assert (answer["code"], "id" in answer) == ("INVALID_MESSAGE", False), raw
        assert f"$.{field}`" in answer["message"], raw
        assert len(json.dumps(answer)) < 500


@pytest.mark.parametrize(
    ("kind", "needed"),
    [(kind, field) for kind, fields in FIELDS.items() for field in fields if field not in OPTIONAL],
)
def test_a_missing_field_is_named(kind, needed):
    (answer,) = answers(with_field(kind, needed, None)[:-1] + b',"id":7}')
    assert (answer["code"], answer["id"]) == ("INVALID_MESSAGE", 7)
    assert needed in answer["message"]


@pytest.mark.parametrize("raw", ["5", "null", "[]", '"dance"', '""', json.dumps("D" * 30_000)])
def test_a_wrong_type_is_named_however_long_it_is(raw):
    (answer,) = answers(b'{"type":%s,"id":7}' % raw.encode())
    assert (answer["code"], answer["id"]) == ("INVALID_MESSAGE", 7)
    assert "$.type`" in answer["message"]
    assert len(json.dumps(answer)) < 500


@pytest.mark.parametrize("first", ['"tourId":5,"tourId":"a"', '"tourId":"a","tourId":5'])
def test_of_a_field_that_comes_twice_both_are_checked(first):
    (answer,) = answers(b'{"type":"SUBSCRIBE",%s}' % first.encode())
    assert "$.tourId`" in answer["message"]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_deep_nesting_is_refused_in_an_unknown_field_too(opening):
    for message in (opening * 5_000, b'{"type":"PING","x":' + opening * 5_000):
        (answer,) = answers(message)
        assert answer["code"] == "INVALID_MESSAGE"
        assert len(json.dumps(answer)) < 500


@pytest.mark.parametrize("id", [0, -1, LARGEST, -LARGEST - 1, "", "x" * 128, "é\u0000"])
def test_every_lawful_mark_is_echoed(id):
    (answer,) = answers(json.dumps({"type": "PING", "id": id}).encode())
    assert (answer["type"], answer["id"]) == ("PONG", id)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["type", "more", *sorted({name for fields in FIELDS.values() for name in fields})])
messages = st.one_of(
    st.binary(max_size=300),
    values.map(lambda value: json.dumps(value).encode()),
    st.tuples(st.sampled_from([*FIELDS, "DANCE"]), st.dictionaries(names, values, max_size=5)).map(
        lambda one: json.dumps({**one[1], "type": one[0]}).encode()
    ),
)


@given(messages)
def test_whatever_comes_is_answered_briefly_and_nothing_is_raised(message):
    told = answers(message)
    assert told
    for frame in told:
        assert len(msgspec.json.encode(frame)) < 2_000
