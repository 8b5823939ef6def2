"""Who may follow, read and write what: the one table (docs/authentication.md says it in prose).

An act is what somebody does; `NEEDS` says whom it takes. Every route of REST, every WebSocket, every channel and every
message that a client may send is a row that names its act: one for what is the caller's own (or everybody's), and one for what
is others' (or not for everybody), where there is a difference. A role implies no other: a token lists each that it has.

Where a token is required (`--auth required`), nobody is anybody any more, but for those who read tours over REST.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from seatcast.tokens import Identity

Who = Literal["anybody", "user", "staff", "support", "admin"]
"""Anybody, whoever has a token, or whoever has a token with this role."""

Act = Literal[
    "see tours",
    "book",
    "have messages",
    "write to the team",
    "answer travellers",
    "release any conversation",
    "change tours",
    "see what is closed",
    "open any booking",
    "edit documents",
    "follow metrics",
    "see the service",
]

NEEDS: Final[dict[Act, Who]] = {
    "see tours": "anybody",
    "see the service": "anybody",  # its pages, its description, its health: what a proxy may keep to itself
    "book": "anybody",
    "have messages": "user",
    "write to the team": "user",
    "answer travellers": "support",
    "release any conversation": "admin",
    "change tours": "staff",
    "see what is closed": "staff",
    "open any booking": "staff",
    "edit documents": "staff",
    "follow metrics": "admin",
}


class Rule(NamedTuple):
    """What it takes: with what is one's own, and with what is others'. None: that cannot be done at all."""

    own: Act
    others: Act | None = None


ROUTES: Final[dict[str, Rule]] = {
    "GET /api/tours": Rule("see tours", "see what is closed"),
    "GET /api/tours/{tour_id}": Rule("see tours", "see what is closed"),
    "GET /api/tours/availability": Rule("see tours"),
    "GET /api/tours/availability/stream": Rule("see tours"),
    "POST /api/tours/{tour_id}/book": Rule("book"),
    "GET /api/bookings": Rule("have messages"),
    "GET /api/bookings/{booking_id}": Rule("book", "open any booking"),
    "DELETE /api/bookings/{booking_id}": Rule("book", "open any booking"),
    "POST /api/tours": Rule("change tours"),
    "PATCH /api/tours/{tour_id}": Rule("change tours"),
    "POST /api/tours/{tour_id}/departures": Rule("change tours"),
    "PATCH /api/tours/{tour_id}/departures/{departure_id}": Rule("change tours"),
    "GET /api/messages": Rule("have messages", "answer travellers"),
    "GET /api/conversations": Rule("write to the team", "answer travellers"),
    "GET /api/conversations/{conversation_id}/messages": Rule("write to the team", "answer travellers"),
    "POST /api/conversations/{conversation_id}/messages": Rule("write to the team", "answer travellers"),
    "POST /api/conversations/{conversation_id}/marks": Rule("write to the team", "answer travellers"),
    "PUT /api/conversations/{conversation_id}/agent": Rule("answer travellers"),
    "DELETE /api/conversations/{conversation_id}/agent": Rule(
        "answer travellers", "release any conversation"
    ),
    "GET /api/documents/{document_id}": Rule("edit documents"),
    "GET /api/documents/{document_id}/updates": Rule("edit documents"),
    "POST /api/documents/{document_id}/updates": Rule("edit documents"),
    "POST /api/documents/{document_id}/edits": Rule("edit documents"),
    "GET /api/metrics": Rule("follow metrics"),
    "GET /api/config": Rule("see the service"),
    "POST /api/demo/sessions": Rule("see the service"),  # with `--demo` alone
    "GET /": Rule("see the service"),
    "GET /{path}": Rule("see the service"),
    "GET /docs": Rule("see the service"),
    "GET /docs/start.js": Rule("see the service"),
    "GET /openapi.json": Rule("see the service"),
    "GET /health/live": Rule("see the service"),
    "GET /health/ready": Rule("see the service"),
    "GET /metrics": Rule("see the service"),
}
"""REST, by method and path."""

SOCKETS: Final[dict[str, Act]] = {
    "/": "see tours",
    "/ws": "see tours",
    "/websocket": "see tours",
    "/documents/{document_id}": "edit documents",
}
"""WebSockets, by path."""

CHANNELS: Final[dict[str, Act]] = {
    "random-numbers": "see tours",
    "metrics": "follow metrics",
    "support": "answer travellers",
    "document:": "edit documents",
}
"""Following. A name that ends with a colon stands for all that begin with it and go on."""

COMMANDS: Final[dict[str, Rule]] = {
    "PING": Rule("see tours"),
    "AUTH": Rule("see tours"),
    "SUBSCRIBE": Rule("see tours"),  # to a tour; to a channel, what that takes
    "UNSUBSCRIBE": Rule("see tours"),
    "CHAT_MESSAGE": Rule("write to the team", "answer travellers"),
    "CHAT_TYPING": Rule("write to the team", "answer travellers"),
    "CHAT_MARK": Rule("write to the team", "answer travellers"),
    "CHAT_TAKE": Rule("answer travellers"),
    "CHAT_RELEASE": Rule("answer travellers", "release any conversation"),
    "DOCUMENT_EDIT": Rule("edit documents"),
}
"""A client's messages over the WebSocket, by their `type`. What changes something is judged again by the tour service."""


def may(identity: Identity | None, act: Act) -> bool:
    """Say whether a token's user, or nobody in particular, may do this."""
    needed = NEEDS[act]
    if needed == "anybody":
        return True
    return identity is not None and (needed == "user" or needed in identity.roles)


def channel_act(channel: str) -> Act | None:
    """Return what following a channel takes; None for one that is not in the table."""
    prefix, colon, rest = channel.partition(":")
    return CHANNELS.get(prefix + colon) if bool(rest) is bool(colon) else None
