"""The message layer over frames: RFC 6455 as strictly as frames allow."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast.gateway.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    Frames,
    Violation,
    unmasked,
)
from seatcast.gateway.messages import Assembler, Bounds, Encoded, Kind, Message

from ..client_frames import masked


class Peer:
    """Frames and messages of one client, fed with bytes."""

    def __init__(self, **bounds):
        bounds = Bounds(**bounds)
        self.frames = Frames(bounds.max_bytes)
        self.assembler = Assembler(bounds)

    def feed(self, data):
        """Returns the messages that these bytes complete."""
        self.frames.feed(data)
        messages = []
        while (frame := self.frames.next()) is not None:
            if (message := self.assembler.receive(frame)) is not None:
                messages.append(message)
        return messages


def take(assembler, opcode, payload=b"", fin=True):
    return assembler.receive(Frame(opcode, payload, fin))


def refusal(assembler, *args, **more):
    with pytest.raises(Violation) as refused:
        take(assembler, *args, **more)
    return refused.value.code


def verdict(data, **bounds):
    """The code that a client's bytes are refused with; None if they are not."""
    try:
        Peer(**bounds).feed(data)
    except Violation as violation:
        return violation.code
    return None


# Frames


@given(
    st.lists(
        st.tuples(st.sampled_from([TEXT, BINARY, CONTINUATION, PING]), st.binary(max_size=125), st.booleans())
    ),
    st.lists(st.integers(1, 40)),
)
def test_frames_are_what_was_sent_however_the_bytes_arrive(sent, sizes):
    """Pieces of one frame follow each other without a gap; a control frame comes in one."""
    sent = [(opcode, payload, fin or opcode == PING) for opcode, payload, fin in sent]
    data = b"".join(masked(*one) for one in sent)
    frames = Frames(125)
    got, whole = [], b""
    for size in [*sizes, len(data)]:
        frames.feed(data[:size])
        data = data[size:]
        while (frame := frames.next()) is not None:
            assert frame.begins == (not whole) or frame.begins is False
            whole += frame.payload
            if frame.ends:
                got.append((frame.opcode, whole, frame.fin))
                whole = b""
            else:
                assert frame.opcode != PING
    assert got == sent


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_every_length_is_read(size):
    payload = bytes(range(256)) * (size // 256 + 1)
    assert Peer(max_bytes=100_000, binary=True).feed(masked(BINARY, payload[:size])) == [
        Message(Kind.BINARY, payload[:size])
    ]


@pytest.mark.parametrize(
    "data", [b"\x81\xfe\x00\x7d", b"\x81\xff" + (65_535).to_bytes(8, "big"), b"\x81\xff" + b"\xff" * 8]
)
def test_a_length_has_its_shortest_form(data):
    assert verdict(data) == 1002


def test_what_is_announced_too_big_is_refused_at_its_header():
    assert verdict(b"\x81\xff" + (2**62).to_bytes(8, "big")) == 1009
    assert verdict(b"\x81\xfe\x80\x01") == 1009
    assert verdict(b"\x81\xfe\x80\x00") is None


def test_frames_of_a_client_are_masked():
    assert verdict(b"\x81\x00") == 1002


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_masking_is_undone_by_masking(payload, key):
    assert unmasked(payload, key) == bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))
    assert unmasked(unmasked(payload, key), key) == payload


# Messages


@given(text=st.text(max_size=200), cuts=st.lists(st.integers(0, 400), max_size=20), pings=st.booleans())
def test_fragments_make_the_message_whatever_comes_between(text, cuts, pings):
    """Cut anywhere, also inside a character, with control frames between the fragments."""
    whole = text.encode()
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    assembler = Assembler(Bounds())
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
    try:
        payload.decode()
        expected = None
    except UnicodeDecodeError:
        expected = 1007
    assert verdict(masked(TEXT, payload)) == expected
    assert verdict(masked(TEXT, payload[:cut], False) + masked(CONTINUATION, payload[cut:])) == expected


