"""A set of public signing keys (JWK Set, RFC 7517): which key may verify what. No files, sockets or loops.

Every key verifies exactly one algorithm, so that the algorithm a token names can only choose among keys that were
made for it: no public key is ever used as a shared secret, nor is "none" an algorithm.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from msgspec import Struct

MAX_KEYS: Final = 32
"""A token without a key's id is tried against every key of its algorithm."""

MIN_RSA_BITS: Final = 2_048

_ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
_CURVES: Final = {"EC": "P-256", "OKP": "Ed25519"}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class InvalidKeySet(Exception):
    """What was read is no set of usable keys; one line that quotes no key."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key and its algorithm. `verifies` takes what was signed and the signature."""

    id: str | None
    algorithm: str
    verifies: Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of a set, and of each other one a line that says why it is not."""

    keys: tuple[SigningKey, ...]
    ignored: tuple[str, ...]

    def find(self, algorithm: str, id: str | None) -> list[SigningKey]:
        """Return the keys that a token may have been signed with, given what its header says.

        With an id: the keys of that id, else those that have none. Without one: every key of the algorithm.
        """
        fitting = [key for key in self.keys if key.algorithm == algorithm]
        if id is None:
            return fitting
        return [key for key in fitting if key.id == id] or [key for key in fitting if key.id is None]


class _Body(Struct):
    keys: list[dict[str, Any]]


class _Unusable(Exception):
    """Why a key is ignored."""


def parse(body: bytes) -> KeySet:
    """Return the key set in a JSON text.

    Keys that are not for us are ignored (RFC 7517, 5), private ones too: whoever can read such a set can forge
    tokens, and to use it would hide that. Raises `InvalidKeySet` if nothing usable is left.
    """
    try:
        entries = msgspec.json.decode(body, type=_Body).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidKeySet('is no JWK Set: {"keys": [...]}') from None
    if len(entries) > MAX_KEYS:
        raise InvalidKeySet(f"holds more than {MAX_KEYS} keys")
    keys, ignored = [], []
    for place, entry in enumerate(entries, 1):
        try:
            keys.append(_key(entry))
        except _Unusable as reason:
            id = entry.get("kid")
            ignored.append(f"{repr(id[:64]) if isinstance(id, str) else f'key {place}'} {reason}")
    if not keys:
        why = f": {ignored[0]}" if ignored else ""
        raise InvalidKeySet(f"holds no key to verify {', '.join(_ALGORITHMS.values())} with{why}")
    return KeySet(tuple(keys), tuple(ignored))


def _key(entry: dict[str, Any]) -> SigningKey:
    kind, id = entry.get("kty"), entry.get("kid")
    if kind == "oct":
        raise _Unusable("is a shared secret, which belongs in the setting jwt-secret")
    if kind not in ("RSA", "EC", "OKP"):
        raise _Unusable("is of a type that is not used")
    if _PRIVATE & entry.keys():
        raise _Unusable("is private: whoever can read it can forge tokens; leave its public half alone here")
    algorithm = _ALGORITHMS[kind]
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise _Unusable("is not for signatures")
    if entry.get("alg", algorithm) != algorithm:
        raise _Unusable(f"is for another algorithm than {algorithm}")
    if kind in _CURVES and entry.get("crv") != _CURVES[kind]:
        raise _Unusable(f"is on another curve than {_CURVES[kind]}")
    if id is not None and not isinstance(id, str):
        raise _Unusable("has an id that is no text")
    return SigningKey(id, algorithm, _verifier(kind, entry))


def _verifier(kind: str, entry: dict[str, Any]) -> Callable[[bytes, bytes], bool]:
    # Of the entry only the key itself: the rest has been judged above.
    numbers: dict[str, Any] = {
        name: entry[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in entry
    }
    key: RSAKey | ECKey | OKPKey
    try:
        if kind == "RSA":
            with warnings.catch_warnings():
                # Of short keys, of which we say more below.
                warnings.simplefilter("ignore", SecurityWarning)
                key = RSAKey.import_key(numbers)
            bits = key.public_key.key_size
        else:
            key = (ECKey if kind == "EC" else OKPKey).import_key(numbers)
            bits = MIN_RSA_BITS
    except (JoseError, ValueError, TypeError, KeyError):
        raise _Unusable("is malformed") from None
    if bits < MIN_RSA_BITS:
        raise _Unusable(f"is too short: {bits} bits, at least {MIN_RSA_BITS} are needed")
    check = JWSRegistry.algorithms[_ALGORITHMS[kind]].verify
    return lambda signed, signature: check(signed, signature, key)
