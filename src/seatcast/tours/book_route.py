"""`POST /api/tours/{id}/book`: the one route that is hot, as a bare ASGI application in front of the others.

Litestar's routing, parameters and responses cost as much as everything else in a booking together, and half of
the bookings per second (`python -m bench throughput`). Everything it does here is the shared code of `api.py` and
`problems.py`; `openapi.py` describes it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.exceptions import MethodNotAllowedException
from litestar.types import ASGIApp, Receive, Scope, Send

from seatcast import rest, wire
from seatcast.tours.api import booked_body, read_body, traceparent
from seatcast.tours.bookings import Desk
from seatcast.tours.callers import Callers
from seatcast.tours.metrics import ApiMetrics
from seatcast.tours.problems import BodyTooLarge, InvalidRequest, language, problem_for

PATH: Final = "/api/tours/{tour_id}/book"

MAX_BODY_BYTES: Final = 16 * 1024

_PATH = re.compile(r"/api/tours/([^/]+)/book/?")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class BookRoute:
    """An ASGI application that answers booking requests itself and hands every other request to `others`."""

    others: ASGIApp
    desk: Desk
    callers: Callers
    metrics: ApiMetrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _PATH.fullmatch(scope["path"])
        if match is None:
            await self.others(scope, receive, send)
        else:
            await self._answer(match[1], Request(scope, receive, send), send)

    async def _answer(self, tour_id: str, request: Request[Any, Any, Any], send: Send) -> None:
        started = time.perf_counter()
        outcome = "confirmed"
        headers = {"cache-control": "no-store"}
        try:
            status, body = 200, wire.encode(await self._book(tour_id, request))
        except Exception as error:
            outcome = "refused"
            answer = problem_for(request, error)
            status, body = answer.status_code or 500, wire.encode(answer.content)
            headers |= {name.lower(): str(value) for name, value in answer.headers.items()}
        headers |= {"content-type": "application/json", "content-length": str(len(body))}
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self.metrics.booked(outcome, time.perf_counter() - started)

    async def _book(self, tour_id: str, request: Request[Any, Any, Any]) -> rest.BookResponse:
        if request.method != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        key = request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise InvalidRequest("header.Idempotency-Key", "1 to 255 visible ASCII characters")
        wish = read_body(rest.BookRequest, await _body(request))
        identity = self.callers.of(request)
        booked = await self.desk.book(
            tour_id,
            wish.departure_id,
            wish.seats_to_book,
            user=identity.user if identity else None,
            key=key,
            traceparent=traceparent(request),
        )
        return booked_body(booked, language(request))


async def _body(request: Request[Any, Any, Any]) -> bytes:
    """Return the whole body. Raises `BodyTooLarge` as soon as it is, and `InvalidRequest` if the caller hangs up."""
    body = b""
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise InvalidRequest("body", "the request ended early")
        body += message["body"]
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return body
