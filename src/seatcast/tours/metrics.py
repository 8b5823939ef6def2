"""What the tour service counts, in Prometheus' words."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from seatcast.tours.outbox import Backlog


class RelayMetrics:
    """The outbox and the relay."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.published = Counter(
            "seatcast_outbox_published_events", "Events that the broker confirmed", registry=registry
        )
        self.parked = Counter(
            "seatcast_outbox_parked_events",
            "Events set aside because the broker refuses them",
            registry=registry,
        )
        self._waiting = Gauge("seatcast_outbox_waiting", "Events not yet confirmed", registry=registry)
        self._oldest = Gauge(
            "seatcast_outbox_oldest_seconds", "Age of the oldest event not yet confirmed", registry=registry
        )
        self._set_aside = Gauge(
            "seatcast_outbox_set_aside", "Events set aside and not looked into", registry=registry
        )

    def take_stock(self, backlog: Backlog) -> None:
        """Show what waits now."""
        self._waiting.set(backlog.waiting)
        self._set_aside.set(backlog.parked)
        age = 0.0
        if backlog.oldest is not None:
            age = (datetime.now(UTC) - datetime.fromisoformat(backlog.oldest)).total_seconds()
        self._oldest.set(max(0.0, age))


class FiguresMetrics:
    """The live figures of admins."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leading = Gauge(
            "seatcast_live_figures_leading", "Whether this tour service tells them", registry=registry
        )
        self.told = Counter("seatcast_live_figures_told", "Times they were told", registry=registry)
        self.hearing = Gauge(
            "seatcast_live_figures_hearing", "Whether gateways can be heard", registry=registry
        )


class ApiMetrics:
    """REST."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "seatcast_booking_seconds",
            "Time from a booking request to its answer, by outcome",
            ["outcome"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
            registry=registry,
        )
        self._by_outcome = {name: self._seconds.labels(name) for name in ("confirmed", "refused")}

    def booked(self, outcome: str, seconds: float) -> None:
        """Count one booking request, `confirmed` or `refused`."""
        self._by_outcome[outcome].observe(seconds)
