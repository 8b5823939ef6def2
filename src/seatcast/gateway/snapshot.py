"""Reading snapshots over HTTP, from a tour service that is ours or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import httpx
import msgspec

from seatcast import rest
from seatcast.domain import MAX_TOUR_SEATS

ReadSnapshot = Callable[[], Awaitable[rest.Snapshot]]
"""Returns all open tours at one instant, or raises `SnapshotUnavailable`."""

TIMEOUT_SECONDS: Final = 10.0

MAX_BYTES: Final = 64 * 1024 * 1024


SLICE_BYTES: Final = 64 * 1024
"""How much of an answer is decoded in one turn of the loop; a tour is never divided."""


class SnapshotUnavailable(Exception):
    """The tours could not be read; the text says why, in one line without secrets."""


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_tour = msgspec.json.Decoder(rest.Tour)


def http_snapshot(client: httpx.AsyncClient) -> ReadSnapshot:
    """Return a reader of `GET /api/tours` below the client's base URL; the epoch is in the answer's header."""

    async def read() -> rest.Snapshot:
        try:
            answer = await client.get(
                "/api/tours", headers={"Accept": "application/json"}, timeout=TIMEOUT_SECONDS
            )
        except httpx.TimeoutException:
            raise SnapshotUnavailable(f"no answer within {TIMEOUT_SECONDS:g} s") from None
        except httpx.HTTPError as error:
            # The kind alone: texts of errors may hold URLs.
            raise SnapshotUnavailable(f"cannot be reached ({type(error).__name__})") from None
        if answer.status_code != httpx.codes.OK:
            raise SnapshotUnavailable(f"answered {answer.status_code}")
        if len(answer.content) > MAX_BYTES:
            raise SnapshotUnavailable(f"answered more than {MAX_BYTES} bytes")
        return rest.Snapshot(
            answer.headers.get(rest.EPOCH_HEADER) or None, [tour async for tour in _parse(answer.content)]
        )

    return read


async def _parse(body: bytes) -> AsyncIterator[rest.Tour]:
    """Give the tours in an answer. Raises `SnapshotUnavailable`, which names what is wrong with it."""
    size = 0
    try:
        for row in _rows.decode(body):
            tour = _tour.decode(row)
            if not 1 <= len(tour.id) <= 128 or not 0 <= tour.available_seats <= MAX_TOUR_SEATS:
                raise SnapshotUnavailable(f"answered an impossible tour: {tour.id[:128]!r}")
            yield tour
            size += len(row)
            if size >= SLICE_BYTES:
                size = 0
                await asyncio.sleep(0)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise SnapshotUnavailable(f"answered what is no list of tours: {str(error)[:200]}") from None
