"""Limits and origins over real sockets: from several addresses, through proxies, and from those who keep on."""

import asyncio
import contextlib
import json
import resource
import socket
import struct
import time

import pytest
import websockets

from seatcast.gateway import arrival
from seatcast.gateway.admission import Quotas

PING = '{"type":"PING","id":%d}'


async def answer(house, request, **more):
    """Status, head and body of the answer to a request."""
    async with house.raw(request, **more) as (reader, _), asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
        return int(head.split(b" ")[1]), head, body


async def status(house, request, **more):
    return (await answer(house, request, **more))[0]


def asking(upgrade, *lines):
    """The request with more header lines."""
    return upgrade.replace(
        b"Host: x\r\n", b"Host: x\r\n" + b"".join(f"{line}\r\n".encode() for line in lines)
    )


async def dropped(house, request, **more):
    """Whether a connection ends without an answer to this request."""
    async with house.raw(request, **more) as (reader, _), asyncio.timeout(10):
        with contextlib.suppress(ConnectionResetError):
            return await reader.read() == b""
        return True


async def until_closed(websocket):
    async with asyncio.timeout(10):
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                yield await websocket.recv()


def stop_clock(house):
    """Nothing is regained while the test runs, however slow the machine is."""
    house.server.admission._clock = lambda: 1_000.0


SECOND = {"local_addr": ("127.0.0.2", 0)}


# Addresses


async def test_too_many_handshakes_are_refused_with_429_then_dropped(house, upgrade):
    async with house(quotas=Quotas(handshakes_per_address=1)).open() as h:
        stop_clock(h)
        assert {await status(h, upgrade) for _ in range(10)} == {101}
        code, head, body = await answer(h, upgrade)
        assert code == 429
        assert b"\r\nRetry-After: 1\r\n" in head
        assert body == b"Too many requests or connections from your address\n"
        assert h.count("handshakes_refused_total", reason="address rate") == 1
        assert await status(h, upgrade, **SECOND) == 101
        assert [await status(h, upgrade) for _ in range(9)] == [429] * 9
        assert await dropped(h, upgrade)
        assert h.count("handshakes_refused_total", reason="address rate") == 11


async def test_connections_of_an_address_are_limited_with_those_that_say_nothing(house, upgrade, eventually):
    async with house(quotas=Quotas(connections_per_address=2)).open() as h:
        async with h.raw(b"") as (_, silent), h.connect():
            assert await status(h, upgrade) == 429
            assert h.count("handshakes_refused_total", reason="address connections") == 1
            async with h.connect(local_addr=("127.0.0.2", 0)):
                assert h.count("connections") == 2
            silent.close()
            await eventually(lambda: h.server.admission.sockets == 1)
            assert await status(h, upgrade) == 101
        await eventually(lambda: h.server.admission.sockets == 0)


async def test_many_silent_sockets_are_dropped_without_an_answer(house, upgrade, monkeypatch, eventually):
    monkeypatch.setattr(arrival, "HANDSHAKE_SECONDS", 0.2)
    async with (
        house(quotas=Quotas(connections_per_address=1)).open() as h,
        contextlib.AsyncExitStack() as stack,
    ):
        for _ in range(65):
            await stack.enter_async_context(h.raw(b""))
        assert await dropped(h, upgrade)
        assert await status(h, upgrade, **SECOND) == 101
        # They have to send a request in time.
        await eventually(lambda: h.server.admission.sockets == 0)
        assert await status(h, upgrade) == 101


async def test_silent_sockets_whose_time_ends_together_are_aborted_in_several_sweeps(
    house, monkeypatch, eventually
):
    monkeypatch.setattr("seatcast.gateway.upkeep.MAX_ENDED", 2)
    async with house().open() as h, contextlib.AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(h.raw(b""))
        await eventually(lambda: len(h.server.unfinished) == 5)
        for left in (3, 1, 0):
            h.upkeep._abort_unfinished(h.server.clock() + 10)
            assert len(h.server.unfinished) == left


async def test_this_machine_is_not_limited_by_default(house, upgrade):
    async with house(quotas=Quotas()).open() as h:
        await asyncio.gather(*(answer(h, upgrade) for _ in range(300)))
        counted = h.server.admission
        assert len(counted._handshakes) == 0


@pytest.mark.parametrize("trusted", [("127.0.0.1",), ("127.0.0.0/8", "10.0.0.0/8")])
async def test_clients_behind_a_trusted_proxy_are_counted_apart(house, upgrade, trusted):
    quotas = Quotas(connections_per_address=1)
    async with house(quotas=quotas, trusted_proxies=trusted).open() as h:
        one = asking(
            upgrade,
            "X-Forwarded-For: 9.9.9.9, 198.51.100.1, 10.1.1.1"
            if len(trusted) > 1
            else "X-Forwarded-For: 198.51.100.1",
        )
        other = asking(upgrade, "X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 198.51.100.2")
        async with h.raw(one) as (reader, _):
            await reader.readuntil(b"\r\n\r\n")
            assert await status(h, other) == 101
            assert await status(h, one) == 429
        # Neither the proxy itself nor its rubbish is refused for what its clients do.
        assert await status(h, upgrade) == 101
        assert await status(h, asking(upgrade, "X-Forwarded-For: rubbish")) == 101


