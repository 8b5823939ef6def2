"""Who a client is, over real sockets: every carrier of a token, AUTH, and the end of a token."""

import asyncio
import contextlib
import time

import pytest
import websockets
from joserfc import jwt
from joserfc.jwk import OctKey

from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.gateway.app import gateway
from seatcast.gateway.auth import token_of
from seatcast.key_source import KeySource, KeysUnreadable
from seatcast.tokens import Tokens

from ..issuer import EC, ED, KEYS, RSA, key_set, public, token

AUTH = '{"type":"AUTH","token":"%s"}'


def test_the_header_comes_before_the_subprotocol_and_that_before_the_address():
    assert token_of("Bearer h", ["seatcast", "bearer.s"], "q") == "h"
    assert token_of(None, ["seatcast", "bearer.s"], "q") == "s"
    assert token_of(None, ["seatcast"], "q") == "q"
    assert token_of(None, [], None) is None
    assert token_of("bearer h", [], None) == "h"
    assert token_of("Basic eDp5", [], "q") == "q"
    assert token_of("Bearer ", [], "q") == "q"


async def closed(websocket):
    """The code and reason of the close that comes, whatever comes before it."""
    with contextlib.suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(10):
            while True:
                await websocket.recv()
    return websocket.close_code, websocket.close_reason


async def test_a_token_may_come_first_in_a_message(house, told):
    async with house(auth_required=True).open() as h:
        h.read(("a", 1, 5), ("b", 1, 5))
        async with h.connect("/?tours=b") as websocket:
            assert (await told(websocket))["following"] == "named"
            assert (await told(websocket))["code"] == "UNAUTHENTICATED"
            await websocket.send(AUTH % h.tokens.mint("alice", [], 60))
            assert (await told(websocket))["userId"] == "alice"
            assert (await told(websocket))["tourId"] == "b"
            h.change("a", 2, 4)
            h.change("b", 2, 4)
            assert (await told(websocket))["tourId"] == "b"


async def test_where_a_token_is_required_who_sends_none_is_closed_with_4401(house):
    async with (
        house(auth_required=True, auth_seconds=0.1).open() as h,
        h.connect() as websocket,
    ):
        assert await closed(websocket) == (4401, "no token in time")
        assert h.count("closed_total", reason="unauthenticated") == 1


async def test_the_end_of_a_token_closes_with_4401(house, told, eventually):
    """At `exp` and the leeway, not before; who has no token, or one without end, stays."""
    async with house().open() as h:
        endless = jwt.encode(
            {"alg": "HS256"}, {"userId": "bob"}, OctKey.import_key("a secret for the tests only")
        )
        async with (
            h.connect(f"/?token={h.tokens.mint('alice', [], 100)}") as mortal,
            h.connect(f"/?token={endless}") as immortal,
            h.connect() as anonymous,
        ):
            for websocket in (mortal, immortal, anonymous):
                await told(websocket)
            assert len(h.server.deadlines) == 1
            began = time.time()
            h.now = lambda: began + 104
            h.upkeep.expire()
            assert not h.server.unfinished
            h.now = lambda: began + 107
            assert await closed(mortal) == (4401, "token: expired")
            assert h.count("closed_total", reason="expired") == 1
            h.now = lambda: began + 10_000_000
            for websocket in (immortal, anonymous):
                await websocket.send('{"type":"PING"}')
                assert (await told(websocket))["type"] == "PONG"
        assert not h.server.deadlines


async def test_auth_puts_the_end_off(house, told):
    async with house().open() as h, h.connect(f"/?token={h.tokens.mint('alice', [], 100)}") as websocket:
        await told(websocket)
        began = time.time()
        h.now = lambda: began + 90
        await websocket.send(AUTH % h.tokens.mint("alice", [], 100))
        assert (await told(websocket))["type"] == "AUTHENTICATED"
        h.now = lambda: began + 150
        h.upkeep.expire()
        # A token that is refused, because it is over or another's, puts nothing off and ends nothing.
        for token in (h.tokens.mint("alice", [], -60), h.tokens.mint("bob", [], 10_000)):
            await websocket.send(AUTH % token)
            assert (await told(websocket))["type"] == "ERROR"
        h.now = lambda: began + 197
        assert await closed(websocket) == (4401, "token: expired")


