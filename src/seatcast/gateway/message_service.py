"""What a gateway reads of messages from the tour service, always as somebody who may read it: with their token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import httpx
import msgspec

from seatcast import rest
from seatcast.domain import iso, utc
from seatcast.gateway.mailbox import Letter, Place
from seatcast.gateway.mailboxes import TEAM
from seatcast.gateway.session import Session
from seatcast.message_frames import message_event
from seatcast.wire_messages import ConversationUpdate

PAGE: Final = 100

CLOCKS_SECONDS: Final = 2.0
"""How far the clocks of a gateway and of a tour service may be apart."""

TIMEOUT_SECONDS: Final = 5.0

Query = dict[str, str | int]

_messages = msgspec.json.Decoder(rest.Messages).decode
_conversations = msgspec.json.Decoder(rest.Conversations).decode


class Unreadable(Exception):
    """The tour service did not answer as it should. The text says how, without secrets."""


class MessageService:
    """The tour service's routes of messages; `client` knows its address."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def page(self, reader: Session, stream: str, query: Query) -> rest.Messages:
        """Return a page of a stream. Raises `Unreadable`."""
        name = "support" if stream == TEAM else "user"
        body = await self._get(reader, "/api/messages", {"stream": name, "limit": PAGE, **query})
        try:
            return _messages(body)
        except ValueError:
            raise Unreadable("answered what are no messages") from None

    async def conversations(self, reader: Session) -> list[ConversationUpdate]:
        """Return how the newest conversations stand that somebody may read. Raises `Unreadable`."""
        body = await self._get(reader, "/api/conversations", {"limit": PAGE})
        try:
            return [conversation.state for conversation in _conversations(body).conversations]
        except ValueError:
            raise Unreadable("answered what are no conversations") from None

    async def _get(self, reader: Session, path: str, query: Query) -> bytes:
        try:
            answer = await self._client.get(
                path,
                params=query,
                headers={"Accept": "application/json", "Authorization": f"Bearer {reader.token}"},
                timeout=TIMEOUT_SECONDS,
            )
        except httpx.HTTPError as error:
            # The kind alone: texts of errors may hold URLs.
            raise Unreadable(f"cannot be reached ({type(error).__name__})") from None
        if answer.status_code != httpx.codes.OK:
            raise Unreadable(f"answered {answer.status_code}")
        return answer.content


def after(place: Place) -> Query:
    """Return the query for what comes after a place."""
    if place.seq is not None:
        return {"afterSeq": place.seq}
    return {"after": _before(place.moment)}


def since_moment(since: str) -> Query | None:
    """Return the query for what comes after a moment that a client named; None for what is no moment."""
    try:
        return {"after": _before(datetime.fromisoformat(utc(since)).timestamp())}
    except ValueError:
        return None


def _before(moment: float) -> str:
    """Return a moment of our clock as one that is not later on the tour service's."""
    return iso(datetime.fromtimestamp(moment - CLOCKS_SECONDS, UTC))


def letters_of(page: rest.Messages, reader: Session) -> list[Letter]:
    """Return the messages of a page that somebody read."""
    user = reader.user or ""
    return [Letter(message.seq, message_event(message.frame, user)) for message in page.messages]
