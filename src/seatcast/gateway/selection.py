"""What a client follows, given the tours that it names: the same for sockets, streams and polls."""

from __future__ import annotations

from collections.abc import Sequence

from seatcast import wire
from seatcast.gateway.cursor import Tours, place
from seatcast.gateway.refusals import error_frame, too_many
from seatcast.gateway.truth import Truth


def choose(
    truth: Truth, names: Sequence[str] | None, *, follow_all: int, most: int, cursor: str | None = None
) -> tuple[Tours, list[wire.Error]]:
    """Return what to follow, and an ERROR for the first of each kind of name that cannot be.

    Without names it is everything, while the catalogue has up to `follow_all` departures or the client goes on
    with what it began then (`cursor`); past that, nothing. Up to `most` tours may be named.
    """
    if names is None:
        crowded = truth.departures > follow_all and place(truth, None, cursor) is None
        return (frozenset() if crowded else None), []
    named = possible(names)
    refused = [] if len(named) <= most else [too_many(most)]
    named = named[:most]
    unknown = [id for id in named if not may_exist(truth, id)]
    if unknown:
        refused.append(error_frame("NOT_FOUND", f"no tour {', '.join(map(repr, unknown[:10]))}"))
    return frozenset(named) - frozenset(unknown), refused


def possible(names: Sequence[str]) -> list[str]:
    """Return what can be a tour's id, each once."""
    return list(dict.fromkeys(id for id in names if 1 <= len(id) <= 128))


def may_exist(truth: Truth, tour_id: str) -> bool:
    """Return whether a tour is known, or cannot be known not to exist."""
    return tour_id in truth or not truth.complete
