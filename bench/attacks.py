"""Hostile clients, and a polite one that notes how long it waits: programs of `hostile.py`.

`python -m bench.attacks PORT NAME` prints how many bytes were taken from it and which close code it got;
`python -m bench.attacks PORT polite` how long the server took to answer, once its standard input ends.
"""

from __future__ import annotations

import itertools
import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

MIB = 2**20
KEY = b"\0\0\0\0"
"""Masks nothing, and so costs the attacker nothing."""
MOST_SECONDS = 10.0
STUCK_SECONDS = 1.0
"""Without a byte taken, before an attacker turns to reading what it was told. Less than `CLOSE_SECONDS`: who reads
nothing for that long after the CLOSE is cut off, and what still waited for it, the CLOSE too, is lost."""


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return a client's frame."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((opcode | 0x80 * fin,)) + length + KEY + payload


@dataclass(frozen=True)
class Attack:
    """`first`, then `many` times `again`, over each of so many `connections`; `code` is what it has to be told."""

    title: str
    code: int
    again: bytes
    many: int
    first: bytes = b""
    connections: int = 1

    def blocks(self) -> Iterator[bytes]:
        """Return what one connection sends, in pieces of some 64 KiB."""
        if self.first:
            yield self.first
        at_once = min(self.many, max(1, 65_536 // len(self.again)))
        yield from itertools.repeat(self.again * at_once, self.many // at_once)


_PING = frame(9, b"x" * 125)
_TINY = frame(1, b"{}")

ATTACKS = {
    "pings": Attack("200 MiB of pings, pongs never read", 4429, _PING, 200 * MIB // len(_PING)),
    "pongs": Attack("1,000,000 pongs nobody asked for", 4429, frame(10, b""), 1_000_000),
    "fragments": Attack(
        "300,000 fragments of one byte", 1009, frame(0, b"x", fin=False), 300_000, frame(1, b"x", fin=False)
    ),
    "empty": Attack("1,000,000 empty fragments", 1009, frame(0, b"", fin=False), 1_000_000, frame(1, b"", fin=False)),
    "messages": Attack("400,000 messages `{}` in one burst", 4429, _TINY, 400_000),
    "subscribe": Attack(
        "400,000 subscriptions in one burst", 4429, frame(1, b'{"type":"SUBSCRIBE","tourId":"tour-1"}'), 400_000
    ),
    "nested": Attack("100 MiB of JSON nested 32,000 deep", 4429, frame(1, b"[" * 32_000), 100 * MIB // 32_000),
    "void": Attack("200 MiB after a violation", 1002, frame(1, b"x" * 32_000), 200 * MIB // 32_000, b"\x81\x00"),
    "announced": Attack("a frame that announces 2^62 bytes", 1009, b"x" * 1_024, 1_024, b"\x81\xff\x40" + bytes(7)),
    "crowd": Attack("500 clients at once, 10,000 messages `{}` each", 4429, _TINY, 10_000, connections=500),
}  # fmt: skip


def connected(port: int) -> socket.socket:
    """Return the socket of a client whose handshake was answered."""
    sock = socket.socket()
    # It reads little, so that what it is told soon waits on the server's side.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(
        b"GET /?tours=tour-1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    return sock


def attack(port: int, one: Attack) -> dict[str, object]:
    """Send all that is taken; returns the bytes taken and how often each close code came ("none": no CLOSE)."""
    sending = {}
    for _ in range(one.connections):
        sock = connected(port)
        sock.setblocking(False)
        sending[sock] = (one.blocks(), memoryview(b""))
    everybody = list(sending)
    began = progress = time.monotonic()
    sent = 0
    while sending and time.monotonic() - began < MOST_SECONDS and time.monotonic() - progress < STUCK_SECONDS:
        _, writable, _ = select.select([], list(sending), [], 0.1)
        for sock in writable:
            blocks, rest = sending[sock]
            rest = rest or memoryview(next(blocks, b""))
            try:
                taken = sock.send(rest)
            except BlockingIOError:
                continue
            except OSError:
                taken = 0
            if not taken:
                del sending[sock]
                continue
            sending[sock] = (blocks, rest[taken:])
            sent += taken
            progress = time.monotonic()
    codes = Counter(_close_code(sock) for sock in everybody)
    return {"sent": sent, "codes": codes, "seconds": progress - began}


def _close_code(sock: socket.socket) -> str:
    sock.settimeout(5)
    told = bytearray()
    try:
        while data := sock.recv(65_536):
            told += data
    except OSError:
        """Reset, or silent: what came counts."""
    at = 0
    while at + 2 <= len(told):
        size, start = told[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(told[start : start + 2], "big"), start + 2
        if told[at] == 0x88:
            return str(int.from_bytes(told[start : start + 2], "big"))
        at = start + size
    return "none"


def polite(port: int) -> dict[str, object]:
    """Ping from a few connections in turn, every few milliseconds, until standard input ends."""
    ping = frame(9, b"here")
    waits = []
    socks = [connected(port) for _ in range(5)]
    for sock in itertools.cycle(socks):
        began = time.monotonic()
        sock.sendall(ping)
        answer = b""
        while b"\x8a\x04here" not in answer:
            answer = answer[-6:] + sock.recv(4_096)
        waits.append(time.monotonic() - began)
        if select.select([sys.stdin], [], [], 0.004)[0]:
            return {
                "worst_ms": max(waits) * 1e3,
                "p50_ms": sorted(waits)[len(waits) // 2] * 1e3,
                "count": len(waits),
            }
    raise AssertionError


def main() -> None:
    """Run one of them."""
    port, name = int(sys.argv[1]), sys.argv[2]
    print(json.dumps(polite(port) if name == "polite" else attack(port, ATTACKS[name])), flush=True)


if __name__ == "__main__":
    main()
