"""Public keys from a file and from a real server: rotation, and everything that a source can do wrong."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import httpx
import pytest
from structlog.testing import capture_logs

from seatcast import key_source
from seatcast.key_source import MAX_BYTES, KeySource, from_file, from_url
from seatcast.tokens import InvalidToken, KeysUnavailable, Tokens

from .issuer import EC, OTHER_RSA, RSA, Issuer, key_set, public, token

OLD = public(RSA, kid="old")
NEW = public(OTHER_RSA, kid="new")


@contextlib.asynccontextmanager
async def running(read, every=0.02, again=0.02):
    """A source that was read once and is read again in the background."""
    source = KeySource(read, "the source", every, again=again)
    await source.refresh()
    task = asyncio.create_task(source.run())
    try:
        yield source
        # It dies of nothing.
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


def accepts(source, key, kid):
    """Whether a token that this key signed is taken; None if nobody can tell."""
    try:
        return Tokens(None, source).verify(token("RS256", key, kid=kid)).user == "alice"
    except InvalidToken:
        return False
    except KeysUnavailable:
        return None


async def test_keys_are_rotated_at_the_server_without_a_gap(eventually):
    issuer = Issuer(key_set(OLD))
    async with (
        issuer.serving() as url,
        httpx.AsyncClient() as client,
        running(from_url(client, url)) as source,
    ):
        assert accepts(source, RSA, "old")
        issuer.body = key_set(OLD, NEW)
        await eventually(lambda: accepts(source, OTHER_RSA, "new"))
        assert accepts(source, RSA, "old")
        issuer.body = key_set(NEW)
        await eventually(lambda: not accepts(source, RSA, "old"))
        assert accepts(source, OTHER_RSA, "new")


async def test_an_unknown_key_is_asked_for_at_once_and_a_flood_of_them_hardly_ever(eventually):
    issuer = Issuer(key_set(OLD))
    async with (
        issuer.serving() as url,
        httpx.AsyncClient() as client,
        running(from_url(client, url), every=3_600, again=0.5) as source,
    ):
        # Read a moment ago: what is not there does not exist.
        assert accepts(source, OTHER_RSA, "new") is False
        issuer.body = key_set(OLD, NEW)
        await eventually(lambda: accepts(source, OTHER_RSA, "new"))
        before, began = issuer.asked, asyncio.get_running_loop().time()
        while (lasted := asyncio.get_running_loop().time() - began) < 1.2:
            for n in range(10):
                accepts(source, OTHER_RSA, f"invented {n}")
            await asyncio.sleep(0.005)
        assert 1 <= issuer.asked - before <= 1 + lasted / 0.5


async def test_while_nobody_knows_a_token_is_neither_good_nor_bad(eventually, free_port):
    """Its source has never been reached; then it is, and the token is judged."""
    port = free_port()
    issuer = Issuer(key_set(OLD))
    async with (
        httpx.AsyncClient() as client,
        running(from_url(client, f"http://127.0.0.1:{port}/keys")) as source,
    ):
        assert accepts(source, RSA, "old") is None
        assert not source.loaded
        assert source.problem == "cannot be reached (ConnectError)"
        async with issuer.serving(port):
            await eventually(lambda: accepts(source, RSA, "old"))
            assert source.loaded
            assert source.problem is None


async def test_keys_stay_valid_while_their_source_is_away(eventually):
    issuer = Issuer(key_set(OLD))
    async with httpx.AsyncClient() as client:
        async with issuer.serving() as url, running(from_url(client, url)) as source:
            issuer.status = 500
            await eventually(lambda: source.problem == "answered 500")
            assert accepts(source, RSA, "old")
            assert accepts(source, OTHER_RSA, "new") is None
            issuer.status = 200
            await eventually(lambda: source.problem is None)
        await source.refresh()
        assert source.problem == "cannot be reached (ConnectError)"
        assert accepts(source, RSA, "old")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"status": 404}, "answered 404"),
        ({"status": 302, "headers": [(b"location", b"http://127.0.0.1/")]}, "answered 302"),
        ({"body": b"<html>"}, 'is no JWK Set: {"keys": [...]}'),
        ({"body": b" " * (MAX_BYTES + 1)}, f"is larger than {MAX_BYTES} bytes"),
        ({"delay": 0.5}, "no answer within 0.2 s"),
        ({"body": key_set(RSA.as_dict(private=True))}, "holds no key to verify"),
    ],
)
async def test_what_a_server_does_wrong_is_said_once_without_its_address(monkeypatch, change, problem):
    monkeypatch.setattr(key_source, "TIMEOUT_SECONDS", 0.2)
    issuer = Issuer(key_set(OLD))
    async with issuer.serving() as url, httpx.AsyncClient() as client:
        source = KeySource(from_url(client, url), "the source", 1)
        await source.refresh()
        for name, value in change.items():
            setattr(issuer, name, value)
        with capture_logs() as lines:
            await source.refresh()
            await source.refresh()
        assert source.problem.startswith(problem)
        assert accepts(source, RSA, "old")
        (line,) = lines
        assert (line["log_level"], line["in_use"]) == ("warning", ["RS256 old"])
        assert "secret" not in str(line)


async def test_an_answer_that_drips_is_given_up(monkeypatch):
    """However short its pauses."""
    monkeypatch.setattr(key_source, "TIMEOUT_SECONDS", 0.2)

    gone = asyncio.Event()

    async def drip(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        gone.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0, family=socket.AF_INET)
    async with server, httpx.AsyncClient() as client:
        port = server.sockets[0].getsockname()[1]
        source = KeySource(from_url(client, f"http://127.0.0.1:{port}/"), "the source", 1)
        await source.refresh()
        assert source.problem == "no answer within 0.2 s"
        async with asyncio.timeout(10):
            await gone.wait()


async def test_verifying_does_not_wait_for_a_slow_server():
    issuer = Issuer(key_set(OLD))
    async with (
        issuer.serving() as url,
        httpx.AsyncClient() as client,
        running(from_url(client, url)) as source,
    ):
        issuer.delay = 1.0
        before = issuer.asked
        while issuer.asked == before:
            await asyncio.sleep(0.01)
        assert accepts(source, RSA, "old")


async def test_a_file_is_read_anew_when_it_changes(tmp_path, eventually):
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(OLD))
    async with running(from_file(path)) as source:
        assert accepts(source, RSA, "old")
        # As editors and Kubernetes do it: another file under the same name.
        aside = tmp_path / "aside"
        aside.write_bytes(key_set(OLD, NEW))
        aside.replace(path)
        await eventually(lambda: accepts(source, OTHER_RSA, "new"))
        # In place, and half written for a while.
        path.write_bytes(key_set(NEW)[:-20])
        await eventually(lambda: source.problem is not None)
        assert accepts(source, RSA, "old")
        assert accepts(source, OTHER_RSA, "new")
        await asyncio.sleep(0.1)
        assert source.problem is not None
        path.write_bytes(key_set(NEW))
        await eventually(lambda: source.problem is None)
        assert accepts(source, RSA, "old") is False
        path.unlink()
        await eventually(lambda: source.problem == "cannot be read: No such file or directory")
        assert accepts(source, OTHER_RSA, "new")


async def test_ignored_keys_are_said_when_a_set_is_new_and_not_each_time(tmp_path):
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(RSA.as_dict(private=True) | {"kid": "mine"}, public(EC)))
    source = KeySource(from_file(path), "the file", 1)
    with capture_logs() as lines:
        await source.refresh()
        await source.refresh()
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "A public key is ignored"),
        ("info", "Public keys were read"),
    ]
    assert lines[0]["key"].startswith("'mine' is private")
    assert lines[1]["keys"] == ["ES256"]