async def test_nobody_else_is_believed(house, upgrade):
    h = house(quotas=Quotas(connections_per_address=1), trusted_proxies=["127.0.0.2"])
    async with h.open(), h.raw(asking(upgrade, "X-Forwarded-For: 198.51.100.1")) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        assert await status(h, asking(upgrade, "X-Forwarded-For: 198.51.100.2")) == 429


async def test_operators_are_answered_however_crowded_it_is(house, upgrade):
    get = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
    async with house(quotas=Quotas(handshakes_per_address=1)).open() as h:
        stop_clock(h)
        for _ in range(10):
            await answer(h, upgrade)
        assert await status(h, get % b"/metrics") == 429
        assert await status(h, get % b"/health/live") == 200
        assert await status(h, get % b"/health/ready") == 200
    full = house()
    full.max_connections = 1
    async with full.open() as h, h.connect():
        assert await status(h, upgrade) == 503
        assert await status(h, get % b"/metrics") == 200
        assert await status(h, get % b"/health/live") == 200


async def test_sockets_that_are_gone_at_once_leave_nothing_behind(house, eventually):
    """Reset before the gateway has even seen them: such a socket has no address any more."""
    async with house(quotas=Quotas(connections_per_address=1_000, handshakes_per_address=1_000)).open() as h:
        for _ in range(200):
            sock = socket.create_connection(("127.0.0.1", h.port))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        async with h.connect():
            assert h.server.admission.sockets >= 1
        admission = h.server.admission
        await eventually(lambda: (admission.sockets, admission._per_address) == (0, {}))


# Users


async def test_one_connection_too_many_is_closed_with_1013(house, told):
    h = house(quotas=Quotas(connections_per_user=1))
    token = h.tokens.mint("u", [], 60)
    async with h.open(), h.connect(f"/?token={token}") as first:
        await told(first)
        async with h.connect(f"/?token={token}") as second:
            assert [frame async for frame in until_closed(second)] == []
            assert (second.close_code, second.close_reason) == (1013, "too many connections")
        assert h.count("closed_total", reason="user connections") == 1
        async with h.connect() as anonymous:
            await told(anonymous)
            await anonymous.send(json.dumps({"type": "AUTH", "token": token}))
            await anonymous.wait_closed()
            assert anonymous.close_code == 1013
        await first.close()
        async with h.connect(f"/?token={token}") as again:
            assert (await told(again))["userId"] == "u"


# Messages


async def test_past_the_limit_messages_are_answered_and_not_acted_on(house, told):
    async with house(quotas=Quotas()).open() as h, h.connect() as websocket:
        stop_clock(h)
        await told(websocket)
        for n in range(100):
            await websocket.send(PING % n)
        assert [(await told(websocket))["type"] for n in range(100)] == ["PONG"] * 100
        await websocket.send('{"type":"SUBSCRIBE","tourId":"a","id":"mine"}')
        error = await told(websocket)
        assert error.pop("retryAfterMs") == 600
        assert error == {
            "type": "ERROR",
            "code": "RATE_LIMITED",
            "message": "Rate limit exceeded",
            "id": "mine",
        }
        assert h.count("client_messages_refused_total", kind="message") == 1
        (connection,) = h.server.connections
        assert connection.session.tours is None


async def test_whoever_keeps_on_is_closed_with_4429_and_the_user_stays_limited(house, told):
    h = house(quotas=Quotas())
    token = h.tokens.mint("u", [], 60)
    async with h.open():
        stop_clock(h)
        async with h.connect(f"/?token={token}") as websocket:
            for n in range(230):
                await websocket.send(PING % n)
            frames = [json.loads(frame) async for frame in until_closed(websocket)]
            assert websocket.close_code == 4429
            told_codes = [frame.get("code", frame["type"]) for frame in frames]
            assert told_codes == ["WELCOME"] + ["PONG"] * 100 + ["RATE_LIMITED"] * 100
            assert h.count("closed_total", reason="rate limited") == 1
        async with h.connect(f"/?token={token}") as again, h.connect() as anonymous:
            await told(again)
            await again.send(PING % 1)
            assert (await told(again))["code"] == "RATE_LIMITED"
            await told(anonymous)
            await anonymous.send(PING % 1)
            assert (await told(anonymous))["type"] == "PONG"


