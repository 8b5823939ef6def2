"""Cursors: how a client that polls, or resumes a stream, says how much it knows.

A cursor names the epoch and the tours it is about, the state of those tours and, where it can, that of all of them
(`history.py`). It means the same to every gateway. One that a gateway cannot place (of another epoch, of other
tours, too old, made up) means nothing to it: that client is given everything.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from seatcast.gateway.truth import Truth

Tours = frozenset[str] | None
"""What a client follows; None: everything."""

_CURSOR: Final = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{16})(?:\.([0-9a-f]{16}))?")


def cursor(truth: Truth, tours: Tours, *, lasting: bool = False) -> str:
    """Return the cursor of a client that knows all there is to know of these tours.

    A `lasting` one is the same until something about these tours changes, also when others do; then the client
    is given all of them, not only what is new.
    """
    whole = truth.history.state
    scope = _scope(truth.epoch, tours)
    if tours is None:
        return f"{scope}.{whole:016x}"
    own = truth.history.state_of(tours)
    return f"{scope}.{own:016x}" if lasting else f"{scope}.{own:016x}.{whole:016x}"


def place(truth: Truth, tours: Tours, given: str | None) -> int | None:
    """Return the truth's clock at which a client with this cursor knew all of these tours; None: it cannot be told."""
    found = _CURSOR.fullmatch(given or "")
    if found is None or found[1] != _scope(truth.epoch, tours):
        return None
    history = truth.history
    own, whole = int(found[2], 16), found[3]
    if tours is None:
        return history.clock_of(own)
    if own == history.state_of(tours):
        return truth.clock
    return None if whole is None else history.clock_of(int(whole, 16))


# Streams of the same tours ask for it at every change. Few are kept: a selection may have hundreds of names.
@lru_cache(maxsize=64)
def _scope(epoch: str, tours: Tours) -> str:
    # ASCII, and never the epoch itself, which may be any text: cursors stand in addresses and headers.
    text = ascii((epoch, None if tours is None else sorted(tours)))
    return blake2b(text.encode(), digest_size=8).hexdigest()
