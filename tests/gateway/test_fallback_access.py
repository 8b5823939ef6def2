"""Polls and streams over real HTTP: who may ask, and how they end."""

import asyncio

import pytest

from seatcast.gateway.admission import Quotas
from seatcast.origins import Origins
from seatcast.tokens import KeysUnavailable

from .plain_http import PATH, STREAM_PATH, facts, streaming

# Who may


async def test_a_token_says_who_it_is(open_house):
    async with open_house() as h:
        token = h.tokens.mint("user_1", [], 60)
        for query, headers in ((f"?token={token}", {}), ("", {"Authorization": f"Bearer {token}"})):
            async with streaming(h, query, **headers) as events:
                assert (await events.next())["userId"] == "user_1"
            assert (await h.http.get(PATH + query, headers=headers)).status_code == 200


@pytest.mark.parametrize("path", [PATH, STREAM_PATH])
async def test_a_bad_token_is_refused_and_not_repeated(open_house, path):
    async with open_house() as h:
        answer = await h.http.get(path, params={"token": "not-a-token"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "UNAUTHENTICATED"
        assert answer.json()["details"] == {"token": "malformed"}
        assert "not-a-token" not in answer.text


async def test_a_token_that_cannot_be_checked_at_the_moment_may_come_back(open_house, monkeypatch):
    def unavailable(_):
        raise KeysUnavailable("no keys yet")

    async with open_house() as h:
        monkeypatch.setattr(h.tokens, "verify", unavailable)
        answer = await h.http.get(PATH, params={"token": "x"})
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        async with streaming(h, "?token=x") as events:
            await events.until("RECONNECT")


@pytest.mark.parametrize("path", [PATH, STREAM_PATH])
async def test_where_authentication_is_required_nobody_is_anonymous(open_house, path):
    async with open_house(auth_required=True) as h:
        assert (await h.http.get(path)).status_code == 401
        token = h.tokens.mint("user_1", [], 60)
        assert (await h.http.head(path, headers={"Authorization": f"Bearer {token}"})).status_code == 200


async def test_a_stream_ends_with_its_token(open_house):
    async with open_house(heartbeat_seconds=0.05) as h:
        token = h.tokens.mint("user_1", [], 60)
        async with streaming(h, f"?token={token}") as events:
            await events.until("INITIAL_STATE", tourId="b")
            moment = h.tokens.clock() + 100
            h.now = lambda: moment
            error = await events.until("ERROR")
            assert error["code"] == "UNAUTHENTICATED"
            assert await events.next() is None
        # The browser comes back with the same token, and is told to stop.
        assert (await h.http.get(STREAM_PATH, params={"token": token})).status_code == 401


async def test_pages_of_allowed_origins_alone_may_read(open_house):
    async with open_house() as h:
        h.server.reception._origins = Origins(["https://tours.example"])
        good = {"Origin": "https://tours.example"}
        answer = await h.http.get(PATH, headers=good)
        assert answer.headers["access-control-allow-origin"] == "https://tours.example"
        assert answer.headers["vary"] == "Origin, Accept-Encoding"
        refused = await h.http.get(PATH, params={"wait": "x"}, headers=good)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, good["Origin"])
        preflight = await h.http.options(PATH, headers=good | {"Access-Control-Request-Method": "GET"})
        assert preflight.status_code == 204
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        for path in (PATH, STREAM_PATH):
            other = await h.http.get(path, headers={"Origin": "https://elsewhere.example"})
            assert other.status_code == 403
            assert "access-control-allow-origin" not in other.headers
        assert "access-control-allow-origin" not in (await h.http.get(PATH)).headers
        assert h.count("fallbacks_refused_total", reason="origin") == 2


async def test_streams_and_waiting_polls_count_as_connections_of_their_address(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        h.server.admission._most_per_address = 2
        h.server.admission._quotas = Quotas(connections_per_address=2)
        waiting = asyncio.create_task(h.http.get(PATH, params={"since": cursor, "wait": 20}))
        await eventually(lambda: h.count("polls_waiting") == 1)
        async with streaming(h) as events:
            await events.next()
            for path in (PATH, STREAM_PATH):
                third = await h.http.get(path)
                assert third.status_code == 429
                assert int(third.headers["retry-after"]) >= 1
                assert third.json()["code"] == "RATE_LIMITED"
            h.change("a", 2, 1)
            assert facts(await waiting) == {"a": 1}
            assert (await h.http.get(PATH)).status_code == 200


async def test_a_user_has_so_many_streams(open_house):
    async with open_house() as h:
        h.server.admission._most_per_user = 1
        h.server.admission._quotas = Quotas(connections_per_user=1)
        token = h.tokens.mint("user_1", [], 60)
        async with streaming(h, f"?token={token}") as events:
            await events.next()
            assert (await h.http.get(PATH, params={"token": token})).status_code == 429
        assert h.count("fallbacks_refused_total", reason="user") == 1


# The end


async def test_when_there_is_no_room_polls_hear_it_and_streams_are_told_to_come_back(open_house):
    """A browser gives a stream up for ever at any status but 200."""
    async with open_house() as h:
        h.server.admission._most_sockets = 0
        answer = await h.http.get(PATH)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        async with streaming(h) as events:
            assert events.answer.status_code == 200
            frame = await events.next()
            assert frame == {"type": "RECONNECT", "afterMs": events.retry}
            assert await events.next() is None
        assert h.count("fallbacks_refused_total", reason="full") == 2


async def test_a_drain_ends_everything_in_order(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        waiting = asyncio.create_task(h.http.get(PATH, params={"since": cursor, "wait": 20}))
        async with streaming(h) as one, streaming(h) as other:
            await eventually(lambda: len(h.fallbacks.audience.here) == 3)
            h.server.draining = True
            slots = iter((100, 102))
            await h.fallbacks.drain(10, lambda: next(slots))
            assert not h.fallbacks.audience.here
            found = []
            for events in (one, other):
                frame = await events.until("RECONNECT")
                assert events.retry == frame["afterMs"]
                found.append(events.retry)
                assert await events.next() is None
            assert sorted(found) == [100, 102]
        assert (await waiting).json()["messages"] == []
        assert (await h.http.get(PATH)).status_code == 503
        async with streaming(h) as events:
            await events.until("RECONNECT")


async def test_a_drain_does_not_wait_for_ever(open_house):
    async with open_house() as h:
        _, writer = await asyncio.open_connection("127.0.0.1", h.web)
        writer.write(f"GET {STREAM_PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        async with asyncio.timeout(20):
            while not h.fallbacks.audience.here:
                await asyncio.sleep(0.01)
            # Nobody ends it: as if its client had stopped reading.
            h.fallbacks.audience.send_away = lambda _: None
            await h.fallbacks.drain(0.05, lambda: 100)
        assert h.fallbacks.audience.here
        writer.close()
