"""Tokens prove an identity, or say why not without quoting themselves."""

from __future__ import annotations

import base64
import hmac
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry

from seatcast.key_set import parse
from seatcast.tokens import Identity, InvalidToken, KeysUnavailable, Tokens

from .issuer import EC, ED, KEYS, OTHER_RSA, RSA, claims, key_set, public
from .issuer import token as signed

SECRET = "a secret of more than sixteen bytes"
KEY = OctKey.import_key(SECRET)


def _token(claims: dict[str, object], alg: str = "HS256", key: OctKey = KEY) -> str:
    return jwt.encode({"alg": alg}, claims, key, algorithms=[alg])


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_minted_token_verifies_to_the_same_identity():
    token = Tokens(SECRET).mint("alice", {"staff", "admin"}, 60)
    identity = Tokens(SECRET).verify(token)
    assert identity.user == "alice"
    assert identity.roles == {"staff", "admin"}
    assert identity.expires is not None
    assert 58 < identity.expires - time.time() <= 61


@given(st.text("abc~é", min_size=16, max_size=100), st.text(min_size=1, max_size=128))
def test_secrets_of_any_length_sign_as_another_implementation_does(secret, user):
    """Shorter and longer than a block of SHA-256, which RFC 2104 treats differently."""
    user = user.replace("\x00", "0")
    token = jwt.encode({"alg": "HS256"}, {"sub": user}, OctKey.import_key(secret), algorithms=["HS256"])
    assert Tokens(secret).verify(token).user == user
    with pytest.raises(InvalidToken):
        Tokens(f"{secret}x").verify(token)


def test_sub_stands_in_for_user_id_and_user_id_wins():
    assert Tokens(SECRET).verify(_token({"sub": "bob"})) == Identity("bob")
    assert Tokens(SECRET).verify(_token({"sub": "bob", "userId": "carol"})).user == "carol"
    assert Tokens(SECRET).verify(_token({"userId": 42})).user == "42"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, "names no user"),
        ({"userId": ""}, "names no user"),
        ({"userId": None}, "names no user"),
        ({"userId": True}, "names no user"),
        ({"userId": ["x"]}, "names no user"),
        ({"userId": "x" * 129}, "names no user"),
        ({"userId": "x", "exp": 1}, "expired"),
        ({"userId": "x", "exp": "tomorrow"}, "exp must be a number"),
        ({"userId": "x", "exp": True}, "exp must be a number"),
        ({"userId": "x", "nbf": 4_000_000_000}, "not valid yet"),
        ({"userId": "x", "roles": "admin"}, "roles must be a list of words"),
        ({"userId": "x", "roles": [1]}, "roles must be a list of words"),
    ],
)
def test_claims_that_name_nobody_or_are_over_are_refused(claims, reason):
    with pytest.raises(InvalidToken, match=reason):
        Tokens(SECRET).verify(_token(claims))


def test_the_leeway_is_at_most_five_seconds():
    assert Tokens(SECRET).verify(_token({"userId": "x", "exp": time.time() - 2})).user == "x"
    with pytest.raises(InvalidToken, match="expired"):
        Tokens(SECRET).verify(_token({"userId": "x", "exp": time.time() - 6}))


def test_another_secret_is_refused():
    with pytest.raises(InvalidToken, match="wrong signature"):
        Tokens(SECRET).verify(_token({"userId": "x"}, key=OctKey.import_key("another secret, just as long")))


def test_the_none_algorithm_and_other_algorithms_are_refused():
    unsigned = f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part({'userId': 'x'})}."
    with pytest.raises(InvalidToken, match="algorithm not allowed"):
        Tokens(SECRET).verify(unsigned)
    with pytest.raises(InvalidToken, match="algorithm not allowed"):
        Tokens(SECRET).verify(_token({"userId": "x"}, alg="HS512"))


def test_without_a_secret_nothing_is_valid():
    tokens = Tokens(None)
    assert not tokens.configured
    assert tokens.blind
    with pytest.raises(InvalidToken, match="algorithm not allowed"):
        tokens.verify(_token({"userId": "x"}))
    with pytest.raises(InvalidToken, match="no secret configured"):
        tokens.mint("x", [], 60)


def test_an_endless_token_and_a_huge_one_are_refused_cheaply():
    with pytest.raises(InvalidToken, match="too long"):
        Tokens(SECRET).verify("a" * 9000)


