"""The load client counts what an independent server (websockets) really sent, whatever shape it comes in."""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from websockets.asyncio.server import serve

NATIVE = Path(__file__).parents[2] / "bench" / "native"
TOURS = 3


@pytest.fixture(scope="module")
def wsload(tmp_path_factory):
    """The compiled program's path."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    made = tmp_path_factory.mktemp("wsload") / "wsload"
    sources = [str(NATIVE / name) for name in ("wsload.c", "wsload_conn.c")]
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(made), *sources], check=True)
    return str(made)


class Client:
    """A running wsload."""

    def __init__(self, process):
        self._process = process

    async def ask(self, command):
        self._process.stdin.write(f"{command}\n".encode())
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), 20))


def frame(kind, number, padding=0):
    return json.dumps(
        {"type": kind, "tourId": f"t{number % TOURS:05d}", "tourName": "x" * padding, "version": number},
        separators=(",", ":"),
    )


async def started(wsload, port, *options):
    process = await asyncio.create_subprocess_exec(
        wsload, str(port), f"tours={TOURS}", *options,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    return process, Client(process)


async def with_server(wsload, handler, body, *options):
    """Run `body(client, start)` against a server whose connections `handler(websocket, start)` serves."""
    start = asyncio.get_running_loop().create_future()

    async def greet(websocket):
        await websocket.send(json.dumps({"type": "WELCOME", "message": "hello"}))
        for number in range(TOURS):
            await websocket.send(frame("INITIAL_STATE", number))
        await handler(websocket, start)
        await websocket.wait_closed()

    async with serve(greet, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        process, client = await started(wsload, port, *options)
        try:
            await body(client, start)
        finally:
            process.stdin.close()
            await process.wait()


def schedule(first, count, rate=1_000.0):
    return f"schedule {first} {count} {time.monotonic_ns() // 1_000} {rate}"


async def test_everything_that_came_is_counted_once_and_timed(wsload):
    sizes = [0, 60, 200, 70_000]  # each of the three encodings of a length

    async def handler(websocket, start):
        await start
        for number in range(3, 23):
            if number == 10:
                # An answered ping between two frames, and a frame in pieces.
                await (await websocket.ping())
                await websocket.send(frame("AVAILABILITY_UPDATE", number, 30_000))
            else:
                await websocket.send(frame("AVAILABILITY_UPDATE", number, sizes[number % 4]))

    async def body(client, start):
        up = await client.ask(f"connect 5 2 {TOURS}")
        assert (up["up"], up["failed"], up["malformed"]) == (5, 0, 0)
        await client.ask(schedule(3, 20))
        start.set_result(None)
        figures = await client.ask("measure 0 300")
        assert (figures["expected"], figures["received"], figures["samples"]) == (100, 100, 100)
        assert [figures[name] for name in ("duplicates", "back", "malformed", "lost")] == [0, 0, 0, 0]
        assert figures["pings"] == 5
        assert 0 <= figures["p50"] <= figures["p99"] <= figures["max"] < 20_000

    await with_server(wsload, handler, body)


async def test_gaps_duplicates_versions_going_back_and_nonsense_are_told_apart(wsload):
    async def handler(websocket, start):
        await start
        for number in (3, 4, 4, 5, 7, 8, 5):  # 4 twice; 6 never; then tour 2 goes back from 8 to 5
            await websocket.send(frame("AVAILABILITY_UPDATE", number))
        await websocket.send('{"type":"AVAILABILITY_UPDATE","tourId":"t00001","version":"what is this"}')

    async def body(client, start):
        await client.ask(f"connect 1 1 {TOURS}")
        await client.ask(schedule(3, 6))
        start.set_result(None)
        figures = await client.ask("measure 0 300")
        assert [figures[name] for name in ("expected", "received", "duplicates", "back", "malformed")] == [
            6, 7, 1, 1, 1,
        ]  # fmt: skip

    await with_server(wsload, handler, body)


async def test_latency_counts_from_when_a_fact_was_due(wsload):
    async def handler(websocket, start):
        await start
        await asyncio.sleep(0.2)
        await websocket.send(frame("AVAILABILITY_UPDATE", 3))

    async def body(client, start):
        await client.ask(f"connect 1 1 {TOURS}")
        await client.ask(schedule(3, 1))
        start.set_result(None)
        figures = await client.ask("measure 0 5000")
        assert figures["p50"] >= 195

    await with_server(wsload, handler, body)


async def test_a_stalled_connection_reads_nothing_and_then_catches_up(wsload):
    async def handler(websocket, start):
        await start
        for number in range(3, 9):
            await websocket.send(frame("AVAILABILITY_UPDATE", number))

    async def body(client, start):
        await client.ask(f"connect 3 3 {TOURS}")
        await client.ask("stall 1")
        await client.ask(schedule(3, 6))
        start.set_result(None)
        assert (await client.ask("measure 0 300"))["received"] == 12
        back = await client.ask("resume")
        assert [back[name] for name in ("settled", "wanted", "back", "duplicates")] == [1, 1, 0, 0]

    await with_server(wsload, handler, body)


async def test_a_herd_is_cut_and_every_connection_comes_back_to_the_newest_state(wsload):
    seen = []

    async def handler(websocket, start):
        seen.append(websocket)
        for number in range(3, 6):
            await websocket.send(frame("AVAILABILITY_UPDATE", number))

    async def body(client, start):
        await client.ask(f"connect 20 20 {TOURS}")
        await client.ask(schedule(1, 5, rate=1e6))
        back = await client.ask("herd 7")
        assert [back[name] for name in ("settled", "wanted", "failed")] == [20, 20, 0]
        assert len(seen) == 40

    await with_server(wsload, handler, body)


async def test_a_server_that_is_none_is_a_failure(wsload):
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = await asyncio.start_server(refuse, sock=listener)
        process, client = await started(wsload, listener.getsockname()[1])
        up = await client.ask("connect 4 2 0")
        assert (up["up"], up["failed"]) == (0, 4)
        process.stdin.close()
        await process.wait()
        server.close()
