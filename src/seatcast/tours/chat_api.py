"""The support chat's REST routes: a traveller's own conversation, and all of them for tokens with the role `support`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Request, Response, delete, get, post, put
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter, RawBody
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import UNSET

from seatcast import chat, rest
from seatcast.domain import ConversationNotFound
from seatcast.message_frames import chat_frame
from seatcast.rights import may
from seatcast.tokens import Identity
from seatcast.tours import chat_store
from seatcast.tours.api import BODY, FRESH, REFUSALS, read_body, traceparent
from seatcast.tours.callers import Callers
from seatcast.tours.chat_store import Saying
from seatcast.tours.conversations import Conversations, state_of
from seatcast.tours.problems import InvalidRequest
from seatcast.wire_messages import ConversationUpdate


def _refused(*statuses: int) -> dict[int, ResponseSpec]:
    return {status: REFUSALS[status] for status in statuses}


_PREFIX = "/api/conversations/"
_SLASH = "\x00"
"""Stands for a slash inside an id until the routes have told the parts of a path apart. No id has it: no token may."""


@dataclass(frozen=True, slots=True)
class WholeIds:
    """An ASGI application in front of `others`, to which users' ids may have slashes, as addresses and some providers' have.

    Frameworks see a path in which `%2F` is a slash already.
    """

    others: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"].startswith(_PREFIX):
            raw = scope["raw_path"].partition(b"?")[0].decode("ascii", "replace")
            if "%2f" in raw.lower():
                scope["path"] = "/".join(unquote(part).replace("/", _SLASH) for part in raw.split("/"))
        await self.others(scope, receive, send)


def _whole(conversation_id: str) -> str:
    return conversation_id.replace(_SLASH, "/")


def conversation_routes(conversations: Conversations, callers: Callers) -> list[HTTPRouteHandler]:
    """Return the routes under `/api/conversations`."""
    database = conversations.database

    def opened(request: Request[Any, Any, Any], named: str) -> tuple[Identity, str]:
        """Return who is calling, and the conversation that they name. Raises `Forbidden`, as `Callers.user` does."""
        identity = callers.user(request)
        agent = may(identity, "answer travellers")
        return identity, chat.conversation_of(identity.user, _whole(named), agent=agent)

    @get("/conversations", responses=_refused(400, 401, 503))
    async def list_conversations(
        request: Request[Any, Any, Any],
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
        before: Annotated[
            int | None, QueryParameter(ge=0, le=2**53, description="What the page before said")
        ] = None,
    ) -> Response[rest.Conversations]:
        """List conversations, the one in which something was said last first; a traveller's only one."""
        identity = callers.user(request)
        async with database.reading() as connection:
            if may(identity, "answer travellers"):
                found = await chat_store.latest(connection, limit + 1, before)
            else:
                own = await chat_store.conversation(connection, identity.user)
                found = [own] if own is not None and (before is None or own.last_seq < before) else []
            last = await chat_store.messages_by_id(connection, [c.last_message for c in found[:limit]])
            unanswered = [c.id for c in found[:limit] if last[c.last_message].sender == c.id]
            waiting = await chat_store.waiting(connection, unanswered) if unanswered else {}
        shown = [
            rest.Conversation(
                state=state_of(c),
                last_message=chat_frame(last[c.last_message], reader=identity.user),
                waiting_since=waiting.get(c.id, UNSET),
            )
            for c in found[:limit]
        ]
        more = found[limit - 1].last_seq if len(found) > limit else UNSET
        return Response(rest.Conversations(conversations=shown, before=more), headers=FRESH)

    @get("/conversations/{conversation_id:str}/messages", responses=_refused(400, 401, 403, 404, 503))
    async def read_messages(
        request: Request[Any, Any, Any],
        conversation_id: FromPath[str],
        limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
        since: Annotated[
            str | None, QueryParameter(max_length=128, description="A message's id: only newer ones")
        ] = None,
        before: Annotated[
            str | None, QueryParameter(max_length=128, description="A message's id: only older ones")
        ] = None,
    ) -> Response[rest.Said]:
        """Read what was said, oldest first: the first ones since a message, or the last ones (before a message)."""
        identity, talk = opened(request, conversation_id)
        if since is not None and before is not None:
            raise InvalidRequest("query", "at most one of since and before can be given")
        async with database.reading() as connection:
            if identity.user != talk and await chat_store.conversation(connection, talk) is None:
                raise ConversationNotFound
            if since is not None:
                found = await chat_store.said_since(connection, talk, since, limit + 1)
                shown = found[:limit]
            else:
                found = await chat_store.said_before(connection, talk, before, limit + 1)
                shown = found[-limit:]
        body = rest.Said(
            messages=[chat_frame(event, reader=identity.user) for event in shown], more=len(found) > limit
        )
        return Response(body, headers=FRESH)

    @post(
        "/conversations/{conversation_id:str}/messages",
        status_code=200,
        responses=_refused(400, 401, 403, 404, 409, 413, 503),
        opt={BODY: rest.NewMessage},
    )
    async def say(
        request: Request[Any, Any, Any], conversation_id: FromPath[str], body: RawBody
    ) -> Response[rest.SentMessage]:
        """Say something: a traveller to the team (`support`), an agent to any traveller. Repeating it changes nothing."""
        identity, talk = opened(request, conversation_id)
        data = read_body(rest.NewMessage, body)
        sent = await conversations.say(
            Saying(identity.user, talk, data.message, data.id, traceparent(request))
        )
        return Response(
            rest.SentMessage(message=chat_frame(sent.event, reader=identity.user), repeated=sent.repeated)
        )

    @post(
        "/conversations/{conversation_id:str}/marks",
        status_code=200,
        responses=_refused(400, 401, 403, 404, 413, 503),
        opt={BODY: rest.NewMark},
    )
    async def mark(
        request: Request[Any, Any, Any], conversation_id: FromPath[str], body: RawBody
    ) -> Response[ConversationUpdate]:
        """Mark everything up to a message as delivered to, or read by, the caller's side. Marks never go back."""
        identity, talk = opened(request, conversation_id)
        data = read_body(rest.NewMark, body)
        side = chat.side_of(identity.user, talk)
        return Response(state_of(await conversations.mark(talk, side, data.mark, data.message_id)))

    @put("/conversations/{conversation_id:str}/agent", responses=_refused(401, 403, 404, 409, 503))
    async def take(
        request: Request[Any, Any, Any], conversation_id: FromPath[str]
    ) -> Response[ConversationUpdate]:
        """Take a conversation: the first agent who does has it."""
        identity = callers.allowed(request, "answer travellers")
        return Response(state_of(await conversations.take(_whole(conversation_id), identity.user)))

    @delete(
        "/conversations/{conversation_id:str}/agent",
        status_code=200,
        responses=_refused(401, 403, 404, 503),
    )
    async def release(
        request: Request[Any, Any, Any], conversation_id: FromPath[str]
    ) -> Response[ConversationUpdate]:
        """Release a conversation: an agent their own, an administrator anybody's."""
        identity = callers.user(request)
        anyones = may(identity, "release any conversation")
        if not anyones:
            callers.allowed(request, "answer travellers")
        return Response(
            state_of(await conversations.release(_whole(conversation_id), identity.user, anyones=anyones))
        )

    return [list_conversations, read_messages, say, mark, take, release]
