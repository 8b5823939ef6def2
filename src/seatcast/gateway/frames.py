"""RFC 6455 frames, section 5: a client's bytes cut into frames, each judged as soon as its header is there.

Payloads are handed on as they come, a frame in several pieces if need be: so a long message needs no memory of
its own here, and what is wrong inside it is found without waiting for its end. Control frames come whole.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from seatcast.wire import CloseCode

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

MAX_CONTROL_BYTES: Final = 125

_KNOWN: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})


class Violation(Exception):
    """The peer broke the protocol or a limit: close with this code."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}")


class Frame(NamedTuple):
    """A frame, or a piece of one: `begins` with its first byte, `ends` with its last. The payload is unmasked."""

    opcode: int
    payload: bytes
    fin: bool
    begins: bool = True
    ends: bool = True


class Frames:
    """One client's frames. `max_bytes` bounds a frame.

    After a `Violation` nothing further may be read: where the next frame begins is not known.
    """

    __slots__ = ("_at", "_begun", "_data", "_fin", "_key", "_left", "_max_bytes", "_opcode")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._data = b""
        self._at = 0
        # Of the frame whose header was read: what of it is still to come, and the mask that continues there.
        self._begun = False
        self._left = 0
        self._opcode = 0
        self._fin = False
        self._key = b""

    def feed(self, data: bytes) -> None:
        """Take bytes off the wire."""
        self._data = self._data[self._at :] + data if self._data else data
        self._at = 0

    def forget(self) -> None:
        """Hold nothing any more: no further frame is wanted."""
        self._data, self._at = b"", 0

    def next(self) -> Frame | None:
        """Return the next frame, or what there is of it; None where more bytes are needed. Raises `Violation`."""
        begins = not self._begun
        if begins and not self._read_header():
            return None
        data, at, left, opcode = self._data, self._at, self._left, self._opcode
        size = min(left, len(data) - at)
        if size < left and (opcode >= CLOSE or not (begins or size)):
            return None
        payload = unmasked(data[at : at + size], self._key) if size else b""
        if size == left:
            self._begun = False
        else:
            self._left = left - size
            self._key = self._key[size & 3 :] + self._key[: size & 3]
        if at + size == len(data):
            self._data, self._at = b"", 0
        else:
            self._at = at + size
        return Frame(opcode, payload, self._fin, begins or opcode >= CLOSE, size == left)

    def _read_header(self) -> bool:
        data, at = self._data, self._at
        there = len(data) - at
        if there < 2:
            return False
        first, second = data[at], data[at + 1]
        opcode = first & 15
        size = second & 127
        if first & 0x70:
            raise Violation(CloseCode.PROTOCOL_ERROR, "reserved bit set")
        if opcode not in _KNOWN:
            raise Violation(CloseCode.PROTOCOL_ERROR, "unknown opcode")
        if second < 128:
            raise Violation(CloseCode.PROTOCOL_ERROR, "not masked")
        if opcode >= CLOSE and (size > MAX_CONTROL_BYTES or first < 128):
            raise Violation(CloseCode.PROTOCOL_ERROR, "control frame fragmented or too long")
        header = 6
        if size >= 126:
            wide = 2 if size == 126 else 8
            header += wide
            if there < 2 + wide:
                return False
            size = int.from_bytes(data[at + 2 : at + 2 + wide], "big")
            if size < (126 if wide == 2 else 65_536) or size >> 63:
                raise Violation(CloseCode.PROTOCOL_ERROR, "length not in its shortest form")
            if size > self._max_bytes:
                raise Violation(CloseCode.MESSAGE_TOO_BIG, "message too big")
        if there < header:
            return False
        self._key = data[at + header - 4 : at + header]
        self._at = at + header
        self._left = size
        self._opcode = opcode
        self._fin = first >= 128
        self._begun = True
        return True


def unmasked(payload: bytes, key: bytes) -> bytes:
    """Return the payload without its mask, or with it: the same operation. `key` has four bytes."""
    size = len(payload)
    # As two long numbers: the fastest way that Python has.
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ mask).to_bytes(size, "little")
