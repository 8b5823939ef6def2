"""The golden examples of `contract/` and the Python structs say the same."""

import json
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from seatcast import rest, rest_documents, wire, wire_events

CONTRACT = Path(__file__).parent.parent / "contract"


def _examples(name):
    return json.loads((CONTRACT / name).read_text())


@pytest.mark.parametrize("name", _examples("server-frames.json"))
def test_server_frames_are_written_as_the_examples_say(name):
    example = _examples("server-frames.json")[name]

    frame = msgspec.convert(example, wire.ServerFrame)

    assert json.loads(wire.encode(frame)) == example
    assert wire.encode(frame).startswith(b'{"type":')


@pytest.mark.parametrize("name", _examples("client-frames.json"))
def test_client_frames_are_read(name):
    example = _examples("client-frames.json")[name]

    assert msgspec.to_builtins(wire.decode_client(json.dumps(example).encode())) == example


@pytest.mark.parametrize("key", _examples("events.json"))
def test_events_are_read_and_written_as_the_examples_say(key):
    for example in _examples("events.json")[key].values():
        event = wire_events.decode_event(key, json.dumps(example).encode())
        assert json.loads(wire.encode(event)) == example


@pytest.mark.parametrize("name", _examples("rest.json"))
def test_rest_bodies_are_read_and_written_as_the_examples_say(name):
    example = _examples("rest.json")[name]
    word = name.split()[0]
    kind = getattr(rest, word, None) or getattr(rest_documents, word)

    body = msgspec.convert(example, kind)

    assert json.loads(wire.encode(body)) == example


def test_every_frame_and_event_has_an_example():
    """A type that nobody wrote down is not part of the contract."""
    shown = {e["type"] for e in _examples("server-frames.json").values()}
    assert shown == {kind.__struct_config__.tag for kind in get_args(wire.ServerFrame)}
    shown = {e["type"] for e in _examples("client-frames.json").values()}
    assert shown == {kind.__struct_config__.tag for kind in get_args(wire.ClientFrame)}
    assert set(_examples("events.json")) == set(wire_events.EVENT_TYPES)


@pytest.mark.parametrize("case", _examples("refused.json")["client"], ids=lambda c: c["why"])
def test_bad_client_messages_are_refused_with_a_reason(case):
    with pytest.raises(ValueError, match=case["names"]):
        wire.decode_client(case["body"].encode())


@pytest.mark.parametrize("case", _examples("refused.json")["events"], ids=lambda c: c["why"])
def test_bad_events_are_refused_with_a_reason(case):
    with pytest.raises(wire_events.InvalidEvent, match=case["names"]):
        wire_events.decode_event(case["key"], case["body"].encode())


def test_deep_nesting_is_refused_not_fatal():
    """Recursion in an unknown field must not escape as RecursionError."""
    bomb = b'{"type":"PING","x":' + b"[" * 30_000
    with pytest.raises(ValueError):
        wire.decode_client(bomb)
    with pytest.raises(wire_events.InvalidEvent):
        wire_events.decode_event("tour.availability.updated", bomb)
