"""Our reading of RFC 6455 beside those of `websockets` and `wsproto`: what one writes the other reads alike.

Where they differ by design the test says so; everything else has to be the same, message for message.
"""

import asyncio
import contextlib
import socket
import threading

import pytest
import uvloop
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from websockets.protocol import Side
from wsproto.connection import ConnectionType

from seatcast.gateway.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from seatcast.gateway.messages import Bounds, text_frame

from ..client_frames import KEY, masked
from .echo_server import echoing
from .streams import (
    LIMIT,
    chunks,
    of_websockets,
    of_wsproto,
    ours,
    programs,
    wild_streams,
    written_by_ours,
    written_by_websockets,
    written_by_wsproto,
)

many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OTHERS = pytest.mark.parametrize("other", [of_websockets, of_wsproto], ids=["websockets", "wsproto"])


# What one writes, the other reads


@pytest.mark.parametrize("write", [written_by_websockets, written_by_wsproto, written_by_ours])
@given(program=programs(), sizes=chunks)
@many
def test_we_read_what_they_write_however_it_arrives(write, program, sizes):
    steps, messages = program
    assert ours(write(steps), sizes) == (messages, None)


@OTHERS
@given(program=programs(), key=st.binary(min_size=4, max_size=4))
@many
def test_they_read_what_our_tests_write(other, program, key):
    """So the streams below are what they are meant to be."""
    steps, messages = program
    assert other(written_by_ours(steps, key)) == (messages, None)


@given(st.lists(st.text(max_size=40) | st.integers(120, 70_000).map("x".__mul__), max_size=5))
@many
def test_they_read_what_we_write(texts):
    data = b"".join(text_frame(text.encode()) for text in texts)
    expected = [("text", text.encode()) for text in texts], None
    assert of_websockets(data, Side.CLIENT) == expected
    assert of_wsproto(data, ConnectionType.CLIENT) == expected


# What is wrong is wrong for all

