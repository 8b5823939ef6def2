"""Health and metrics of all the workers of one gateway, from whichever of them is asked.

Every worker serves the HTTP port, and the kernel picks one for each connection. So each has a Unix socket besides;
whoever connects to it is written that worker's report, and nothing else is spoken there. The supervisor makes these
sockets, in Linux's abstract namespace: no file to clean up after a kill -9, nobody else can take the name of a worker
that is being replaced, and a request to one that is gone waits for its successor or `REPORT_SECONDS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct
from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from seatcast.health import Health, live, metrics_answer, readiness_answer

REPORT_SECONDS: Final = 1.0
"""A worker that has not reported by then is called silent."""

MAX_REPORT_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """One worker among its siblings: its number, from 1, its own socket, and everybody's addresses in order."""

    number: int
    listener: socket.socket
    addresses: tuple[bytes, ...]


def places(count: int) -> list[Place]:
    """Return a place for each of `count` workers, to be made before any of them is."""
    listeners = []
    for _ in range(count):
        listener = socket.socket(socket.AF_UNIX)
        listener.setblocking(False)
        # Without a name the kernel makes up a free one (unix(7), autobind).
        listener.bind("")
        listener.listen(64)
        listeners.append(listener)
    addresses = tuple(listener.getsockname() for listener in listeners)
    return [Place(number, listener, addresses) for number, listener in enumerate(listeners, 1)]


class _Family(Struct, frozen=True, array_like=True):
    name: str
    documentation: str
    type: str
    samples: list[tuple[str, dict[str, str], float]]


class _Report(Struct, frozen=True, array_like=True):
    health: Health
    metrics: list[_Family]


# Not JSON, which has no infinity: the last bucket of every histogram.
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Report).decode


def _families(registry: Collector) -> list[_Family]:
    return [
        _Family(
            family.name,
            family.documentation,
            family.type,
            [(sample.name, sample.labels, sample.value) for sample in family.samples],
        )
        for family in registry.collect()
    ]


class _Labelled(Collector):
    """Families of several workers as one exposition: one family a name, each sample with its `worker`."""

    def __init__(self, workers: Iterable[tuple[int, list[_Family]]]) -> None:
        self._merged: dict[str, Metric] = {}
        for number, families in workers:
            for family in families:
                metric = self._merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for name, labels, value in family.samples:
                    metric.add_sample(name, {**labels, "worker": str(number)}, value)

    def collect(self) -> Iterator[Metric]:
        yield from self._merged.values()


class Own(Collector):
    """One worker's metrics with its label, for where it cannot ask the others."""

    def __init__(self, place: Place, registry: CollectorRegistry) -> None:
        self._place = place
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        return _Labelled([(self._place.number, _families(self._registry))]).collect()


@contextlib.asynccontextmanager
async def reporting(
    place: Place, health: Callable[[], Health], registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Answer the siblings inside the context."""

    def report(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_encode(_Report(health(), _families(registry))))
        writer.close()

    async with await asyncio.start_unix_server(report, sock=place.listener):
        yield


async def _ask(address: bytes) -> _Report | None:
    """Return a worker's report, or None if it is silent."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        try:
            async with asyncio.timeout(REPORT_SECONDS):
                loop = asyncio.get_running_loop()
                await loop.sock_connect(asking, address)
                report = bytearray()
                while part := await loop.sock_recv(asking, 256 * 1024):
                    report += part
                    if len(report) > MAX_REPORT_BYTES:
                        return None
                return _decode(report)
        except (OSError, TimeoutError, msgspec.DecodeError):
            return None


def together(workers: Sequence[Health | None]) -> Health:
    """Return how the whole is: ok if all are, unready if none can serve, degraded otherwise. None is a silent one."""
    checks = {}
    for number, health in enumerate(workers, 1):
        if health is None:
            checks[f"worker {number}"] = "silent"
        elif health.status == "ok":
            checks[f"worker {number}"] = "ok"
        else:
            parts = "; ".join(f"{part} {word}" for part, word in health.checks.items())
            checks[f"worker {number}"] = f"{health.status}: {parts}"
    statuses = {"unready" if health is None else health.status for health in workers}
    if statuses == {"ok"}:
        return Health("ok", checks)
    return Health("unready" if statuses == {"unready"} else "degraded", checks)


def shared_health_routes(place: Place) -> list[HTTPRouteHandler]:
    """Return the routes of `health_routes`, for all the workers together."""

    async def reports() -> list[_Report | None]:
        return await asyncio.gather(*map(_ask, place.addresses))

    @get("/health/ready", include_in_schema=False)
    async def readiness() -> Response[Health]:
        return readiness_answer(together([one.health if one else None for one in await reports()]))

    @get("/metrics", include_in_schema=False)
    async def metrics() -> Response[bytes]:
        numbered = enumerate(await reports(), 1)
        return metrics_answer(_Labelled((number, one.metrics) for number, one in numbered if one))

    return [live, readiness, metrics]
