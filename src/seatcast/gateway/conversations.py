"""How conversations stand, and who is typing, to both ends: the traveller and the support team. Synchronous.

Of both only the newest matters. An older state is not told after a newer one, so what is read after a doubt may be
told like what the broker brings.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, cast

from msgspec import UNSET

from seatcast import wire
from seatcast.gateway.channels import Follower
from seatcast.gateway.connection import Connection
from seatcast.gateway.mailboxes import TEAM, Mailboxes
from seatcast.gateway.messages import text_frame
from seatcast.wire_events import ChatTypingEvent, ConversationUpdated
from seatcast.wire_messages import ChatTyping, ConversationUpdate

MAX_VERSIONS: Final = 10_000
"""Conversations whose version is remembered."""


class Conversations:
    """The conversations of which one gateway hears; whoever follows their streams is told."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes
        self._versions: dict[str, int] = {}

    def stands(self, state: ConversationUpdated | ConversationUpdate) -> None:
        """Tell both ends how their conversation stands, if that is news."""
        id = state.conversation_id
        if state.version <= self._versions.get(id, -1):
            return
        self._versions.pop(id, None)
        self._versions[id] = state.version
        if len(self._versions) > MAX_VERSIONS:
            del self._versions[next(iter(self._versions))]
        fields = {name: getattr(state, name) for name in ConversationUpdate.__struct_fields__ if name != "id"}
        _tell(self._ends(id), f"conversation {id}", ConversationUpdate(**fields, id=UNSET))

    def typing(self, event: ChatTypingEvent) -> None:
        """Tell both ends but who is typing."""
        id = event.conversation_id
        others = [one for one in self._ends(id) if cast(Connection, one).session.user != event.sender]
        frame = ChatTyping(conversation_id=id, sender=event.sender, timestamp=event.timestamp)
        _tell(others, f"typing {event.sender} {id}", frame)

    def _ends(self, id: str) -> set[Follower]:
        return {*self._mailboxes.followers(id), *self._mailboxes.followers(TEAM)}

    def readers(self) -> list[str]:
        """Return the streams whose followers together may read how all of these conversations stand."""
        if self._mailboxes.followers(TEAM):
            return [TEAM]
        return [id for id in self._versions if self._mailboxes.followers(id)]

    def restart(self) -> None:
        """Another database: its versions begin anew."""
        self._versions.clear()


def _tell(followers: Collection[Follower], kind: str, frame: wire.ServerFrame) -> None:
    if followers:
        data = text_frame(wire.encode(frame))
        for follower in followers:
            cast(Connection, follower).notify(kind, data)
