"""The server over real sockets: delivery, batching, slow readers, hostile peers, heartbeat, drain."""

import asyncio
import contextlib
import gc
import json
import socket
import time

import pytest
import websockets

from seatcast.gateway.connection import Connection

SUBSCRIBE = b'{"type":"SUBSCRIBE","tourId":"a"}'


async def test_a_change_reaches_everybody_who_follows_it(house, told):
    async with house().open() as h:
        h.read(("a", 1, 5), ("b", 1, 5))
        async with h.connect() as everything, h.connect("/?tours=b") as only_b:
            assert [(await told(everything))["type"] for _ in range(3)] == [
                "WELCOME",
                "INITIAL_STATE",
                "INITIAL_STATE",
            ]
            assert [(await told(only_b))["type"] for _ in range(2)] == ["WELCOME", "INITIAL_STATE"]
            h.change("a", 2, 4)
            h.change("b", 2, 3)
            assert [(await told(everything))["availableSeats"] for _ in range(2)] == [4, 3]
            assert (await told(only_b))["availableSeats"] == 3
            # Two WELCOMEs, three states, three changes.
            assert h.count("frames_total") == 8


async def test_the_facts_of_one_turn_leave_in_one_write(house, told):
    """However many they were; of one key only the newest is told."""
    async with house().open() as h:
        h.read(*((f"t{n}", 1, 5) for n in range(20)))
        async with h.connect() as websocket:
            for _ in range(21):
                await told(websocket)
            (connection,) = h.server.connections
            writes = []
            send = connection.socket.send
            h.server.hub.route(connection, lambda data: writes.append(data) or send(data))
            for n in range(20):
                h.change(f"t{n}", 2, 4)
                h.change(f"t{n}", 3, 3)
            got = [await told(websocket) for _ in range(20)]
            assert {frame["version"] for frame in got} == {3}
            assert len(writes) == 1


async def test_after_a_write_that_took_long_facts_gather_as_long(house, told):
    """Else a herd's handshakes, and everything else, would starve."""
    async with house().open() as h:
        h.read(("a", 1, 5))
        async with h.connect() as websocket:
            for _ in range(2):
                await told(websocket)
            (connection,) = h.server.connections
            send = connection.socket.send
            times = []

            def slow(data):
                times.append(time.monotonic())
                time.sleep(0.05)
                return send(data)

            h.server.hub.route(connection, slow)
            for version in (2, 3):
                h.change("a", version, version)
                assert (await told(websocket))["version"] == version
            # 50 ms of writing and as long a rest, less the millisecond that uvloop's timers are counted in.
            assert times[1] - times[0] >= 0.099


async def test_a_large_state_arrives_whole(house, told):
    async with house().open() as h:
        h.read(*((f"tour-{n}", 1, 5) for n in range(1_500)))
        async with h.connect() as websocket:
            frames = [await told(websocket) for _ in range(1_501)]
            assert {frame["tourId"] for frame in frames[1:]} == {f"tour-{n}" for n in range(1_500)}
            h.change("tour-7", 2, 1)
            assert (await told(websocket))["version"] == 2


async def test_another_epoch_resets_everybody(house, told):
    async with house().open() as h:
        h.read(("a", 9, 5))
        async with h.connect() as websocket:
            await told(websocket)
            await told(websocket)
            h.read(("a", 1, 2), epoch="e2")
            assert await told(websocket) == {"type": "RESET", "epoch": "e2"}
            state = await told(websocket)
            assert (state["type"], state["version"], state["availableSeats"]) == ("INITIAL_STATE", 1, 2)


async def test_stale_and_fresh_are_told(house, told):
    async with house().open() as h, h.connect() as websocket:
        await told(websocket)
        h.server.lost("2026-06-01T10:00:00.000Z")
        assert (await told(websocket))["type"] == "STALE"
        async with h.connect() as newcomer:
            assert [(await told(newcomer))["type"] for _ in range(2)] == ["WELCOME", "STALE"]
        h.server.regained("2026-06-01T10:00:01.000Z")
        assert await told(websocket) == {"type": "FRESH", "since": "2026-06-01T10:00:01.000Z"}


# The protocol


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([(2, b"binary")], 1003),
        ([(1, b"\xff")], 1007),
        ([(1, b"a", False)] * 2, 1002),
        ([(0, b"a")], 1002),
        ([(1, b"a", True, 4)], 1002),
        ([(3, b"")], 1002),
        ([(9, b"", False)], 1002),
        ([(1, b"x" * 32_769)], 1009),
        ([(1, b"x", False)] + [(0, b"x", False)] * 64, 1009),
        ([(1, b"x" * 20_000, False), (0, b"x" * 20_000)], 1009),
        ([(8, b"\x03\xe8bye")], 1000),
        ([(8, b"")], 1000),
        ([(8, b"\x0b\xb8")], 3000),
        ([(8, b"\x03\xee")], 1002),
        ([(8, b"\x00\x00")], 1002),
        ([(8, b"\x03")], 1002),
        ([(8, b"\x03\xe8\xff")], 1007),
    ],
)
async def test_closes_with_the_code_of_the_contract(house, upgrade, masked, frames, sent, code):
    async with house().open() as h, h.raw(upgrade) as (reader, writer), asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        await frames(reader, 1)
        writer.write(b"".join(masked(*frame) for frame in sent))
        ((opcode, payload),) = await frames(reader, 1)
        assert opcode == 8
        assert int.from_bytes(payload[:2], "big") == code
        if sent[0][0] != 8:
            writer.write(masked(8, payload[:2]))
        # And nothing after it but the end.
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_an_unmasked_frame_is_a_violation(house, upgrade, frames):
    async with house().open() as h, h.raw(upgrade) as (reader, writer), asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        await frames(reader, 1)
        writer.write(b"\x81\x02hi")
        ((opcode, payload),) = await frames(reader, 1)
        assert (opcode, payload[:2]) == (8, b"\x03\xea")


