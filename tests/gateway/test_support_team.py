"""Who of the support team is there, over two gateways: the team is told who, travellers how many."""

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import connect

from seatcast import presence, rest
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.gateway.app import gateway
from seatcast.tokens import Tokens

TOKENS = Tokens("a secret for the tests only, long enough")


@pytest.fixture
async def two():
    """Two gateways on one broker."""

    async def nothing():
        return rest.Snapshot("e1", [])

    async with MemoryBroker() as broker, contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(gateway(Settings(port=0, gateway_id=id), broker, nothing, TOKENS))
            for id in ("g1", "g2")
        ]


def client(running, user=None, *roles):
    query = f"?token={TOKENS.mint(user, set(roles), 600)}" if user else ""
    return connect(f"ws://127.0.0.1:{running.port}/{query}")


async def next_of(socket, *types):
    async with asyncio.timeout(15):
        while True:
            frame = json.loads(await socket.recv())
            if frame["type"] in types:
                return frame


async def follow_support(socket):
    await socket.send('{"type":"SUBSCRIBE","channel":"support"}')
    await next_of(socket, "SUBSCRIBED")


async def present(socket):
    frame = await next_of(socket, "SUPPORT_PRESENCE")
    return frame["present"], frame.get("agents")


async def test_travellers_on_any_gateway_are_told_whether_somebody_is_there(two):
    here, there = two
    async with client(there, "ana") as ana:
        async with client(here, "sam", "support") as sam:
            assert await present(ana) == (1, None)
            # Somebody who comes later is told at once, right after the greeting.
            async with client(there, "ben") as ben:
                assert (await next_of(ben, "SUPPORT_PRESENCE", "PONG"))["present"] == 1
            await sam.close()
        assert await present(ana) == (0, None)
        async with client(there, "cleo") as cleo:
            await cleo.send('{"type":"PING"}')
            assert (await next_of(cleo, "SUPPORT_PRESENCE", "PONG"))["type"] == "PONG"


async def test_who_signs_in_later_is_told_then(two):
    here, there = two
    async with client(here, "sam", "support") as sam, client(there) as ana:
        await present(sam)
        await ana.send('{"type":"PING"}')
        assert (await next_of(ana, "SUPPORT_PRESENCE", "PONG"))["type"] == "PONG"
        # As long as both gateways may have it.
        await asyncio.sleep(0.2)
        await ana.send(json.dumps({"type": "AUTH", "token": TOKENS.mint("ana", set(), 600)}))
        assert await present(ana) == (1, None)


async def test_the_team_is_told_who_without_having_to_ask(two):
    here, there = two
    async with client(here, "sam", "support") as sam:
        assert (await next_of(sam, "WELCOME", "SUPPORT_PRESENCE"))["type"] == "WELCOME"
        # Before it was counted itself; then with it.
        assert await present(sam) == (0, [])
        assert await present(sam) == (1, ["sam"])
        async with client(there) as tom:
            await next_of(tom, "WELCOME")
            await tom.send(json.dumps({"type": "AUTH", "token": TOKENS.mint("tom", {"support"}, 600)}))
            await next_of(tom, "AUTHENTICATED")
            assert await present(tom) == (1, ["sam"])
            assert await present(tom) == (2, ["sam", "tom"])


async def test_the_team_is_told_who(two):
    here, there = two
    async with client(here, "sam", "support") as sam, client(there, "tom", "support") as tom:
        await follow_support(tom)
        frame = await next_of(tom, "SUPPORT_PRESENCE")
        while frame.get("agents") != ["sam", "tom"]:
            frame = await next_of(tom, "SUPPORT_PRESENCE")
        assert frame["present"] == 2
        await sam.close()
        assert await present(tom) == (1, ["tom"])


async def test_agents_of_a_gateway_that_dies_without_a_word_are_forgotten(two, monkeypatch):
    monkeypatch.setattr(presence, "SILENCE_SECONDS", 2.5)
    here, there = two
    async with client(there, "ana") as ana, client(here, "sam", "support"):
        assert await present(ana) == (1, None)

        async def unheard(_):
            return None

        monkeypatch.setattr(here._attendance, "_say", unheard)
        async with asyncio.timeout(4):
            assert await present(ana) == (0, None)