BEGINNINGS = {
    encoded[:size]
    for encoded in (chr(code).encode() for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    for size in range(1, len(encoded) + 1)
}
"""Of every character, all there are."""


@pytest.mark.parametrize("cut", ["fragment", "inside"])
def test_invalid_utf8_is_refused_at_the_byte_that_makes_it_certain(cut):
    """For every one or two bytes, and in samples every three and four: refused exactly if nothing could follow."""
    two = [bytes((a, b)) for a in range(256) for b in range(256)]
    three = [
        start + bytes((c,))
        for start in two
        if start in BEGINNINGS
        for c in (0, 0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC0)
    ]
    four = [start + bytes((d,)) for start in three if start in BEGINNINGS for d in (0x7F, 0x80, 0xBF, 0xC0)]
    for text in [*(bytes((a,)) for a in range(256)), *two, *three, *four]:
        data = masked(TEXT, text, False) if cut == "fragment" else masked(TEXT, text + b"0123456789")[:-10]
        rest = text
        while rest and (size := next((n for n in (1, 2, 3, 4) if is_character(rest[:n])), 0)):
            rest = rest[size:]
        assert (verdict(data) is None) == (not rest or rest in BEGINNINGS), text


def is_character(text):
    try:
        return len(text.decode()) == 1
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize("opcode", [TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE])
def test_reserved_bits_are_refused_on_every_frame(opcode):
    for bit in (1, 2, 4):
        assert verdict(masked(opcode, b"", reserved=bit), binary=True) == 1002


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_unknown_opcodes_are_refused(opcode):
    assert verdict(masked(opcode)) == 1002


def test_a_continuation_needs_a_beginning():
    assert refusal(Assembler(Bounds()), CONTINUATION, b"x") == 1002


def test_a_message_may_not_begin_inside_another():
    assembler = Assembler(Bounds())
    take(assembler, TEXT, b"a", fin=False)
    assert refusal(assembler, TEXT, b"b") == 1002


def test_control_frames_may_not_be_fragmented_or_long():
    for opcode in (PING, PONG, CLOSE):
        assert verdict(masked(opcode, b"", fin=False)) == 1002
        assert verdict(masked(opcode, b"x" * 126)) == 1002


def test_binary_is_refused_unless_wanted():
    assert refusal(Assembler(Bounds()), BINARY, b"x") == 1003
    assert refusal(Assembler(Bounds()), BINARY, b"x", fin=False) == 1003
    assert take(Assembler(Bounds(binary=True)), BINARY, b"\xff") == Message(Kind.BINARY, b"\xff")


def test_size_and_number_of_fragments_are_limited():
    assert take(Assembler(Bounds(max_bytes=3)), TEXT, b"abc") is not None
    assert refusal(Assembler(Bounds(max_bytes=3)), TEXT, b"abcd") == 1009

    assembler = Assembler(Bounds(max_bytes=3))
    take(assembler, TEXT, b"ab", fin=False)
    assert refusal(assembler, CONTINUATION, b"cd", fin=False) == 1009

    assembler = Assembler(Bounds(max_fragments=2))
    take(assembler, TEXT, b"", fin=False)
    take(assembler, CONTINUATION, b"", fin=False)
    assert refusal(assembler, CONTINUATION, b"", fin=True) == 1009


def test_pieces_of_a_frame_are_no_fragments():
    peer = Peer(max_fragments=2)
    for byte in masked(TEXT, b"abcdef", False) + masked(CONTINUATION, b"ghijkl")[:-1]:
        assert peer.feed(bytes((byte,))) == []
    assert peer.feed(masked(CONTINUATION, b"ghijkl")[-1:]) == [Message(Kind.TEXT, b"abcdefghijkl")]


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]
)
def test_close_is_answered_with_its_own_code(code):
    message = take(Assembler(Bounds()), CLOSE, code.to_bytes(2, "big") + "à bientôt".encode())
    assert (message.kind, message.code, message.data) == (Kind.CLOSE, code, "à bientôt".encode())


def test_close_without_a_code_is_answered_with_1000():
    """Never with 0 or 1005, which may not be on the wire."""
    assert take(Assembler(Bounds()), CLOSE).code == 1000


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_close_codes_that_may_not_be_sent_are_refused(code):
    assert refusal(Assembler(Bounds()), CLOSE, code.to_bytes(2, "big")) == 1002


def test_close_payload_is_checked():
    assert refusal(Assembler(Bounds()), CLOSE, b"\x03") == 1002
    assert refusal(Assembler(Bounds()), CLOSE, b"\x03\xe8\xff") == 1007


def test_close_inside_a_fragmented_message_is_heard():
    assembler = Assembler(Bounds())
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
