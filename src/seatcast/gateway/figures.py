"""The latest live figures, for who follows `metrics`: newer ones only, and at once for a new follower.

Newer is what has a later moment, by the clock of the one database; should that clock have been set back, a few seconds
of nothing newer are believed rather than an admin be shown nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seatcast.gateway.channels import METRICS, Channels
from seatcast.wire_events import MetricsUpdated
from seatcast.wire_figures import Figures, MetricsUpdate

FRESH_SECONDS: Final = 5.0
"""For how long they are the latest: they are told every 2 s as long as anybody on any gateway follows them."""


class LatestFigures:
    """One gateway's. `clock` is in seconds."""

    def __init__(self, channels: Channels, clock: Callable[[], float]) -> None:
        self._channels = channels
        self._clock = clock
        self._latest: MetricsUpdate | None = None
        self._heard = 0.0
        channels.greet(METRICS, METRICS, self.latest)

    def latest(self) -> MetricsUpdate | None:
        """Return what was told last; None for what may not be so any more."""
        return self._latest if self._clock() - self._heard < FRESH_SECONDS else None

    def take(self, event: MetricsUpdated) -> None:
        """Tell the followers, if it is newer."""
        known = self.latest()
        if known is not None and event.timestamp <= known.timestamp:
            return
        self._latest = MetricsUpdate(**{name: getattr(event, name) for name in Figures.__struct_fields__})
        self._heard = self._clock()
        self._channels.publish(METRICS, self._latest, METRICS)