async def test_messages_may_be_fragmented_with_control_frames_between(house, upgrade, masked, frames):
    async with house().open() as h, h.raw(upgrade) as (reader, writer), asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        await frames(reader, 1)
        message = b'{"type":"PING","id":"\xc3\xa9"}'
        writer.write(masked(1, message[:22], False) + masked(9, b"mid") + masked(0, message[22:]))
        (pong, answer) = await frames(reader, 2)
        assert pong == (10, b"mid")
        assert json.loads(answer[1])["id"] == "é"


async def test_a_bad_message_is_answered_and_closes_nothing(house, told):
    async with house().open() as h, h.connect() as websocket:
        await told(websocket)
        for bad in ("hello", "[]", '{"type":"DANCE"}', '{"type":"PING","x":' + "[" * 10_000):
            await websocket.send(bad)
            assert (await told(websocket))["code"] == "INVALID_MESSAGE"
        await websocket.send('{"type":"PING","id":1}')
        assert (await told(websocket))["id"] == 1


async def test_frames_after_the_close_are_void(house, upgrade, masked, frames):
    """The parser looks one frame ahead, so a valid frame may be handed over after our CLOSE went out."""
    async with house().open() as h, h.raw(upgrade) as (reader, writer), asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        await frames(reader, 1)
        writer.write(masked(2, b"binary") + masked(1, SUBSCRIBE) + masked(1, SUBSCRIBE))
        ((opcode, payload),) = await frames(reader, 1)
        assert (opcode, payload[:2]) == (8, b"\x03\xeb")
        writer.write(masked(8, b"\x03\xeb"))
        assert await reader.read() == b""


# Heartbeat


async def test_a_silent_client_is_pinged_and_lives_while_it_answers(house, told):
    async with house(heartbeat_seconds=0.2).open() as h, h.connect(ping_interval=None) as websocket:
        assert (await told(websocket))["heartbeatSeconds"] == 0.2
        await asyncio.sleep(1.0)
        assert websocket.state is websockets.State.OPEN
        assert h.count("closed_total", reason="heartbeat") == 0


async def test_who_does_not_answer_pings_is_closed_with_4408(house, upgrade, frames, eventually):
    async with house(heartbeat_seconds=0.2).open() as h, h.raw(upgrade) as (reader, _), asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        (_, ping, close) = await frames(reader, 3)
        assert ping[0] == 9
        assert close[1][:2] == (4408).to_bytes(2, "big")
        # It does not answer the CLOSE either: aborted after the close timeout.
        await eventually(lambda: not h.server.connections)


# The end


async def test_a_drain_tells_everybody_when_to_come_back_and_closes_with_1012(house, told):
    async with house().open() as h:
        clients = [await h.connect() for _ in range(20)]
        for client in clients:
            await told(client)
        drain = asyncio.create_task(h.upkeep.drain(5.0))
        slots = []
        for client in clients:
            frame = await told(client)
            assert frame["type"] == "RECONNECT"
            slots.append(frame["afterMs"])
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert client.close_code == 1012
        assert len(set(slots)) == 20
        await drain
        assert not h.server.connections


async def test_a_drain_takes_nobody_any_more_and_answers_who_was_on_the_way(house, upgrade):
    """Not by silence: a proxy, or the kernel between two workers, then asks elsewhere at once."""
    async with house().open() as h, h.raw(b"") as (reader, writer):
        await asyncio.sleep(0.01)
        await h.upkeep.drain(5.0)
        with pytest.raises(ConnectionRefusedError):
            await h.connect()
        writer.write(upgrade)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 503 ")


async def test_a_drain_empties_the_queue_of_the_listening_socket(house, upgrade):
    """The kernel resets what is left there."""
    async with house().open() as h:
        with socket.create_connection(("127.0.0.1", h.port)) as queued:
            # No turn of the loop since: nobody has accepted it.
            await h.upkeep.drain(5.0)
            queued.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(queued, upgrade)
            assert (await loop.sock_recv(queued, 100)).startswith(b"HTTP/1.1 503 ")


async def test_a_drain_does_not_wait_for_who_does_not_read(house, upgrade, eventually):
    async with house().open() as h, h.raw(upgrade) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        began = time.monotonic()
        await h.upkeep.drain(10.0)
        assert not h.server.connections
        assert time.monotonic() - began < 5.0


async def test_connections_leave_nothing_behind(house, told, eventually):
    async with house().open() as h:
        h.read(("a", 1, 5), ("b", 1, 5))
        for _ in range(50):
            async with h.connect() as websocket:
                await websocket.send(SUBSCRIBE.decode())
                await told(websocket)
        await eventually(lambda: not h.server.connections)
        assert len(h.server.hub) == 0
        assert not h.server.hub._groups
        assert not h.server.unfinished
        gc.collect()
        assert sum(isinstance(one, Connection) for one in gc.get_objects()) == 0
