"""The WebSocket frames of shared documents. Changes letter by letter travel on sockets of their own, as Yjs has it
(`yjs.py`); these are the changes field by field, and a tour's description for everybody.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from seatcast.domain import FIELD_NAME, MAX_FIELD_BYTES
from seatcast.wire_parts import Id, RequestId, Version

FieldName = Annotated[str, Meta(pattern=FIELD_NAME)]

DocumentId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$(?!\n)")]


class FieldChange(Struct, frozen=True):
    """A field and the text that it now has."""

    field: FieldName
    value: str


class NewValue(Struct, frozen=True):
    """A field and the text that it is to have. PostgreSQL has no place for NUL in a text."""

    field: FieldName
    value: Annotated[str, Meta(max_length=MAX_FIELD_BYTES, pattern=r"^[^\x00]*$")]


# Server to client


class DocumentEdit(
    Struct, frozen=True, rename="camel", omit_defaults=True, tag="DOCUMENT_EDIT", kw_only=True
):
    """A field of a document has changed. Kind: ordered; `version` is the document's and has no gaps.

    `user_id` is who did it, or one of them where several typed at once. `id` is the author's own mark.
    """

    document_id: Id
    user_id: Id
    changes: FieldChange
    timestamp: str
    version: Version
    id: RequestId | UnsetType = UNSET


class TourDescription(Struct, frozen=True, rename="camel", tag="TOUR_DESCRIPTION", kw_only=True):
    """Latest value: how a tour is described."""

    tour_id: Id
    description: str
    version: Version
    timestamp: str


# Client to server


class EditDocument(
    Struct, frozen=True, rename="camel", omit_defaults=True, tag="DOCUMENT_EDIT", kw_only=True
):
    """Set a field. With `base_version`, only if the field was not changed since that version of the document.

    The same `id` again has one effect.
    """

    document_id: DocumentId
    changes: NewValue
    base_version: Version | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET
