"""`python -m bench.source AMQP_URL HTTP_PORT TOURS`: a tour service as a gateway sees it, as cheap as it can be.

Publishes facts over AMQP when told so on standard input (`go FIRST COUNT START_US RATE`), with the bytes that our
relay publishes: fact n is about tour n % TOURS, has version n, and is due at START + (n - FIRST) / RATE on the
monotonic clock. Ticks once a second. Answers `GET /api/tours` with the tours' first state, and counts how often
(`GET /reads`). After each schedule it writes one line: the most milliseconds that a fact left late.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from pamqp import commands
from pamqp.frame import marshal
from pamqp.header import ContentHeader

EXCHANGE = "tour_booking_events"
UPDATED = "tour.availability.updated"
EPOCH = "bench"
CAPACITY = 1_000
_ID = b"evt_000000000000"
_SHORTEST_SLEEP = 0.001
"""Facts due within it leave together."""


def now_iso() -> str:
    """Return the wall clock as the wire writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def connect(url: str) -> socket.socket:
    """Return a connection on which channel 1 is open and the exchange declared."""
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange(data: bytes) -> None:
        sock.sendall(data)
        header = sock.recv(7, socket.MSG_WAITALL)
        sock.recv(struct.unpack(">BHI", header)[2] + 1, socket.MSG_WAITALL)

    login = f"\0{parts.username}\0{parts.password}"
    exchange(b"AMQP\0\0\x09\x01")
    exchange(marshal(commands.Connection.StartOk({}, "PLAIN", login, "en_US"), 0))
    tune = marshal(commands.Connection.TuneOk(10, 131_072, 0), 0)
    exchange(tune + marshal(commands.Connection.Open(unquote(parts.path[1:]) or "/"), 0))
    exchange(marshal(commands.Channel.Open(), 1))
    exchange(marshal(commands.Exchange.Declare(exchange=EXCHANGE, exchange_type="topic", durable=True), 1))
    return sock


def _head(size: int) -> bytes:
    properties = commands.Basic.Properties(
        content_type="application/json", delivery_mode=2, message_id=_ID.decode(), headers={}
    )
    return marshal(ContentHeader(properties=properties, body_size=size), 1)


class Publisher:
    """Facts and ticks as AMQP frames. `tours` is how many tours the facts are about, in rotation."""

    def __init__(self, sock: socket.socket, tours: int) -> None:
        self._sock = sock
        self._tours = tours
        self._publish = marshal(commands.Basic.Publish(exchange=EXCHANGE, routing_key=UPDATED), 1)
        self._heads: dict[int, bytes] = {}

    def _framed(self, head: bytes, body: bytes) -> bytes:
        return b"%b\x03\0\x01%b%b\xce" % (head, len(body).to_bytes(4, "big"), body)

    def fact(self, number: int, timestamp: str) -> bytes:
        """Return the frames of one fact."""
        tour = number % self._tours
        body = (
            f'{{"eventType":"{UPDATED}","eventId":"evt_{number:012d}","tourId":"t{tour:05d}",'
            f'"availableSeats":{number % CAPACITY},"timestamp":"{timestamp}","epoch":"{EPOCH}","version":{number},'
            f'"tourName":"Tour {tour}","capacity":{CAPACITY},"held":0}}'
        ).encode()
        head = self._heads.get(len(body))
        if head is None:
            head = self._heads[len(body)] = self._publish + _head(len(body))
        return self._framed(head.replace(_ID, b"evt_%012d" % number), body)

    def tick(self) -> None:
        """Publish a relay's sign of life."""
        body = f'{{"eventType":"seatcast.tick","epoch":"{EPOCH}","timestamp":"{now_iso()}","watermark":0}}'.encode()
        publish = marshal(commands.Basic.Publish(exchange=EXCHANGE, routing_key="seatcast.tick"), 1)
        self._sock.sendall(self._framed(publish + _head(len(body)), body))

    def send(self, first: int, last: int) -> None:
        """Publish the facts from `first` to `last` with one write."""
        timestamp = now_iso()
        self._sock.sendall(b"".join([self.fact(number, timestamp) for number in range(first, last + 1)]))


class Tours(BaseHTTPRequestHandler):
    """The tour service's one route, and how often it was asked."""

    protocol_version = "HTTP/1.1"
    body = b"[]"
    reads = 0

    def do_GET(self) -> None:
        body = self.body
        if self.path == "/reads":
            body = str(Tours.reads).encode()
        else:
            Tours.reads += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Seatcast-Epoch", EPOCH)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve_tours(port: int, tours: int) -> None:
    """Answer on a local port, in a thread."""
    Tours.body = json.dumps(
        [
            {
                "id": f"t{number:05d}", "name": f"Tour {number}", "available_seats": CAPACITY,
                "capacity": CAPACITY, "held": 0, "version": 0, "timestamp": now_iso(),
            }
            for number in range(tours)
        ]
    ).encode()  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", port), Tours)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> None:
    """Run until standard input ends."""
    url, port, tours = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    publisher = Publisher(connect(url), tours)
    serve_tours(port, tours)
    print("ready", flush=True)
    first = count = due_next = 0
    start = rate = late = next_tick = 0.0
    while True:
        now = time.monotonic()
        if now >= next_tick:
            publisher.tick()
            next_tick = now + 1.0
        wake = next_tick
        if due_next < first + count:
            due = min(first + count, first + int((now - start) * rate) + 1) if now >= start else first
            if due > due_next:
                late = max(late, now - (start + (due_next - first) / rate))
                publisher.send(due_next, due - 1)
                due_next = due
                if due_next == first + count:
                    print(f"{late * 1e3:.3f}", flush=True)
            wake = min(wake, max(start + (due_next - first) / rate, now + _SHORTEST_SLEEP))
        ready, _, _ = select.select([0], [], [], max(0.0, wake - time.monotonic()))
        if ready:
            line = os.read(0, 4_096).decode()
            if not line:
                return
            _, *numbers = line.split()
            first, count, start, rate = (
                int(numbers[0]),
                int(numbers[1]),
                int(numbers[2]) / 1e6,
                float(numbers[3]),
            )
            due_next, late = first, 0.0


if __name__ == "__main__":
    main()
