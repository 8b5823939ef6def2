"""Health and metrics routes, the same on every HTTP port: `/health/live`, `/health/ready`, `/metrics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import prometheus_client
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct
from prometheus_client.registry import Collector

NO_STORE = {"Cache-Control": "no-store"}


class Health(Struct, frozen=True):
    """How a process is. `ok` and `degraded` still serve; `unready` should get no traffic.

    `checks` has one short word or sentence per part, without secrets.
    """

    status: Literal["ok", "degraded", "unready"]
    checks: dict[str, str]


class _Alive(Struct, frozen=True):
    status: Literal["ok"] = "ok"


@get("/health/live", sync_to_thread=False, include_in_schema=False)
def live() -> Response[_Alive]:
    """Answers while the event loop turns, and says nothing else."""
    return Response(_Alive(), headers=NO_STORE)


def readiness_answer(health: Health) -> Response[Health]:
    """Return the answer of `/health/ready`: 503 when there should be no traffic."""
    return Response(health, status_code=503 if health.status == "unready" else 200, headers=NO_STORE)


def metrics_answer(registry: Collector) -> Response[bytes]:
    """Return the answer of `/metrics`."""
    return Response(
        prometheus_client.generate_latest(registry),
        media_type=prometheus_client.CONTENT_TYPE_LATEST,
        headers=NO_STORE,
    )


def health_routes(
    ready: Callable[[], Health], registry: prometheus_client.CollectorRegistry
) -> list[HTTPRouteHandler]:
    """Return the three route handlers. `ready` must answer at once, from what is already known."""

    @get("/health/ready", sync_to_thread=False, include_in_schema=False)
    def readiness() -> Response[Health]:
        return readiness_answer(ready())

    @get("/metrics", sync_to_thread=False, include_in_schema=False)
    def metrics() -> Response[bytes]:
        return metrics_answer(registry)

    return [live, readiness, metrics]