async def test_pings_are_limited_too(house, upgrade, masked, frames):
    async with house(quotas=Quotas()).open() as h, h.raw(upgrade) as (reader, writer), asyncio.timeout(20):
        stop_clock(h)
        await reader.readuntil(b"\r\n\r\n")
        await frames(reader, 1)
        writer.write(masked(9, b"x") * 1_101)
        pongs = 0
        while (frame := (await frames(reader, 1))[0])[0] == 10:
            pongs += 1
        assert frame == (8, (4429).to_bytes(2, "big") + b"rate limit exceeded")
        assert pongs == 1_000
        # It is not listened to any more, and has time to say goodbye.
        assert await reader.read() == b""
        assert len(h.server.connections) == 1
        assert h.count("client_messages_refused_total", kind="control") == 101


@pytest.mark.parametrize("opcode", [1, 9, 10])
async def test_a_burst_of_tiny_messages_costs_little_and_holds_nobody_up(
    house, upgrade, masked, opcode, told, eventually
):
    """400,000 in one go: the sender is closed, another client waits for moments, memory stays."""
    burst = masked(opcode, b"{}") * 400_000
    async with house(quotas=Quotas()).open() as h, h.connect() as other:
        await told(other)
        sock = socket.create_connection(("127.0.0.1", h.port))
        sock.sendall(upgrade)
        await eventually(lambda: len(h.server.connections) == 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        def send():
            sock.settimeout(10.0)
            # The gateway has stopped reading, and then reset the connection: that is the point.
            with contextlib.suppress(OSError):
                sock.sendall(burst)

        sending = asyncio.create_task(asyncio.to_thread(send))
        longest = 0.0
        while not sending.done():
            began = time.perf_counter()
            await (await other.ping())
            longest = max(longest, time.perf_counter() - began)
            await asyncio.sleep(0.02)
        await eventually(lambda: len(h.server.connections) == 1)
        assert h.count("closed_total", reason="rate limited") == 1
        assert longest < 0.5
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 5 * 1_024
        sock.close()


async def test_the_offender_can_read_why(house, upgrade, masked):
    """The CLOSE arrives although much of what was sent was never read."""
    async with house(quotas=Quotas()).open() as h:
        sock = socket.create_connection(("127.0.0.1", h.port))
        sock.settimeout(10.0)

        def flood():
            sock.sendall(upgrade)
            with contextlib.suppress(OSError):
                sock.sendall(masked(1, b'{"type":"PING"}') * 20_000)
            got = b""
            with contextlib.suppress(OSError):
                while data := sock.recv(65_536):
                    got += data
            return got

        got = await asyncio.to_thread(flood)
        assert got.count(b'"RATE_LIMITED"') >= 100
        assert (4429).to_bytes(2, "big") + b"rate limit exceeded" in got[-21:]
        sock.close()


# Origins


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], 101),
        (["Origin: http://x:3001"], 101),
        (["Origin: https://x"], 101),
        (["Origin: https://evil.example"], 403),
        (["Origin: null"], 403),
        (["Origin: http://x", "Origin: https://evil.example"], 403),
        (["Origin: "], 403),
        # From nobody but a trusted proxy.
        (["Origin: https://evil.example", "X-Forwarded-Host: evil.example"], 403),
    ],
)
async def test_pages_of_the_same_host_may_connect(house, upgrade, lines, expected):
    async with house().open() as h:
        assert await status(h, asking(upgrade, *lines)) == expected
        assert h.count("handshakes_refused_total", reason="origin") == (expected == 403)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Origin: https://tours.example", "X-Forwarded-Host: tours.example"], 101),
        (["Origin: https://tours.example", "X-Forwarded-Host: tours.example:443, inner"], 101),
        (["Origin: https://x", "X-Forwarded-Host: tours.example"], 403),
        (["Origin: https://x"], 101),
    ],
)
async def test_a_trusted_proxy_says_which_host_was_asked_for(house, upgrade, lines, expected):
    async with house(trusted_proxies=["127.0.0.1"]).open() as h:
        assert await status(h, asking(upgrade, *lines)) == expected


async def test_listed_pages_may_connect_and_no_others(house, upgrade):
    async with house(allowed_origins=["https://tours.example"]).open() as h:
        assert await status(h, asking(upgrade, "Origin: https://tours.example")) == 101
        assert await status(h, asking(upgrade, "Origin: http://x")) == 403
        assert await status(h, upgrade) == 101


async def test_what_is_refused_is_logged_once_and_fit_for_a_terminal(house, upgrade, capsys):
    async with house().open() as h:
        for _ in range(3):
            await status(h, asking(upgrade, "Origin: http://evil\x9b31m.example"))
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "A page may not connect" in line]
    assert len(lines) == 1
    assert r"\x9b31m" in lines[0]
    assert "\x9b" not in lines[0]
