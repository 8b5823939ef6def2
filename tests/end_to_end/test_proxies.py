"""The shipped proxy configurations, run by the real proxies in front of two real gateways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from ..running import Running
from ..servers import require_program
from .conftest import ROOT, World

# Each starts five processes, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(400)

# What the shipped files say, to be replaced by this test's own ports.
TOURS, GATEWAYS, HTTP_PORTS = 3001, (8080, 8090), (8081, 8091)


@dataclass
class Site:
    """A tour service and two gateways behind a proxy; `port` is the proxy's, `folder` has its logs."""

    api: httpx.Client
    gateways: list[Running]
    http_ports: list[int]
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _nginx(folder: Path, text: str) -> list[str]:
    """Return the command that serves the shipped file, inside the smallest nginx.conf and without root's folders."""
    program = require_program("nginx")
    site = folder / "seatcast.conf"
    site.write_text(text.replace("/var/log/nginx", str(folder)))
    whole = folder / "nginx.conf"
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Only root may become somebody else, who then could not read the folder of a test.
    user = "user root;" if os.geteuid() == 0 else ""
    whole.write_text(
        f"{user} daemon off; pid {folder}/pid; worker_processes 1; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{\n{temporary}\ninclude {site};\n}}\n"
    )
    return [program, "-e", f"{folder}/error.log", "-c", str(whole)]


def _caddy(folder: Path, text: str) -> list[str]:
    program = require_program("caddy")
    file = folder / "Caddyfile"
    # Its own control port, which other Caddies of this machine may have.
    file.write_text(text.replace("{\n\t# Without", "{\n\tadmin off\n\t# Without", 1))
    return [program, "run", "--adapter", "caddyfile", "--config", str(file)]


PROXIES = {"nginx": ("nginx.conf", _nginx, "listen 80;"), "caddy": ("Caddyfile", _caddy, ":80 {")}


@pytest.fixture(params=PROXIES)
def site(
    request: pytest.FixtureRequest,
    world: World,
    tmp_path: Path,
    sqlite_url: str,
    amqp_url: str,
    create_tour: Any,
) -> Iterator[Site]:
    """Everything running, with one tour of 40 seats."""
    name, command, listening = PROXIES[request.param]
    _, api = world.tours(sqlite_url, amqp_url)
    create_tour(api, "tour_nice", 40)
    ports, http_ports = [world.free_port() for _ in GATEWAYS], [world.free_port() for _ in HTTP_PORTS]
    gateways = [
        world.seatcast(
            "gateway", "--port", str(port), "--http-port", str(http_port), "--broker-url", amqp_url,
            "--tours-url", str(api.base_url), "--trusted-proxies", "127.0.0.1", "--connections-per-address", "12",
        )
        for port, http_port in zip(ports, http_ports, strict=True)
    ]  # fmt: skip
    port = world.free_port()
    text = (ROOT / "deploy" / name).read_text()
    assert listening in text
    text = text.replace(listening, listening.replace("80", str(port)))
    shipped = (TOURS, *GATEWAYS, *HTTP_PORTS)
    # In one go: a port put in might be one to be replaced.
    for old in shipped:
        assert f"127.0.0.1:{old}" in text
        text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:<{old}>")
    for old, new in zip(shipped, (api.base_url.port, *ports, *http_ports), strict=True):
        text = text.replace(f"<{old}>", str(new))
    for one in gateways:
        one.line("Gateway is listening")
        one.line("Facts are fresh")
    folder = tmp_path / "proxy"
    folder.mkdir()
    proxy = world.run(
        *command(folder, text), HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder)
    )
    yield Site(api, gateways, http_ports, port, folder)
    # Not killed, as the rest of this world: nginx's own workers outlive a master that had no time to end them.
    proxy.stop()


@pytest.fixture(autouse=True)
async def _answering(site: Site, eventually: Any) -> None:
    """The proxy answers, and has found its gateways."""

    async def answers() -> bool:
        with contextlib.suppress(OSError, websockets.InvalidHandshake):
            async with connect(site.url):
                return True
        return False

    await eventually(answers, timeout=30)


async def _until(client: ClientConnection, kind: str, **fields: object) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            frame: dict[str, Any] = json.loads(await client.recv())
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame


