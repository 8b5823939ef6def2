"""Shared documents: what is stored, in which order, and what everybody is told of it.

A change is one transaction under the lock of its document's row: the Yjs update, the fields as they are after it, and
the events. So there is one order for everybody, in any number of tour services; each keeps the documents it was asked
for last in memory, and catches up with what others stored before it goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import wire
from seatcast.domain import (
    MAX_DOCUMENT_BYTES,
    MAX_FIELD_BYTES,
    DocumentConflict,
    DocumentTooLarge,
    DomainError,
    iso,
)
from seatcast.tours import document_store as store
from seatcast.tours import outbox
from seatcast.tours.bookings import now_iso
from seatcast.tours.database import Database
from seatcast.tours.document_changes import Change, Part, plan
from seatcast.tours.document_memory import Memory, Place
from seatcast.tours.document_store import Append, Condition, DocumentRow, EditRow, FieldRow
from seatcast.tours.outbox import OutboxRow
from seatcast.tours.replica import Replica
from seatcast.wire_parts import RequestId

COMPACT_AFTER: Final = 500
"""Updates of a document after which they are made one."""

EDITS_KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Stored:
    """The number of the last update; and which parts were refused, and why."""

    head: int
    refused: dict[int, DomainError]


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit's place in the order of the document's changes. `repeated`: it had been done already."""

    version: int
    timestamp: str
    repeated: bool


@dataclass(slots=True)
class _Locked:
    """A document whose row is locked, and what is done with it before the commit."""

    tx: AsyncConnection
    place: Place
    row: DocumentRow
    events: list[OutboxRow] = field(default_factory=list)


