"""Who calls the REST API, and whether somebody without a token may (`--auth`).

Reading tours needs no token even where one is required: gateways read them, and have none. Everything about bookings
then does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request

from seatcast.domain import Forbidden, Unauthenticated
from seatcast.rights import NEEDS, Act, may
from seatcast.tokens import Identity, InvalidToken, Tokens


@dataclass(frozen=True, slots=True)
class Callers:
    """Tells callers by the token in their `Authorization` header; `required`: every one of them needs it."""

    tokens: Tokens
    required: bool

    def of(self, request: Request[Any, Any, Any]) -> Identity | None:
        """Return who is calling, None for nobody in particular.

        Raises `Unauthenticated` for a token that is not valid, or for none where one is required, and
        `KeysUnavailable`.
        """
        header = request.headers.get("authorization")
        if header is None:
            if self.required:
                raise Unauthenticated
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated(reason="the Authorization header must be 'Bearer <token>'")
        try:
            return self.tokens.verify(token.strip())
        except InvalidToken as error:
            raise Unauthenticated(reason=str(error)) from None

    def user(self, request: Request[Any, Any, Any]) -> Identity:
        """Return who is calling. Raises as `of` does, and `Unauthenticated` for nobody in particular."""
        identity = self.of(request)
        if identity is None:
            raise Unauthenticated
        return identity

    def allowed(self, request: Request[Any, Any, Any], act: Act) -> Identity:
        """Return who is calling. Raises as `user` does, and `Forbidden` without the role that this act needs."""
        identity = self.user(request)
        if not may(identity, act):
            raise Forbidden(role=NEEDS[act])
        return identity
