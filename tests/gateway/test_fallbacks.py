"""Snapshots and long polls over real HTTP."""

import asyncio

import pytest

from seatcast import wire
from seatcast.gateway.asked import MAX_WAIT_SECONDS

from .model import NOW
from .plain_http import PATH, STREAM_PATH, facts

# Snapshots


async def test_a_polling_client_gets_everything_as_json(open_house):
    """The lesson's client: fetch, then response.json(), every two seconds."""
    async with open_house() as h:
        answer = await h.http.get(PATH)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert facts(answer) == {"a": 5, "b": 8}
        h.change("a", 2, 4)
        assert facts(await h.http.get(PATH)) == {"a": 4, "b": 8}
        assert facts(await h.http.get(PATH, params={"tours": "b"})) == {"b": 8}


async def test_what_has_not_changed_is_not_sent_again(open_house):
    async with open_house() as h:
        first = await h.http.get(PATH, params={"tours": "a"})
        assert first.headers["cache-control"] == "no-cache"
        etag = first.headers["etag"]
        h.change("b", 2, 1)
        for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            same = await h.http.get(PATH, params={"tours": "a"}, headers={"If-None-Match": sent})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        h.change("a", 2, 1)
        fresh = await h.http.get(PATH, params={"tours": "a"}, headers={"If-None-Match": etag})
        assert fresh.status_code == 200
        assert fresh.headers["etag"] != etag
        assert h.count("polls_total", outcome="unchanged") == 4


