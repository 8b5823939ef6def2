"""A port is served inside a context, and a taken one is one clear line."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from litestar import Litestar, get

from seatcast.http_server import PortTaken, listen_on, reserve, serve_http


def _app(started: asyncio.Event, release: asyncio.Event) -> Litestar:
    @get("/quick")
    async def quick() -> str:
        return "here"

    @get("/slow")
    async def slow() -> str:
        started.set()
        await release.wait()
        return "late"

    return Litestar([quick, slow], logging_config=None)


async def test_port_zero_yields_the_bound_port_and_the_server_names_nothing():
    async with (
        serve_http(_app(asyncio.Event(), asyncio.Event()), "127.0.0.1", 0, name="REST") as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        answer = await client.get("/quick")
        assert answer.text == "here"
        assert "server" not in answer.headers


async def test_a_taken_port_is_one_line_with_host_and_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            async with serve_http(
                _app(asyncio.Event(), asyncio.Event()), "127.0.0.1", port, name="The REST API"
            ):
                pass
    assert (
        str(caught.value) == f"The REST API cannot listen on 127.0.0.1 port {port}: the port is already taken"
    )


async def test_a_reserved_port_is_for_those_who_share_it_alone():
    keeper = await reserve("127.0.0.1", 0, name="the whole")
    port = keeper.getsockname()[1]
    with keeper:
        for taking in (listen_on, reserve):
            with pytest.raises(PortTaken, match=f"port {port}: the port is already taken"):
                await taking("127.0.0.1", port, name="another")
        app = _app(asyncio.Event(), asyncio.Event())
        async with (
            serve_http(app, "127.0.0.1", port, name="one", shared=True),
            serve_http(app, "127.0.0.1", port, name="two", shared=True),
            httpx.AsyncClient() as client,
        ):
            # Each on a connection of its own: whoever gets it answers it.
            for _ in range(10):
                assert (
                    await client.get(f"http://127.0.0.1:{port}/quick", headers={"Connection": "close"})
                ).text
            with pytest.raises(PortTaken):
                await reserve("127.0.0.1", port, name="another")
    # With remains of connections on it, as a restart finds it.
    (await reserve("127.0.0.1", port, name="the next")).close()


async def test_a_port_that_somebody_shares_cannot_be_reserved():
    theirs = await listen_on("127.0.0.1", 0, name="them", shared=True)
    with theirs, pytest.raises(PortTaken, match="the port is already taken"):
        await reserve("127.0.0.1", theirs.getsockname()[1], name="us")


async def test_an_address_that_is_not_ours_is_one_line():
    with pytest.raises(PortTaken, match="this machine has no such address"):
        await listen_on("192.0.2.1", 0, name="it")
    with pytest.raises(PortTaken, match="this machine has no such address"):
        await listen_on("no-such-host.invalid", 0, name="it")


async def test_the_port_is_free_again_at_once():
    app = _app(asyncio.Event(), asyncio.Event())
    async with serve_http(app, "127.0.0.1", 0, name="first") as port, httpx.AsyncClient() as client:
        await client.get(f"http://127.0.0.1:{port}/quick")
    async with serve_http(app, "127.0.0.1", port, name="second") as again:
        assert again == port


async def test_a_request_in_flight_is_answered_after_the_end():
    started, release = asyncio.Event(), asyncio.Event()
    async with httpx.AsyncClient() as client:
        async with serve_http(_app(started, release), "127.0.0.1", 0, name="REST") as port:
            request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
            await asyncio.wait_for(started.wait(), 5)
            asyncio.get_running_loop().call_later(0.3, release.set)
        assert (await request).text == "late"


async def test_an_error_in_the_body_is_raised_and_the_port_let_go():
    with pytest.raises(ExceptionGroup) as caught:
        async with serve_http(_app(asyncio.Event(), asyncio.Event()), "127.0.0.1", 0, name="REST") as port:
            raise LookupError("the body's own")
    assert caught.group_contains(LookupError, match="the body's own")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_server_that_dies_cancels_the_body(monkeypatch):
    """Whoever serves must hear that nothing is served any more."""

    async def dies(self: object, counter: int) -> bool:
        raise OSError("no more descriptors")

    monkeypatch.setattr("uvicorn.Server.on_tick", dies)
    with pytest.raises(ExceptionGroup) as caught:
        async with serve_http(_app(asyncio.Event(), asyncio.Event()), "127.0.0.1", 0, name="REST"):
            await asyncio.sleep(30)
    assert caught.group_contains(OSError, match="no more descriptors")
