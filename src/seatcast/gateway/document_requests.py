"""What rooms ask the tour service: to store changes, each with its author's token, and for what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import httpx
import msgspec

from seatcast import rest
from seatcast.gateway.unsaved import Part, Peer
from seatcast.rest_documents import (
    Document,
    DocumentStored,
    DocumentUpdates,
    NewDocumentUpdate,
    NewDocumentUpdates,
)
from seatcast.wire import CloseCode

TIMEOUT_SECONDS: Final = 5.0


class Refused(Exception):
    """The tour service does not let the peer that is asked for do this; `code` is what it is closed with."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


REFUSALS: Final = (Refused, httpx.HTTPError, ValueError)
"""All that asking the tour service can end with, but an answer."""

_stored = msgspec.json.Decoder(DocumentStored).decode
_updates = msgspec.json.Decoder(DocumentUpdates).decode
_document = msgspec.json.Decoder(Document).decode
_tour = msgspec.json.Decoder(rest.Tour).decode


async def store(client: httpx.AsyncClient, document_id: str, parts: Sequence[Part]) -> DocumentStored:
    """Have changes stored. Raises `Refused` of the first part's peer, `httpx.HTTPError`, and `ValueError` for an
    answer that is none: then nobody knows.
    """
    body = NewDocumentUpdates([NewDocumentUpdate(update=p.update, token=p.peer.token) for p in parts])
    answer = await client.post(
        f"/api/documents/{document_id}/updates",
        content=msgspec.json.encode(body),
        headers=_headers(parts[0].peer.token) | {"Content-Type": "application/json"},
        timeout=TIMEOUT_SECONDS,
    )
    if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        refused = [{"index": index, "code": "DOCUMENT_TOO_LARGE"} for index in range(len(parts))]
        return msgspec.convert({"epoch": "", "head": 0, "refused": refused}, DocumentStored)
    return _stored(_body(answer))


async def read(client: httpx.AsyncClient, document_id: str, since: int, peer: Peer) -> DocumentUpdates:
    """Read what is stored after an update, as a peer may. Raises as `store` does."""
    answer = await client.get(
        f"/api/documents/{document_id}/updates",
        params={"since": since},
        headers=_headers(peer.token),
        timeout=TIMEOUT_SECONDS,
    )
    return _updates(_body(answer))


async def read_document(client: httpx.AsyncClient, document_id: str, token: str) -> Document:
    """Read a document's fields, as the bearer of a token may. Raises `REFUSALS`."""
    answer = await client.get(
        f"/api/documents/{document_id}",
        headers=_headers(token),
        timeout=TIMEOUT_SECONDS,
    )
    return _document(_body(answer))


async def read_tour(client: httpx.AsyncClient, tour_id: str) -> rest.Tour:
    """Read a tour, which needs no token. Raises `REFUSALS`."""
    path = f"/api/tours/{quote(tour_id, safe='')}"
    return _tour(_body(await client.get(path, timeout=TIMEOUT_SECONDS)))


def _headers(token: str) -> dict[str, str]:
    return {"Accept": "application/json", "Authorization": f"Bearer {token}"}


def _body(answer: httpx.Response) -> bytes:
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise Refused(CloseCode.UNAUTHENTICATED)
    if answer.status_code == httpx.codes.FORBIDDEN:
        raise Refused(CloseCode.FORBIDDEN)
    if not answer.is_success:
        raise ValueError(f"answered {answer.status_code}")
    return answer.content
