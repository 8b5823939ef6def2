"""Snapshots, long polls and Server-Sent Events over real HTTP."""

import asyncio
import contextlib
import json
import re
import socket

import httpx
import pytest

from seatcast import wire
from seatcast.gateway.admission import Quotas
from seatcast.gateway.asked import MAX_WAIT_SECONDS
from seatcast.gateway.fallbacks import Fallbacks
from seatcast.http_server import serve_http
from seatcast.origins import Origins
from seatcast.rest import LIVE_PATH as PATH
from seatcast.rest import LIVE_STREAM_PATH as STREAM_PATH
from seatcast.tokens import KeysUnavailable

NOW = "2026-06-01T10:00:00.000Z"


async def others(scope, receive, send):
    """Whatever else the port serves."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@contextlib.asynccontextmanager
async def served(house):
    """A gateway's fallbacks on a port of their own; yields the house, with `fallbacks`, `web` and `base` beside."""
    async with house.open():
        house.fallbacks = Fallbacks(house.server)
        app = house.fallbacks.in_front_of(others)
        async with serve_http(app, "127.0.0.1", 0, name="fallbacks") as house.web:
            house.base = f"http://127.0.0.1:{house.web}"
            async with httpx.AsyncClient(base_url=house.base, timeout=20) as house.http:
                yield house
                house.fallbacks.audience.send_away(lambda: 100)


@pytest.fixture
def open_house(house):
    """`async with open_house(**limits) as h:` tours a and b, and `h.http` to ask for them."""

    @contextlib.asynccontextmanager
    async def opened(**limits):
        made = house(**limits)
        async with served(made):
            made.read(("a", 1, 5), ("b", 1, 8))
            yield made

    return opened


class Events:
    """A stream as a browser reads it. `id` is what it would send as Last-Event-ID; `lines` is everything."""

    def __init__(self, answer):
        self.answer = answer
        self.lines = []
        self.id = ""
        self.retry = None
        self._read = answer.aiter_lines()

    async def next(self):
        """The next message; None at the end."""
        data = None
        async with asyncio.timeout(20):
            async for line in self._read:
                self.lines.append(line)
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "data":
                    data = json.loads(value)
                elif name == "id":
                    self.id = value
                elif name == "retry":
                    self.retry = int(value)
                elif not line and data is not None:
                    return data
        return None

    async def until(self, kind, **fields):
        while (frame := await self.next()) is not None:
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame
        raise AssertionError(f"the stream ended without {kind} {fields}")


@contextlib.asynccontextmanager
async def streaming(h, query="", **headers):
    async with h.http.stream("GET", STREAM_PATH + query, headers=headers) as answer:
        yield Events(answer)


def facts(answer):
    return {frame["tourId"]: frame["availableSeats"] for frame in answer.json()["messages"]}


# Snapshots


async def test_a_polling_client_gets_everything_as_json(open_house):
    """The lesson's client: fetch, then response.json(), every two seconds."""
    async with open_house() as h:
        answer = await h.http.get(PATH)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert facts(answer) == {"a": 5, "b": 8}
        h.change("a", 2, 4)
        assert facts(await h.http.get(PATH)) == {"a": 4, "b": 8}
        assert facts(await h.http.get(PATH, params={"tours": "b"})) == {"b": 8}


async def test_what_has_not_changed_is_not_sent_again(open_house):
    async with open_house() as h:
        first = await h.http.get(PATH, params={"tours": "a"})
        assert first.headers["cache-control"] == "no-cache"
        etag = first.headers["etag"]
        h.change("b", 2, 1)
        for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            same = await h.http.get(PATH, params={"tours": "a"}, headers={"If-None-Match": sent})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        h.change("a", 2, 1)
        fresh = await h.http.get(PATH, params={"tours": "a"}, headers={"If-None-Match": etag})
        assert fresh.status_code == 200
        assert fresh.headers["etag"] != etag
        assert h.count("polls_total", outcome="unchanged") == 4


async def test_every_other_path_is_handed_on(open_house):
    async with open_house() as h:
        for path in ("/", "/api/tours", "/api/tours/a", f"{PATH}s", f"{STREAM_PATH}/x"):
            assert (await h.http.get(path)).text == path
        assert (await h.http.get(f"{PATH}/")).json()["reset"] is True


async def test_head_and_unknown_methods(open_house):
    async with open_house() as h:
        head = await h.http.head(PATH)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == (await h.http.get(PATH)).headers["etag"]
        assert (await h.http.head(STREAM_PATH)).headers["content-type"] == "text/event-stream"
        answer = await h.http.post(PATH, headers={"Accept-Language": "en"})
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert answer.json() == {"error": "Method not allowed", "code": "METHOD_NOT_ALLOWED"}


# Long polls


