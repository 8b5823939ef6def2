"""The opening handshake (RFC 6455, 4.2.1): who is let in, who is refused, and with what words.

`Connection` and `Upgrade` are lists, on one line or several: Firefox sends `Connection: keep-alive, Upgrade`.
There has to be exactly one Host and one key, version 13, and a known path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from multidict import CIMultiDict

from seatcast.gateway.auth import SUBPROTOCOL, token_of
from seatcast.gateway.request import Refused
from seatcast.text import language_of

PATHS: Final = frozenset({"/", "/ws", "/websocket"})

METRICS: Final = "/metrics"
HTTP_PATHS: Final = frozenset({"/health/live", "/health/ready", METRICS})
"""Answered as plain HTTP on this port too."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A request that wants no WebSocket but one of `HTTP_PATHS`."""

    path: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A handshake that succeeds. `tours` is None where the client named none; `protocol` is what is answered."""

    language: str
    tours: tuple[str, ...] | None
    token: str | None
    protocol: str | None

    def __repr__(self) -> str:
        # Without the token: representations end in logs.
        return f"Accepted(language={self.language!r}, tours={self.tours!r})"


def examine(target: bytes, headers: CIMultiDict[str]) -> Accepted | Plain | Refused:
    """Judge a request."""
    path, _, query = target.decode("latin-1").partition("?")
    upgrades = _tokens(headers, "Upgrade")
    if path in HTTP_PATHS and "websocket" not in upgrades:
        return Plain(path)
    if path not in PATHS:
        return Refused(HTTPStatus.FORBIDDEN, "path", "This path is not served\n")
    if len(headers.getall("Host", [])) != 1:
        return Refused(HTTPStatus.BAD_REQUEST, "host", "Exactly one Host header is needed\n")
    if "websocket" not in upgrades or "upgrade" not in _tokens(headers, "Connection"):
        return Refused(
            HTTPStatus.UPGRADE_REQUIRED,
            "upgrade",
            "This is a WebSocket endpoint\n",
            (("Upgrade", "websocket"),),
        )
    if headers.getall("Sec-WebSocket-Version", []) != ["13"]:
        return Refused(
            HTTPStatus.UPGRADE_REQUIRED,
            "version",
            "Sec-WebSocket-Version 13 is needed\n",
            (("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")),
        )
    keys = headers.getall("Sec-WebSocket-Key", [])
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        return Refused(HTTPStatus.BAD_REQUEST, "key", "Exactly one valid Sec-WebSocket-Key is needed\n")
    return accept(query, headers)


def accept(query: str, headers: CIMultiDict[str]) -> Accepted | Refused:
    """Return what a request says in its address and headers of who asks for what."""
    try:
        # Not as Latin-1: percent-encoded UTF-8 is what an id or a token is written in.
        values = parse_qs(query, keep_blank_values=True, max_num_fields=50, errors="replace") if query else {}
    except ValueError:
        return Refused(HTTPStatus.BAD_REQUEST, "query", "Too many query parameters\n")
    offered = [
        word.strip() for line in headers.getall("Sec-WebSocket-Protocol", []) for word in line.split(",")
    ]
    tours = values.get("tours")
    return Accepted(
        language=language_of(headers.get("Accept-Language"), values.get("lang", [None])[0]),
        tours=None if tours is None else tuple(id for part in tours for id in part.split(",") if id),
        token=token_of(headers.get("Authorization"), offered, values.get("token", [None])[0]),
        protocol=SUBPROTOCOL if SUBPROTOCOL in offered else None,
    )


def _tokens(headers: CIMultiDict[str], name: str) -> set[str]:
    return {word.strip().lower() for line in headers.getall(name, []) for word in line.split(",")}


# Sixteen bytes in base64; their last character holds two bits.
_KEY: Final = re.compile("[A-Za-z0-9+/]{21}[AQgw]==")
