"""The cases of public conformance suites, by their sections, against the echo server over real sockets.

A short form of what Autobahn's fuzzing client asks (`docs/conformance.md` says how to run that): the same sections, payload
sizes, ways of cutting frames and bytes, texts and close codes. Sections 12 and 13 are about compression, which is
not offered.
"""

import asyncio
import contextlib

import pytest

from seatcast.gateway.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

from ..client_frames import masked
from .echo_server import BOUNDS, echoing

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
GOODBYE = masked(CLOSE, b"\x03\xe8")


class Client:
    """One WebSocket to the echo server."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def send(self, data, chop=None):
        """All at once, or in pieces of `chop` bytes, each in a packet of its own as far as that can be had."""
        for start in range(0, len(data), chop or len(data)):
            self.writer.write(data[start : start + (chop or len(data))])
            if chop:
                await self.writer.drain()
                await asyncio.sleep(0)

    async def frame(self):
        first, size = await self.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        assert first & 0xF0 == 0x80
        return first & 15, await self.reader.readexactly(size)

    async def told(self, *expected):
        for frame in expected:
            assert await self.frame() == frame

    async def closed(self, code):
        """The server says CLOSE with this code, ends the stream, and says nothing else."""
        opcode, payload = await self.frame()
        assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, code)
        assert await self.reader.read() == b""


@contextlib.asynccontextmanager
async def client():
    async with echoing() as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        try:
            yield Client(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def judged(data, answers, code, chop=None):
    async with client() as one:
        await one.send(data, chop)
        await one.told(*answers)
        await one.closed(code)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize(
    ("size", "chop"),
    [
        (0, None),
        (125, None),
        (126, None),
        (127, None),
        (128, None),
        (65_535, None),
        (65_536, None),
        (65_536, 997),
    ],
)
async def test_1_framing(opcode, size, chop):
    payload = b"*" * size if opcode == TEXT else b"\xfe" * size
    await judged(masked(opcode, payload) + GOODBYE, [(opcode, payload)], 1000, chop)


@pytest.mark.parametrize(
    "payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125]
)
@pytest.mark.parametrize("chop", [None, 1])
async def test_2_pings(payload, chop):
    await judged(
        masked(PING, payload) * 10 + masked(PONG, b"unsolicited") + GOODBYE,
        [(PONG, payload)] * 10,
        1000,
        chop,
    )


async def test_2_a_ping_too_long():
    await judged(masked(PING, b"\xfe" * 126), [], 1002)


@pytest.mark.parametrize("reserved", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
@pytest.mark.parametrize("chop", [None, 1])
async def test_3_reserved_bits(opcode, reserved, chop):
    """What came before is answered."""
    data = masked(TEXT, b"Hello") + masked(opcode, b"", reserved=reserved) + masked(PING)
    await judged(data, [(TEXT, b"Hello")], 1002, chop)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved opcode payload"])
async def test_4_opcodes(opcode, payload):
    data = masked(TEXT, b"Hello") + masked(opcode, payload) + masked(PING)
    await judged(data, [(TEXT, b"Hello")], 1002)


LAWFUL = {
    "two fragments": ([(TEXT, b"a", False), (CONTINUATION, b"b", True)], [(TEXT, b"ab")]),
    "a ping between": (
        [(TEXT, b"a", False), (PING, b"p", True), (CONTINUATION, b"b", True)],
        [(PONG, b"p"), (TEXT, b"ab")],
    ),
    "pings between all of five": (
        [
            (TEXT, b"1", False),
            *[(PING, b"p", True), (CONTINUATION, b"2", False)] * 3,
            (CONTINUATION, b"5", True),
        ],
        [*[(PONG, b"p")] * 3, (TEXT, b"12225")],
    ),
    "empty ones": (
        [(TEXT, b"", False), (CONTINUATION, b"", False), (CONTINUATION, b"", True)],
        [(TEXT, b"")],
    ),
    "the last is empty": ([(BINARY, b"a", False), (CONTINUATION, b"", True)], [(BINARY, b"a")]),
}


@pytest.mark.parametrize(("frames", "answers"), LAWFUL.values(), ids=LAWFUL)
@pytest.mark.parametrize("chop", [None, 1])
async def test_5_fragments(frames, answers, chop):
    await judged(b"".join(masked(*one) for one in frames) + GOODBYE, answers, 1000, chop)


@pytest.mark.parametrize(
    "frames",
    [
        [(PING, b"p", False), (CONTINUATION, b"p", True)],
        [(PONG, b"p", False), (CONTINUATION, b"p", True)],
        [(CONTINUATION, b"a", True), (TEXT, b"b", True)],
        [(CONTINUATION, b"a", False), (TEXT, b"b", True)],
        [(TEXT, b"a", False), (TEXT, b"b", True)],
        [(TEXT, b"a", False), (BINARY, b"b", False)],
    ],
)
@pytest.mark.parametrize("chop", [None, 1])
async def test_5_what_is_no_fragment(frames, chop):
    await judged(b"".join(masked(*one) for one in frames), [], 1002, chop)


VALID = [
    b"", "Hello-µ@ßöäüàá-UTF-8!!".encode(), "κόσμε".encode(), b"\x00", b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80",
    b"\xef\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd",
    b"\xef\xbf\xbe", b"\xf0\x9f\xbf\xbe",
]  # fmt: skip
INVALID = [
    b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80", b"\xfb\xbf\xbf\xbf\xbf", b"\xfc\x84\x80\x80\x80\x80",
    b"\x80", b"\xbf", b"\x80\xbf", b"\xc0 ", b"\xe0 ", b"\xf0 ", b"\xc3", b"\xe1\xbd", b"\xf0\x90\x80", b"\xfe", b"\xff",
    b"\xfe\xfe\xff\xff", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf",
    b"\xc0\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf",
]  # fmt: skip


def cuts(text):
    """Whole, in two, and byte by byte."""
    yield masked(TEXT, text)
    yield masked(TEXT, text[: len(text) // 2], False) + masked(CONTINUATION, text[len(text) // 2 :])
    single = [text[at : at + 1] for at in range(len(text))] or [b""]
    yield (
        masked(TEXT, b"", False)
        + b"".join(masked(CONTINUATION, one, False) for one in single)
        + masked(CONTINUATION)
    )


@pytest.mark.parametrize("text", VALID)
async def test_6_valid_utf8(text):
    for data in cuts(text):
        await judged(data + GOODBYE, [(TEXT, text)], 1000)


@pytest.mark.parametrize("text", INVALID)
async def test_6_invalid_utf8(text):
    for data in cuts("κόσμε".encode() + text):
        await judged(data, [], 1007)


@pytest.mark.parametrize("bad", [b"\xf4\x90", b"\xed\xa0", b"\xff"])
async def test_6_invalid_utf8_is_not_waited_for(bad):
    """Refused as soon as it is certain: before the end of the message, and of its frame."""
    await judged(masked(TEXT, b"abc" + bad, False), [], 1007)
    await judged(masked(TEXT, b"abc" + bad + b"edited" * 20)[: 6 + 3 + len(bad)], [], 1007)
    await judged(masked(TEXT, b"abc" + bad + b"edited")[: 6 + 3 + len(bad)], [], 1007, chop=1)


@pytest.mark.parametrize(
    "after",
    [b"", GOODBYE, masked(PING), masked(TEXT, b"void"), masked(BINARY, b"x" * 262_144), b"\xff" * 100],
)
async def test_7_nothing_after_a_close_counts(after):
    await judged(masked(TEXT, b"Hello") + GOODBYE + after, [(TEXT, b"Hello")], 1000)
    await judged(masked(TEXT, b"unfinished", False) + GOODBYE + after, [], 1000)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", 1000),
        (b"\x03", 1002),
        (b"\x03\xe8Hello World!", 1000),
        (b"\x03\xe8" + b"*" * 123, 1000),
        (b"\x03\xe8" + b"*" * 124, 1002),
        (b"\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", 1007),
        *((code.to_bytes(2, "big"), code) for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)),
        *((code.to_bytes(2, "big"), 1002) for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535)),
    ],
)  # fmt: skip
async def test_7_close_codes(payload, code):
    await judged(masked(CLOSE, payload), [], code)


@pytest.mark.parametrize("size", [2**16, 2**20, 2**22, 2**24])
async def test_9_large_messages(size):
    payload = b"*" * size
    await judged(masked(BINARY, payload) + GOODBYE, [(BINARY, payload)], 1000)


@pytest.mark.parametrize("part", [64, 256, 1_024, 4_096, 16_384, 65_536])
async def test_9_many_fragments(part):
    whole = "é".encode() * 2**17
    parts = [whole[at : at + part] for at in range(0, len(whole), part)]
    data = masked(TEXT, parts[0], False) + b"".join(masked(CONTINUATION, one, False) for one in parts[1:])
    await judged(data + masked(CONTINUATION) + GOODBYE, [(TEXT, whole)], 1000)


@pytest.mark.parametrize("chop", [64, 256, 2_048])
async def test_9_chopped_messages(chop):
    payload = b"*" * 2**17
    await judged(masked(TEXT, payload) + GOODBYE, [(TEXT, payload)], 1000, chop)


@pytest.mark.parametrize("size", [0, 16, 64, 256, 1_024])
async def test_9_many_messages(size):
    async with client() as one:
        for _ in range(500):
            await one.send(masked(TEXT, b"*" * size))
            await one.told((TEXT, b"*" * size))
        await one.send(GOODBYE)
        await one.closed(1000)


async def test_9_a_message_past_the_limit():
    await judged(b"\x82\xff" + (BOUNDS.max_bytes + 1).to_bytes(8, "big"), [], 1009)


async def test_10_a_message_in_even_fragments():
    payload = b"*" * 65_536
    parts = [payload[at : at + 1_300] for at in range(0, len(payload), 1_300)]
    frames = [(TEXT if not at else CONTINUATION, one, at == len(parts) - 1) for at, one in enumerate(parts)]
    await judged(b"".join(masked(*one) for one in frames) + GOODBYE, [(TEXT, payload)], 1000)
