"""The opening handshake, over real sockets: who is let in, who is refused, and with what words."""

import asyncio
import contextlib
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from seatcast.gateway import arrival, handshake
from seatcast.gateway.request import Refused
from seatcast.gateway.websocket import MAX_IGNORED_BYTES

FIREFOX = (
    b"GET /ws HTTP/1.1\r\n"
    b"Host: localhost:8080\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0\r\n"
    b"Accept: */*\r\n"
    b"Accept-Language: fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"Origin: http://localhost:3001\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Connection: keep-alive, Upgrade\r\n"
    b"Sec-Fetch-Dest: empty\r\n"
    b"Sec-Fetch-Mode: websocket\r\n"
    b"Sec-Fetch-Site: same-site\r\n"
    b"Pragma: no-cache\r\n"
    b"Cache-Control: no-cache\r\n"
    b"Upgrade: websocket\r\n\r\n"
)


async def answer(house, request):
    async with house.raw(request) as (reader, _), asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
        return head, body


async def test_firefox_is_let_in(house):
    """Its exact bytes: `Connection: keep-alive, Upgrade`, which many servers refuse."""
    async with house().open() as h:
        head, _ = await answer(h, FIREFOX)
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert b"Extensions" not in head


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Connection: Upgrade", b"Connection: keep-alive\r\nConnection: Upgrade"),
        (b"Connection: Upgrade", b"connection: UPGRADE"),
        (b"Upgrade: websocket", b"Upgrade: h2c, WebSocket"),
        (b"GET / ", b"GET /websocket?x=1 "),
    ],
)
async def test_other_lawful_ways_to_say_it(house, upgrade, old, new):
    async with house().open() as h:
        head, _ = await answer(h, upgrade.replace(old, new))
    assert head.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("old", "new", "status", "reason"),
    [
        (b"GET / ", b"GET /elsewhere ", b"403", "path"),
        (b"Host: x\r\n", b"", b"400", "host"),
        (b"Host: x\r\n", b"Host: x\r\nHost: y\r\n", b"400", "host"),
        (b"Connection: Upgrade\r\n", b"", b"426", "upgrade"),
        (b"Upgrade: websocket\r\n", b"", b"426", "upgrade"),
        (b"Version: 13", b"Version: 8", b"426", "version"),
        (b"Sec-WebSocket-Version: 13\r\n", b"", b"426", "version"),
        (b"Key: dGhlIHNhbXBsZSBub25jZQ==", b"Key: short", b"400", "key"),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"", b"400", "key"),
        (b"Host: x\r\n", b"Host: x\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"400", "key"),
    ],
)
async def test_what_is_refused_and_counted(house, upgrade, old, new, status, reason):
    async with house().open() as h:
        head, _ = await answer(h, upgrade.replace(old, new))
        assert head.split(b" ")[1] == status
        assert h.count("handshakes_refused_total", reason=reason) == 1
    if reason == "version":
        assert b"Sec-WebSocket-Version: 13\r\n" in head


async def test_a_full_gateway_says_try_later(house, upgrade):
    h = house()
    h.max_connections = 1
    async with h.open():
        async with h.connect():
            head, _ = await answer(h, upgrade)
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After" in head
        assert h.count("handshakes_refused_total", reason="full") == 1


async def test_an_error_of_ours_is_not_told_to_the_client(house, upgrade, monkeypatch):
    async with house().open() as h:
        monkeypatch.setattr(h.server.admission, "ask", lambda *_: 1 / 0)
        head, body = await answer(h, upgrade)
    assert head.startswith(b"HTTP/1.1 500 ")
    assert body == b"Internal error\n"


async def test_health_and_metrics_are_answered_on_this_port(house):
    async with house().open() as h:
        get = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
        head, body = await answer(h, get % b"/health/live")
        assert head.startswith(b"HTTP/1.1 200 ")
        head, body = await answer(h, get % b"/health/ready")
        assert body == b'{"status":"ok","checks":{}}'
        _, body = await answer(h, get % b"/metrics")
        assert b"seatcast_gateway_connections" in body


