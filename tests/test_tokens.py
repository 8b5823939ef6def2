"""Tokens prove an identity, or say why not without quoting themselves."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from seatcast.tokens import Identity, InvalidToken, Tokens

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
    with pytest.raises(InvalidToken, match="no secret configured"):
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
