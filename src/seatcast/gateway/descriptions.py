"""The public descriptions of tours, for those who follow the tours: the newest, not each letter.

A text that is being typed changes many times a second, and a popular tour has many followers: how often it is told
depends on how much that sends. What was missed is noticed with the next snapshot, which has each description's version.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Final, Protocol

from seatcast import rest, wire_events
from seatcast.domain import DESCRIPTION
from seatcast.gateway.channels import Tell
from seatcast.gateway.document_requests import REFUSALS
from seatcast.gateway.edits import Begin
from seatcast.gateway.hub import Hub
from seatcast.gateway.messages import text_frame
from seatcast.wire import encode
from seatcast.wire_documents import TourDescription

LEAST_SECONDS: Final = 0.2
"""Between two descriptions of one tour, at least."""

MOST_BYTES_PER_SECOND: Final = 5_000_000
"""What descriptions of one tour may send to all its followers together; more of them are told less often."""

ReadTour = Callable[[str], Awaitable[rest.Tour]]


class Timer(Protocol):
    """Calls a function later, as `loop.call_later`."""

    def __call__(self, delay: float, callback: Callable[[str], None], tour_id: str, /) -> object: ...


class Descriptions:
    """The descriptions that were heard of in one gateway. `clock` is in seconds; `tell` delivers."""

    def __init__(
        self,
        hub: Hub,
        tell: Tell,
        clock: Callable[[], float],
        later: Timer,
        read: ReadTour | None,
        begin: Begin | None,
    ) -> None:
        self._hub = hub
        self._tell = tell
        self._clock = clock
        self._later = later
        self._read = read
        self._begin = begin
        self._versions: dict[str, int] | None = None
        self._epoch: str | None = None
        # What is to be told, and when a tour may be told of again.
        self._due: dict[str, TourDescription] = {}
        self._rests: dict[str, float] = {}

    def take(self, event: wire_events.DocumentEdited) -> None:
        """Tell it, if it is a tour's description: now or, with whatever it is by then, soon."""
        if event.changes.field == DESCRIPTION and event.document_id in self._hub.truth:
            self._take(event.document_id, event.changes.value, event.version, event.timestamp)

    def _take(self, tour_id: str, text: str, version: int, timestamp: str) -> None:
        if self._versions is not None:
            if version <= self._versions.get(tour_id, 0):
                return
            self._versions[tour_id] = version
        frame = TourDescription(tour_id=tour_id, description=text, version=version, timestamp=timestamp)
        waits = tour_id in self._due
        self._due[tour_id] = frame
        if not waits:
            wait = self._rests.get(tour_id, 0.0) - self._clock()
            if wait > 0:
                self._later(wait, self._flush, tour_id)
            else:
                self._flush(tour_id)

    def _flush(self, tour_id: str) -> None:
        frame = self._due.pop(tour_id)
        followers: Collection[object] = self._hub.followers(tour_id)
        encoded = text_frame(encode(frame))
        now = self._clock()
        self._rests = {tour: until for tour, until in self._rests.items() if until > now}
        self._rests[tour_id] = now + max(LEAST_SECONDS, len(encoded) * len(followers) / MOST_BYTES_PER_SECOND)
        if followers:
            self._tell(followers, f"description {tour_id}", encoded)

    def join(self, snapshot: rest.Snapshot) -> None:
        """Compare a snapshot with what was heard: of a description that is newer there nobody was told."""
        versions = {
            tour.id: tour.description_version
            for tour in snapshot.tours
            if isinstance(tour.description_version, int)
        }
        if self._versions is None or snapshot.epoch != self._epoch:
            # Whoever follows from now on reads the description that there is; after a restore everybody does.
            self._versions, self._epoch = versions, snapshot.epoch
        elif self._read is not None and self._begin is not None:
            missed = [id for id, version in versions.items() if version > self._versions.get(id, 0)]
            if missed:
                self._begin(self._catch_up(missed, self._read), "reading descriptions")

    async def _catch_up(self, tour_ids: list[str], read: ReadTour) -> None:
        for tour_id in tour_ids:
            try:
                tour = await read(tour_id)
            except REFUSALS:
                return  # the next snapshot says it again
            if isinstance(tour.description, str) and isinstance(tour.description_version, int):
                timestamp = tour.timestamp if isinstance(tour.timestamp, str) else ""
                self._take(tour_id, tour.description, tour.description_version, timestamp)
