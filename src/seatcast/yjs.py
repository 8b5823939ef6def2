"""Yjs documents in bytes: the sync and awareness protocols, and updates from whom nobody vouches for.

The protocols are those of y-protocols (`sync.js`, `awareness.js`) as y-websocket 3 speaks them, the numbers lib0's: a
*varuint* has seven bits a byte, least significant first; bytes are a varuint of their length, then themselves. An
*update* is Yjs's first encoding: structs, then a set of deletions, both by client and clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple, TypeVar

from pycrdt import get_update, merge_updates

EMPTY: Final = b"\x00\x00"
"""The update that changes nothing."""

NOTHING: Final = b"\x00"
"""The state vector of who knows nothing."""

_MAX_VARUINT: Final = 2**53
"""Past it lib0 cannot tell one number from the next."""


class Kind(IntEnum):
    """What a message of y-websocket begins with."""

    SYNC = 0
    AWARENESS = 1
    AUTH = 2
    QUERY_AWARENESS = 3


class Sync(IntEnum):
    """What follows `Kind.SYNC`: a state vector, what it lacked, or a change."""

    STEP_1 = 0
    STEP_2 = 1
    UPDATE = 2


class InvalidUpdate(ValueError):
    """Bytes that are no update, or no message; the text says why and holds nothing of them."""


T = TypeVar("T")


def guarded(work: Callable[[], T]) -> T:
    """Do something with an update that a client made.

    Raises `InvalidUpdate` for whatever it was that pycrdt could not bear: it panics over some, and a panic is no
    `Exception`. A document that it happened to must be thrown away.
    """
    try:
        return work()
    except (ValueError, RuntimeError) as error:
        raise InvalidUpdate(str(error)[:200]) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise InvalidUpdate("an update that cannot be") from None


def merged(updates: list[bytes]) -> bytes:
    """Return one update that does what these do. Raises `InvalidUpdate`."""
    for update in updates:
        # What is announced is made room for before it is looked for.
        if read_varuint(update, 0)[0] > len(update):
            raise InvalidUpdate("an update of more clients than bytes")
    return guarded(lambda: merge_updates(*updates))


def whole(update: bytes, state: bytes) -> bool:
    """Return whether a document with this state vector, which an update was applied to, has taken all of it.

    It has not where the update builds on changes that it never got; pycrdt keeps such a remainder aside, and
    forgets it wherever a document is written. Raises `InvalidUpdate`.
    """
    rest = guarded(lambda: get_update(update, state))
    clients, at = read_varuint(rest, 0)
    if clients:
        return False
    deleted = list(_deletions(rest, at))
    clocks = dict(_pairs(state)) if deleted else {}
    return all(clock <= clocks.get(client, 0) for client, clock in deleted)


def _pairs(state: bytes) -> Iterator[tuple[int, int]]:
    count, at = read_varuint(state, 0)
    for _ in range(count):
        client, at = read_varuint(state, at)
        clock, at = read_varuint(state, at)
        yield client, clock


def _deletions(update: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield each client whose structs an update without structs deletes, with the clock after each range."""
    clients, at = read_varuint(update, at)
    for _ in range(clients):
        client, at = read_varuint(update, at)
        ranges, at = read_varuint(update, at)
        for _ in range(ranges):
            clock, at = read_varuint(update, at)
            length, at = read_varuint(update, at)
            yield client, clock + length


# Messages


def varuint(number: int) -> bytes:
    """Return a number as lib0 writes it."""
    written = bytearray()
    while number > 127:
        written.append(128 | (number & 127))
        number >>= 7
    written.append(number)
    return bytes(written)


def read_varuint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at an offset, and the offset after it. Raises `InvalidUpdate`."""
    number = shift = 0
    while at < len(data) and shift < 56:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128 and number <= _MAX_VARUINT:
            return number, at
    raise InvalidUpdate("a number that does not end")


def sized(data: bytes) -> bytes:
    """Return bytes behind their length."""
    return varuint(len(data)) + data


def read_sized(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes at an offset, and the offset after them. Raises `InvalidUpdate`."""
    length, at = read_varuint(data, at)
    if at + length > len(data):
        raise InvalidUpdate("fewer bytes than announced")
    return data[at : at + length], at + length


def sync_message(step: Sync, data: bytes) -> bytes:
    """Return a message of the sync protocol."""
    return bytes((Kind.SYNC, step)) + sized(data)


def awareness_message(update: bytes) -> bytes:
    """Return a message of the awareness protocol."""
    return bytes((Kind.AWARENESS,)) + sized(update)


class Presence(NamedTuple):
    """What one client says of itself: `state` is JSON, "null" for a client that left."""

    client: int
    clock: int
    state: str


def awareness_update(states: list[Presence]) -> bytes:
    """Return states as the awareness protocol writes them."""
    return varuint(len(states)) + b"".join(
        varuint(one.client) + varuint(one.clock) + sized(one.state.encode()) for one in states
    )


def read_awareness(update: bytes) -> list[Presence]:
    """Return the states in an awareness update. Raises `InvalidUpdate`."""
    count, at = read_varuint(update, 0)
    states = []
    for _ in range(count):
        client, at = read_varuint(update, at)
        clock, at = read_varuint(update, at)
        state, at = read_sized(update, at)
        try:
            states.append(Presence(client, clock, state.decode()))
        except UnicodeDecodeError:
            raise InvalidUpdate("a state that is not UTF-8") from None
    return states