async def test_a_poll_waits_for_what_is_new(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        asking = asyncio.create_task(h.http.get(PATH, params={"since": cursor, "wait": 20}))
        await eventually(lambda: h.count("polls_waiting") == 1)
        h.change("b", 2, 7)
        answer = await asking
        assert facts(answer) == {"b": 7}
        assert answer.json()["reset"] is False
        assert answer.headers["cache-control"] == "no-store"
        assert h.count("polls_waiting") == 0
        assert len(h.fallbacks.audience.hub) == 0


async def test_a_poll_is_answered_at_once_with_what_it_missed(open_house):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        h.change("a", 2, 4)
        h.change("a", 3, 3)
        answer = await h.http.get(PATH, params={"since": cursor, "wait": 20})
        assert facts(answer) == {"a": 3}


async def test_a_poll_that_waits_in_vain_gets_an_empty_list_and_goes_on(open_house):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        for wait in ("0", "0.05"):
            answer = await h.http.get(PATH, params={"since": cursor, "wait": wait})
            assert answer.status_code == 200
            body = answer.json()
            assert (body["messages"], body["reset"]) == ([], False)
        h.change("a", 2, 4)
        assert facts(await h.http.get(PATH, params={"since": body["cursor"]})) == {"a": 4}


@pytest.mark.parametrize("cursor", ["", "garbage", "%00%ff", f"{'0' * 16}.{'0' * 16}", "a" * 5_000])
async def test_a_cursor_that_means_nothing_gets_everything_at_once(open_house, cursor):
    async with open_house() as h:
        answer = await h.http.get(f"{PATH}?since={cursor}&wait=20")
        assert answer.json()["reset"] is True
        assert facts(answer) == {"a": 5, "b": 8}


@pytest.mark.parametrize("wait", ["-1", "soon", "nan", "1e9", "", "٣"])
async def test_a_wait_that_is_no_number_of_seconds_is_refused_by_name(open_house, wait):
    async with open_house() as h:
        answer = await h.http.get(PATH, params={"since": "x", "wait": wait})
        assert answer.status_code == 400
        assert answer.json()["code"] == "INVALID_REQUEST"
        assert answer.json()["details"] == {"query.wait": f"seconds, 0 to {MAX_WAIT_SECONDS:g}"}
        assert answer.json()["error"] == "Requête invalide"
        assert answer.headers["content-language"] == "fr"


async def test_too_many_parameters_are_refused(open_house):
    async with open_house() as h:
        answer = await h.http.get(PATH + "?" + "&".join(f"a{n}=1" for n in range(60)))
        assert answer.status_code == 400
        assert "query" in answer.json()["details"]


async def test_a_wait_is_never_longer_than_proxies_bear(open_house, monkeypatch):
    monkeypatch.setattr("seatcast.gateway.asked.MAX_WAIT_SECONDS", 0.05)
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        assert (await h.http.get(PATH, params={"since": cursor, "wait": "9999"})).json()["messages"] == []


async def test_polls_that_wait_hear_when_the_source_is_lost(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        asking = asyncio.create_task(h.http.get(PATH, params={"since": cursor, "wait": 20}))
        await eventually(lambda: h.count("polls_waiting") == 1)
        h.server.stale = wire.Stale(since=NOW)
        h.fallbacks.audience.broadcast(h.server.stale)
        body = (await asking).json()
        assert (body["staleSince"], body["messages"]) == (NOW, [])


async def test_a_poll_whose_client_hangs_up_leaves_nothing_behind(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        request = f"GET {PATH}?since={cursor}&wait=40 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        _, writer = await asyncio.open_connection("127.0.0.1", h.web)
        writer.write(request)
        await eventually(lambda: h.count("polls_waiting") == 1)
        writer.close()
        await eventually(lambda: not h.fallbacks.audience.here)
        assert len(h.fallbacks.audience.hub) == 0
        assert h.server.admission.sockets == 0


# Streams


async def test_a_stream_tells_what_a_socket_would(open_house):
    async with open_house() as h, streaming(h, "?tours=a&lang=en") as events:
        assert events.answer.headers["content-type"] == "text/event-stream"
        assert "no-store" in events.answer.headers["cache-control"]
        welcome = await events.next()
        assert (welcome["type"], welcome["message"]) == ("WELCOME", "Connected to real-time updates")
        assert (await events.next())["availableSeats"] == 5
        h.change("b", 2, 7)
        h.change("a", 2, 4)
        update = await events.next()
        assert (update["type"], update["tourId"], update["availableSeats"]) == ("AVAILABILITY_UPDATE", "a", 4)
        assert events.id
        assert 1_000 <= events.retry <= 4_000
        assert h.count("streams") == 1


async def test_a_browser_that_comes_back_is_told_what_is_new(open_house, eventually):
    async with open_house() as h:
        async with streaming(h) as events:
            await events.until("INITIAL_STATE", tourId="b")
        await eventually(lambda: h.count("streams") == 0)
        h.change("b", 2, 7)
        for query, headers in (
            ("", {"Last-Event-ID": events.id}),
            (f"?since={events.id}", {}),
            ("?since=older", {"Last-Event-ID": events.id}),
        ):
            async with streaming(h, query, **headers) as again:
                assert (await again.next())["resumed"] is True
                assert (await again.next())["tourId"] == "b"
                assert again.id, "this was all"


async def test_cursors_of_streams_and_polls_are_the_same(open_house):
    async with open_house() as h:
        async with streaming(h) as events:
            await events.until("INITIAL_STATE", tourId="b")
        h.change("b", 2, 7)
        answer = await h.http.get(PATH, params={"since": events.id})
        assert facts(answer) == {"b": 7}
        h.change("a", 2, 3)
        async with streaming(h, f"?since={answer.json()['cursor']}") as events:
            assert (await events.next())["resumed"] is True
            assert (await events.next())["tourId"] == "a"


async def test_an_idle_stream_has_a_heartbeat(open_house, eventually):
    async with open_house(heartbeat_seconds=0.05) as h, streaming(h) as events:
        await events.until("INITIAL_STATE", tourId="b")
        reading = asyncio.create_task(events.next())
        await eventually(lambda: events.lines.count(":") >= 3)
        h.change("a", 2, 4)
        assert (await reading)["availableSeats"] == 4


async def test_stale_fresh_and_reset(open_house):
    async with open_house() as h, streaming(h) as events:
        await events.until("INITIAL_STATE", tourId="b")
        h.fallbacks.audience.broadcast(wire.Stale(since=NOW))
        await events.until("STALE")
        h.fallbacks.audience.broadcast(wire.Fresh(since=NOW))
        await events.until("FRESH")
        h.read(("a", 1, 2), epoch="e2")
        assert (await events.next())["type"] == "RESET"
        assert events.id == ""
        assert (await events.next())["availableSeats"] == 2
        assert events.id


async def test_a_newcomer_is_told_that_the_source_is_lost(open_house):
    async with open_house() as h:
        h.server.stale = wire.Stale(since=NOW)
        async with streaming(h) as events:
            await events.next()
            assert (await events.next())["type"] == "STALE"


async def test_the_facts_of_one_turn_are_one_write(open_house):
    async with open_house() as h, streaming(h) as events:
        await events.until("INITIAL_STATE", tourId="b")
    async with open_house() as h:
        reader, writer = await asyncio.open_connection("127.0.0.1", h.web)
        writer.write(f"GET {STREAM_PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while b'"tourId":"b"' not in await reader.readline():
            pass
        for version in range(2, 50):
            h.change("a", version, version % 9)
            h.change("b", version, version % 8)
        # The end of the state's own chunk, then one chunk: its size in hexadecimal, and what it holds.
        while not re.fullmatch(rb"[0-9a-f]+\r\n", line := await reader.readline()):
            pass
        chunk = await reader.readexactly(int(line, 16))
        assert chunk.count(b"data: ") == 2
        assert chunk.count(b"\nid: ") == 1
        writer.close()


async def test_a_stream_that_is_not_read_gets_the_newest_and_no_backlog(open_house, eventually):
    """Megabytes of changes go by; what comes is bounded, ends on the truth, and nobody else notices."""
    async with open_house() as h, streaming(h) as good:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", h.web))
        await loop.sock_sendall(slow, f"GET {STREAM_PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await eventually(lambda: h.count("streams") == 2)
        # Until a change replaces one that the slow client has not taken: from then on it is behind.
        version, padding = 1, "x" * 500
        while h.count("conflated_total") < 2_000:
            version += 1
            h.change("a", version, version % 9, tour_name=f"{version} {padding}")
            if version % 10 == 0:
                await good.until("AVAILABILITY_UPDATE", version=version)
        received = b""
        while f'"version":{version}'.encode() not in received:
            async with asyncio.timeout(20):
                received += await loop.sock_recv(slow, 65_536)
        slow.close()
        assert received.count(b"AVAILABILITY_UPDATE") < version - 1_500
        await eventually(lambda: h.count("streams") == 1)


async def test_whoever_hangs_up_leaves_nothing_behind(open_house, eventually):
    async with open_house() as h:
        for _ in range(20):
            async with streaming(h, "?tours=a") as events:
                await events.next()
        await eventually(lambda: not h.fallbacks.audience.here)
        hub = h.fallbacks.audience.hub
        assert (len(hub), hub._groups, hub._by_tour) == (0, {}, {})
        assert h.server.admission.sockets == 0


async def test_a_gateway_that_has_just_started_does_not_answer_with_nothing(house, eventually):
    """Whoever comes back goes on from its cursor, although this process was never in that state before."""
    first, second = house(), house()
    async with served(first):
        first.read(("a", 1, 5))
        cursor = (await first.http.get(PATH)).json()["cursor"]
    async with served(second):
        poll = asyncio.create_task(second.http.get(PATH, params={"since": cursor}))
        await eventually(lambda: second.server.admission.sockets == 1)
        assert not poll.done()
        second.read(("a", 1, 5))
        body = (await poll).json()
        assert (body["reset"], body["messages"]) == (False, [])
        async with streaming(second, f"?since={cursor}") as events:
            assert (await events.next())["resumed"] is True


async def test_without_a_snapshot_for_long_there_is_an_answer_all_the_same(house, monkeypatch):
    monkeypatch.setattr("seatcast.gateway.fallbacks.FIRST_SNAPSHOT_SECONDS", 0.05)
    h = house()
    async with served(h):
        assert (await h.http.get(PATH)).json()["messages"] == []


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
        assert answer.headers["vary"] == "Origin"
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