@given(st.text(max_size=200) | st.tuples(st.text(max_size=40), st.text(max_size=40)).map(".x.".join))
def test_any_text_is_refused_by_name_and_not_quoted(token):
    with pytest.raises(InvalidToken) as caught:
        Tokens(SECRET).verify(token)
    assert str(caught.value) in {"malformed", "wrong signature", "algorithm not allowed"}


def test_deep_nesting_is_malformed_not_a_crash():
    header = base64.urlsafe_b64encode(b"[" * 4000).decode().rstrip("=")
    with pytest.raises(InvalidToken):
        Tokens(SECRET).verify(f"{header}.e30.e30")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "crit": []},
        {"alg": "HS256", "kid": 7},
        {"alg": ["HS256"]},
        {"typ": "JWT"},
        [],
    ],
)
def test_headers_that_ask_for_more_or_less_are_refused(header):
    start = f"{_part(header)}.{_part({'userId': 'x'})}"
    proof = hmac.digest(SECRET.encode(), start.encode(), "sha256")
    token = f"{start}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"
    with pytest.raises(InvalidToken, match=r"malformed|critical extensions"):
        Tokens(SECRET).verify(token)


def test_base64_is_read_strictly():
    """Nothing around it, no other alphabet, no padding."""
    token = _token({"userId": "x?>~~~?"})
    assert Tokens(SECRET).verify(token)
    body = token.split(".")[1]
    for other in (
        f" {token}",
        f"{token}=",
        f"{token}\n",
        token.replace(body, body + "="),
        f"{token}.",
        f".{token}",
    ):
        with pytest.raises(InvalidToken):
            Tokens(SECRET).verify(other)


def test_audience_and_issuer_must_fit_where_they_are_configured():
    tokens = Tokens(SECRET, audience="seatcast", issuer="https://id.example")
    assert tokens.verify(tokens.mint("x", [], 60)).user == "x"
    good = {"userId": "x", "aud": ["other", "seatcast"], "iss": "https://id.example"}
    assert tokens.verify(_token(good)).user == "x"
    for claim, reason in (
        ({"aud": "other"}, "audience"), ({"aud": []}, "audience"), ({"aud": "seatcast2"}, "audience"),
        ({"aud": {"seatcast": 1}}, "audience"), ({"aud": None}, "audience"), ({"iss": "https://id.example/"}, "issuer"),
        ({"iss": None}, "issuer"), ({"iss": ["https://id.example"]}, "issuer"),
    ):  # fmt: skip
        with pytest.raises(InvalidToken, match=reason):
            tokens.verify(_token(good | claim))
        assert Tokens(SECRET).verify(_token(good | claim))


def test_a_public_key_or_certificate_is_no_secret():
    with pytest.raises(ValueError):
        Tokens(RSA.as_pem(private=False).decode())


# Public keys


class Published:
    """The keys of a set that is always there, or never."""

    problem = None
    loaded = True

    def __init__(self, *entries, unknown=InvalidToken):
        self.set = parse(key_set(*entries))
        self.unknown = unknown

    def find(self, algorithm, id):
        found = self.set.find(algorithm, id)
        if not found:
            raise self.unknown("signed with an unknown key")
        return found


ALL = Published(public(RSA, kid="r"), public(EC, kid="e"), public(ED, kid="d"))


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_of_each_algorithm_verifies_with_its_public_key(algorithm):
    tokens = Tokens(None, ALL)
    key, kid = KEYS[algorithm], {"RS256": "r", "ES256": "e", "EdDSA": "d"}[algorithm]
    body = claims(roles=["admin"])
    for token in (signed(algorithm, key, body, kid=kid), signed(algorithm, key, body)):
        assert tokens.verify(token) == Identity("alice", frozenset({"admin"}), body["exp"])
    with pytest.raises(InvalidToken, match="unknown key"):
        tokens.verify(signed(algorithm, key, kid="x"))
    with pytest.raises(InvalidToken, match="expired"):
        tokens.verify(signed(algorithm, key, claims(lifetime=-6)))
    start, _, proof = signed(algorithm, key).rpartition(".")
    for wrong in (proof[:-8], "", proof[::-1], "AAAA" * 20, proof[:-4] + "AAAA"):
        with pytest.raises(InvalidToken, match=r"wrong signature|malformed"):
            tokens.verify(f"{start}.{wrong}")
    head, body, proof = signed(algorithm, key).split(".")
    with pytest.raises(InvalidToken, match="wrong signature"):
        tokens.verify(f"{head}.{_part(claims(user='mallory'))}.{proof}")


