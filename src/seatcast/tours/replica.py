"""One shared document in memory: the Yjs document that its stored updates make, and its text fields.

A field is a root Y.Text; its name is the root's. Roots of other types, and names that are no field's, are kept and
carried like everything else in the document, but are no fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any, Final

from pycrdt import Doc, Text, TransactionEvent

from seatcast.domain import FIELD_NAME, MAX_DOCUMENT_FIELDS
from seatcast.yjs import guarded, merged, whole

MAX_COMPARED: Final = 1_000
"""Words and spaces of two differing parts up to which they are compared one by one: the cost may be their product."""


class Incomplete(Exception):
    """An update builds on changes that are not here. Its sender has them: ask for all that we lack."""


class Replica:
    """A document, up to and including the update `head`.

    After any exception of `apply` it holds what is not stored and must be thrown away.
    """

    def __init__(self, head: int = 0, updates: Iterable[bytes] = ()) -> None:
        self.head = head
        self._doc: Doc[Any] = Doc()
        self._changes: list[bytes] = []
        self._doc.observe(self._changed)
        self._texts: dict[str, Text] = {}
        self._known: dict[str, str] = {}
        for update in updates:
            self._doc.apply_update(update)
        self._changes.clear()
        self._known = self.fields()

    def _changed(self, event: TransactionEvent) -> None:
        self._changes.append(event.update)

    def load(self, head: int, updates: Iterable[bytes]) -> None:
        """Take updates that others have stored, up to `head`."""
        for update in updates:
            self._doc.apply_update(update)
        self.head = head
        self._changes.clear()
        self._known = self.fields()

    def apply(self, update: bytes) -> None:
        """Apply a client's update. Raises `InvalidUpdate` and `Incomplete`."""
        merged([update])  # refuses what is no update before the document has any of it
        guarded(lambda: self._doc.apply_update(update))
        if not whole(update, self._doc.get_state()):
            raise Incomplete

    def set(self, field: str, value: str) -> None:
        """Make a field's text this one, by the fewest changes that do it: what others type meanwhile survives.

        A field that holds more than text (formatted or embedded content) is replaced.
        """
        text = self._doc.get(field, type=Text)
        before = str(text)
        with self._doc.transaction():
            if len(text) != len(before.encode()):
                text.clear()
                before = ""
            # From the end: what comes before stays where it is. Places are counted in bytes of UTF-8.
            for start, end, new in reversed(differences(before, value)):
                at = len(before[:start].encode())
                if end > start:
                    del text[at : at + len(before[start:end].encode())]
                if new:
                    text.insert(at, new)

    def take(self) -> tuple[bytes | None, dict[str, str]]:
        """Return what changed since the last time: one update that says it all, None for nothing; and each changed
        field with its text.
        """
        changes, self._changes[:] = list(self._changes), []
        if not changes:
            return None, {}
        fields = self.fields()
        changed = {name: value for name, value in fields.items() if self._known.get(name, "") != value}
        self._known = fields
        return merged(changes), changed

    def fields(self) -> dict[str, str]:
        """Return every field and its text."""
        for name in self._doc.keys():  # noqa: SIM118 - a document is no mapping
            if name not in self._texts and _FIELD.fullmatch(name) and len(self._texts) < MAX_DOCUMENT_FIELDS:
                self._texts[name] = self._doc.get(name, type=Text)
        # PostgreSQL has no place for NUL in a text.
        return {
            name: str(text).replace("\0", "\N{REPLACEMENT CHARACTER}") for name, text in self._texts.items()
        }

    def full(self) -> bytes:
        """Return the whole document as one update."""
        return self._doc.get_update()


_FIELD: Final = re.compile(FIELD_NAME)


def differences(before: str, after: str) -> list[tuple[int, int, str]]:
    """Return what to replace to make one text the other: (start, end, new), in order and not overlapping."""
    start = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        start += 1
    end = 0
    for one, other in zip(reversed(before[start:]), reversed(after[start:]), strict=False):
        if one != other:
            break
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if not old and not new:
        return []
    words, others = _WORDS.findall(old), _WORDS.findall(new)
    if not words or not others or len(words) > MAX_COMPARED or len(others) > MAX_COMPARED:
        return [(start, start + len(old), new)]
    places = [start, *(start + length for length in accumulate(map(len, words)))]
    matcher = SequenceMatcher(None, words, others, autojunk=False)
    return [
        (places[a], places[b], "".join(others[c:d]))
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
    ]


_WORDS: Final = re.compile(r"\s+|\S+")
