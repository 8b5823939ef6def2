"""Server-Sent Events over real HTTP."""

import asyncio
import re
import socket

from seatcast import wire

from .model import NOW
from .plain_http import PATH, STREAM_PATH, facts, served, streaming


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