def _gauge(site: Site, which: int, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{site.http_ports[which]}/metrics").text
    return float(
        next(line for line in text.splitlines() if line.startswith(f"seatcast_gateway_{name} ")).split()[1]
    )


async def test_pages_api_and_websockets_are_one_site_and_facts_arrive(site, book):
    with httpx.Client(base_url=site.base) as through:
        assert "<title>" in through.get("/").text
        assert through.get("/api/config").is_success
        async with connect(site.url) as first, connect(site.url.replace("/ws", "/websocket")) as second:
            await _until(first, "INITIAL_STATE", availableSeats=40)
            await _until(second, "INITIAL_STATE", availableSeats=40)
            assert [_gauge(site, which, "connections") for which in (0, 1)] == [1, 1], "each gateway has one"
            assert book(through, "tour_nice", 3)["tour"]["availableSeats"] == 37
            for client in (first, second):
                await _until(client, "AVAILABILITY_UPDATE", availableSeats=37)
        for private in ("/metrics", "/health/ready", "/health/live"):
            assert through.get(private).status_code == 404
    # The proxy passes on which host was asked for.
    async with connect(site.url, origin=f"http://127.0.0.1:{site.port}"):
        pass
    async with connect(site.url.replace("/ws", "/documents/tour_paris")) as editor:
        with pytest.raises(websockets.ConnectionClosed) as sent_away:
            await editor.recv()
        assert sent_away.value.rcvd is not None
        assert sent_away.value.rcvd.code == 4401
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connect(site.url, origin="https://elsewhere.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_clients_of_a_gateway_that_drains_come_back_through_the_other(site, book, eventually):
    async with connect(site.url) as one, connect(site.url) as two:
        leaving, staying = (site.gateways[0], two) if await _is_on(site, 0, one) else (site.gateways[0], one)
        gone = one if staying is two else two
        leaving.process.send_signal(signal.SIGTERM)
        assert (await _until(gone, "RECONNECT"))["afterMs"] > 0
        with pytest.raises(websockets.ConnectionClosed):
            await gone.recv()
        assert gone.close_code == 1012, "the proxy passes the code on"
        # At once, and each time: nobody is sent to the one that left.
        for _ in range(6):
            async with connect(site.url) as back:
                await _until(back, "INITIAL_STATE", availableSeats=40)
        assert leaving.process.wait(30) == 0
        book(site.api, "tour_nice", 1)
        await _until(staying, "AVAILABILITY_UPDATE", availableSeats=39)


async def _is_on(site: Site, which: int, client: ClientConnection) -> bool:
    """Say whether this gateway counts a message of this client."""
    before = _gauge(site, which, "client_messages_total")
    await client.send('{"type": "PING"}')
    await _until(client, "PONG")
    return _gauge(site, which, "client_messages_total") > before


async def test_streams_and_polls_are_passed_on_as_they_come(site, book, create_tour):
    """A proxy that collects what it is answered would give a stream's client nothing until the end."""
    path = f"{site.base}/api/tours/availability"
    async with httpx.AsyncClient(timeout=20) as client:
        snapshot = await client.get(path)
        assert [tour["availableSeats"] for tour in snapshot.json()["messages"]] == [40]
        cursor = snapshot.json()["cursor"]
        async with client.stream("GET", f"{path}/stream") as stream:
            lines = stream.aiter_lines()
            await _line(lines, '"availableSeats":40')
            waiting = asyncio.create_task(client.get(path, params={"since": cursor, "wait": 15}))
            began = asyncio.get_running_loop().time()
            await asyncio.to_thread(book, site.api, "tour_nice", 2)
            await _line(lines, '"availableSeats":38')
            assert [tour["availableSeats"] for tour in (await waiting).json()["messages"]] == [38]
            assert asyncio.get_running_loop().time() - began < 10, "news, and not the end of the wait"
        # Only these paths are the gateways'; a tour may be called nearly so.
        await asyncio.to_thread(create_tour, site.api, "availability_of_lyon", 5)
        assert (await client.get(f"{path}_of_lyon")).json()["id"] == "availability_of_lyon"


async def _line(lines: Any, part: str) -> None:
    async with asyncio.timeout(20):
        async for line in lines:
            if part in line:
                return
    raise AssertionError(f"the stream ended without {part}")


async def test_clients_are_counted_by_their_own_addresses_and_cannot_make_one_up(site):
    """Twelve an address at each gateway: behind an unknown proxy all would be one address."""
    async with contextlib.AsyncExitStack() as stack:

        async def answer(source: str, **headers: str) -> int:
            """Return the status of a handshake from this address; who is let in stays."""
            try:
                await stack.enter_async_context(
                    connect(site.url, local_addr=(source, 0), additional_headers=headers)
                )
            except websockets.InvalidStatus as refused:
                return refused.response.status_code
            return 101

        assert {await answer("127.0.0.2") for _ in range(24)} == {101}
        assert await answer("127.0.0.2") == 429
        assert await answer("127.0.0.2", **{"X-Forwarded-For": "192.0.2.1"}) == 429
        assert await answer("127.0.0.3") == 101


async def test_a_killed_gateway_is_passed_over_and_no_token_is_written_to_a_log(site, eventually):
    """Also not when no gateway is left, which is what the proxies' error logs are about."""
    token = "eyJhbGciOiJub25lIn0.secret.in.the.address"
    async with connect(f"{site.url}?token={token}") as client:
        await client.wait_closed()
        assert client.close_code == 4401
    site.gateways[1].kill()
    for _ in range(6):
        async with connect(site.url) as client:
            await _until(client, "WELCOME")
    site.gateways[0].kill()
    for path, headers in (("/ws", _UPGRADE), ("/api/tours/availability", {})):
        address = f"{site.base}{path}?token={token}"
        answer = await asyncio.to_thread(httpx.get, address, headers=headers, timeout=20)
        assert answer.status_code in (502, 503)
    logs = [file for file in site.folder.parent.rglob("*") if file.is_file()]
    await eventually(lambda: any(b"/ws" in file.read_bytes() for file in logs))
    assert not [file for file in logs if token.encode() in file.read_bytes()]


_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
