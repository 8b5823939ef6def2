"""What one change of a document is: people's parts of it, taken together, and the rows that it is stored as."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from seatcast import wire_events
from seatcast.domain import (
    MAX_FIELD_BYTES,
    MAX_UPDATE_BYTES,
    DocumentTooLarge,
    DocumentUpdateIncomplete,
    DocumentUpdateInvalid,
    new_id,
)
from seatcast.tours import outbox
from seatcast.tours.document_store import Append, DocumentRow, FieldRow
from seatcast.tours.replica import Incomplete, Replica
from seatcast.wire_documents import FieldChange
from seatcast.wire_parts import RequestId
from seatcast.yjs import InvalidUpdate, merged


@dataclass(frozen=True, slots=True)
class Part:
    """One person's change. `update` is Yjs's."""

    user: str
    update: bytes


@dataclass(slots=True)
class Change:
    """What is to be stored together, gathered part by part."""

    updates: list[bytes] = field(default_factory=list)
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Each changed field, with its text and who changed it last."""

    def take(self, replica: Replica, part: Part) -> None:
        """Have a replica take a part. Raises the `DomainError` that it is refused with."""
        if len(part.update) > MAX_UPDATE_BYTES:
            raise DocumentTooLarge(maximum=MAX_UPDATE_BYTES)
        try:
            replica.apply(part.update)
        except InvalidUpdate as error:
            raise DocumentUpdateInvalid(reason=str(error)) from None
        except Incomplete:
            raise DocumentUpdateIncomplete from None
        update, fields = replica.take()
        for name, value in fields.items():
            if len(value.encode()) > MAX_FIELD_BYTES:
                raise DocumentTooLarge(field=name, maximum=MAX_FIELD_BYTES)
            self.fields[name] = (value, part.user)
        if update is not None:
            self.updates.append(update)


def plan(
    before: DocumentRow,
    change: Change,
    *,
    epoch: str,
    now: str,
    traceparent: str | None = None,
    mark: RequestId | UnsetType = UNSET,
) -> Append:
    """Return all rows of a change, as if nothing were to be compacted. `mark` is its author's, of an edit."""
    update = merged(change.updates) if change.updates else None
    after = before
    events: list[outbox.Event] = []
    if update is not None:
        after = before._replace(head=before.head + 1, bytes=before.bytes + len(update))
        events.append(
            wire_events.DocumentUpdated(
                event_id=new_id("evt"),
                document_id=before.id,
                epoch=epoch,
                seq=after.head,
                update=update,
                timestamp=now,
            )
        )
    fields = []
    for name, (value, user) in change.fields.items():
        after = after._replace(version=after.version + 1)
        fields.append(FieldRow(name, value, after.version, user, now))
        events.append(
            wire_events.DocumentEdited(
                event_id=new_id("evt"),
                document_id=before.id,
                user_id=user,
                changes=FieldChange(name, value),
                timestamp=now,
                version=after.version,
                id=mark,
            )
        )
    rows = [outbox.event_values(event, before.id, traceparent) for event in events]
    return Append(before, after, update, fields, rows, now)
