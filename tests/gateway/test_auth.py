"""Who a client is, over real sockets: every carrier of a token, AUTH, and the end of a token."""

import asyncio
import contextlib
import time

import websockets
from joserfc import jwt
from joserfc.jwk import OctKey

from seatcast.gateway.auth import token_of

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
    monkeypatch.setattr("seatcast.gateway.upkeep.MAX_EXPIRED", 2)
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
