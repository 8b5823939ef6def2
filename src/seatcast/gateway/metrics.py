"""What a gateway counts: plain numbers, handed to Prometheus when it asks. `docs/metrics.md` explains each.

Plain, because a delivery takes two microseconds and one increment of Prometheus' own counters half of one. The
values of every label are listed here as types, so that nothing that a client sends can become one.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from seatcast.gateway.mailbox import Outcome as Brought
from seatcast.gateway.truth import Outcome

PREFIX: Final = "seatcast_gateway_"

MAX_HEARD: Final = 1_000
"""Facts of one turn of the loop whose time until the sockets is measured."""

Refusal = Literal[
    "address connections",
    "address rate",
    "body",
    "draining",
    "full",
    "host",
    "http",
    "internal",
    "key",
    "malformed",
    "method",
    "origin",
    "path",
    "query",
    "slow",
    "too large",
    "upgrade",
    "version",
]
"""Why a handshake failed."""

End = Literal[
    "drain",
    "error",
    "expired",
    "gone",
    "heartbeat",
    "no keys",
    "peer",
    "rate limited",
    "too slow",
    "unauthenticated",
    "user connections",
    "violation",
]
"""Why a connection ended; `peer`: it said goodbye, `gone`: it did not, `expired`: its token was over."""

Answered = Literal["everything", "unchanged", "news", "nothing"]
"""What a poll was answered: a whole state, that it is the one the client has, what is new, or that nothing is."""

Unanswered = Literal["address", "draining", "full", "method", "no keys", "origin", "query", "token", "user"]
"""Why a poll or a stream was refused."""

Drop = Literal["closing", "gone", "queue full", "reset", "unsubscribed"]
"""Why something that was owed to a client was never sent."""

Carried = Literal["done", "failed", "refused"]
"""What became of a command: the tour service did it, gave no proper answer, or would not do it."""

Caught = Literal["failed", "resumed", "unknown"]
"""How a client fared that wanted to be told what it missed; `unknown`: since a message that nobody knows any more."""

Said = Literal["control", "message"]
"""What a client sent: a ping or pong, or a message."""

Kind = Literal["everything", "named"]
"""What a connection follows."""

_DESCRIBED: Final[dict[str, tuple[Literal["counter", "gauge", "times"], str, str | None]]] = {
    "connections": ("gauge", "Open WebSocket connections.", None),
    "connections_behind": ("gauge", "Connections that are not reading.", None),
    "followers": ("gauge", "Connections by what they follow.", "kind"),
    "followed_tours": ("gauge", "Tours that somebody follows by name.", None),
    "departures": ("gauge", "Departures, and tours without any, in the catalogue.", None),
    "handshakes": ("counter", "WebSocket handshakes that succeeded.", None),
    "handshakes_refused": ("counter", "Handshakes that failed.", "reason"),
    "closed": ("counter", "Connections that ended.", "reason"),
    "client_messages": ("counter", "Messages from clients.", None),
    "client_messages_refused": ("counter", "Messages, pings and pongs past the rate limit.", "kind"),
    "commands": ("counter", "Commands of clients, by what became of them.", "outcome"),
    "document_closed": ("counter", "Sockets of shared documents that were closed from here.", None),
    "document_connections": ("gauge", "Sockets of shared documents.", None),
    "document_rooms": ("gauge", "Shared documents that are open here.", None),
    "messages": ("counter", "Messages for people that the broker brought, once for each stream.", "outcome"),
    "catch_ups": ("counter", "Clients that wanted to be told what they missed.", "outcome"),
    "message_reads": ("counter", "Streams of messages read because some may have been missed.", "outcome"),
    "frames": ("counter", "Data frames written to clients.", None),
    "frame_bytes": ("counter", "Bytes of the data frames written to clients.", None),
    "conflated": (
        "counter",
        "States and notices that a newer one replaced before their client read again.",
        None,
    ),
    "dropped": ("counter", "Frames that were owed to a client and never sent.", "reason"),
    "oldest_undelivered_seconds": (
        "gauge",
        "For how long the state that waits longest has waited for its client to read.",
        None,
    ),
    "commit_to_socket_seconds": (
        "times",
        "Time from a fact's commit, by its publisher's clock, until its frames are written.",
        None,
    ),
    "loop_lag_seconds": ("times", "How much later than due the event loop ran a timer.", None),
    "streams": ("gauge", "Open streams of Server-Sent Events.", None),
    "polls_waiting": ("gauge", "Polls that wait for news.", None),
    "polls": ("counter", "Polls answered.", "outcome"),
    "fallbacks_refused": ("counter", "Polls and streams refused.", "reason"),
    "facts": ("counter", "Events from the broker.", "outcome"),
    "dead_letters": ("counter", "Broker messages that are no events.", None),
    "source_subscriptions": ("counter", "Subscriptions to the broker.", "outcome"),
    "snapshots": ("counter", "Snapshots read.", "outcome"),
    "snapshot_age_seconds": (
        "gauge",
        "Time since the reading of the last joined snapshot began; since the start if none was joined.",
        None,
    ),
    "stale": ("gauge", "1 while the source of facts is lost.", None),
    "stale_seconds": ("counter", "Time for which the source of facts was lost.", None),
}
"""What each attribute of `Metrics` is, and the name of its label."""


class Times:
    """A histogram of seconds."""

    BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

    def __init__(self) -> None:
        self.counts = [0] * (len(self.BOUNDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one; less than nothing, by clocks that differ, is nothing."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(self.BOUNDS, seconds)] += 1
        self.sum += seconds

    def family(self, name: str, text: str) -> HistogramMetricFamily:
        """Return it as Prometheus wants it: cumulative."""
        buckets, total = [], 0
        for bound, count in zip((*self.BOUNDS, float("inf")), self.counts, strict=True):
            total += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
        return HistogramMetricFamily(name, text, buckets=buckets, sum_value=self.sum)


class Metrics(Collector):
    """The numbers of one gateway, by the names of `docs/metrics.md` without their prefix.

    `clock` is any that never goes back, in seconds.
    """

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.handshakes = 0
        self.handshakes_refused: dict[Refusal, int] = _zero(Refusal)
        self.closed: dict[End, int] = _zero(End)
        self.client_messages = 0
        self.client_messages_refused: dict[Said, int] = _zero(Said)
        self.commands: dict[Carried, int] = _zero(Carried)
        self.document_closed = self.document_connections = self.document_rooms = 0
        self.messages: dict[Brought, int] = _zero(Brought)
        self.catch_ups: dict[Caught, int] = _zero(Caught)
        self.message_reads: dict[Literal["joined", "failed"], int] = {"joined": 0, "failed": 0}
        self.frames = 0
        self.frame_bytes = 0
        self.conflated = 0
        self.dropped: dict[Drop, int] = _zero(Drop)
        self.streams = 0
        self.polls_waiting = 0
        self.polls: dict[Answered, int] = _zero(Answered)
        self.fallbacks_refused: dict[Unanswered, int] = _zero(Unanswered)
        self.facts: dict[Outcome, int] = _zero(Outcome)
        self.dead_letters = 0
        self.snapshots: dict[Literal["joined", "failed"], int] = {"joined": 0, "failed": 0}
        self.source_subscriptions: dict[Literal["made", "lost"], int] = {"made": 0, "lost": 0}
        self.connections = 0
        self.connections_behind = 0
        self.followers: dict[Kind, int] = _zero(Kind)
        self.followed_tours = 0
        self.departures = 0
        self.oldest_undelivered_seconds = 0.0
        self.commit_to_socket_seconds = Times()
        self.loop_lag_seconds = Times()
        self.writing_due = False
        """Whether somebody follows what changed, so that `written` will be called."""
        self._heard: list[str] = []
        self._snapshot_read = self._clock()
        self._stale_since: float | None = None
        self._stale_before = 0.0
        registry.register(self)

    # Facts

    def heard(self, timestamp: str) -> None:
        """A fact was taken that was committed then; its way to the sockets ends with the next `written`."""
        # Not while nobody follows what changed: nothing is written then, and this would grow.
        if self.writing_due and len(self._heard) < MAX_HEARD:
            self._heard.append(timestamp)

    def written(self, now: float) -> None:
        """What was heard is written to everybody who reads. `now` is the wall clock's, as of `time.time`."""
        heard, self._heard = self._heard, []
        self.writing_due = False
        for timestamp in heard:
            try:
                moment = datetime.fromisoformat(timestamp)
            except ValueError:
                # A publisher that is not ours writes what it likes.
                continue
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            self.commit_to_socket_seconds.observe(now - moment.timestamp())

    # The source

    def snapshot_joined(self, seconds: float) -> None:
        """A snapshot was joined whose reading began that long ago."""
        self.snapshots["joined"] += 1
        self._snapshot_read = self._clock() - seconds

    def lost(self) -> None:
        """The source is lost."""
        if self._stale_since is None:
            self._stale_since = self._clock()

    def regained(self) -> None:
        """The facts are fresh again."""
        self._stale_before, self._stale_since = self.stale_seconds, None

    @property
    def stale(self) -> int:
        return int(self._stale_since is not None)

    @property
    def stale_seconds(self) -> float:
        now = 0.0 if self._stale_since is None else self._clock() - self._stale_since
        return self._stale_before + now

    @property
    def snapshot_age_seconds(self) -> float:
        return self._clock() - self._snapshot_read

    # Prometheus

    def collect(self) -> Iterator[Metric]:
        """Return every number as it is now."""
        for name, (kind, text, label) in _DESCRIBED.items():
            value = getattr(self, name)
            if kind == "times":
                yield value.family(PREFIX + name, text)
                continue
            family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
            if label is None:
                yield family(PREFIX + name, text, value=value)
                continue
            labelled = family(PREFIX + name, text, labels=[label])
            for of, number in value.items():
                labelled.add_metric([of], number)
            yield labelled


def _zero(values: Any) -> dict[Any, int]:
    """Every value of a label, at nothing: what never happened is seen to be so."""
    return dict.fromkeys(get_args(values), 0)
