"""Who is in a room, here and at other gateways, told to everybody: awareness on its way through the broker.

Every gateway says what is news, and again every few seconds who is there; of one that falls silent nobody is there.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

import structlog
from msgspec import UNSET

from seatcast import wire_events
from seatcast.gateway.rooms import Room
from seatcast.gateway.shared import Whisper
from seatcast.yjs import InvalidUpdate

log = structlog.get_logger(__name__)

SPREAD_SECONDS: Final = 0.05
"""How often cursors are told at most: stock clients answer each time."""

INTRODUCE_SECONDS: Final = 5.0
"""How often a gateway says again who is in its rooms."""

SILENT_SECONDS: Final = 12.0
"""After how long a gateway that says nothing of a room any more has nobody in it."""


class Company:
    """Of one room. `name` is this gateway's, which no other has."""

    def __init__(self, room: Room, whisper: Whisper, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._room = room
        self._whisper = whisper
        self._name = name
        self._loop = loop
        self._spread_at = 0.0
        self._spreading: asyncio.TimerHandle | None = None
        self._introduced = 0.0
        # Other gateways with somebody in this room, and when they were last heard.
        self._gateways: dict[str, float] = {}

    def spread_soon(self) -> None:
        """Tell what is news, if anything is: at once, or a little after the last time."""
        if self._spreading is None and self._room.awareness.news:
            at = max(self._loop.time(), self._spread_at + SPREAD_SECONDS)
            self._spreading = self._loop.call_at(at, self._spread)

    def _spread(self) -> None:
        self._spreading, self._spread_at = None, self._loop.time()
        elsewhere = self._room.spread()
        if elsewhere is not None:
            self._say(elsewhere)

    def end(self) -> None:
        """Tell nothing any more."""
        if self._spreading is not None:
            self._spreading.cancel()

    # Other gateways

    def ask(self) -> None:
        """Ask all gateways who is there."""
        self._say(None)

    def hear(self, event: wire_events.DocumentAwareness) -> None:
        """Act on what a gateway says or asks."""
        if event.gateway_id == self._name:
            return
        if event.update is UNSET:
            self._introduce()
            return
        self._gateways[event.gateway_id] = self._loop.time()
        try:
            self._room.awareness.hear(event.gateway_id, event.update, local=False)
        except InvalidUpdate:
            log.warning("A gateway said of its editors what cannot be read")
        self.spread_soon()

    def tend(self, now: float) -> None:
        """Say again who is here, and forget gateways that do not."""
        if self._room.peers and now - self._introduced >= INTRODUCE_SECONDS:
            self._introduce()
        for gateway, heard in list(self._gateways.items()):
            if now - heard > SILENT_SECONDS:
                del self._gateways[gateway]
                self._room.awareness.leave(gateway, local=False)
        self.spread_soon()

    def _introduce(self) -> None:
        self._introduced = self._loop.time()
        everybody = self._room.awareness.everybody(lambda owner: owner not in self._gateways)
        if everybody is not None:
            self._say(everybody)

    def _say(self, update: bytes | None) -> None:
        event_id = f"awareness_{secrets.token_hex(8)}"
        event = wire_events.DocumentAwareness(
            event_id=event_id,
            gateway_id=self._name,
            document_id=self._room.document_id,
            update=UNSET if update is None else update,
        )
        self._whisper(event_id, event)