async def test_auth_may_also_bring_the_end_forward_and_give_an_end_to_who_had_none(house, told):
    async with house().open() as h, h.connect() as websocket:
        await told(websocket)
        for lifetime in (1_000, 50):
            await websocket.send(AUTH % h.tokens.mint("alice", [], lifetime))
            assert (await told(websocket))["type"] == "AUTHENTICATED"
        began = time.time()
        h.now = lambda: began + 57
        assert (await closed(websocket))[0] == 4401


async def test_a_herd_whose_tokens_end_together_is_closed_in_several_sweeps(house, told, monkeypatch):
    monkeypatch.setattr("seatcast.gateway.upkeep.MAX_ENDED", 2)
    async with house().open() as h:
        path = f"/?token={h.tokens.mint('alice', [], 100)}"
        websockets_ = [await h.connect(path) for _ in range(5)]
        for websocket in websockets_:
            await told(websocket)
        began = time.time()
        h.now = lambda: began + 107
        h.upkeep.expire()
        assert len(h.server.deadlines) == 3
        for websocket in websockets_:
            assert (await closed(websocket))[0] == 4401


# Public keys


class Source:
    """What a key source reads: `body`, or nothing while it is None."""

    def __init__(self, body=None):
        self.body = body
        self.keys = KeySource(self.read, "the source", 60)

    async def read(self):
        if self.body is None:
            raise KeysUnreadable("answered 503")
        return self.body


ALL = key_set(public(RSA, kid="r"), public(EC, kid="e"), public(ED, kid="d"))


@pytest.mark.parametrize("algorithm", KEYS)
async def test_every_carrier_brings_tokens_of_public_keys_too(house, told, algorithm):
    h, source = house(), Source(ALL)
    h.tokens = Tokens(None, source.keys)
    await source.keys.refresh()
    good = token(algorithm, KEYS[algorithm])
    async with h.open():
        for path, more in (
            ("/", {"additional_headers": {"Authorization": f"Bearer {good}"}}),
            ("/", {"subprotocols": ["seatcast", f"bearer.{good}"]}),
            (f"/?token={good}", {}),
        ):
            async with h.connect(path, **more) as websocket:
                assert (await told(websocket))["userId"] == "alice"
        async with h.connect() as websocket:
            assert "userId" not in await told(websocket)
            await websocket.send(AUTH % good)
            assert (await told(websocket))["userId"] == "alice"


async def test_while_keys_cannot_be_had_nobody_is_told_that_his_token_is_bad(house, told):
    """1013 and not 4401, which would make clients throw their tokens away; on a live connection, to try again."""
    h, source = house(), Source()
    h.tokens = Tokens(None, source.keys)
    await source.keys.refresh()
    good = token("RS256", RSA)
    async with h.open(), h.connect() as patient:
        await told(patient)
        async with h.connect(f"/?token={good}") as websocket:
            code, reason = await closed(websocket)
            assert (code, good in reason) == (1013, False)
        assert h.count("closed_total", reason="no keys") == 1
        await patient.send(AUTH % good)
        answer = await told(patient)
        assert (answer["code"], answer["retryAfterMs"] > 0) == ("INTERNAL", True)
        source.body = ALL
        await source.keys.refresh()
        await patient.send(AUTH % good)
        assert (await told(patient))["userId"] == "alice"


@pytest.mark.parametrize(
    ("auth", "secret", "status"),
    [
        ("optional", None, "degraded"),
        ("required", None, "unready"),
        ("required", "a secret for the tests only", "degraded"),
    ],
)
async def test_health_says_that_keys_cannot_be_read(eventually, auth, secret, status):
    """Unready only if nobody at all could be let in."""
    source = Source()
    await source.keys.refresh()
    settings = Settings(port=0, auth=auth)
    async with gateway(settings, MemoryBroker(), None, Tokens(secret, source.keys)) as running:
        await eventually(lambda: running.health().status == status)
        assert running.health().checks["public keys"] == "answered 503"
        source.body = ALL
        await source.keys.refresh()
        await eventually(lambda: running.health().status == "ok")
        source.body = None
        await source.keys.refresh()
        assert running.health().status == "degraded"
