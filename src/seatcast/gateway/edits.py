"""Edits of documents, field by field, for those who follow the channel of a document: in order, and none left out.

The broker may lose some while it is away, or bring one twice. Whatever doubt there is, the document is read, with the
token of somebody who follows it, and every field that changed since is told as it is now.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, cast

from seatcast import wire_events
from seatcast.gateway.channels import Channels, document_channel
from seatcast.gateway.connection import Connection
from seatcast.gateway.document_requests import REFUSALS
from seatcast.rest_documents import Document
from seatcast.wire_documents import DocumentEdit, FieldChange

PAUSE_SECONDS: Final = 1.0
"""How long to wait, at most, before a document that could not be read is read again."""

Read = Callable[[str, str], Awaitable[Document]]
"""Reads a document, as the bearer of a token may."""

Begin = Callable[[Coroutine[None, None, None], str], None]
"""Begins a task with a parent."""


class Edits:
    """The edits of one gateway; without `read` there are no documents to read."""

    def __init__(self, channels: Channels, read: Read | None, begin: Begin | None) -> None:
        self._channels = channels
        self._read = read
        self._begin = begin
        # Of documents that somebody follows: the version that was told last.
        self._told: dict[str, int] = {}
        self._doubted: set[str] = set()
        self._reading: set[str] = set()

    def take(self, event: wire_events.DocumentEdited) -> None:
        """Tell the followers, if it is the next; else find out."""
        id = event.document_id
        if not self._channels.followers(document_channel(id)):
            self._told.pop(id, None)
            return
        told = self._told.get(id)
        if id in self._reading:
            self._doubted.add(id)
        elif told is None or event.version == told + 1:
            self._tell(event.version, DocumentEdit(**{n: getattr(event, n) for n in _FIELDS}))
        elif event.version > told:
            self._doubt(id)

    def _tell(self, version: int, edit: DocumentEdit) -> None:
        # Its author's mark is told to everybody: it says nothing to others.
        self._told[edit.document_id] = version
        self._channels.publish(document_channel(edit.document_id), edit)

    def resubscribed(self) -> None:
        """Some edits may have been missed, of any document that is followed."""
        for id in self._channels.documents():
            self._doubt(id)

    def _doubt(self, id: str) -> None:
        if self._read is None or self._begin is None:
            self._told.pop(id, None)
            return
        self._doubted.add(id)
        if id not in self._reading:
            self._reading.add(id)
            self._begin(self._find_out(id, self._read), "reading what was edited")

    async def _find_out(self, id: str, read: Read) -> None:
        try:
            while id in self._doubted and (followers := self._channels.followers(document_channel(id))):
                self._doubted.discard(id)
                follower = cast(Connection, random.SystemRandom().choice(list(followers)))
                try:
                    document = await read(id, follower.session.token or "")
                except REFUSALS:
                    self._doubted.add(id)
                    await asyncio.sleep(random.SystemRandom().uniform(PAUSE_SECONDS / 4, PAUSE_SECONDS))
                else:
                    self._catch_up(id, document)
        finally:
            self._reading.discard(id)
            self._doubted.discard(id)

    def _catch_up(self, id: str, document: Document) -> None:
        told = self._told.get(id, 0)
        # The database was restored: its versions count anew.
        told = 0 if document.version < told else told
        for name, field in sorted(document.fields.items(), key=lambda item: item[1].version):
            if field.version > told:
                change = FieldChange(name, field.value)
                edit = DocumentEdit(
                    document_id=id,
                    user_id=field.user_id,
                    changes=change,
                    timestamp=field.timestamp,
                    version=field.version,
                )
                self._tell(field.version, edit)
        self._told[id] = document.version


_FIELDS: Final = DocumentEdit.__struct_fields__