class Documents:
    """Stores documents. `committed` is given the events of every commit."""

    def __init__(
        self,
        database: Database,
        epoch: str,
        committed: Callable[[Sequence[OutboxRow]], None],
        now: Callable[[], str] = now_iso,
    ) -> None:
        self._database = database
        self.epoch = epoch
        self._committed = committed
        self._now = now
        self._memory = Memory()

    async def read(self, document_id: str) -> tuple[DocumentRow, list[FieldRow]]:
        """Return a document and its fields as of one instant."""
        async with self._database.reading() as connection:
            return await store.document(connection, document_id), await store.fields(connection, document_id)

    async def updates(self, document_id: str, after: int) -> tuple[int, Sequence[bytes]]:
        """Return the head, and what brings a document from the update `after` to it."""
        async with self._database.reading() as connection:
            row = await store.document(connection, document_id)
            return row.head, await store.updates(connection, document_id, after)

    async def add(self, document_id: str, parts: Sequence[Part], traceparent: str | None = None) -> Stored:
        """Store people's changes together, but for those that are refused: each with `DocumentUpdateInvalid`,
        `DocumentUpdateIncomplete` or `DocumentTooLarge`. What changes nothing needs no storing.

        Raises `DocumentTooLarge` where together they would make the document so.
        """
        async with self._memory.turn(document_id) as place:
            head = await self._add_at_once(place, parts, traceparent)
            if head is not None:
                return Stored(head, {})
            refused: dict[int, DomainError] = {}
            async with self._locked(document_id, place) as locked:
                while True:
                    replica = await self._replica(locked)
                    change = Change()
                    try:
                        for index, part in enumerate(parts):
                            if index not in refused:
                                change.take(replica, part)
                    except DomainError as error:
                        refused[index] = error
                        place.replica = None  # it may have taken some of what is refused
                    else:
                        break
                await self._store(locked, replica, change, self._now(), traceparent)
            return Stored(locked.row.head, refused)

    async def _add_at_once(self, place: Place, parts: Sequence[Part], traceparent: str | None) -> int | None:
        """Store changes in one statement, which is what typing needs, and return the head; None where it takes more."""
        known = self._known(place)
        if known is None:
            return None
        replica, row = known
        change = Change()
        try:
            for part in parts:
                change.take(replica, part)
        except DomainError:
            return None
        if not change.updates:
            place.replica = replica
            return row.head
        rows = plan(row, change, epoch=self.epoch, now=self._now(), traceparent=traceparent)
        return rows.after.head if await self._store_at_once(place, replica, rows) else None

    def _known(self, place: Place) -> tuple[Replica, DocumentRow] | None:
        """Return a document in memory that a change can be added to in one statement, if there is one; the place has it
        again once what it takes is stored.
        """
        replica, row = place.replica, place.row
        if replica is None or row is None or not self._database.postgresql or _compacts(row, 1):
            return None
        place.replica = None
        return replica, row

    async def _store_at_once(self, place: Place, replica: Replica, rows: Append) -> bool:
        """Store what the replica has taken; return False, and store nothing, where another tour service has changed the
        document, or the edit must not be done.
        """
        if rows.after.bytes > MAX_DOCUMENT_BYTES:
            return False
        async with self._database.writers.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            ids = await store.append_at_once(connection, rows)
        if ids is None:
            return False
        replica.head, place.replica, place.row = rows.after.head, replica, rows.after
        self._committed(
            [OutboxRow(id=id, attempts=0, **event) for id, event in zip(ids, rows.events, strict=True)]
        )
        return True

    async def edit(
        self,
        document_id: str,
        user: str,
        name: str,
        value: str,
        *,
        base_version: int | None = None,
        mark: RequestId | UnsetType = UNSET,
        traceparent: str | None = None,
    ) -> Edited:
        """Set a field. With `base_version`, only if nobody has changed it since that version of the document.

        The same user's same `mark` again has no further effect, whatever else it comes with. Raises
        `DocumentConflict` and `DocumentTooLarge`.
        """
        if len(value.encode()) > MAX_FIELD_BYTES:
            raise DocumentTooLarge(field=name, maximum=MAX_FIELD_BYTES)
        given = None if mark is UNSET else wire.encode(mark).decode()
        condition = Condition(user, given, name, base_version)
        async with self._memory.turn(document_id) as place:
            done = await self._edit_at_once(place, value, condition, mark, traceparent)
            if done is not None:
                return done
            async with self._locked(document_id, place) as locked:
                return await self._edit(locked, value, condition, mark, traceparent)

    async def _edit_at_once(
        self,
        place: Place,
        value: str,
        condition: Condition,
        mark: RequestId | UnsetType,
        traceparent: str | None,
    ) -> Edited | None:
        """Edit in one statement; None where that takes more, or the edit must not be done."""
        known = self._known(place)
        if known is None:
            return None
        replica, row = known
        replica.set(condition.field, value)
        update, _ = replica.take()
        if update is None:
            place.replica = replica
            return None
        now = self._now()
        change = Change([update], {condition.field: (value, condition.user)})
        rows = plan(row, change, epoch=self.epoch, now=now, traceparent=traceparent, mark=mark)
        stored = await self._store_at_once(place, replica, rows._replace(condition=condition))
        return Edited(rows.after.version, now, repeated=False) if stored else None

    async def _edit(
        self,
        locked: _Locked,
        value: str,
        condition: Condition,
        mark: RequestId | UnsetType,
        traceparent: str | None,
    ) -> Edited:
        tx, document_id = locked.tx, locked.row.id
        user, given, name, base = condition
        if given is not None and (done := await store.edit(tx, document_id, user, given)):
            return Edited(done.version, done.created_at, repeated=True)
        if base is not None:
            known = await store.field(tx, document_id, name)
            if known is not None and known.version > base:
                raise DocumentConflict(field=name, value=known.value, version=known.version)
        replica = await self._replica(locked)
        replica.set(name, value)
        update, _ = replica.take()
        change = Change([] if update is None else [update], {name: (value, user)})
        now = self._now()
        await self._store(locked, replica, change, now, traceparent, mark)
        if given is not None:
            await store.put_edit(tx, document_id, user, given, EditRow(locked.row.version, now))
        return Edited(locked.row.version, now, repeated=False)

    @asynccontextmanager
    async def _locked(self, document_id: str, place: Place) -> AsyncIterator[_Locked]:
        """Lock a document for whatever has to be read before it is changed; the events leave after the commit."""
        async with self._database.transaction() as tx:
            locked = _Locked(tx, place, await store.lock(tx, document_id))
            yield locked
        place.row = locked.row
        if locked.events:
            self._committed(locked.events)

    async def _replica(self, locked: _Locked) -> Replica:
        """Return a locked document in memory, as it is stored."""
        place, row = locked.place, locked.row
        if place.replica is None or place.replica.head > row.head:
            place.replica = Replica(row.head, await store.updates(locked.tx, row.id, 0))
        elif place.replica.head < row.head:
            place.replica.load(row.head, await store.updates(locked.tx, row.id, place.replica.head))
        return place.replica

    async def _store(
        self,
        locked: _Locked,
        replica: Replica,
        change: Change,
        now: str,
        traceparent: str | None,
        mark: RequestId | UnsetType = UNSET,
    ) -> None:
        """Store a change that the replica has taken, with its events."""
        rows = plan(locked.row, change, epoch=self.epoch, now=now, traceparent=traceparent, mark=mark)
        row = rows.after
        if rows.update is not None:
            if _compacts(row):
                row = await self._compact(locked.tx, replica, row)
            else:
                await store.put_update(locked.tx, row.id, row.head, rows.update)
        if row != locked.row:
            await store.append(locked.tx, row, rows.fields)
            locked.events += await outbox.add_rows(locked.tx, rows.events, [now] * len(rows.events))
        locked.row, replica.head = row, row.head

    async def _compact(self, tx: AsyncConnection, replica: Replica, row: DocumentRow) -> DocumentRow:
        """Make all updates one. The row's lock keeps everybody from adding anything that this would lose."""
        full = replica.full()
        if len(full) > MAX_DOCUMENT_BYTES:
            raise DocumentTooLarge(maximum=MAX_DOCUMENT_BYTES)
        await store.drop_updates(tx, row.id)
        await store.put_update(tx, row.id, row.head, full)
        await store.forget_edits(tx, row.id, iso(datetime.now(UTC) - EDITS_KEPT))
        return row._replace(compacted=row.head, bytes=len(full))


def _compacts(row: DocumentRow, more: int = 0) -> bool:
    """Return whether a document with so many updates `more` is to be compacted with the last of them."""
    return row.head + more - row.compacted >= COMPACT_AFTER or row.bytes > MAX_DOCUMENT_BYTES
