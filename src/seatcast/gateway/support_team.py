"""Who of the support team is there, on any gateway: the team is told who, travellers who signed in how many.

A traveller who is told nothing may take it that nobody is there.
"""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec import UNSET

from seatcast import wire
from seatcast.gateway.channels import SIGNED_IN, SUPPORT
from seatcast.gateway.messages import text_frame
from seatcast.gateway.server import Server
from seatcast.presence import Presence
from seatcast.tokens import Identity
from seatcast.wire_events import GatewayPresent
from seatcast.wire_messages import SupportPresence

_KIND: Final = "support team"
_LOOK_SECONDS: Final = 0.5


class SupportTeam:
    """What one gateway knows of it. `run` it in a task group; it returns only when cancelled."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._presence = Presence()
        self._agents: list[str] = []
        server.channels.greet(SUPPORT, _KIND, self._for_the_team)
        server.channels.greet(SIGNED_IN, _KIND, lambda: self._frame() if self._agents else None)

    async def run(self) -> None:
        """Forget for ever who has not been heard of, and tell travellers."""
        told = 0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._presence.forget(self._server.clock()):
                self._tell()
            # Not at once: there may be many of them, and whoever of the team reconnects was hardly away.
            if told != len(self._agents):
                told = len(self._agents)
                self._tell_travellers(text_frame(wire.encode(self._frame())))

    def hear(self, event: GatewayPresent) -> None:
        """Take note of who is on a gateway."""
        if self._presence.hear(event, self._server.clock()):
            self._tell()

    def _tell(self) -> None:
        before, self._agents = self._agents, self._presence.agents
        if before != self._agents:
            self._server.channels.publish(SUPPORT, self._for_the_team(), _KIND)

    def _tell_travellers(self, frame: bytes) -> None:
        for connection in self._server.connections:
            session = connection.session
            if isinstance(session.identity, Identity) and SUPPORT not in session.channels:
                connection.notify(_KIND, frame)

    def _for_the_team(self) -> SupportPresence:
        return self._frame(self._agents)

    def _frame(self, agents: list[str] | None = None) -> SupportPresence:
        return SupportPresence(
            present=len(self._agents),
            timestamp=self._server.present(),
            agents=UNSET if agents is None else agents,
        )
