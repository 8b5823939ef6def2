"""What gateways tell each other through the broker and nobody stores: of each kind only the last matters.

It may be lost. What the broker does not take at once is not sent later: by then it is not true any more.
"""

from __future__ import annotations

import asyncio
from typing import Final

from seatcast import wire_events
from seatcast.broker import Broker, passing

MAX_WAITING: Final = 1_000
"""Different ones that wait for the broker; more are not said."""


class Whispers:
    """Says events of one gateway. `run` it in a task group; it returns only when cancelled."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._waiting: dict[str, wire_events.Event] = {}
        self._due = asyncio.Event()

    def say(self, about: str, event: wire_events.Event) -> None:
        """Tell every gateway, this one too; in place of what waits to be said `about` the same."""
        if about in self._waiting or len(self._waiting) < MAX_WAITING:
            self._waiting[about] = event
            self._due.set()

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            waiting, self._waiting = self._waiting, {}
            await self._broker.publish([passing(event) for event in waiting.values()])
