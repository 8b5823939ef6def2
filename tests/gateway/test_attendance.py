"""A gateway says who is connected to it: at once, again and again, soon after a change, and when it leaves."""

import asyncio
import contextlib
import json
import time

import httpx
import pytest
from websockets.asyncio.client import connect

from seatcast import rest
from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.gateway.app import gateway
from seatcast.presence import PERIOD_SECONDS, SOON_SECONDS, user_hash
from seatcast.tokens import Tokens
from seatcast.wire_events import decode_event

TOKENS = Tokens("a secret for the tests only, long enough")


class Heard:
    """What a gateway said, and when."""

    def __init__(self):
        self.said = []

    async def until(self, such):
        """The newest word, once it is such."""
        async with asyncio.timeout(10):
            while not self.said or not such(self.said[-1][1]):
                await asyncio.sleep(0.01)
        return self.said[-1][1]

    @contextlib.asynccontextmanager
    async def listening(self, broker):
        async def listen(subscription):
            async for delivery in subscription:
                self.said.append((time.monotonic(), decode_event(delivery.routing_key, delivery.body)))

        async with broker.subscribe("test", ["gateway.present"]) as subscription:
            task = asyncio.create_task(listen(subscription))
            try:
                yield self
            finally:
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def a_gateway(heard, **settings):
    async def nothing():
        return rest.Snapshot("e1", [])

    async with MemoryBroker() as broker, heard.listening(broker):
        made = Settings(port=0, gateway_id="g1", **settings)
        async with gateway(made, broker, nothing, TOKENS) as running:
            yield running


def client(running, user=None, *roles):
    query = f"?token={TOKENS.mint(user, set(roles), 600)}" if user else ""
    return connect(f"ws://127.0.0.1:{running.port}/{query}")


async def test_it_names_each_user_once_and_counts_those_without_one():
    heard = Heard()
    async with a_gateway(heard) as running:
        empty = await heard.until(lambda event: True)
        assert (empty.gateway_id, empty.connections, empty.users, empty.gone) == ("g1", 0, b"", False)

        async with (
            client(running, "ana"),
            client(running, "ana"),
            client(running),
            client(running, "sam", "support"),
        ):
            event = await heard.until(lambda event: event.connections == 4)

            assert event.anonymous == 1
            assert event.users == b"".join(sorted(map(user_hash, ["ana", "sam"])))
            assert event.agents == ["sam"]
        await heard.until(lambda event: (event.connections, event.users, event.agents) == (0, b"", []))


async def test_a_change_is_said_soon():
    heard = Heard()
    async with a_gateway(heard) as running:
        await heard.until(lambda event: True)
        for pause in (0.0, 0.45, 0.9):
            await asyncio.sleep(pause)
            async with client(running):
                came = time.monotonic()
                await heard.until(lambda event: event.connections == 1)
                assert heard.said[-1][0] - came < SOON_SECONDS + 0.15
            await heard.until(lambda event: event.connections == 0)


async def test_without_a_change_it_is_said_again_all_the_same():
    heard = Heard()
    async with a_gateway(heard):
        await asyncio.sleep(PERIOD_SECONDS + 1)

    first, second, goodbye = heard.said
    assert 0.9 * PERIOD_SECONDS < second[0] - first[0] < PERIOD_SECONDS + 0.5
    assert first[1].instance == second[1].instance == goodbye[1].instance


async def test_it_says_goodbye_after_everybody_was_sent_away():
    heard = Heard()
    async with a_gateway(heard) as running:
        joined = await client(running, "ana").__aenter__()
        await heard.until(lambda event: event.connections == 1)
    await joined.wait_closed()

    assert heard.said[-1][1].gone
    assert [event.gone for _, event in heard.said].count(True) == 1


async def test_who_says_who_they_are_later_is_a_user_from_then_on():
    heard = Heard()
    async with a_gateway(heard) as running, client(running) as socket:
        await heard.until(lambda event: event.anonymous == 1)

        await socket.send(json.dumps({"type": "AUTH", "token": TOKENS.mint("ana", set(), 600)}))

        event = await heard.until(lambda event: event.anonymous == 0)
        assert (event.connections, event.users) == (1, user_hash("ana"))


async def test_strangers_who_must_still_sign_in_are_nobody_yet():
    heard = Heard()
    async with a_gateway(heard, auth="required") as running, client(running):
        event = await heard.until(lambda event: event.connections == 1)

        assert (event.anonymous, event.users) == (1, b"")


@pytest.mark.parametrize("waiting", ["stream", "poll"])
async def test_whoever_waits_over_http_is_there_too(waiting):
    heard = Heard()
    async with a_gateway(heard) as running:

        async def nowhere(*_):
            raise AssertionError

        app = running.fallbacks.in_front_of(nowhere)
        bearer = {"Authorization": f"Bearer {TOKENS.mint('ana', set(), 600)}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
            path = "/api/tours/availability"
            if waiting == "poll":
                cursor = (await http.get(path, headers=bearer)).json()["cursor"]
                url = f"{path}?since={cursor}&wait=20"
            else:
                url = f"{path}/stream"
            asking = asyncio.create_task(http.get(url, headers=bearer))

            event = await heard.until(lambda event: event.connections == 1)

            assert (event.anonymous, event.users) == (0, user_hash("ana"))
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await heard.until(lambda event: event.connections == 0)


async def test_followers_of_metrics_are_counted():
    heard = Heard()
    async with a_gateway(heard) as running, client(running, "ada", "admin") as socket:
        await heard.until(lambda event: event.connections == 1)
        await socket.send('{"type":"SUBSCRIBE","channel":"metrics"}')

        await heard.until(lambda event: event.metrics_followers == 1)
        await socket.send('{"type":"UNSUBSCRIBE","channel":"metrics"}')
        await heard.until(lambda event: event.metrics_followers == 0)
