"""Requests over connections that are kept, to servers that answer as they like."""

import asyncio
import contextlib
import gzip

import httpx
import pytest

from seatcast.http_lines import Lines

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE = None
"""In place of a part of an answer: the server hangs up."""


class Server:
    """Answers the requests of each connection with the next of these answers, each a list of parts or one."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.connections = 0
        self.open = 0

    @contextlib.asynccontextmanager
    async def __call__(self, **more):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server, asyncio.TaskGroup() as self.group:
            more = {"timeout": 5.0} | more
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self.port}", transport=Lines(), **more
            ) as client:
                yield client

    async def _serve(self, reader, writer):
        self.connections += 1
        self.open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = [
                    int(line[15:])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ]
                body = await reader.readexactly(size[0]) if size else b""
                self.requests.append(head + body)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                for part in answer if isinstance(answer, list) else [answer]:
                    if part is CLOSE:
                        return
                    if isinstance(part, float):
                        await asyncio.sleep(part)
                    else:
                        writer.write(part)
                        await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_connection_is_used_again():
    server = Server(OK)
    async with server() as client:
        for number in range(3):
            answer = await client.post(f"/x?n={number}", content=b"body", headers={"X-Mark": "1"})
            assert (answer.status_code, answer.text) == (200, "ok")
    assert server.connections == 1
    assert server.requests[2].startswith(b"POST /x?n=2 HTTP/1.1\r\n")
    assert b"\r\nX-Mark: 1\r\n" in server.requests[2]
    assert server.requests[2].endswith(b"\r\n\r\nbody")


async def test_requests_at_once_have_connections_of_their_own(eventually):
    server = Server([0.05, OK])
    async with server() as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(3)))
        assert [answer.text for answer in answers] == ["ok"] * 3
        assert server.connections == 3
    await eventually(lambda: server.open == 0)


@pytest.mark.parametrize("answer", [
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", 0.01, b"3\r\nllo\r\n0\r\n\r\n"],
    [b"HTTP/1.1 200 OK\r\nContent-Le", 0.01, b"ngth: 5\r\n\r\nhel", 0.01, b"lo"],
    [b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhel", 0.01, b"lo", CLOSE],
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", CLOSE],
    [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(b"hello", mtime=0)),
     gzip.compress(b"hello", mtime=0)],
], ids=["chunked", "in pieces", "until the end", "closing", "with hints", "compressed"])  # fmt: skip
async def test_answers_are_read_however_they_come(answer):
    async with Server(answer)() as client:
        for _ in range(2):
            found = await client.get("/")
            assert (found.status_code, found.text) == (200, "hello")


async def test_an_answer_without_a_body():
    async with Server(b"HTTP/1.1 204 No Content\r\n\r\n")() as client:
        for _ in range(2):
            assert (await client.delete("/")).status_code == 204


async def test_what_a_kept_connection_does_not_answer_is_asked_anew():
    """Servers close connections that nobody uses, perhaps at this very moment."""
    server = Server(OK, CLOSE_AT_ONCE, OK)
    async with server() as client:
        for _ in range(2):
            assert (await client.get("/")).text == "ok"
    assert (server.connections, len(server.requests)) == (2, 3)


CLOSE_AT_ONCE = [CLOSE]


async def test_a_connection_that_was_closed_meanwhile_is_not_used(eventually):
    server = Server([OK, CLOSE])
    async with server() as client:
        for _ in range(2):
            assert (await client.get("/")).text == "ok"
            await eventually(lambda: server.open == 0)
            await asyncio.sleep(0.01)
    assert len(server.requests) == 2


@pytest.mark.parametrize(("answer", "error"), [
    ([CLOSE], httpx.RemoteProtocolError),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", CLOSE], httpx.RemoteProtocolError),
    ([b"SSH-2.0-OpenSSH_9\r\n"], httpx.RemoteProtocolError),
    ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"Content-Length: 0\r\n\r\n"], httpx.RemoteProtocolError),
    ([0.5], httpx.ReadTimeout),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", 0.5], httpx.ReadTimeout),
], ids=["nothing", "half", "no HTTP", "endless headers", "silence", "silence in the middle"])  # fmt: skip
async def test_what_is_no_answer_is_an_error_and_its_connection_used_no_more(answer, error, eventually):
    server = Server(answer, OK)
    async with server(timeout=0.2) as client:
        with pytest.raises(error):
            await client.get("/")
        assert (await client.get("/")).text == "ok"
        assert server.connections == 2


async def test_an_answer_that_comes_slowly_but_comes_is_not_late():
    parts = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]
    for letter in (b"h", b"e", b"l", b"l", b"o"):
        parts += [0.1, letter]
    async with Server(parts)(timeout=0.3) as client:
        assert (await client.get("/")).text == "hello"


async def test_who_waits_no_longer_leaves_no_connection_behind(eventually):
    server = Server([0.3, OK])
    async with server() as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.get("/")
        assert (await client.get("/")).text == "ok"
        assert server.connections == 2


async def test_a_server_that_is_not_there():
    async with Lines() as lines:
        with pytest.raises(httpx.ConnectError):
            await lines.handle_async_request(httpx.Request("GET", "http://127.0.0.1:1/"))
