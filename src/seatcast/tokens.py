"""Identity tokens: JWT (RFC 7519), signed with HS256 and a secret or with a published key of a `KeySet`.

Claims of CONTRACT 1: `userId` or `sub`, `roles`, `exp`. Verifying is synchronous and from memory, one path for all
algorithms: split, choose keys by the header, check the signature, read the claims. Nothing of a token that is
not signed is believed but which key to try. (joserfc's own `jwt.decode` costs three times as much, which is more
than the rest of a handshake; its algorithms and key parsing are used.)
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey
from msgspec import UNSET, Raw, Struct, UnsetType

from seatcast.key_set import SigningKey

LEEWAY_SECONDS: Final = 5
"""How long past `exp` a token still counts, for clocks that differ."""

MAX_TOKEN_CHARACTERS: Final = 8_192


class InvalidToken(Exception):
    """A token that proves nothing. The text says why and never holds the token."""


class KeysUnavailable(Exception):
    """The key that a token names cannot be had at the moment: nobody knows whether the token is valid."""


class Identity(NamedTuple):
    """Who a token speaks for. `expires` is in seconds since 1970, None for a token without end (or past the year 9999)."""

    user: str
    roles: frozenset[str] = frozenset()
    expires: float | None = None

    @property
    def ends(self) -> float:
        """Until when the token speaks for them, clocks differing as they do; infinite for one without end."""
        return math.inf if self.expires is None else self.expires + LEEWAY_SECONDS


class PublicKeys(Protocol):
    """Where published keys come from."""

    @property
    def problem(self) -> str | None:
        """Why the newest keys could not be read; None when they were."""

    @property
    def loaded(self) -> bool:
        """Whether any keys were ever read."""

    def find(self, algorithm: str, id: str | None) -> Sequence[SigningKey]:
        """Return the keys to try. Raises `InvalidToken` for none, `KeysUnavailable` while that is not sure."""


class Tokens:
    """Mints tokens with the secret; verifies them with it and with the public keys, whichever there are.

    `audience` and `issuer`, where given, must be in a token's `aud` and be its `iss`. `clock` returns the seconds
    since 1970.
    """

    def __init__(
        self,
        secret: str | None,
        keys: PublicKeys | None = None,
        *,
        audience: str | None = None,
        issuer: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises `ValueError` for a secret that everybody may know: a public key or a certificate."""
        self.clock = clock
        self._secret = None if not secret else OctKey.import_key(secret)
        self._signature = None if self._secret is None else _hmac_sha256(self._secret.raw_value)
        self._keys = keys
        self._audience = audience
        self._issuer = issuer

    @property
    def configured(self) -> bool:
        """Whether any token can be valid."""
        return self._secret is not None or self._keys is not None

    @property
    def problem(self) -> str | None:
        """Why the newest public keys could not be read; None when they were, or none are wanted."""
        return None if self._keys is None else self._keys.problem

    @property
    def blind(self) -> bool:
        """Whether at the moment no token at all can be verified."""
        return self._secret is None and not (self._keys is not None and self._keys.loaded)

    def mint(self, user: str, roles: frozenset[str] | set[str] | list[str], lifetime_seconds: float) -> str:
        """Return a token for `user` that ends after `lifetime_seconds`. Raises `InvalidToken` without a secret."""
        if self._secret is None:
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
        if self._issuer is not None:
            claims["iss"] = self._issuer
        if self._audience is not None:
            claims["aud"] = self._audience
        return jwt.encode({"alg": "HS256"}, claims, self._secret, algorithms=["HS256"])

    def verify(self, token: str) -> Identity:
        """Return whom the token speaks for.

        Raises `InvalidToken` for anything but an unexpired token that is signed with our secret or a key that we
        know, is meant for us and names a user; `KeysUnavailable` while its key cannot be had.
        """
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise InvalidToken("too long")
        try:
            signed, _, signature = token.encode("ascii").rpartition(b".")
            head, _, body = signed.partition(b".")
            header, proof = _header(head), _base64(signature)
        except (ValueError, RecursionError):
            # Never the error's text: it may quote parts of the token.
            raise InvalidToken("malformed") from None
        if header.crit is not UNSET:
            raise InvalidToken("has critical extensions")
        self._check(header, signed, proof)
        try:
            claims = _claims(_base64(body))
        except (ValueError, RecursionError):
            raise InvalidToken("malformed") from None
        if self._issuer is not None and claims.iss != self._issuer:
            raise InvalidToken("from another issuer")
        if self._audience is not None and not _includes(claims.aud, self._audience):
            raise InvalidToken("for another audience")
        return _identity(claims, self.clock())

    def _check(self, header: _Header, signed: bytes, proof: bytes) -> None:
        if header.alg == "HS256" and self._signature is not None:
            good = hmac.compare_digest(self._signature(signed), proof)
        elif header.alg in ("RS256", "ES256", "EdDSA") and self._keys is not None:
            good = any(key.verifies(signed, proof) for key in self._keys.find(header.alg, header.kid))
        else:
            raise InvalidToken("algorithm not allowed")
        if not good:
            raise InvalidToken("wrong signature")


