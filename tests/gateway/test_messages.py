"""The message layer over frames: RFC 6455 as strictly as frames allow."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast.gateway.messages import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Assembler,
    Encoded,
    Kind,
    Message,
    Violation,
)


def take(assembler, opcode, payload=b"", fin=True, reserved=False):
    return assembler.receive(opcode, payload, fin=fin, reserved=reserved)


def refusal(assembler, *args, **more):
    with pytest.raises(Violation) as refused:
        take(assembler, *args, **more)
    return refused.value.code


@given(text=st.text(max_size=200), cuts=st.lists(st.integers(0, 400), max_size=20), pings=st.booleans())
def test_fragments_make_the_message_whatever_comes_between(text, cuts, pings):
    """Cut anywhere, also inside a character, with control frames between the fragments."""
    whole = text.encode()
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    assembler = Assembler()
    got = []
    for place, (start, end) in enumerate(itertools.pairwise(edges)):
        opcode = TEXT if place == 0 else CONTINUATION
        got.append(take(assembler, opcode, whole[start:end], fin=place == len(edges) - 2))
        if pings:
            assert take(assembler, PING, b"between") == Message(Kind.PING, b"between")

    assert got[:-1] == [None] * (len(got) - 1)
    assert got[-1] == Message(Kind.TEXT, whole)


@given(st.binary(max_size=40), st.integers(0, 40))
def test_text_is_refused_exactly_when_it_is_not_utf8(payload, cut):
    """Whole or in two fragments, the verdict is Python's."""

    def verdict(frames):
        assembler = Assembler()
        try:
            for opcode, part, fin in frames:
                take(assembler, opcode, part, fin=fin)
        except Violation as violation:
            return violation.code
        return None

    try:
        payload.decode()
        expected = None
    except UnicodeDecodeError:
        expected = 1007
    assert verdict([(TEXT, payload, True)]) == expected
    assert verdict([(TEXT, payload[:cut], False), (CONTINUATION, payload[cut:], True)]) == expected


def test_invalid_utf8_is_refused_at_the_fragment_that_makes_it_certain():
    assembler = Assembler()
    assert take(assembler, TEXT, b"\xce\xba\xe1", fin=False) is None
    assert refusal(assembler, CONTINUATION, b"\xff", fin=False) == 1007


@pytest.mark.parametrize("opcode", [TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE])
def test_reserved_bits_are_refused_on_every_frame(opcode):
    assert refusal(Assembler(binary=True), opcode, b"", reserved=True) == 1002


@pytest.mark.parametrize("opcode", [3, 7, 11, 15])
def test_unknown_opcodes_are_refused(opcode):
    assert refusal(Assembler(), opcode) == 1002


def test_a_continuation_needs_a_beginning():
    assert refusal(Assembler(), CONTINUATION, b"x") == 1002


def test_a_message_may_not_begin_inside_another():
    assembler = Assembler()
    take(assembler, TEXT, b"a", fin=False)
    assert refusal(assembler, TEXT, b"b") == 1002


def test_control_frames_may_not_be_fragmented_or_long():
    assert refusal(Assembler(), PING, b"", fin=False) == 1002
    assert refusal(Assembler(), PING, b"x" * 126) == 1002


def test_binary_is_refused_unless_wanted():
    assert refusal(Assembler(), BINARY, b"x") == 1003
    assert refusal(Assembler(), BINARY, b"x", fin=False) == 1003
    assert take(Assembler(binary=True), BINARY, b"\xff") == Message(Kind.BINARY, b"\xff")


def test_size_and_number_of_fragments_are_limited():
    assert take(Assembler(max_bytes=3), TEXT, b"abc") is not None
    assert refusal(Assembler(max_bytes=3), TEXT, b"abcd") == 1009

    assembler = Assembler(max_bytes=3)
    take(assembler, TEXT, b"ab", fin=False)
    assert refusal(assembler, CONTINUATION, b"cd", fin=False) == 1009

    assembler = Assembler(max_fragments=2)
    take(assembler, TEXT, b"", fin=False)
    take(assembler, CONTINUATION, b"", fin=False)
    assert refusal(assembler, CONTINUATION, b"", fin=True) == 1009


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]
)
def test_close_is_answered_with_its_own_code(code):
    message = take(Assembler(), CLOSE, code.to_bytes(2, "big") + "à bientôt".encode())
    assert (message.kind, message.code, message.data) == (Kind.CLOSE, code, "à bientôt".encode())


def test_close_without_a_code_is_answered_with_1000():
    """Never with 0 or 1005, which may not be on the wire."""
    assert take(Assembler(), CLOSE).code == 1000


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_close_codes_that_may_not_be_sent_are_refused(code):
    assert refusal(Assembler(), CLOSE, code.to_bytes(2, "big")) == 1002


def test_close_payload_is_checked():
    assert refusal(Assembler(), CLOSE, b"\x03") == 1002
    assert refusal(Assembler(), CLOSE, b"\x03\xe8\xff") == 1007


def test_close_inside_a_fragmented_message_is_heard():
    assembler = Assembler()
    take(assembler, TEXT, b"a", fin=False)
    assert take(assembler, CLOSE, b"\x03\xe8").code == 1000


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_server_frames_have_the_shortest_length_encoding(size):
    frame = Encoded(b"x" * size).frame
    header = frame[: len(frame) - size]
    assert header[0] == 0x81
    if size < 126:
        assert header[1:] == bytes([size])
    elif size < 65_536:
        assert header[1:] == b"\x7e" + size.to_bytes(2, "big")
    else:
        assert header[1:] == b"\x7f" + size.to_bytes(8, "big")
