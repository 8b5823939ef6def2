"""The REST routes of shared documents (CONTRACT 2), for tokens with the role `staff`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter, RawBody
from msgspec import UNSET

from seatcast import rest_documents as rest
from seatcast.domain import DomainError, Forbidden, Unauthenticated
from seatcast.rights import NEEDS, may
from seatcast.tokens import Identity, InvalidToken
from seatcast.tours.api import BODY, FRESH, REFUSALS, read_body, traceparent
from seatcast.tours.callers import Callers
from seatcast.tours.document_changes import Part
from seatcast.tours.documents import Documents
from seatcast.tours.problems import InvalidRequest
from seatcast.wire_documents import DocumentId, FieldChange

MAX_UPDATES_BODY_BYTES: Final = 2 * 1024 * 1024

_ACT: Final = "edit documents"
_READ = {status: REFUSALS[status] for status in (400, 401, 403, 503)}
_WRITE = {status: REFUSALS[status] for status in (400, 401, 403, 409, 413, 503)}


def documents_routes(documents: Documents, callers: Callers) -> list[HTTPRouteHandler]:
    """Return the routes under `/api/documents`."""

    @get("/documents/{document_id:str}", responses=_READ)
    async def read_document(
        request: Request[Any, Any, Any], document_id: FromPath[str]
    ) -> Response[rest.Document]:
        """Read a document's fields. One that nobody has written to has none."""
        callers.allowed(request, _ACT)
        row, fields = await documents.read(_checked(document_id))
        body = rest.Document(
            id=row.id,
            version=row.version,
            head=row.head,
            epoch=documents.epoch,
            fields={f.field: rest.DocumentField(f.value, f.version, f.user_id, f.changed_at) for f in fields},
        )
        return Response(body, headers=FRESH)

    @get("/documents/{document_id:str}/updates", responses=_READ)
    async def read_updates(
        request: Request[Any, Any, Any],
        document_id: FromPath[str],
        since: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
    ) -> Response[rest.DocumentUpdates]:
        """Read the Yjs updates that bring a document from the update `since` to its newest."""
        callers.allowed(request, _ACT)
        head, updates = await documents.updates(_checked(document_id), since)
        return Response(rest.DocumentUpdates(documents.epoch, head, list(updates)), headers=FRESH)

    @post(
        "/documents/{document_id:str}/updates",
        status_code=200,
        responses=_WRITE,
        opt={BODY: rest.NewDocumentUpdates},
        request_max_body_size=MAX_UPDATES_BODY_BYTES,
    )
    async def add_updates(
        request: Request[Any, Any, Any], document_id: FromPath[str], body: RawBody
    ) -> Response[rest.DocumentStored]:
        """Store Yjs updates, of one caller or of several; each is taken or refused by itself."""
        caller = callers.allowed(request, _ACT)
        sent = read_body(rest.NewDocumentUpdates, body).updates
        refused: dict[int, DomainError] = {}
        parts: dict[int, Part] = {}
        for index, one in enumerate(sent):
            try:
                author = caller if one.token is UNSET else _author(callers, one.token)
                parts[index] = Part(author.user, one.update)
            except DomainError as error:
                refused[index] = error
        stored = await documents.add(_checked(document_id), list(parts.values()), traceparent(request))
        places = list(parts)
        refused |= {places[place]: error for place, error in stored.refused.items()}
        said = [rest.RefusedUpdate(index, error.code) for index, error in sorted(refused.items())]
        return Response(rest.DocumentStored(documents.epoch, stored.head, said), headers=FRESH)

    @post(
        "/documents/{document_id:str}/edits",
        status_code=200,
        responses=_WRITE,
        opt={BODY: rest.NewDocumentEdit},
    )
    async def edit_document(
        request: Request[Any, Any, Any], document_id: FromPath[str], body: RawBody
    ) -> Response[rest.DocumentEdited]:
        """Set a field's text. The same `id` again, from the same user, has one effect."""
        caller = callers.allowed(request, _ACT)
        data = read_body(rest.NewDocumentEdit, body)
        edited = await documents.edit(
            _checked(document_id),
            caller.user,
            data.changes.field,
            data.changes.value,
            base_version=None if data.base_version is UNSET else data.base_version,
            mark=data.id,
            traceparent=traceparent(request),
        )
        answer = rest.DocumentEdited(
            document_id=document_id,
            user_id=caller.user,
            changes=FieldChange(data.changes.field, data.changes.value),
            timestamp=edited.timestamp,
            version=edited.version,
            repeated=edited.repeated,
            id=data.id,
        )
        return Response(answer, headers=FRESH)

    return [read_document, read_updates, add_updates, edit_document]


def _checked(document_id: str) -> str:
    try:
        checked: str = msgspec.convert(document_id, DocumentId)
    except msgspec.ValidationError as error:
        raise InvalidRequest("path.document_id", str(error)) from None
    return checked


def _author(callers: Callers, token: str) -> Identity:
    try:
        identity = callers.tokens.verify(token)
    except InvalidToken as error:
        raise Unauthenticated(reason=str(error)) from None
    if not may(identity, _ACT):
        raise Forbidden(role=NEEDS[_ACT])
    return identity
