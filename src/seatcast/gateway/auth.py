"""Where a client's token is looked for, and whom it speaks for. Tokens are never logged."""

from __future__ import annotations

from typing import Final

from seatcast.tokens import Identity, Tokens

SUBPROTOCOL: Final = "seatcast"
"""What a client that offers `["seatcast", "bearer.<token>"]` is answered: never the token."""

_BEARER: Final = "bearer."


def token_of(authorization: str | None, subprotocols: list[str], query: str | None) -> str | None:
    """Return the token a client brought: header first, then subprotocol, then `?token=`; None for none."""
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
    for offered in subprotocols:
        if offered.startswith(_BEARER):
            return offered[len(_BEARER) :]
    return query or None


def identify(tokens: Tokens, token: str | None) -> Identity | None:
    """Return whom a token speaks for, None for no token at all. Raises `InvalidToken`."""
    return None if token is None else tokens.verify(token)
