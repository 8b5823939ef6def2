"""Clients that do not read, over real sockets: what they cost, what they get, and that nobody else notices."""

import asyncio
import json
import resource
import socket
import time

from seatcast import wire
from seatcast.gateway.slots import MAX_ANSWERS

SUBSCRIBE = b'{"type":"SUBSCRIBE","tourId":"a"}'


def slow_socket(port, request):
    """A connection whose own receive buffer is small, so that it is soon behind."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(request)
    return sock


def read_frames(sock, until, deadline=10.0):
    """Read server frames off a blocking socket until one satisfies `until`; returns them decoded."""
    sock.settimeout(deadline)
    stream = sock.makefile("rb")
    while stream.readline() != b"\r\n":
        continue
    found = []
    while True:
        first, size = stream.read(2)
        assert first == 0x81, hex(first)
        if size == 126:
            size = int.from_bytes(stream.read(2), "big")
        found.append(json.loads(stream.read(size)))
        if until(found[-1]):
            return found


async def test_who_stops_reading_costs_slots_and_comes_back_to_the_truth(house, upgrade, told, eventually):
    """Nobody else notices; memory does not grow; what comes then is the newest, and never goes back."""
    async with house().open() as h:
        h.read(*((f"t{n}", 1, 5) for n in range(50)))
        sock = slow_socket(h.port, upgrade)
        await eventually(lambda: len(h.server.connections) == 1)
        (slow,) = h.server.connections
        async with h.connect("/?tours=t7") as other:
            await told(other)
            await told(other)
            version, seen = 1, 1
            while slow.owed is None:
                version += 1
                for n in range(50):
                    h.change(f"t{n}", version, version % 10)
                seen = (await told(other))["version"]
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(400):
                version += 1
                for n in range(50):
                    h.change(f"t{n}", version, version % 10)
                seen = (await told(other))["version"]
            assert seen == version
            assert len(slow.owed.slots) == 50
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4_096  # KiB
            assert h.count("conflated_total") > 15_000

        newest = {}

        def seen_all(frame):
            if "version" in frame:
                assert frame["version"] >= newest.get(frame["tourId"], 0)
                newest[frame["tourId"]] = frame["version"]
            return len(newest) == 50 and set(newest.values()) == {version}

        frames = await asyncio.to_thread(read_frames, sock, seen_all)
        assert len(frames) < 10_000
        await eventually(lambda: slow.owed is None)
        h.change("t3", version + 1, 0)
        first, size = await asyncio.to_thread(sock.recv, 2)
        assert (first, size) == (0x81, 126)
        sock.close()


async def fall_behind(h, upgrade, eventually):
    """Returns the socket and the connection of a client that does not read."""
    h.read(*((f"t{n}", 1, 5) for n in range(50)))
    sock = slow_socket(h.port, upgrade)
    await eventually(lambda: len(h.server.connections) == 1)
    (slow,) = h.server.connections
    version = 1
    while slow.owed is None:
        version += 1
        for n in range(50):
            h.change(f"t{n}", version, 1)
        await asyncio.sleep(0)
    return sock, slow


async def test_what_may_not_be_left_out_waits_and_past_a_small_number_closes(house, upgrade, eventually):
    async with house().open() as h:
        sock, slow = await fall_behind(h, upgrade, eventually)
        for _ in range(MAX_ANSWERS + 1):
            slow.send(wire.Pong(server_time="2026-06-01T10:00:00.000Z"))
        assert h.count("closed_total", reason="too slow") == 1
        # It will not answer the CLOSE either.
        await eventually(lambda: not h.server.connections)
        assert h.count("dropped_total", reason="queue full") == MAX_ANSWERS + 1
        sock.close()


async def test_who_asks_much_and_reads_nothing_is_answered_when_it_reads(house, upgrade, masked, eventually):
    """What it sends meanwhile waits on its own side; nothing is lost."""
    async with house().open() as h:
        sock, slow = await fall_behind(h, upgrade, eventually)
        many = MAX_ANSWERS * 3
        sock.sendall(b"".join(masked(1, b'{"type":"PING","id":%d}' % n) for n in range(many)))
        await eventually(lambda: not slow.socket._reading)
        assert not slow.owed.answers
        frames = await asyncio.to_thread(read_frames, sock, lambda frame: frame.get("id") == many - 1)
        assert [frame["id"] for frame in frames if frame["type"] == "PONG"] == list(range(many))
        await eventually(lambda: slow.socket._reading)
        sock.close()


async def test_pings_whose_pongs_are_never_read_do_not_fill_memory(house, upgrade, masked, eventually):
    async with house().open() as h:
        sock = slow_socket(h.port, upgrade)
        await eventually(lambda: len(h.server.connections) == 1)
        (hostile,) = h.server.connections
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        block = masked(9, b"x" * 125) * 500

        def flood():
            sock.settimeout(1.0)
            sent = 0
            try:
                while sent < 200 * 2**20:
                    sent += sock.send(block)
            except TimeoutError:
                """The gateway does not read any more: that is the point."""
            return sent

        async with h.connect() as other:
            flooding = asyncio.create_task(asyncio.to_thread(flood))
            longest = 0.0
            while not flooding.done():
                began = time.perf_counter()
                await (await other.ping())
                longest = max(longest, time.perf_counter() - began)
                await asyncio.sleep(0.01)
        assert hostile.owed is not None
        assert longest < 0.5
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 5 * 1_024
        sock.close()


async def test_who_does_not_read_keeps_its_connection_while_its_machine_lives(house, upgrade, eventually):
    """It cannot answer pings it has not read; its slots cost little, and its kernel still acknowledges."""
    async with house(heartbeat_seconds=0.2).open() as h:
        sock, slow = await fall_behind(h, upgrade, eventually)
        await asyncio.sleep(1.0)
        assert list(h.server.connections) == [slow]
        sock.close()
        await eventually(lambda: not h.server.connections)