class _Header(Struct):
    alg: str
    kid: str | None = None
    crit: Raw | UnsetType = UNSET


class _Claims(Struct):
    userId: Any = UNSET
    sub: Any = None
    roles: Any = []
    exp: Any = None
    nbf: Any = None
    iss: Any = None
    aud: Any = None


_decode_header: Final = msgspec.json.Decoder(_Header).decode
_claims: Final = msgspec.json.Decoder(_Claims).decode


# Every token that one issuer made with one key has the same.
@lru_cache(maxsize=64)
def _header(text: bytes) -> _Header:
    return _decode_header(_base64(text))


def _hmac_sha256(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SHA-256 with this key (RFC 2104). What depends on the key alone is computed once, here."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def sign(text: bytes) -> bytes:
        within, whole = inner.copy(), outer.copy()
        within.update(text)
        whole.update(within.digest())
        return whole.digest()

    return sign


_BLOCK: Final = 64
"""Bytes that SHA-256 takes at a time."""


# To the other alphabet, whose own two signs and padding become wrong ones.
_ALPHABET: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING: Final = (b"", b"===", b"==", b"=")


def _base64(text: bytes) -> bytes:
    """Decode base64url without padding (RFC 7515, 2), strictly."""
    return binascii.a2b_base64(text.translate(_ALPHABET) + _PADDING[len(text) % 4], strict_mode=True)


def _includes(claim: object, audience: str) -> bool:
    return claim == audience or (isinstance(claim, list) and audience in claim)


_LAST_MOMENT: Final = 253_402_300_799.0
"""The end of the year 9999, past which no calendar goes."""


def _identity(claims: _Claims, now: float) -> Identity:
    user = claims.sub if claims.userId is UNSET else claims.userId
    # Plain numbers are ids in some systems; True is none.
    if isinstance(user, int) and not isinstance(user, bool):
        user = str(user)
    if not isinstance(user, str) or not 1 <= len(user) <= 128 or "\x00" in user:
        raise InvalidToken("names no user")
    expires = _moment(claims.exp, "exp")
    if expires is not None and now > expires + LEEWAY_SECONDS:
        raise InvalidToken("expired")
    if expires is not None and expires > _LAST_MOMENT:
        expires = None
    starts = _moment(claims.nbf, "nbf")
    if starts is not None and now < starts - LEEWAY_SECONDS:
        raise InvalidToken("not valid yet")
    roles = claims.roles
    if not isinstance(roles, list) or (roles and not all(isinstance(role, str) for role in roles)):
        raise InvalidToken("roles must be a list of words")
    return Identity(user, frozenset(roles) if roles else _NO_ROLES, expires)


_NO_ROLES: Final[frozenset[str]] = frozenset()


def _moment(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidToken(f"{name} must be a number")
    return float(value)
