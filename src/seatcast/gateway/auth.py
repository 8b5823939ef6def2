"""Where a client's token is looked for, and whom it speaks for. Tokens are never logged."""

from __future__ import annotations

from typing import Final, NamedTuple

from seatcast.gateway.metrics import End
from seatcast.tokens import Identity, InvalidToken, KeysUnavailable, Tokens
from seatcast.wire import CloseCode

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


class Rejected(NamedTuple):
    """A client to be closed right after a handshake that succeeds, so that a browser sees the code."""

    code: int
    reason: str
    why: End


def identify(tokens: Tokens, token: str | None) -> Identity | Rejected | None:
    """Return whom a token speaks for, None for no token at all."""
    if token is None:
        return None
    try:
        return tokens.verify(token)
    except InvalidToken as error:
        return Rejected(CloseCode.UNAUTHENTICATED, f"token: {error}", "unauthenticated")
    except KeysUnavailable as error:
        # Not 4401: the token may be good, and its bearer should come back with it.
        return Rejected(CloseCode.TRY_AGAIN_LATER, f"token: {error}", "no keys")
