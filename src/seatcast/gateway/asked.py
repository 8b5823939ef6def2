"""The requests of clients that poll or stream: what they ask for, and why one is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from litestar.types import Scope
from msgspec import UNSET
from multidict import CIMultiDict

from seatcast import rest
from seatcast.gateway.handshake import Accepted, accepted, values_of
from seatcast.gateway.metrics import Unanswered
from seatcast.text import language_of, text

MAX_WAIT_SECONDS: Final = 50.0
"""Below the 60 seconds after which common reverse proxies give an answer up."""

_CODES: Final[dict[Unanswered, tuple[int, str]]] = {
    "address": (429, "RATE_LIMITED"),
    "draining": (503, "UNAVAILABLE"),
    "full": (503, "UNAVAILABLE"),
    "method": (405, "METHOD_NOT_ALLOWED"),
    "no keys": (503, "UNAVAILABLE"),
    "origin": (403, "FORBIDDEN"),
    "query": (400, "INVALID_REQUEST"),
    "token": (401, "UNAUTHENTICATED"),
    "user": (429, "RATE_LIMITED"),
}

_REFUSED: Final = re.compile(r"q=0(\.0*)?", re.IGNORECASE)

_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Refusal(Exception):
    """A request that is not answered as it wishes. `details` may say where it is wrong; none of it is secret."""

    def __init__(
        self, reason: Unanswered, details: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.reason = reason
        self.status, self.code = _CODES[reason]
        self.headers = headers or {}
        self._details = details
        super().__init__(reason)

    def problem(self, language: str) -> rest.Problem:
        """Return the body of the answer."""
        details: dict[str, Any] | Any = UNSET if self._details is None else dict(self._details)
        return rest.Problem(
            error=text(language, f"error.{self.code.lower()}"), code=self.code, details=details
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for: of which tours (in `accepted`), from which cursor on, and how long it would wait."""

    accepted: Accepted
    cursor: str | None
    wait: float
    """Seconds, up to `MAX_WAIT_SECONDS`."""
    etags: frozenset[str]
    """Of the answers that the client has kept."""
    gzip: bool
    """Whether the client takes an answer in gzip."""


def fields(scope: Scope) -> CIMultiDict[str]:
    """Return a request's headers."""
    return CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def language(scope: Scope, headers: CIMultiDict[str]) -> str:
    """Return the language to refuse a request in, whatever else is wrong with it."""
    found = re.search(r"(?:^|&)lang=(\w+)", scope["query_string"].decode("latin-1"))
    return language_of(headers.get("Accept-Language"), found and found[1])


def read(scope: Scope, headers: CIMultiDict[str]) -> Asked:
    """Return what a request asks for. Raises `Refusal`."""
    try:
        values = values_of(scope["query_string"].decode("latin-1"))
    except ValueError:
        raise Refusal("query", {"query": "too many parameters"}) from None
    wanted = accepted(values, headers)
    cursor = wanted.since
    if scope["path"].startswith(rest.LIVE_STREAM_PATH):
        # Newer than the address, which a browser does not change when it reconnects.
        cursor = headers.get("Last-Event-ID") or cursor
    return Asked(wanted, cursor, _wait(values.get("wait", ["0"])[0]), _etags(headers), _gzip(headers))


def _wait(given: str) -> float:
    if not _SECONDS.fullmatch(given):
        raise Refusal("query", {"query.wait": f"seconds, 0 to {MAX_WAIT_SECONDS:g}"})
    return min(float(given), MAX_WAIT_SECONDS)


def _etags(headers: CIMultiDict[str]) -> frozenset[str]:
    # Weakly compared, as RFC 9110, 13.1.2 has it; a proxy that compresses makes weak ones of ours.
    return frozenset(
        tag.strip().removeprefix("W/")
        for line in headers.getall("If-None-Match", [])
        for tag in line.split(",")
    )


def _gzip(headers: CIMultiDict[str]) -> bool:
    """Return whether gzip is named and not refused (RFC 9110, 12.5.3)."""
    named = (
        part.partition(";") for line in headers.getall("Accept-Encoding", []) for part in line.split(",")
    )
    quality = next((more for name, _, more in named if name.strip().lower() == "gzip"), "q=0")
    return not _REFUSED.fullmatch(quality.strip())
