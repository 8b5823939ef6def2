"""What no adapter takes or holds, so that a message is refused, or a slow reader told, alike with either of them."""

from __future__ import annotations

from seatcast.broker import Message, MessageRefused

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes. RabbitMQ 4's own default; an event has a few hundred."""
LONGEST_KEY = 255
"""Bytes of a routing key or an event id: an AMQP 0-9-1 short string."""
MOST_WAITING = 10_000
"""Messages that wait for one subscription's reader before the oldest are lost."""


def refusal(message: Message, largest_body: int = LARGEST_BODY) -> MessageRefused | None:
    """Say why a message can never be sent, or None."""
    if len(message.body) > largest_body:
        return MessageRefused(f"a body of {len(message.body)} bytes; at most {largest_body} are taken")
    for what, value in (
        ("routing key", message.routing_key),
        ("event id", message.event_id),
        ("traceparent", message.traceparent or ""),
    ):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            return MessageRefused(f"a {what} that is not UTF-8")
        if size > LONGEST_KEY:
            return MessageRefused(f"a {what} of {size} bytes; at most {LONGEST_KEY} are taken")
    return None
