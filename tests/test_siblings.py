"""Any worker answers for all of them: their health together, their metrics apart."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import time
from collections.abc import AsyncIterator

import httpx
import prometheus_client
import pytest
from litestar import Litestar
from prometheus_client.parser import text_string_to_metric_families

from seatcast import siblings
from seatcast.health import Health
from seatcast.http_server import serve_http
from seatcast.siblings import Own, Place, places, reporting, shared_health_routes, together

OK = Health("ok", {"broker": "connected"})
STALE = Health("degraded", {"broker": "connected", "source": "stale since noon"})
UNREADY = Health("unready", {"snapshot": "not read yet"})


@pytest.mark.parametrize(
    ("workers", "status"),
    [
        ([OK, OK], "ok"),
        ([OK, STALE], "degraded"),
        ([STALE, STALE], "degraded"),
        ([OK, UNREADY], "degraded"),
        ([OK, None], "degraded"),
        ([STALE, UNREADY], "degraded"),
        ([UNREADY, UNREADY], "unready"),
        ([UNREADY, None], "unready"),
        ([None, None], "unready"),
    ],
)
def test_the_whole_serves_as_long_as_one_does(workers, status):
    assert together(workers).status == status


def test_each_worker_says_what_is_wrong():
    assert together([OK, STALE, None]).checks == {
        "worker 1": "ok",
        "worker 2": "degraded: broker connected; source stale since noon",
        "worker 3": "silent",
    }


def _registry(connections: int) -> prometheus_client.CollectorRegistry:
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Gauge("open", "Open ones.", registry=registry).set(connections)
    refused = prometheus_client.Counter("refused", "Refused ones.", ["reason"], registry=registry)
    refused.labels('a "reason"').inc(connections)
    prometheus_client.Histogram("lag", "How late.", buckets=(0.1, 1), registry=registry).observe(connections)
    return registry


@contextlib.asynccontextmanager
async def _worker(
    place: Place, health: Health, registry: prometheus_client.CollectorRegistry
) -> AsyncIterator[httpx.AsyncClient]:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(reporting(place, lambda: health, registry))
        app = Litestar(list(shared_health_routes(place)), openapi_config=None, logging_config=None)
        port = await stack.enter_async_context(serve_http(app, "127.0.0.1", 0, name="HTTP"))
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}"))


def _samples(text: str) -> dict[tuple[str, str | None, str | None], float]:
    return {
        (sample.name, sample.labels.get("worker"), sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_any_of_them_answers_for_all():
    first, second = places(2)
    async with _worker(first, OK, _registry(3)) as one, _worker(second, STALE, _registry(4)) as two:
        for client in (one, two):
            ready = await client.get("/health/ready")
            assert ready.status_code == 200
            assert ready.json()["status"] == "degraded"
            assert ready.json()["checks"]["worker 1"] == "ok"
            assert (await client.get("/health/live")).json() == {"status": "ok"}
            text = (await client.get("/metrics")).text
            found = _samples(text)
            assert found["open", "1", None] == found["refused_total", "1", None] == 3
            assert found["open", "2", None] == found["refused_total", "2", None] == 4
            assert found["lag_bucket", "2", "+Inf"] == 1
            assert math.isclose(found["lag_sum", "2", None], 4)
            assert text.count("# TYPE open gauge") == 1, "one family, however many workers"
            assert r'reason="a \"reason\"",worker="1"' in text


async def test_a_dead_worker_is_silent_and_its_series_vanish():
    first, second = places(2)
    async with _worker(first, OK, _registry(3)) as one:
        async with _worker(second, OK, _registry(4)):
            assert (await one.get("/health/ready")).json()["status"] == "ok"
        assert (await one.get("/health/ready")).json() == {
            "status": "degraded",
            "checks": {"worker 1": "ok", "worker 2": "silent"},
        }
        assert 'worker="2"' not in (await one.get("/metrics")).text


async def test_a_worker_that_hangs_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(siblings, "REPORT_SECONDS", 0.2)
    first, *hanging = places(5)
    began = time.monotonic()
    async with _worker(first, OK, _registry(3)) as one:
        assert (await one.get("/health/ready")).json()["checks"]["worker 5"] == "silent"
    assert time.monotonic() - began < 5
    for place in hanging:
        place.listener.close()


@pytest.mark.parametrize("nonsense", [b"", b"nonsense", b"\xc1", b"\x00" * (siblings.MAX_REPORT_BYTES + 1)])
async def test_a_report_that_is_none_is_silence(nonsense):
    first, second = places(2)

    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(nonsense)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async with (
        await asyncio.start_unix_server(babble, sock=second.listener),
        _worker(first, OK, _registry(3)) as one,
    ):
        assert (await one.get("/health/ready")).json()["checks"]["worker 2"] == "silent"


def test_the_places_have_addresses_of_their_own_and_no_file():
    here = places(3)
    assert [place.number for place in here] == [1, 2, 3]
    assert len(set(here[0].addresses)) == 3
    assert all(address.startswith(b"\0") for address in here[0].addresses)
    for place in here:
        assert place.listener.family == socket.AF_UNIX
        place.listener.close()


def test_metrics_of_one_worker_alone_carry_its_label():
    first, second = places(2)
    text = prometheus_client.generate_latest(Own(second, _registry(3))).decode()
    assert 'open{worker="2"} 3.0' in text
    for place in (first, second):
        place.listener.close()
