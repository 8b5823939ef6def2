"""From an exception to an HTTP answer: the one table, and the one body shape (`rest.Problem`).

The sentence comes from the catalogues in the caller's language; the code is stable; `details` say where a bad
body is wrong, or give the numbers behind a refusal.
"""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from msgspec import UNSET

from seatcast import domain, rest
from seatcast.text import language_of, text
from seatcast.tokens import KeysUnavailable
from seatcast.tours.database import describe, names_nothing

_log = structlog.get_logger(__name__)

STATUS: dict[type[domain.DomainError], int] = {
    domain.TourNotFound: 404,
    domain.DepartureNotFound: 404,
    domain.BookingNotFound: 404,
    domain.NotEnoughSeats: 400,
    domain.DepartureRequired: 400,
    domain.CapacityTooLarge: 400,
    domain.DeparturePast: 409,
    domain.DepartureClosed: 409,
    domain.TourClosed: 409,
    domain.TourUndated: 409,
    domain.TourDated: 409,
    domain.CapacityBelowSold: 409,
    domain.ChangedMeanwhile: 409,
    domain.TourExists: 409,
    domain.DepartureExists: 409,
    domain.IdempotencyKeyReused: 409,
    domain.ConversationNotFound: 404,
    domain.ConversationTaken: 409,
    domain.MessageNotFound: 404,
    domain.MessageEmpty: 400,
    domain.MessageTooLong: 400,
    domain.MessageNotText: 400,
    domain.MessageIdReused: 409,
    domain.DocumentConflict: 409,
    domain.DocumentTooLarge: 413,
    domain.DocumentUpdateInvalid: 400,
    domain.DocumentUpdateIncomplete: 409,
    domain.Unauthenticated: 401,
    domain.Forbidden: 403,
}


class InvalidRequest(Exception):
    """A header, path, query or body that cannot be understood; `where` names it, `problem` says why."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class BodyTooLarge(Exception):
    """More bytes than any request of this route needs."""


def language(request: Request[Any, Any, Any]) -> str:
    """Return the caller's language."""
    return language_of(request.headers.get("accept-language"), request.query_params.get("lang"))


def answer(
    request: Request[Any, Any, Any],
    status: int,
    code: str,
    details: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[rest.Problem]:
    """Return the error answer for a code."""
    spoken = language(request)
    problem = rest.Problem(
        error=text(spoken, f"error.{code.lower()}"), code=code, details=details if details else UNSET
    )
    sent = {"Content-Language": spoken, "Cache-Control": "no-store"} | (headers or {})
    return Response(problem, status_code=status, headers=sent)


def _domain(request: Request[Any, Any, Any], error: domain.DomainError) -> Response[rest.Problem]:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, domain.Unauthenticated) else None
    return answer(request, STATUS[type(error)], error.code, error.details, headers)


def _invalid(request: Request[Any, Any, Any], error: InvalidRequest) -> Response[rest.Problem]:
    code = "INVALID_BODY" if error.where.startswith("body") else "INVALID_REQUEST"
    return answer(request, 400, code, {error.where: error.problem})


def _too_large(request: Request[Any, Any, Any], error: BodyTooLarge) -> Response[rest.Problem]:
    return answer(request, 413, "BODY_TOO_LARGE")


def _framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[rest.Problem]:
    if isinstance(error, ValidationException):
        found = error.extra if isinstance(error.extra, list) else []
        details = {
            ".".join((getattr(e.get("source"), "value", "body"), str(e.get("key", "")))): e.get("message")
            for e in found
            if isinstance(e, dict)
        }
        body = all(where.startswith("body") for where in details)
        return answer(request, 400, "INVALID_BODY" if body else "INVALID_REQUEST", details)
    if isinstance(error, MethodNotAllowedException):
        return answer(request, 405, "METHOD_NOT_ALLOWED", headers=dict(error.headers or {}))
    if isinstance(error, NotFoundException):
        return answer(request, 404, "NOT_FOUND")
    if error.status_code == 413:
        return _too_large(request, BodyTooLarge())
    if error.status_code < 500:
        # What is left of the framework's own 400s is a body that is not JSON.
        return answer(request, 400, "INVALID_BODY", {"body": str(error.detail)[:200]})
    return _unexpected(request, error)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[rest.Problem]:
    problem = describe(error, "postgresql://")
    if problem is not None:
        _log.warning("request failed: no database", path=request.url.path, reason=type(error).__name__)
        return answer(request, 503, "UNAVAILABLE", headers={"Retry-After": "1"})
    if names_nothing(error):
        return answer(request, 404, "NOT_FOUND")
    _log.error("request failed", path=request.url.path, method=request.method, exc_info=error)
    return answer(request, 500, "INTERNAL")


def _no_keys(request: Request[Any, Any, Any], error: KeysUnavailable) -> Response[rest.Problem]:
    # Not 401: the token may be good, and should be tried again.
    return answer(request, 503, "UNAVAILABLE", {"reason": f"token: {error}"}, {"Retry-After": "2"})


HANDLERS: dict[type[Exception] | int, Any] = {
    domain.DomainError: _domain,
    InvalidRequest: _invalid,
    BodyTooLarge: _too_large,
    KeysUnavailable: _no_keys,
    HTTPException: _framework,
    Exception: _unexpected,
}


def problem_for(request: Request[Any, Any, Any], error: Exception) -> Response[rest.Problem]:
    """Return the answer to an exception, as the framework would find it in `HANDLERS`."""
    for kind in type(error).__mro__:
        if kind in HANDLERS:
            response: Response[rest.Problem] = HANDLERS[kind](request, error)
            return response
    raise error
