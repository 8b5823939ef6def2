"""The REST bodies of shared documents (CONTRACT 2). Decoded strictly, encoded as written here."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from seatcast.wire_documents import FieldChange, NewValue
from seatcast.wire_parts import RequestId, Version


class DocumentField(Struct, frozen=True, rename="camel"):
    """A field's text; `version` is that of the document when it was last changed, by whom and when."""

    value: str
    version: int
    user_id: str
    timestamp: str


class Document(Struct, frozen=True, rename="camel", kw_only=True):
    """A shared document. `head` is the number of the last Yjs update, `version` counts the changes of fields."""

    id: str
    version: int
    head: int
    epoch: str
    fields: dict[str, DocumentField]


class DocumentUpdates(Struct, frozen=True):
    """Yjs updates in base64, which together bring a document from the number that was asked for to `head`."""

    epoch: str
    head: int
    updates: list[bytes]


class NewDocumentUpdate(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One person's change. `token`: whose it is, if not the request's; it is verified like any other."""

    update: bytes
    token: str | UnsetType = UNSET

    def __repr__(self) -> str:
        # Without the token: representations end in logs.
        return f"NewDocumentUpdate({len(self.update)} bytes)"


class NewDocumentUpdates(Struct, frozen=True, forbid_unknown_fields=True):
    """Changes that are stored together. Each is taken or refused by itself."""

    updates: Annotated[list[NewDocumentUpdate], Meta(min_length=1, max_length=1_000)]


class RefusedUpdate(Struct, frozen=True):
    """Which of the updates was not taken, and the code of the error that says why."""

    index: int
    code: str


class DocumentStored(Struct, frozen=True):
    """Everything but what was refused is stored, by the update `head` at the latest."""

    epoch: str
    head: int
    refused: list[RefusedUpdate]


class NewDocumentEdit(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Set a field; with `base_version`, only if it was not changed since. The same `id` again has one effect."""

    changes: NewValue
    base_version: Version | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET


class DocumentEdited(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What everybody who follows the document is told, and whether this `id` had come before."""

    document_id: str
    user_id: str
    changes: FieldChange
    timestamp: str
    version: int
    repeated: bool
    id: RequestId | UnsetType = UNSET