def test_two_keys_are_valid_at_once():
    """While keys are being replaced, tokens of the old and of the new one come."""
    tokens = Tokens(None, Published(public(RSA, kid="old"), public(OTHER_RSA, kid="new")))
    for key, kid in ((RSA, "old"), (OTHER_RSA, "new")):
        assert tokens.verify(signed("RS256", key, kid=kid)).user == "alice"
        assert tokens.verify(signed("RS256", key)).user == "alice"
    with pytest.raises(InvalidToken, match="wrong signature"):
        tokens.verify(signed("RS256", OTHER_RSA, kid="old"))


def test_a_secret_and_public_keys_work_side_by_side():
    tokens = Tokens(SECRET, ALL)
    assert tokens.verify(tokens.mint("bob", [], 60)).user == "bob"
    assert tokens.verify(signed("RS256", RSA)).user == "alice"


def test_a_public_key_is_never_a_shared_secret():
    """The algorithm confusion: a token that is "signed" with what everybody can read."""
    raw = base64.urlsafe_b64decode(RSA.as_dict(private=False)["n"] + "==")
    entry = public(RSA, kid="r")
    for material in (
        RSA.as_pem(private=False), RSA.as_pem(private=False).strip(), RSA.as_der(private=False), raw,
        entry["n"].encode(), json.dumps(entry).encode(), key_set(entry),
    ):  # fmt: skip
        for kid in ({}, {"kid": "r"}):
            start = f"{_part({'alg': 'HS256', **kid})}.{_part(claims())}"
            proof = base64.urlsafe_b64encode(hmac.digest(material, start.encode(), "sha256")).decode()
            for tokens in (Tokens(None, ALL), Tokens(SECRET, ALL)):
                with pytest.raises(InvalidToken, match=r"algorithm not allowed|wrong signature"):
                    tokens.verify(f"{start}.{proof.rstrip('=')}")


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "", "RS512", "HS512", "PS256", "ES384", "Ed25519", "rs256"]
)
def test_no_other_algorithm_is_believed(algorithm):
    start, _, proof = signed("RS256", RSA).rpartition(".")
    for other in ("", proof):
        with pytest.raises(InvalidToken, match="algorithm not allowed"):
            Tokens(SECRET, ALL).verify(
                f"{_part({'alg': algorithm, 'kid': 'r'})}.{start.split('.')[1]}.{other}"
            )


def test_a_key_serves_its_own_algorithm_alone():
    """An RSA key's id on a token that says ES256, and the other way round."""
    for algorithm, kid in (("ES256", "r"), ("RS256", "e"), ("EdDSA", "e")):
        with pytest.raises(InvalidToken, match="unknown key"):
            Tokens(None, ALL).verify(signed(algorithm, KEYS[algorithm], kid=kid))


def test_a_key_that_cannot_be_had_says_nothing_of_the_token():
    with pytest.raises(KeysUnavailable):
        Tokens(None, Published(public(EC), unknown=KeysUnavailable)).verify(signed("RS256", RSA))


def test_keys_inside_a_token_are_not_looked_at():
    """`jwk`, `jku` and the like let whoever made the token choose the key: nobody here believes them."""
    start = {"alg": "RS256", "jwk": public(OTHER_RSA), "jku": "https://evil.example/keys", "kid": "r"}
    text = f"{_part(start)}.{_part(claims())}"
    proof = base64.urlsafe_b64encode(JWSRegistry.algorithms["RS256"].sign(text.encode(), OTHER_RSA)).decode()
    with pytest.raises(InvalidToken, match="wrong signature"):
        Tokens(None, ALL).verify(f"{text}.{proof.rstrip('=')}")


@given(
    st.sampled_from(["RS256", "ES256", "EdDSA", "HS256"]),
    st.none() | st.sampled_from("red"),
    st.binary(max_size=300),
)
def test_any_bytes_as_a_signature_are_refused(algorithm, kid, proof):
    header = {"alg": algorithm} | ({} if kid is None else {"kid": kid})
    text = base64.urlsafe_b64encode(proof).decode().rstrip("=")
    with pytest.raises(InvalidToken):
        Tokens(SECRET, ALL).verify(f"{_part(header)}.{_part(claims())}.{text}")
