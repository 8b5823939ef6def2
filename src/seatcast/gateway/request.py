"""HTTP as far as the gateway's port needs it: the head of one request in, one whole answer out.

Answers are made here and in `handshake.py` of fixed words: nothing that a client sent and no text of an
exception is ever in one.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, NamedTuple

from multidict import CIMultiDict

from seatcast.gateway.metrics import Refusal

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_FIELDS: Final = 100

Fields = tuple[tuple[str, str], ...]

# RFC 9110 and 9112; possessive throughout, so that it is linear. Obsolete line folding is refused.
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_HEAD: Final = re.compile(
    rb"(?P<method>" + _TOKEN + rb") (?P<target>[!-~\x80-\xff]++) HTTP/(?P<version>[0-9]\.[0-9])\r\n"
    rb"(?P<fields>(?:" + _TOKEN + rb":[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)
# Of well-formed fields: names, and values without the space around them.
_FIELD: Final = re.compile(r"([^:]++):[ \t]*+((?:[^\r]*[^ \t\r])?+)[ \t]*+\r\n")
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Request(NamedTuple):
    """A well-formed GET or HEAD without a body, of HTTP/1.1 or 1.0."""

    method: str
    target: bytes
    headers: CIMultiDict[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that fails. `text` is the whole answer."""

    status: HTTPStatus
    reason: Refusal
    text: str
    headers: Fields = ()


def parse(head: bytes) -> Request | Refused:
    """Return the request whose head, up to and with the empty line, this is."""
    match = _HEAD.fullmatch(head)
    if match is None:
        return Refused(HTTPStatus.BAD_REQUEST, "malformed", "This is not an HTTP request\n")
    method, target, version, fields = match.groups()
    if version not in (b"1.1", b"1.0"):
        return Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "http", "HTTP/1.1 is needed\n")
    if method not in (b"GET", b"HEAD"):
        return Refused(
            HTTPStatus.METHOD_NOT_ALLOWED, "method", "Only GET is served\n", (("Allow", "GET, HEAD"),)
        )
    pairs = _FIELD.findall(fields.decode("latin-1"))
    if len(pairs) > MAX_FIELDS:
        return too_large()
    headers = CIMultiDict(pairs)
    # What followed would be taken for frames.
    if "Transfer-Encoding" in headers or (
        "Content-Length" in headers
        and any(length.strip("0") or not length for length in headers.getall("Content-Length"))
    ):
        return Refused(HTTPStatus.BAD_REQUEST, "body", "A request with a body is not served\n")
    if version == b"1.0" or method == b"HEAD":
        # RFC 9110, 7.8: an older version cannot upgrade; RFC 6455, 4.1: only GET can.
        headers.popall("Upgrade", None)
    return Request(method.decode(), target, headers)


def too_large() -> Refused:
    """Return the answer to a head that is longer than `MAX_HEAD_BYTES` or has more than `MAX_FIELDS` fields."""
    return Refused(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too large", "The request's head is too large\n"
    )


def response(status: HTTPStatus, body: bytes, fields: Fields = (), *, bodiless: bool = False) -> bytes:
    """Return a whole answer, after which the connection closes; `bodiless` as HEAD wants it."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in fields)]
    if not any(name == "Content-Type" for name, _ in fields):
        lines.append("Content-Type: text/plain; charset=utf-8")
    lines += [f"Content-Length: {len(body)}", f"Date: {formatdate(usegmt=True)}", "Connection: close", "\r\n"]
    return "\r\n".join(lines).encode("latin-1") + (b"" if bodiless else body)


def switching(key: str, fields: Fields = ()) -> bytes:
    """Return the answer that makes a WebSocket of the connection (RFC 6455, 4.2.2); `key` is the client's."""
    # RFC 6455 wants this very hash; nothing is secured by it.
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    more = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1") if fields else b""
    return b"".join((_SWITCHING, binascii.b2a_base64(digest, newline=False), b"\r\n", more, b"\r\n"))


_SWITCHING: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
)
