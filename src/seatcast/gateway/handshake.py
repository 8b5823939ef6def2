"""The opening handshake (RFC 6455, 4.2.1): who is let in, who is refused, and with what words.

`Connection` and `Upgrade` are lists, on one line or several: Firefox sends `Connection: keep-alive, Upgrade`.
There has to be exactly one Host and one key, version 13, and a known path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from multidict import CIMultiDict

from seatcast.gateway.auth import SUBPROTOCOL, token_of
from seatcast.gateway.request import Refused
from seatcast.text import Language, language_of

PATHS: Final = frozenset({"/", "/ws", "/websocket"})

METRICS: Final = "/metrics"
HTTP_PATHS: Final = frozenset({"/health/live", "/health/ready", METRICS})
"""Answered as plain HTTP on this port too."""


class Plain(NamedTuple):
    """A request that wants no WebSocket but one of `HTTP_PATHS`."""

    path: str


class Accepted(NamedTuple):
    """A handshake that succeeds. `tours` is None where the client named none; `protocol` is what is answered.

    `document` is the shared document that is edited over this socket, `saved` whether its client is to be told what is
    stored; None: it is no such socket.
    """

    language: Language
    tours: tuple[str, ...] | None
    token: str | None
    protocol: str | None
    document: str | None = None
    saved: bool = False
    since: str | None = None

    def __repr__(self) -> str:
        # Without the token: representations end in logs.
        return f"Accepted(language={self.language!r}, tours={self.tours!r})"


def examine(target: bytes, headers: CIMultiDict[str]) -> Accepted | Plain | Refused:
    """Judge a request."""
    path, _, query = target.decode("latin-1").partition("?")
    upgrades = _lists(headers, "Upgrade", "websocket")
    if path in HTTP_PATHS and not upgrades:
        return Plain(path)
    document = None if path in PATHS else _DOCUMENT.fullmatch(path)
    if path not in PATHS and document is None:
        return Refused(HTTPStatus.FORBIDDEN, "path", "This path is not served\n")
    if len(headers.getall("Host", ())) != 1:
        return Refused(HTTPStatus.BAD_REQUEST, "host", "Exactly one Host header is needed\n")
    if not upgrades or not _lists(headers, "Connection", "upgrade"):
        return Refused(
            HTTPStatus.UPGRADE_REQUIRED,
            "upgrade",
            "This is a WebSocket endpoint\n",
            (("Upgrade", "websocket"),),
        )
    if headers.getall("Sec-WebSocket-Version", ()) != ["13"]:
        return Refused(
            HTTPStatus.UPGRADE_REQUIRED,
            "version",
            "Sec-WebSocket-Version 13 is needed\n",
            (("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")),
        )
    keys = headers.getall("Sec-WebSocket-Key", ())
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        return Refused(HTTPStatus.BAD_REQUEST, "key", "Exactly one valid Sec-WebSocket-Key is needed\n")
    try:
        values = values_of(query)
    except ValueError:
        return Refused(HTTPStatus.BAD_REQUEST, "query", "Too many query parameters\n")
    return accepted(values, headers, None if document is None else document[1])


def accepted(
    values: Mapping[str, Sequence[str]], headers: CIMultiDict[str], document: str | None = None
) -> Accepted:
    """Return what a request says in its address (see `values_of`) and headers of who asks for what."""
    offered = [
        word.strip() for line in headers.getall("Sec-WebSocket-Protocol", ()) for word in line.split(",")
    ]
    tours = values.get("tours")
    return Accepted(
        language=language_of(headers.get("Accept-Language"), values.get("lang", _NONE)[0]),
        tours=None if tours is None else tuple(id for part in tours for id in part.split(",") if id),
        token=token_of(headers.get("Authorization"), offered, values.get("token", _NONE)[0]),
        protocol=SUBPROTOCOL if SUBPROTOCOL in offered else None,
        document=document,
        saved=values.get("saved", _NONE)[0] == "1",
        since=values.get("since", _NONE)[0],
    )


_NONE: Final = (None,)

_MOST_VALUES: Final = 50


def values_of(query: str) -> dict[str, list[str]]:
    """Return what a query says under each name. Raises `ValueError` for too many values."""
    if not query:
        return {}
    # Not as Latin-1: percent-encoded UTF-8 is what an id or a token is written in.
    if "%" in query or "+" in query:
        return parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_VALUES, errors="replace")
    # Nothing to decode, as in tokens and most ids: four times as fast.
    pairs = query.split("&")
    if len(pairs) > _MOST_VALUES:
        raise ValueError
    values: dict[str, list[str]] = {}
    for pair in pairs:
        if pair:
            name, _, value = pair.partition("=")
            values.setdefault(name, []).append(value)
    return values


def _lists(headers: CIMultiDict[str], name: str, word: str) -> bool:
    """Return whether a field that is a list of words, in whatever case and on however many lines, has this one."""
    for line in headers.getall(name, ()):
        words = line.lower()
        # Most often it is the only one.
        if words == word or word in map(str.strip, words.split(",")):
            return True
    return False


_DOCUMENT: Final = re.compile("/documents/([A-Za-z0-9][A-Za-z0-9_.-]{0,63})")

# Sixteen bytes in base64; their last character holds two bits.
_KEY: Final = re.compile("[A-Za-z0-9+/]{21}[AQgw]==")
