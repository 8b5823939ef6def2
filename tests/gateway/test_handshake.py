"""The opening handshake, over real sockets: who is let in, who is refused, and with what words."""

import asyncio

import pytest

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
    """Its exact bytes: `Connection: keep-alive, Upgrade`, which picows alone answers with 400."""
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
        monkeypatch.setattr(h.server, "_identify", lambda _: 1 / 0)
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


async def test_language_and_tours_are_read_from_the_address(house, told):
    async with house().open() as h:
        h.read(("tour_a", 1, 5), ("tour_é", 1, 6))
        async with h.connect("/?lang=en&tours=tour_%C3%A9,") as websocket:
            welcome = await told(websocket)
            assert welcome["message"] == "Connected to real-time updates"
            assert (await told(websocket))["tourId"] == "tour_é"
