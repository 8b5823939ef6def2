"""RFC 6455 messages over frames: what a frame parser leaves to its listener, and nothing of sockets or loops.

The parser below (picows) checks masks, opcodes, lengths and the size of control frames. Assembling fragments,
reserved bits, UTF-8, close codes and the limits of whole messages are checked here.
"""

from __future__ import annotations

import codecs
import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from seatcast.wire import MAX_FRAGMENTS, MAX_MESSAGE_BYTES, CloseCode

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

CLOSE_SECONDS: Final = 2.0
"""How long a peer may take to answer a CLOSE before its connection is aborted."""


class Violation(Exception):
    """The peer broke the protocol or a limit: close with this code."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}")


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


def text_frame(payload: bytes) -> bytes:
    """Return the unfragmented, unmasked text frame that a server sends."""
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes((size,)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Assembler:
    """One peer's incoming messages.

    `max_bytes` and `max_fragments` bound a message, `binary` says whether binary ones are wanted. After a
    `Violation` the connection must be closed and no further frame given.
    """

    __slots__ = ("_binary", "_fragments", "_max_bytes", "_max_fragments", "_parts", "_utf8")

    def __init__(
        self,
        *,
        max_bytes: int = MAX_MESSAGE_BYTES,
        max_fragments: int = MAX_FRAGMENTS,
        binary: bool = False,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_fragments = max_fragments
        self._binary = binary
        # Of the message being assembled; None, and no memory, while there is none.
        self._parts: bytearray | None = None
        self._fragments = 0
        self._utf8: codecs.IncrementalDecoder | None = None

    def receive(self, opcode: int, payload: bytes, *, fin: bool, reserved: bool) -> Message | None:
        """Take one frame, and return the message that it completes, if any.

        Raises `Violation`. Control frames may come between the fragments of a message.
        """
        if reserved:
            raise Violation(CloseCode.PROTOCOL_ERROR, "reserved bit set")
        if opcode >= CLOSE:
            return _control(opcode, payload, fin)
        if opcode == CONTINUATION:
            return self._continue(payload, fin)
        if opcode not in (TEXT, BINARY):
            raise Violation(CloseCode.PROTOCOL_ERROR, "unknown opcode")
        if self._parts is not None:
            raise Violation(CloseCode.PROTOCOL_ERROR, "message within a message")
        if opcode == BINARY and not self._binary:
            raise Violation(CloseCode.UNSUPPORTED_DATA, "text expected")
        if not fin:
            self._parts = bytearray()
            self._fragments = 0
            self._utf8 = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None
            return self._continue(payload, fin)
        if len(payload) > self._max_bytes:
            raise Violation(CloseCode.MESSAGE_TOO_BIG, "message too big")
        if opcode == BINARY:
            return Message(Kind.BINARY, payload)
        if not payload.isascii():
            _check(lambda: payload.decode())
        return Message(Kind.TEXT, payload)

    def _continue(self, payload: bytes, fin: bool) -> Message | None:
        parts = self._parts
        if parts is None:
            raise Violation(CloseCode.PROTOCOL_ERROR, "continuation of nothing")
        self._fragments += 1
        if self._fragments > self._max_fragments:
            raise Violation(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        if len(parts) + len(payload) > self._max_bytes:
            raise Violation(CloseCode.MESSAGE_TOO_BIG, "message too big")
        utf8 = self._utf8
        if utf8 is not None:
            # Fragment by fragment: a message is refused as soon as no continuation could make it valid.
            _check(lambda: utf8.decode(payload, final=fin))
        parts += payload
        if not fin:
            return None
        self._parts = self._utf8 = None
        return Message(Kind.BINARY if utf8 is None else Kind.TEXT, bytes(parts))


def _check(decode: Callable[[], object]) -> None:
    try:
        decode()
    except UnicodeDecodeError:
        raise Violation(CloseCode.INVALID_PAYLOAD, "not UTF-8") from None


def _control(opcode: int, payload: bytes, fin: bool) -> Message:
    if not fin or len(payload) > 125:
        raise Violation(CloseCode.PROTOCOL_ERROR, "control frame fragmented or too long")
    if opcode == PING:
        return Message(Kind.PING, payload)
    if opcode == PONG:
        return Message(Kind.PONG, payload)
    if opcode == CLOSE:
        return Message(Kind.CLOSE, payload[2:], _close_code(payload))
    raise Violation(CloseCode.PROTOCOL_ERROR, "unknown opcode")


def _close_code(payload: bytes) -> int:
    """Return the code to answer a CLOSE with: its own; NORMAL to one without a code, since 1005 may not be sent."""
    if not payload:
        return CloseCode.NORMAL
    code = int.from_bytes(payload[:2], "big")
    # 1004, 1005, 1006 and 1015 are never sent; 1016 to 2999 belong to future versions of the protocol.
    if len(payload) == 1 or not (code in _CLOSE_CODES or 3000 <= code <= 4999):
        raise Violation(CloseCode.PROTOCOL_ERROR, "invalid close code")
    _check(payload[2:].decode)
    return code


_CLOSE_CODES: Final = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
