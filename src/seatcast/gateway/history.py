"""What changed since when, and which states this gateway was in: what a client that polls or resumes compares itself with.

A *state* is a number made of everything that is sold and its versions, whatever the order it was learnt in. So two
gateways that know the same are in the same state, and what a client was told by one of them can be continued by
another. Synchronous, without loop, sockets, SQL or AMQP.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from seatcast.gateway.facts import Key

MAX_STATES: Final = 8_192
"""Former states that are remembered: past it, a client that comes back is given everything instead of what is new."""

_MASK: Final = 2**64 - 1


class History:
    """The changes of one truth, which was empty when its clock, which grows with every change, stood at `began`."""

    def __init__(self, began: int = 0, max_states: int = MAX_STATES) -> None:
        self._max_states = max_states
        self.state = 0
        """The present state, of all tours together."""
        self.size = 0
        """How many departures are sold, and tours without any."""
        # A state is the sum of (version + 1) times a random-looking weight over everything sold: cheap to keep up to
        # date, and two different states are equal with a probability of about one in 2**64.
        self._weights: dict[Key, int] = {}
        self._shares: dict[Key, int] = {}
        self._tours: dict[str, int] = {}
        # How many departures of a tour are sold, if any are.
        self._dated: dict[str, int] = {}
        # Not a dict, whose first entry takes long to find once many before it were deleted.
        self._states = OrderedDict({0: began})
        # Key to the clock at which it was last told, in that order.
        self._told: dict[Key, int] = {}
        self._forgotten = began

    def sold(self, key: Key, version: int | None) -> None:
        """What is sold under a key now has this version; None: nothing is sold under it."""
        before = self._shares.get(key, 0)
        if version is None:
            if before:
                self._count(key, -1)
                del self._shares[key], self._weights[key]
                self._add(key[0], -before)
            return
        weight = self._weights.get(key)
        if weight is None:
            weight = self._weights[key] = _weight(key)
            self._count(key, 1)
        self._shares[key] = share = weight * (version + 1)
        self._add(key[0], share - before)

    def _count(self, key: Key, difference: int) -> None:
        """One more is sold, or one less. What is sold of a closed tour is nothing, so its departures never are."""
        tour_id, departure = key
        dated = self._dated.get(tour_id, 0)
        if departure is None:
            self.size += difference * max(1, dated)
            return
        self._dated[tour_id] = dated + difference
        if not self._dated[tour_id]:
            del self._dated[tour_id]
        if (tour_id, None) in self._shares:
            self.size += max(1, dated + difference) - max(1, dated)

    def _add(self, tour_id: str, difference: int) -> None:
        self.state = (self.state + difference) & _MASK
        left = (self._tours.get(tour_id, 0) + difference) & _MASK
        if left:
            self._tours[tour_id] = left
        else:
            self._tours.pop(tour_id, None)

    def state_of(self, tours: Iterable[str]) -> int:
        """Return the present state of these tours alone."""
        known = self._tours
        return sum(known.get(id, 0) for id in tours) & _MASK

    def told(self, key: Key, clock: int) -> None:
        """Followers are told of a key."""
        self._told.pop(key, None)
        self._told[key] = clock

    def rest(self, clock: int) -> None:
        """A change is complete: the present state is one that a client can have seen."""
        # Also if it is the same as before: what was told meanwhile is no news to whoever is in it.
        self._states[self.state] = clock
        self._states.move_to_end(self.state)
        if len(self._states) > self._max_states:
            self._states.popitem(last=False)

    def clock_of(self, state: int) -> int | None:
        """Return when the truth was last in a state; None for one that is not remembered."""
        return self._states.get(state)

    def since(self, clock: int, tours: frozenset[str] | None = None) -> list[Key] | None:
        """Return the keys told after `clock`, of these tours (None: of all), in order.

        None where some of them are forgotten: then only everything is enough.
        """
        if clock < self._forgotten:
            return None
        found = []
        for key in reversed(self._told):
            if self._told[key] <= clock:
                break
            if tours is None or key[0] in tours:
                found.append(key)
        return found[::-1]

    def forget(self, key: Key) -> None:
        """Nothing is known of a key any more."""
        self.sold(key, None)
        self._forgotten = max(self._forgotten, self._told.pop(key, 0))


def _weight(key: Key) -> int:
    # Not `hash`: other processes must come to the same. Odd, so that no version is lost to the modulus.
    return int.from_bytes(blake2b(ascii(key).encode(), digest_size=8).digest(), "big") | 1
