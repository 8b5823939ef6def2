"""`POST /api/demo/sessions`: a token for whoever asks, as anybody, with any role. There with `--demo` alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import RawBody

from seatcast import rest
from seatcast.domain import iso
from seatcast.tokens import Tokens
from seatcast.tours.api import BODY, FRESH, REFUSALS, read_body

SESSION_SECONDS: Final = 12 * 3600.0

USERS: Final = (
    rest.DemoUser(user_id="alice", roles=[]),
    rest.DemoUser(user_id="bruno", roles=[]),
    rest.DemoUser(user_id="camille", roles=["support"]),
    rest.DemoUser(user_id="denis", roles=["staff"]),
    rest.DemoUser(user_id="emma", roles=["admin", "staff", "support"]),
)
"""Whom the page offers to be."""


def demo_routes(tokens: Tokens) -> list[HTTPRouteHandler]:
    """Return the route, to be put under `/api` of a service that has nothing to protect."""

    @post("/demo/sessions", responses={400: REFUSALS[400]}, opt={BODY: rest.DemoUser})
    async def sign_in(request: Request[Any, Any, Any], body: RawBody) -> Response[rest.DemoSession]:
        """Be somebody, with these roles: with `--demo` alone."""
        user = read_body(rest.DemoUser, body)
        token = tokens.mint(user.user_id, list(user.roles), SESSION_SECONDS)
        expires = datetime.fromtimestamp(tokens.clock() + SESSION_SECONDS, UTC)
        return Response(rest.DemoSession(token=token, expires_at=iso(expires)), headers=FRESH)

    return [sign_in]