ONE_WRONG = [
    *((masked(TEXT, b"a", reserved=bit), 1002) for bit in (1, 2, 4)),
    *((masked(PING, b"a", reserved=bit), 1002) for bit in (1, 2, 4)),
    *((masked(opcode, b"a"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    (b"\x81\x01a", 1002),
    *((masked(opcode, b"a", fin=False), 1002) for opcode in (PING, PONG, CLOSE)),
    *((masked(opcode, b"a" * 126), 1002) for opcode in (PING, PONG, CLOSE)),
    (masked(CONTINUATION, b"a"), 1002),
    (masked(CONTINUATION, b"a", fin=False), 1002),
    (masked(TEXT, b"a", fin=False) + masked(TEXT, b"b"), 1002),
    (masked(TEXT, b"a", fin=False) + masked(BINARY, b"b"), 1002),
    (masked(CLOSE, b"\x03"), 1002),
    *((masked(CLOSE, code.to_bytes(2, "big")), 1002) for code in (0, 999, 1005, 1006, 1015, 5000, 65_535)),
    (masked(CLOSE, b"\x03\xe8\xff"), 1007),
    *(
        (masked(TEXT, text), 1007)
        for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xc3")
    ),
    (masked(TEXT, b"\xc3", fin=False) + masked(CONTINUATION, b"a"), 1007),
    (masked(TEXT, b"\xc3", fin=False) + masked(CONTINUATION, b""), 1007),
]  # fmt: skip


@pytest.mark.parametrize(("data", "code"), ONE_WRONG)
def test_one_thing_wrong_has_the_same_code_everywhere(data, code):
    read = [("text", b"before")], code
    data = masked(TEXT, b"before") + data
    assert ours(data) == read
    assert of_websockets(data) == read
    assert of_wsproto(data) == read


@OTHERS
@given(wild_streams())
@settings(many, max_examples=1_000)
def test_all_judge_alike(other, data):
    """The same messages up to the same end. Ours may come sooner: at a header, or at a byte inside a frame."""
    we, they = ours(data), other(data)
    note(f"{we} {they}")
    if differs_by_design(other, we, they):
        return
    if we.code is None:
        assert they == we
        return
    assert they.messages[: len(we.messages)] == we.messages
    if we.code == 1009 and other is of_wsproto:
        return  # It leaves the size of messages to its caller, and waits for this one.
    if they.code is None:
        # They were waiting for the rest: whatever it is, they refuse too.
        they = other(data + bytes(70_000))
        assert they.code is not None
    # With two things wrong, which is found first differs.
    assert {we.code, they.code} <= {1002, 1007, 1009}


def differs_by_design(other, we, they):
    """`websockets` refuses a CLOSE between the fragments of a message, `wsproto` code 1014; both are lawful."""
    if not (we.messages and we.messages[-1][0] == "close" and they == (we.messages[:-1], 1002)):
        return False
    return other is of_websockets or we.messages[-1][1] == 1014


@pytest.mark.parametrize(
    ("data", "us", "websockets", "wsproto"),
    [
        # RFC 6455, 5.4: control frames may come between fragments.
        (masked(TEXT, b"a", fin=False) + masked(CLOSE, b"\x03\xe8"), None, 1002, None),
        # Registered since: Bad Gateway.
        (masked(CLOSE, b"\x03\xf6"), None, None, 1002),
        # RFC 6455, 5.2: the shortest form. `websockets` reads it, and finds the text wrong.
        (b"\x81\xfe\x00\x05" + KEY + b"aaaaa", 1002, 1007, 1002),
        (b"\x81\xff" + (200).to_bytes(8, "big") + KEY + b"a" * 200, 1002, 1007, 1002),
        (b"\x81\xff" + (2**63).to_bytes(8, "big") + KEY, 1002, 1009, 1002),
        # `wsproto` leaves the size of messages to its caller.
        (masked(TEXT, b"a" * (LIMIT + 1)), 1009, 1009, None),
    ],
)
def test_differences_by_design(data, us, websockets, wsproto):
    assert [read(data).code for read in (ours, of_websockets, of_wsproto)] == [us, websockets, wsproto]


@given(wild_streams(), chunks)
@many
def test_how_the_bytes_arrive_changes_nothing_but_how_soon(data, sizes):
    whole, cut = ours(data), ours(data, sizes)
    assert whole == cut


@given(wild_streams())
@many
def test_limits_are_kept_whatever_comes(data):
    """Of a message, of its fragments, and that nothing else is raised than a violation."""
    bounds = Bounds(max_bytes=50, max_fragments=2)
    read = ours(data, bounds=bounds)
    assert all(len(one[1]) <= 125 for one in read.messages if one[0] in ("ping", "pong"))
    assert all(len(one[1]) <= 50 for one in read.messages if one[0] == "text")
    assert not any(one[0] == "binary" for one in read.messages)
    assert read.code in (None, 1002, 1003, 1007, 1009)


# Over sockets


@pytest.fixture(scope="module")
def echo():
    """The port of the echo server, in a thread of its own."""
    started, port = threading.Event(), []
    loop = uvloop.new_event_loop()
    stop = asyncio.Event()

    async def serve():
        async with echoing() as bound:
            port.append(bound)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.Runner(loop_factory=lambda: loop).run(serve()))
    thread.start()
    assert started.wait(10)
    yield port[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


def converse(port, data, sizes):
    """Send a client's bytes in such pieces, and return what comes back until the server ends the stream."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(UPGRADE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = sock.makefile("rb")
        while stream.readline() != b"\r\n":
            continue
        with contextlib.suppress(ConnectionError):
            for size in [*sizes, len(data)]:
                sock.sendall(data[:size])
                data = data[size:]
        return stream.read()


@given(wild_streams(), chunks)
@settings(many, max_examples=200)
def test_a_real_server_answers_what_was_read_and_closes_with_its_code(echo, data, sizes):
    """Read by both as clients: every message echoed, every ping answered, then the CLOSE, then nothing."""
    data += masked(CLOSE, b"\x0b\xb8bye")
    read = ours(data)
    # Else the CLOSE became part of something that never ends.
    assume(read.code is not None or (read.messages and read.messages[-1][0] == "close"))
    answers = [
        ("pong" if kind == "ping" else kind, data) for kind, data, *_ in read.messages if kind != "pong"
    ]
    code = answers.pop()[1] if read.code is None else read.code
    told = converse(echo, data, sizes)
    readings = [of_websockets(told, Side.CLIENT)]
    if code != 1014:
        readings.append(of_wsproto(told, ConnectionType.CLIENT))
    for they in readings:
        assert they.code is None
        assert they.messages[:-1] == answers
        assert they.messages[-1][:2] == ("close", code)
        # A word or two of our own; never what the client sent, nor an exception's text.
        assert they.messages[-1][2].decode() in REASONS


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

REASONS = {
    "", "reserved bit set", "unknown opcode", "not masked", "control frame fragmented or too long", "not UTF-8",
    "length not in its shortest form", "message too big", "message within a message", "continuation of nothing",
    "invalid close code",
}  # fmt: skip
