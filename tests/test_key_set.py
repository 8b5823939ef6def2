"""Which keys of a published set are used, and what is said of the others."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey

from seatcast.key_set import MAX_KEYS, InvalidKeySet, parse

from .issuer import EC, ED, RSA, key_set, public

WEAK = {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xff" * 128).decode().rstrip("=")}


def test_each_type_of_key_verifies_one_algorithm():
    found = parse(key_set(public(RSA, kid="r"), public(EC, kid="e"), public(ED)))
    assert [(key.id, key.algorithm) for key in found.keys] == [
        ("r", "RS256"),
        ("e", "ES256"),
        (None, "EdDSA"),
    ]
    assert found.ignored == ()


def test_a_key_is_found_by_its_id_else_among_those_without():
    found = parse(
        key_set(
            public(RSA, kid="one"), public(RSA, kid="two", use="sig", alg="RS256", key_ops=["verify"]),
            public(RSA), public(EC, kid="one"),
        )
    )  # fmt: skip

    def ids(algorithm, id):
        return [key.id for key in found.find(algorithm, id)]

    assert ids("RS256", "two") == ["two"]
    assert ids("RS256", "three") == [None]
    assert ids("RS256", None) == ["one", "two", None]
    assert ids("ES256", "one") == ["one"]
    assert ids("ES256", "two") == []
    assert ids("EdDSA", None) == []
    assert ids("HS256", None) == ids("none", None) == []


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (RSA.as_dict(private=True), "is private"),
        (EC.as_dict(private=True), "is private"),
        (ED.as_dict(private=True), "is private"),
        (OctKey.generate_key(256).as_dict(private=True), "is a shared secret"),
        (public(RSA, use="enc"), "is not for signatures"),
        (public(RSA, key_ops=["encrypt"]), "is not for signatures"),
        (public(RSA, key_ops="verify it"), "is not for signatures"),
        (public(RSA, alg="RS512"), "is for another algorithm than RS256"),
        (public(RSA, alg="HS256"), "is for another algorithm than RS256"),
        (public(EC, alg="RS256"), "is for another algorithm than ES256"),
        (public(ECKey.generate_key("P-384")), "is on another curve than P-256"),
        (public(OKPKey.generate_key("X25519")), "is on another curve than Ed25519"),
        (WEAK, "is too short: 1024 bits"),
        (public(RSA, kid=7), "has an id that is no text"),
        (public(RSA, n="AQAB"), "is too short|is malformed"),
        (public(RSA, n=7), "is malformed"),
        (public(RSA, e="AQ"), "is malformed"),
        ({"kty": "RSA"}, "is malformed"),
        (public(EC, x="AAAA"), "is malformed"),
        ({"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}, "is of a type that is not used"),
        ({}, "is of a type that is not used"),
    ],
)
def test_other_keys_are_ignored_with_a_reason_and_the_rest_is_used(entry, why):
    found = parse(key_set(entry, public(EC, kid="good")))
    assert [key.id for key in found.keys] == ["good"]
    (line,) = found.ignored
    assert line.startswith("key 1 is") or line.startswith("key 1 has")
    assert re.search(why, line)
    with pytest.raises(InvalidKeySet, match="holds no key to verify RS256, ES256, EdDSA with: key 1"):
        parse(key_set(entry))


def test_a_reason_names_the_key_but_never_quotes_it():
    entry = RSA.as_dict(private=True) | {"kid": "mine"}
    (line,) = parse(key_set(entry, public(EC))).ignored
    assert line.startswith("'mine' is private")
    assert not any(entry[name] in line for name in ("n", "d", "p", "q"))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[1]}', b"\xff", b"[" * 9_000]
)
def test_what_is_no_set_is_said(body):
    with pytest.raises(InvalidKeySet, match="is no JWK Set"):
        parse(body)


def test_an_empty_set_and_a_huge_one_are_refused():
    with pytest.raises(InvalidKeySet, match="holds no key"):
        parse(b'{"keys":[]}')
    with pytest.raises(InvalidKeySet, match=f"more than {MAX_KEYS}"):
        parse(key_set(*[public(EC)] * (MAX_KEYS + 1)))


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20),
    st.sampled_from(["RSA", "EC", "OKP", "sig", "verify", "P-256", "Ed25519", "AQAB"]), st.lists(st.text(), max_size=2),
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["kty", "use", "alg", "kid", "key_ops", "n", "e", "crv", "x", "y"]), values
    )
)
def test_whatever_an_entry_holds_it_is_used_or_ignored(entry):
    body = json.dumps({"keys": [entry, public(EC, kid="good")]}, ensure_ascii=True).encode()
    try:
        found = parse(body)
    except InvalidKeySet as error:
        # Lone surrogates are no JSON text.
        assert "is no JWK Set" in str(error)  # noqa: PT017
    else:
        assert found.keys[-1].id == "good"
        assert len(found.keys) + len(found.ignored) == 2