# Plain HTTP, and what is none


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_proxies_may_ask_for_health_as_they_do(house, version):
    """HAProxy asks with HTTP/1.0 and without Host, others with HEAD."""
    async with house().open() as h:
        head, body = await answer(h, b"GET /health/ready HTTP/%s\r\n\r\n" % version)
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert body == b'{"status":"ok","checks":{}}'
        async with h.raw(b"HEAD /health/ready HTTP/%s\r\n\r\n" % version) as (reader, _):
            without = await asyncio.wait_for(reader.read(), 10)
        assert without.startswith(b"HTTP/1.1 200 OK\r\n")
        assert without.endswith(b"\r\n\r\n")
        assert b"Content-Length: %d\r\n" % len(body) in without


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"GET /secret-4711\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"400", "malformed"),
        (b"GET / HTTP/1.1\r\nsecret-4711\r\n\r\n", b"400", "malformed"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03secret-4711", b"400", "malformed"),
        (b"secret-4711 / HTTP/1.1\r\n\r\n", b"405", "method"),
        (b"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\nsecret-4711", b"405", "method"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nsecret-4711", b"400", "body"),
        (b"GET /secret-4711 HTTP/3.0\r\n\r\n", b"505", "http"),
        (b"GET / HTTP/1.1\r\nX: " + b"secret-4711" * 2_000, b"431", "too large"),
        (b"GET / HTTP/1.1\r\n" + b"X: secret-4711\r\n" * 200 + b"\r\n", b"431", "too large"),
        (b"G" * 1_000_000, b"431", "too large"),
    ],
)
async def test_what_is_no_request_is_refused_and_not_quoted(house, sent, status, reason):
    async with house().open() as h:
        async with h.raw(sent) as (reader, _):
            told = await asyncio.wait_for(reader.read(), 10)
        assert told.split(b" ")[1] == status
        assert b"4711" not in told
        assert b"Error" not in told
        assert told.count(b"\n") < 12
        assert h.count("handshakes_refused_total", reason=reason) == 1


async def test_a_request_may_come_byte_by_byte_and_frames_right_behind_it(house, upgrade, masked, frames):
    async with house().open() as h, h.raw(upgrade[:1]) as (reader, writer), asyncio.timeout(10):
        for byte in upgrade[1:-1]:
            writer.write(bytes((byte,)))
            await writer.drain()
        writer.write(upgrade[-1:] + masked(9, b"at once"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        (_, pong) = await frames(reader, 2)
        assert pong == (10, b"at once")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_request_that_does_not_come_is_not_awaited_for_long(house, monkeypatch, sent):
    monkeypatch.setattr(arrival, "HANDSHAKE_SECONDS", 0.1)
    async with house().open() as h, h.raw(sent) as (reader, _), asyncio.timeout(10):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert h.count("handshakes_refused_total", reason="slow") == 1
        assert not h.server.unfinished


async def test_who_got_an_answer_and_stays_is_ended(house, eventually):
    async with house().open() as h, h.raw(b"GET / HTTP/1.1\r\n\r\n") as (reader, writer), asyncio.timeout(10):
        assert b" 400 " in await reader.readline()
        (one,) = h.server.unfinished
        with contextlib.suppress(ConnectionError):
            while h.server.unfinished:
                writer.write(b"more" * 10_000)
                await writer.drain()
        await eventually(lambda: not h.server.unfinished)
        assert h.count("handshakes_refused_total", reason="slow") == 0
        assert one._ignored < 4 * MAX_IGNORED_BYTES


# Who it is


async def test_a_token_is_taken_from_header_subprotocol_or_query(house, told):
    h = house()
    token = h.tokens.mint("user_789", [], 60)
    async with h.open():
        for path, more in (
            ("/", {"additional_headers": {"Authorization": f"Bearer {token}"}}),
            ("/", {"subprotocols": ["seatcast", f"bearer.{token}"]}),
            (f"/?token={token}", {}),
        ):
            async with h.connect(path, **more) as websocket:
                assert (await told(websocket))["userId"] == "user_789"
                assert websocket.subprotocol == ("seatcast" if "subprotocols" in more else None)


async def test_a_wrong_token_succeeds_at_the_handshake_and_is_closed_with_4401(house):
    async with house().open() as h, h.connect("/?token=nonsense") as websocket:
        await websocket.wait_closed()
        assert websocket.close_code == 4401
        assert "nonsense" not in websocket.close_reason
        assert h.count("closed_total", reason="unauthenticated") == 1


@given(st.text("ab=&%+2C ,.é", max_size=40))
def test_a_query_without_anything_to_decode_means_what_it_would_with_it(query):
    """It is read by a shorter way."""
    plain = query.replace("%", "").replace("+", "")
    expected = urllib.parse.parse_qs(plain, keep_blank_values=True)
    assert handshake.values_of(plain) == expected
    assert handshake.values_of(f"{plain}&+=%2C") == {**expected, " ": [*expected.get(" ", []), ","]}


@pytest.mark.parametrize("value", ["a=1", "a=%41"])
def test_too_many_values_in_a_query_are_refused(value):
    headers = CIMultiDict({
        "Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    })  # fmt: skip

    def examined(count):
        return handshake.examine(f"/?{'&'.join([value] * count)}".encode(), headers)

    assert isinstance(examined(50), handshake.Accepted)
    refused = examined(51)
    assert isinstance(refused, Refused)
    assert refused.reason == "query"


async def test_language_and_tours_are_read_from_the_address(house, told):
    async with house().open() as h:
        h.read(("tour_a", 1, 5), ("tour_é", 1, 6))
        async with h.connect("/?lang=en&tours=tour_%C3%A9,") as websocket:
            welcome = await told(websocket)
            assert welcome["message"] == "Connected to real-time updates"
            assert (await told(websocket))["tourId"] == "tour_é"
