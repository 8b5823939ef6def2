"""Who is there, over all gateways, out of what each says of itself (`gateway.present`).

Both sides need it: the tour service counts, gateways tell travellers whether anybody of the support team is there.
Pure and synchronous; `now` is always the hearer's own clock, in seconds, so no clocks need to agree.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec.structs import replace

from seatcast.wire_events import GatewayPresent
from seatcast.wire_figures import GatewayFigures

PERIOD_SECONDS: Final = 2.0
"""How often a gateway says who is there, at least."""

SOON_SECONDS: Final = 0.5
"""How long it may keep a change to itself."""

SILENCE_SECONDS: Final = 9.5
"""After that a gateway is forgotten: so that everybody has, 10 s after it died, however often they look."""

HASH_BYTES: Final = 8

MAX_GATEWAYS: Final = 1_000
"""More are not remembered: each may have tens of thousands of users."""


def user_hash(user: str) -> bytes:
    """Return what stands for a user in an event: the same on every gateway, and too short to be collected as names."""
    return hashlib.blake2b(user.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()


class Presence:
    """What was heard. A gateway's newest word replaces the one before; instances of the same name are told apart."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str], tuple[float, GatewayPresent]] = {}
        self._users: int | None = None

    def hear(self, event: GatewayPresent, now: float) -> bool:
        """Take note of a gateway's word. Returns whether anything but its moment is new."""
        key = (event.gateway_id, event.instance)
        before = self._heard.get(key)
        if event.gone:
            if before is None:
                return False
            del self._heard[key]
        elif before is None and len(self._heard) >= MAX_GATEWAYS:
            return False
        else:
            self._heard[key] = (now, event)
            if before is not None and _same(before[1], event):
                return False
        self._users = None
        return True

    def forget(self, now: float) -> bool:
        """Forget gateways that have been silent for too long. Returns whether there were any."""
        silent = [key for key, (heard, _) in self._heard.items() if now - heard > SILENCE_SECONDS]
        for key in silent:
            del self._heard[key]
        if silent:
            self._users = None
        return bool(silent)

    @property
    def active_users(self) -> int:
        """Different users, and connections without one."""
        if self._users is None:
            users: set[bytes] = set()
            for _, event in self._heard.values():
                users.update(_hashes(event.users))
            self._users = len(users)
        return self._users + sum(event.anonymous for _, event in self._heard.values())

    @property
    def agents(self) -> list[str]:
        """Who of the support team is there, in order."""
        return sorted({agent for _, event in self._heard.values() for agent in event.agents})

    @property
    def metrics_followers(self) -> int:
        return sum(event.metrics_followers for _, event in self._heard.values())

    @property
    def gateways(self) -> list[GatewayFigures]:
        """Each gateway's figures, by name."""
        return [
            GatewayFigures(event.gateway_id, event.connections, len(event.users) // HASH_BYTES)
            for _, (_, event) in sorted(self._heard.items(), key=lambda item: item[0])
        ]


def _same(before: GatewayPresent, event: GatewayPresent) -> bool:
    return replace(before, event_id=event.event_id, timestamp=event.timestamp) == event


def _hashes(users: bytes) -> list[bytes]:
    return [users[at : at + HASH_BYTES] for at in range(0, len(users) - HASH_BYTES + 1, HASH_BYTES)]
