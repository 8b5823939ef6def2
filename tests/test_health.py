"""Probes and metrics answer from what is known, with the status code that load balancers read."""

from __future__ import annotations

import httpx
import prometheus_client
import pytest
from litestar import Litestar

from seatcast.health import Health, health_routes


def _client(health: Health, registry: prometheus_client.CollectorRegistry) -> httpx.AsyncClient:
    app = Litestar(health_routes(lambda: health, registry), logging_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(("status", "code"), [("ok", 200), ("degraded", 200), ("unready", 503)])
async def test_only_unready_is_not_200(status, code):
    health = Health(status, {"database": "fine"})
    async with _client(health, prometheus_client.CollectorRegistry()) as client:
        answer = await client.get("/health/ready")
        assert answer.status_code == code
        assert answer.json() == {"status": status, "checks": {"database": "fine"}}
        assert answer.headers["cache-control"] == "no-store"


async def test_liveness_does_not_depend_on_readiness():
    async with _client(Health("unready", {}), prometheus_client.CollectorRegistry()) as client:
        answer = await client.get("/health/live")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}


async def test_metrics_are_in_the_prometheus_text_format():
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("bookings", "Bookings made", registry=registry).inc(3)
    async with _client(Health("ok", {}), registry) as client:
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert "bookings_total 3.0" in answer.text