async def test_who_takes_gzip_gets_the_same_in_gzip(open_house):
    async with open_house() as h:
        h.read(*((f"t{n}", 1, 5) for n in range(50)))
        answers = {}
        for asked in ("gzip", "deflate, GZIP;q=0.5", "br", "gzip;q=0", "identity"):
            answer = await h.http.get(PATH, headers={"Accept-Encoding": asked})
            assert len(answer.json()["messages"]) == 50
            assert answer.headers["vary"] == "Origin, Accept-Encoding"
            zipped = answer.headers.get("content-encoding") == "gzip"
            assert zipped == (asked in ("gzip", "deflate, GZIP;q=0.5"))
            answers[zipped] = answer
        # Other bytes, so another tag; each is good for those who have them.
        assert answers[True].headers["etag"] != answers[False].headers["etag"]
        assert (
            int(answers[True].headers["content-length"]) < int(answers[False].headers["content-length"]) / 5
        )
        for zipped, asked in ((True, "gzip"), (False, "identity")):
            kept = {"If-None-Match": answers[zipped].headers["etag"], "Accept-Encoding": asked}
            assert (await h.http.get(PATH, headers=kept)).status_code == 304
        # Not what is a packet anyway, nor what is new, which differs for each who asks.
        few = await h.http.get(PATH, params={"tours": "t1"}, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in few.headers
        body = answers[True].json()
        h.change("t1", 2, 1)
        news = await h.http.get(PATH, params={"since": body["cursor"]}, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in news.headers


async def test_every_other_path_is_handed_on(open_house):
    async with open_house() as h:
        for path in ("/", "/api/tours", "/api/tours/a", f"{PATH}s", f"{STREAM_PATH}/x"):
            assert (await h.http.get(path)).text == path
        assert (await h.http.get(f"{PATH}/")).json()["reset"] is True


async def test_head_and_unknown_methods(open_house):
    async with open_house() as h:
        head = await h.http.head(PATH)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == (await h.http.get(PATH)).headers["etag"]
        assert (await h.http.head(STREAM_PATH)).headers["content-type"] == "text/event-stream"
        answer = await h.http.post(PATH, headers={"Accept-Language": "en"})
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert answer.json() == {"error": "Method not allowed", "code": "METHOD_NOT_ALLOWED"}


# Long polls


async def test_a_poll_waits_for_what_is_new(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        asking = asyncio.create_task(h.http.get(PATH, params={"since": cursor, "wait": 20}))
        await eventually(lambda: h.count("polls_waiting") == 1)
        h.change("b", 2, 7)
        answer = await asking
        assert facts(answer) == {"b": 7}
        assert answer.json()["reset"] is False
        assert answer.headers["cache-control"] == "no-store"
        assert h.count("polls_waiting") == 0
        assert len(h.fallbacks.audience.hub) == 0


async def test_a_poll_is_answered_at_once_with_what_it_missed(open_house):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        h.change("a", 2, 4)
        h.change("a", 3, 3)
        answer = await h.http.get(PATH, params={"since": cursor, "wait": 20})
        assert facts(answer) == {"a": 3}


async def test_a_poll_that_waits_in_vain_gets_an_empty_list_and_goes_on(open_house):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        for wait in ("0", "0.05"):
            answer = await h.http.get(PATH, params={"since": cursor, "wait": wait})
            assert answer.status_code == 200
            body = answer.json()
            assert (body["messages"], body["reset"]) == ([], False)
        h.change("a", 2, 4)
        assert facts(await h.http.get(PATH, params={"since": body["cursor"]})) == {"a": 4}


@pytest.mark.parametrize("cursor", ["", "garbage", "%00%ff", f"{'0' * 16}.{'0' * 16}", "a" * 5_000])
async def test_a_cursor_that_means_nothing_gets_everything_at_once(open_house, cursor):
    async with open_house() as h:
        answer = await h.http.get(f"{PATH}?since={cursor}&wait=20")
        assert answer.json()["reset"] is True
        assert facts(answer) == {"a": 5, "b": 8}


@pytest.mark.parametrize("wait", ["-1", "soon", "nan", "1e9", "", "٣"])
async def test_a_wait_that_is_no_number_of_seconds_is_refused_by_name(open_house, wait):
    async with open_house() as h:
        answer = await h.http.get(PATH, params={"since": "x", "wait": wait})
        assert answer.status_code == 400
        assert answer.json()["code"] == "INVALID_REQUEST"
        assert answer.json()["details"] == {"query.wait": f"seconds, 0 to {MAX_WAIT_SECONDS:g}"}
        assert answer.json()["error"] == "Requête invalide"
        assert answer.headers["content-language"] == "fr"


async def test_too_many_parameters_are_refused(open_house):
    async with open_house() as h:
        answer = await h.http.get(PATH + "?" + "&".join(f"a{n}=1" for n in range(60)))
        assert answer.status_code == 400
        assert "query" in answer.json()["details"]


async def test_a_wait_is_never_longer_than_proxies_bear(open_house, monkeypatch):
    monkeypatch.setattr("seatcast.gateway.asked.MAX_WAIT_SECONDS", 0.05)
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        assert (await h.http.get(PATH, params={"since": cursor, "wait": "9999"})).json()["messages"] == []


async def test_polls_that_wait_hear_when_the_source_is_lost(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        asking = asyncio.create_task(h.http.get(PATH, params={"since": cursor, "wait": 20}))
        await eventually(lambda: h.count("polls_waiting") == 1)
        h.server.stale = wire.Stale(since=NOW)
        h.fallbacks.audience.broadcast(h.server.stale)
        body = (await asking).json()
        assert (body["staleSince"], body["messages"]) == (NOW, [])


async def test_a_poll_whose_client_hangs_up_leaves_nothing_behind(open_house, eventually):
    async with open_house() as h:
        cursor = (await h.http.get(PATH)).json()["cursor"]
        request = f"GET {PATH}?since={cursor}&wait=40 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        _, writer = await asyncio.open_connection("127.0.0.1", h.web)
        writer.write(request)
        await eventually(lambda: h.count("polls_waiting") == 1)
        writer.close()
        await eventually(lambda: not h.fallbacks.audience.here)
        assert len(h.fallbacks.audience.hub) == 0
        assert h.server.admission.sockets == 0
