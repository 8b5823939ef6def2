"""Who may do what: the one table from an act to the role that it needs.

Following tours and booking need no role. A role implies no other: a token lists each that it has.
"""

from __future__ import annotations

from typing import Final, Literal

from seatcast.tokens import Identity

Act = Literal["change tours", "open any booking", "follow metrics", "edit documents"]

NEEDS: Final[dict[Act, str]] = {
    "change tours": "staff",
    "open any booking": "staff",
    "follow metrics": "admin",
    "edit documents": "staff",
}


def may(identity: Identity | None, act: Act) -> bool:
    """Say whether a token's user, or nobody in particular, may do this."""
    return identity is not None and NEEDS[act] in identity.roles
