"""`GET /api/messages`: what a user was told, or what was said in all conversations (docs/messages.md)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from seatcast import rest
from seatcast.domain import utc
from seatcast.message_frames import message_frame
from seatcast.tours import streams
from seatcast.tours.api import FRESH, REFUSALS
from seatcast.tours.callers import Callers
from seatcast.tours.database import Database
from seatcast.tours.problems import InvalidRequest, language

_MOST = 500


def message_routes(database: Database, callers: Callers) -> list[HTTPRouteHandler]:
    """Return the route of the caller's messages."""

    @get("/messages", responses={status: REFUSALS[status] for status in (400, 401, 403, 503)})
    async def list_messages(
        request: Request[Any, Any, Any],
        stream: Annotated[
            Literal["user", "support"],
            QueryParameter(
                description="The caller's own, or what is said in all conversations (role `support`)"
            ),
        ] = "user",
        since: Annotated[
            str | None,
            QueryParameter(
                min_length=1,
                max_length=128,
                pattern=r"^[^\x00]*$",
                description="A message's id: only later ones",
            ),
        ] = None,
        after: Annotated[
            str | None, QueryParameter(max_length=40, description="A moment: only later messages")
        ] = None,
        # Errors name a parameter as it is called here.
        afterSeq: Annotated[
            int | None, QueryParameter(ge=0, le=2**53, description="A number: only messages after it")
        ] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=_MOST)] = 100,
    ) -> Response[rest.Messages]:
        """List messages in order, from a place that the caller knows or from the oldest that is kept."""
        if stream == "support":
            identity = callers.allowed(request, "answer travellers")
            name = streams.SUPPORT
        else:
            identity = callers.user(request)
            name = streams.stream_of(identity.user)
        if sum(place is not None for place in (since, after, afterSeq)) > 1:
            raise InvalidRequest("query", "at most one of since, after and afterSeq")
        async with database.reading() as connection:
            page = await streams.read(
                connection, name, limit=limit, since=since, after=_moment(after), after_seq=afterSeq
            )
        spoken = language(request)
        body = rest.Messages(
            messages=[
                rest.NumberedMessage(seq, message_frame(event, language=spoken, reader=identity.user))
                for seq, event in page.messages
            ],
            head=page.head,
            resumed=page.resumed,
            more=page.more,
        )
        return Response(body, headers=FRESH | {"Content-Language": spoken})

    return [list_messages]


def _moment(given: str | None) -> str | None:
    try:
        return None if given is None else utc(given)
    except ValueError as error:
        raise InvalidRequest("query.after", str(error)) from None
