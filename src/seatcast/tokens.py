"""Identity tokens: JWT, HS256, with the claims of CONTRACT 1 (`userId` or `sub`, `roles`, `exp`)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

LEEWAY_SECONDS: Final = 5
"""How long past `exp` a token still counts, for clocks that differ."""

MAX_TOKEN_CHARACTERS: Final = 8_192


class InvalidToken(Exception):
    """A token that proves nothing. The text says why and never holds the token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token speaks for. `expires` is in seconds since 1970, None for a token without end (or past the year 9999)."""

    user: str
    roles: frozenset[str] = frozenset()
    expires: float | None = None


class Tokens:
    """Mints and verifies tokens with one secret; without a secret every token is invalid.

    `clock` returns the seconds since 1970.
    """

    def __init__(self, secret: str | None, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._key = OctKey.import_key(secret) if secret else None

    @property
    def configured(self) -> bool:
        """Whether any token can be valid."""
        return self._key is not None

    def mint(self, user: str, roles: frozenset[str] | set[str] | list[str], lifetime_seconds: float) -> str:
        """Return a token for `user` that ends after `lifetime_seconds`. Raises `InvalidToken` without a secret."""
        if self._key is None:
            raise InvalidToken("no secret configured")
        now = self.clock()
        # Rounded up, so that a lifetime below a second is still one.
        claims = {
            "userId": user,
            "sub": user,
            "roles": sorted(roles),
            "iat": int(now),
            "exp": math.ceil(now + lifetime_seconds),
        }
        return jwt.encode({"alg": "HS256"}, claims, self._key, algorithms=["HS256"])

    def verify(self, token: str) -> Identity:
        """Return whom the token speaks for.

        Raises `InvalidToken` for anything but an unexpired HS256 token of this secret that names a user.
        """
        if self._key is None:
            raise InvalidToken("no secret configured")
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise InvalidToken("too long")
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
        except JoseError as error:
            # Never the error's text: it may quote parts of the token.
            raise InvalidToken(_REASONS.get(error.error, "malformed")) from None
        except (ValueError, TypeError, RecursionError):
            raise InvalidToken("malformed") from None
        return _identity(claims, self.clock())


_LAST_MOMENT: Final = 253_402_300_799.0
"""The end of the year 9999, past which no calendar goes."""

_REASONS: Final = {
    "bad_signature": "wrong signature",
    "unsupported_algorithm": "algorithm not allowed",
    "invalid_payload": "malformed",
}


def _identity(claims: dict[str, object], now: float) -> Identity:
    user = claims.get("userId", claims.get("sub"))
    # Plain numbers are ids in some systems; True is none.
    if isinstance(user, int) and not isinstance(user, bool):
        user = str(user)
    if not isinstance(user, str) or not 1 <= len(user) <= 128 or "\x00" in user:
        raise InvalidToken("names no user")
    expires = _moment(claims, "exp")
    if expires is not None and now > expires + LEEWAY_SECONDS:
        raise InvalidToken("expired")
    if expires is not None and expires > _LAST_MOMENT:
        expires = None
    starts = _moment(claims, "nbf")
    if starts is not None and now < starts - LEEWAY_SECONDS:
        raise InvalidToken("not valid yet")
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise InvalidToken("roles must be a list of words")
    return Identity(user, frozenset(roles), expires)


def _moment(claims: dict[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidToken(f"{name} must be a number")
    return float(value)
