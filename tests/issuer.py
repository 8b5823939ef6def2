"""An issuer of tokens, as an identity provider is: private keys, the public set of them, and a server for that."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from seatcast.http_server import serve_http

# Some algorithms are "not recommended" by the library, which the tests need all the same.
ANY = JWSRegistry(algorithms=["RS256", "RS512", "ES256", "ES384", "HS256"])
EDDSA = JWSRegistry.algorithms["EdDSA"]

RSA = RSAKey.generate_key(2048)
OTHER_RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
ED = OKPKey.generate_key("Ed25519")
KEYS = {"RS256": RSA, "ES256": EC, "EdDSA": ED}


def public(key, **more):
    """The public half of a key as an entry of a JWK Set."""
    return key.as_dict(private=False) | more


def key_set(*entries):
    """A JWK Set as it is published."""
    return json.dumps({"keys": entries}).encode()


def claims(user="alice", lifetime=60, **more):
    return {"userId": user, "exp": int(time.time()) + lifetime, **more}


def token(algorithm, key, body=None, **header):
    """A token with that algorithm in its header, signed so, whether or not the two fit."""
    header = {"alg": algorithm, **header}
    payload = json.dumps(claims() if body is None else body)
    if algorithm != "EdDSA":
        return jws.serialize_compact(header, payload, key, registry=ANY)
    signed = b".".join(_part(one.encode()) for one in (json.dumps(header), payload))
    return b".".join((signed, _part(EDDSA.sign(signed, key)))).decode()


def _part(raw):
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(raw).rstrip(b"=")


class Issuer:
    """A server of a key set. `body`, `status` and `delay` are what it answers; `asked` counts."""

    def __init__(self, body):
        self.body = body
        self.status = 200
        self.delay = 0.0
        self.headers = []
        self.asked = 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        await asyncio.sleep(self.delay)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})

    @contextlib.asynccontextmanager
    async def serving(self, port=0):
        """Serve it; yields the address of the set."""
        async with serve_http(self, "127.0.0.1", port, name="the issuer") as bound:
            yield f"http://127.0.0.1:{bound}/keys?secret=of-the-address"
