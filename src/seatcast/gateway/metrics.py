"""What a gateway counts, in a registry that is handed in."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """Counters and gauges of one gateway. Everything dropped, conflated or closed has a reason."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Gauge(
            "seatcast_gateway_connections", "Open WebSocket connections.", registry=registry
        )
        self.behind = Gauge(
            "seatcast_gateway_connections_behind", "Connections that are not reading.", registry=registry
        )
        self.accepted = Counter(
            "seatcast_gateway_handshakes", "WebSocket handshakes that succeeded.", registry=registry
        )
        self.refused = Counter(
            "seatcast_gateway_handshakes_refused", "Handshakes refused.", ["reason"], registry=registry
        )
        self.closed = Counter(
            "seatcast_gateway_closed", "Connections closed by the gateway.", ["reason"], registry=registry
        )
        self.received = Counter(
            "seatcast_gateway_client_messages", "Messages from clients.", registry=registry
        )
        self.frames = Counter(
            "seatcast_gateway_frames", "Availability frames written to clients.", registry=registry
        )
        self.bytes = Counter(
            "seatcast_gateway_frame_bytes", "Bytes of availability frames written.", registry=registry
        )
        self.conflated = Counter(
            "seatcast_gateway_conflated",
            "Updates replaced by a newer one of the same key before their client read again.",
            registry=registry,
        )
        self.dropped = Counter("seatcast_gateway_dropped", "Answers not sent.", ["reason"], registry=registry)
        self.facts = Counter(
            "seatcast_gateway_facts", "Events from the broker.", ["outcome"], registry=registry
        )
        self.dead_letters = Counter(
            "seatcast_gateway_dead_letters", "Broker messages that are no events.", registry=registry
        )
        self.snapshots = Counter(
            "seatcast_gateway_snapshots", "Snapshots read.", ["outcome"], registry=registry
        )
        self.subscriptions = Counter(
            "seatcast_gateway_subscriptions", "Subscriptions to the broker.", ["outcome"], registry=registry
        )
        self.stale = Gauge(
            "seatcast_gateway_stale", "1 while the source of facts is lost.", registry=registry
        )
