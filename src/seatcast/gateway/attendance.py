"""Tells everybody, through the broker, who is connected to this gateway: `gateway.present` (`presence.py`).

Everybody is counted anew when somebody came, left or said who they are, and never more often than costs some hundredth
of the time. Nothing is stored: what the broker does not take at once is said again, as it then is.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from seatcast.broker import Broker, passing
from seatcast.domain import new_id
from seatcast.gateway.audience import Audience
from seatcast.gateway.channels import METRICS
from seatcast.gateway.server import Server
from seatcast.gateway.shared import Stranger
from seatcast.presence import PERIOD_SECONDS, SOON_SECONDS, user_hash
from seatcast.rights import may
from seatcast.tokens import Identity
from seatcast.wire_events import GatewayPresent

_LOOK_SECONDS: Final = SOON_SECONDS / 4
_SHARE: Final = 0.02
"""Of the time, at most, for counting: 20,000 users take some milliseconds."""

_GOODBYE_SECONDS: Final = 1.0


class Attendance:
    """One gateway's part. `run` it in a task group; it returns only when cancelled."""

    def __init__(self, server: Server, audience: Audience, broker: Broker, gateway_id: str) -> None:
        self._server = server
        self._audience = audience
        self._broker = broker
        self._hashes: dict[str, bytes] = {}
        self._present = GatewayPresent(
            event_id="",
            gateway_id=gateway_id,
            instance=secrets.token_urlsafe(6),
            connections=0,
            anonymous=0,
            users=b"",
            agents=[],
            metrics_followers=0,
            timestamp="",
        )

    def _changes(self) -> tuple[int, int, int]:
        followers = self._server.channels.followers(METRICS)
        return self._server.changes, self._audience.changes, len(followers)

    def _everybody(self) -> Iterator[Identity | Stranger | None]:
        for connection in self._server.connections:
            if not connection.closing:
                yield connection.session.identity
        for one in self._audience.here:
            yield one.identity

    def count(self) -> GatewayPresent:
        """Return who is here now."""
        users: dict[str, bytes] = {}
        agents: set[str] = set()
        connections = anonymous = 0
        for identity in self._everybody():
            connections += 1
            if not isinstance(identity, Identity):
                anonymous += 1
                continue
            user = identity.user
            if user not in users:
                users[user] = self._hashes.get(user) or user_hash(user)
            if may(identity, "answer travellers"):
                agents.add(user)
        self._hashes = users
        return replace(
            self._present,
            connections=connections,
            anonymous=anonymous,
            users=b"".join(sorted(users.values())),
            agents=sorted(agents),
            metrics_followers=len(self._server.channels.followers(METRICS)),
        )

    async def run(self) -> None:
        """Say for ever who is here: every `PERIOD_SECONDS`, and within `SOON_SECONDS` of a change."""
        counted = None
        while True:
            changes, began = self._changes(), time.perf_counter()
            if changes != counted:
                counted, self._present = changes, self.count()
            took = time.perf_counter() - began
            await self._say(self._present)
            said = time.monotonic()
            await asyncio.sleep(min(PERIOD_SECONDS, max(SOON_SECONDS - 2 * _LOOK_SECONDS, took / _SHARE)))
            # Waking somebody at every change would cost each connection more than looking now and then.
            while self._changes() == counted and time.monotonic() - said < PERIOD_SECONDS:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)

    async def leave(self) -> None:
        """Say goodbye, once `run` has ended, so that nobody waits for us. Within a second."""
        nobody = replace(self.count(), connections=0, anonymous=0, users=b"", agents=[], metrics_followers=0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._say(replace(nobody, gone=True))

    async def _say(self, present: GatewayPresent) -> None:
        event = replace(present, event_id=new_id("evt"), timestamp=self._server.present())
        await self._broker.publish([passing(event)])
