"""RFC 6455 messages over frames: fragments, UTF-8, close codes and limits; nothing of sockets or loops."""

from __future__ import annotations

import codecs
import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from seatcast.gateway.frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, Frame, Violation
from seatcast.wire import MAX_FRAGMENTS, MAX_MESSAGE_BYTES, CloseCode

CLOSE_SECONDS: Final = 2.0
"""How long a peer may take to answer a CLOSE before its connection is aborted."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client may send: the size of a message, in how many fragments, and whether binary ones."""

    max_bytes: int = MAX_MESSAGE_BYTES
    max_fragments: int = MAX_FRAGMENTS
    binary: bool = False


class Kind(enum.Enum):
    """What a frame completed."""

    TEXT = 1
    BINARY = 2
    PING = 3
    PONG = 4
    CLOSE = 5


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message or a control frame. `code` is what to answer a CLOSE with."""

    kind: Kind
    data: bytes
    code: int = 0


class Encoded:
    """A text message, ready to be sent any number of times: its payload, and the whole server frame around it."""

    __slots__ = ("frame", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.frame = text_frame(payload)


def frame(opcode: int, payload: bytes) -> bytes:
    """Return the unfragmented, unmasked frame that a server sends (RFC 6455, 5.2)."""
    size = len(payload)
    first = 0x80 | opcode
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """Return a text message in a frame."""
    return frame(TEXT, payload)


def close_frame(code: int, reason: str) -> bytes:
    """Return the frame that closes with a code and a reason of at most 123 bytes (RFC 6455, 5.5.1)."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode()[:123])


class Assembler:
    """One peer's incoming messages. After a `Violation` no further frame may be given."""

    __slots__ = ("_bounds", "_fragments", "_parts", "_utf8")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        # Of the message being assembled; None, and no memory, while there is none.
        self._parts: bytearray | None = None
        self._fragments = 0
        self._utf8: codecs.IncrementalDecoder | None = None

    def receive(self, frame: Frame) -> Message | None:
        """Take a frame or a piece of one, and return the message that it completes, if any.

        Raises `Violation`. Control frames may come between the fragments of a message.
        """
        opcode, payload, fin, begins, ends = frame
        if opcode >= CLOSE:
            return _control(opcode, payload)
        if begins:
            if opcode == CONTINUATION:
                self._fragments += 1
            elif self._parts is not None:
                raise Violation(CloseCode.PROTOCOL_ERROR, "message within a message")
            elif opcode == BINARY and not self._bounds.binary:
                raise Violation(CloseCode.UNSUPPORTED_DATA, "text expected")
            elif fin and ends:
                return self._whole(opcode, payload)
            else:
                self._parts = bytearray()
                self._fragments = 1
                self._utf8 = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None
        return self._append(payload, last=fin and ends)

    def _whole(self, opcode: int, payload: bytes) -> Message:
        if len(payload) > self._bounds.max_bytes:
            raise Violation(CloseCode.MESSAGE_TOO_BIG, "message too big")
        if opcode == BINARY:
            return Message(Kind.BINARY, payload)
        if not payload.isascii():
            _check(payload.decode)
        return Message(Kind.TEXT, payload)

    def _append(self, payload: bytes, *, last: bool) -> Message | None:
        parts, utf8 = self._parts, self._utf8
        if parts is None:
            raise Violation(CloseCode.PROTOCOL_ERROR, "continuation of nothing")
        if self._fragments > self._bounds.max_fragments:
            raise Violation(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        if len(parts) + len(payload) > self._bounds.max_bytes:
            raise Violation(CloseCode.MESSAGE_TOO_BIG, "message too big")
        if utf8 is not None:
            # Piece by piece: a message is refused as soon as no continuation could make it valid.
            _check(lambda: utf8.decode(payload, final=last))
            if _SURROGATES.match(utf8.getstate()[0]):
                raise Violation(CloseCode.INVALID_PAYLOAD, "not UTF-8")
        parts += payload
        if not last:
            return None
        self._parts = self._utf8 = None
        return Message(Kind.BINARY if utf8 is None else Kind.TEXT, bytes(parts))


_SURROGATES: Final = re.compile(rb"\xed[\xa0-\xbf]")
"""Python's decoder waits to see a third byte after these, although none makes a character of them."""


def _check(decode: Callable[[], object]) -> None:
    try:
        decode()
    except UnicodeDecodeError:
        raise Violation(CloseCode.INVALID_PAYLOAD, "not UTF-8") from None


def _control(opcode: int, payload: bytes) -> Message:
    if opcode == CLOSE:
        return Message(Kind.CLOSE, payload[2:], _close_code(payload))
    return Message(Kind.PING if opcode == PING else Kind.PONG, payload)


def _close_code(payload: bytes) -> int:
    """Return the code to answer a CLOSE with: its own; NORMAL to one without a code, since 1005 may not be sent."""
    if not payload:
        return CloseCode.NORMAL
    code = int.from_bytes(payload[:2], "big")
    # 1004, 1005, 1006 and 1015 are never sent; 1016 to 2999 belong to future versions of the protocol. A single
    # byte, which is no code, is less than any.
    if not (code in _CLOSE_CODES or 3000 <= code <= 4999):
        raise Violation(CloseCode.PROTOCOL_ERROR, "invalid close code")
    _check(payload[2:].decode)
    return code


_CLOSE_CODES: Final = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
