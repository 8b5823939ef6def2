"""The documents that a tour service keeps in memory: those that were changed last, one at a time each."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from seatcast.tours.document_store import DocumentRow
from seatcast.tours.replica import Replica

MAX_REPLICAS: Final = 1_000
MAX_REPLICA_BYTES: Final = 32 * 1024 * 1024
"""Documents kept in memory, and their updates' size; they take some five times as much there."""


@dataclass(eq=False, slots=True)
class Place:
    """A document in memory. Whoever changes it holds `turn`; `replica` is None where it is not known to be stored, else
    it is the document as `row` has it.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    replica: Replica | None = None
    row: DocumentRow | None = None
    weight: int = 0
    """What it counts for among all that are in memory, in bytes."""


class Memory:
    """The documents of one tour service."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._bytes = 0

    @asynccontextmanager
    async def turn(self, document_id: str) -> AsyncIterator[Place]:
        """Have a document to oneself, in this process. Whatever fails meanwhile, it is read again."""
        place = self._places.setdefault(document_id, Place())
        self._places.move_to_end(document_id)
        async with place.turn:
            try:
                yield place
            except BaseException:
                place.replica = None
                raise
            finally:
                # It may have been forgotten while it was waited for.
                if self._places.get(document_id) is place:
                    self._weigh(place)
        self._forget_some()

    def _weigh(self, place: Place) -> None:
        self._bytes -= place.weight
        place.weight = place.row.bytes if place.row is not None and place.replica is not None else 0
        self._bytes += place.weight

    def _forget_some(self) -> None:
        """Keep the documents that were asked for last."""
        while len(self._places) > MAX_REPLICAS or self._bytes > MAX_REPLICA_BYTES:
            oldest = next(iter(self._places))
            if self._places[oldest].turn.locked():
                return
            self._bytes -= self._places.pop(oldest).weight

    def clear(self) -> None:
        """Forget everything, as a restart does."""
        self._places.clear()
        self._bytes = 0

    def __contains__(self, document_id: str) -> bool:
        return document_id in self._places

    def __len__(self) -> int:
        return len(self._places)
