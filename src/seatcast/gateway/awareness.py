"""Who is in a room and what each says of itself: the awareness protocol of Yjs. Synchronous, and stored nowhere.

Every client has a number, and a clock that grows with each state; a newer clock replaces an older one. Stock clients
send back whatever they are told of others: what is not news is not passed on. A client belongs to the peer that
brought it first, here or at another gateway, and goes when that peer or that gateway does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from seatcast.yjs import Presence, awareness_update, read_awareness

MAX_STATE_BYTES: Final = 4 * 1024

MAX_OF_ONE_PEER: Final = 16
"""Clients that one peer may bring: its own, and those of other tabs of the same browser."""

MAX_CLIENTS: Final = 1_000

Owner = Hashable
"""A peer here, or another gateway's name."""

_GONE: Final = "null"


@dataclass(slots=True)
class _Client:
    clock: int
    state: str
    owner: Owner


class Awareness:
    """The clients of one room."""

    def __init__(self) -> None:
        self._clients: dict[int, _Client] = {}
        self._introduced: set[Owner] = set()
        # Clients of whom something new has to be told, here and elsewhere, and the clocks of those that are gone.
        self._here: dict[int, int] = {}
        self._elsewhere: dict[int, int] = {}

    def hear(self, owner: Owner, update: bytes, *, local: bool = True) -> bool:
        """Take what a peer says, or another gateway (not `local`). Returns whether anything is news.

        Raises `InvalidUpdate`.
        """
        states = read_awareness(update)
        if owner not in self._introduced and local and len(states) == 1:
            # The first thing that a client says is of itself. It may have been at another gateway before.
            self._introduced.add(owner)
            known = self._clients.get(states[0].client)
            if known is not None and states[0].state != _GONE:
                known.owner = owner
        return sum(self._take(one, owner, local) for one in states) > 0

    def _take(self, one: Presence, owner: Owner, local: bool) -> bool:
        known = self._clients.get(one.client)
        if one.state == _GONE:
            if known is None or one.clock < known.clock:
                return False
            del self._clients[one.client]
        elif known is None:
            if len(one.state) > MAX_STATE_BYTES or len(self._clients) >= MAX_CLIENTS:
                return False
            if local and sum(c.owner == owner for c in self._clients.values()) >= MAX_OF_ONE_PEER:
                return False
            self._clients[one.client] = _Client(one.clock, one.state, owner)
        elif one.clock > known.clock and len(one.state) <= MAX_STATE_BYTES:
            known.clock, known.state = one.clock, one.state
        else:
            return False
        self._note(one.client, one.clock, local)
        return True

    def _note(self, client: int, clock: int, local: bool) -> None:
        self._here[client] = clock
        if local:
            self._elsewhere[client] = clock

    def leave(self, owner: Owner, *, local: bool = True) -> bool:
        """A peer or a gateway is gone, and with it its clients. Returns whether it had any."""
        self._introduced.discard(owner)
        gone = [(client, one.clock) for client, one in self._clients.items() if one.owner == owner]
        for client, clock in gone:
            del self._clients[client]
            self._note(client, clock, local)
        return bool(gone)

    @property
    def news(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._here)

    def take(self) -> tuple[bytes | None, bytes | None]:
        """Return what is news since the last time, for everybody here and for other gateways."""
        here, self._here = self._here, {}
        elsewhere, self._elsewhere = self._elsewhere, {}
        return self._written(here), self._written(elsewhere)

    def _written(self, clients: dict[int, int]) -> bytes | None:
        if not clients:
            return None
        states = []
        for client, clock in clients.items():
            known = self._clients.get(client)
            states.append(
                Presence(client, clock, _GONE)
                if known is None
                else Presence(client, known.clock, known.state)
            )
        return awareness_update(states)

    def everybody(self, belongs: Callable[[Owner], bool] = lambda owner: True) -> bytes | None:
        """Return the states of all clients whose owner is one of these; None for nobody."""
        return self._written({c: one.clock for c, one in self._clients.items() if belongs(one.owner)})

    def __len__(self) -> int:
        """Return how many clients there are."""
        return len(self._clients)
