"""What becomes of events that are no facts about tours: one function for each type.

Synchronous. A new type of event is a row of the table in `Routing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seatcast import wire_events
from seatcast.gateway.channels import Channels
from seatcast.gateway.conversations import Conversations
from seatcast.gateway.mailboxes import TEAM, Mailboxes
from seatcast.gateway.metrics import Metrics
from seatcast.message_frames import MessageEvent


class Routing:
    """Takes events to whoever follows what they are about."""

    def __init__(
        self,
        channels: Channels,
        mailboxes: Mailboxes,
        conversations: Conversations,
        figures: Callable[[wire_events.MetricsUpdated], None],
        present: Callable[[wire_events.GatewayPresent], None],
        metrics: Metrics,
        edited: Callable[[wire_events.DocumentEdited], None],
        documents: Callable[[Any], None] | None = None,
    ) -> None:
        self._channels = channels
        self._mailboxes = mailboxes
        self._metrics = metrics
        self._rows: dict[type[wire_events.Event], Callable[[Any], None]] = {
            wire_events.MetricsUpdated: figures,
            wire_events.GatewayPresent: present,
            wire_events.DocumentEdited: edited,
            wire_events.BookingConfirmedEvent: self._message,
            wire_events.BookingCancelledEvent: self._message,
            wire_events.HoldExpiredEvent: self._message,
            wire_events.ChatMessageSent: self._said,
            wire_events.ConversationUpdated: conversations.stands,
            wire_events.ChatTypingEvent: conversations.typing,
        }
        if documents is not None:
            self._rows[wire_events.DocumentUpdated] = documents
            self._rows[wire_events.DocumentAwareness] = documents

    def take(self, event: wire_events.Event) -> None:
        """Act on an event. One that nobody has a use for here is none of ours."""
        row = self._rows.get(type(event))
        if row is not None:
            row(event)

    # Messages

    def _message(self, event: MessageEvent) -> None:
        seq = event.seq if isinstance(event.seq, int) else None
        self._metrics.messages[self._mailboxes.take(event.user_id, seq, event)] += 1

    def _said(self, event: wire_events.ChatMessageSent) -> None:
        self._message(event)
        seq = event.support_seq if isinstance(event.support_seq, int) else None
        self._metrics.messages[self._mailboxes.take(TEAM, seq, event)] += 1
