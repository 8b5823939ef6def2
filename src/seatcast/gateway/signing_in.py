"""AUTH: what a session does about a token that comes on a live connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from seatcast import wire
from seatcast.domain import iso
from seatcast.gateway import beyond_tours, correspondence
from seatcast.gateway.correspondence import Resumed
from seatcast.gateway.refusals import error_frame
from seatcast.gateway.shared import Stranger
from seatcast.message_frames import MessageEvent
from seatcast.rights import may
from seatcast.tokens import Identity, InvalidToken, KeysUnavailable

if TYPE_CHECKING:
    from seatcast.gateway.session import Session

RETRY_AUTH_MS: Final = 2_000
"""When to send AUTH again if the key of its token could not be had."""


def authenticate(session: Session, frame: wire.Auth) -> None:
    """Take the client for whom its token speaks for. A token that is refused changes nothing."""
    peer = session.peer
    try:
        identity = session.shared.verify(frame.token)
    except InvalidToken as error:
        peer.send(error_frame("UNAUTHENTICATED", f"token: {error}", frame.id))
        return
    except KeysUnavailable as unavailable:
        peer.send(error_frame("INTERNAL", f"token: {unavailable}", frame.id, retry_after_ms=RETRY_AUTH_MS))
        return
    before = session.identity
    if isinstance(before, Identity) and identity.user != before.user:
        # What was delivered, and what counts against its limits, was the other's.
        peer.send(error_frame("FORBIDDEN", "this connection belongs to another user", frame.id))
        return
    session.identity = identity
    session.token = frame.token
    if not peer.identified():
        return
    if not (isinstance(before, Identity) and may(before, "answer travellers")):
        correspondence.welcome_agent(session)

    def answer(resumed: Resumed, missed: Sequence[MessageEvent]) -> None:
        _authenticated(session, identity, before, frame.id, resumed)
        correspondence.deliver(session, missed)

    correspondence.follow(session, correspondence.ids_of(frame.since), answer)


def _authenticated(
    session: Session,
    identity: Identity,
    before: Identity | Stranger | None,
    id: wire.RequestId | UnsetType,
    resumed: Resumed,
) -> None:
    session.shared.hub.settle(session.peer)
    refused = session.choose(before.tours) if isinstance(before, Stranger) else []
    expires = identity.expires
    session.peer.send(
        wire.Authenticated(
            user_id=identity.user,
            following=session.following,
            expires_at=UNSET if expires is None else iso(datetime.fromtimestamp(expires, UTC)),
            id=id,
            resumed=resumed,
        )
    )
    beyond_tours.leave_forbidden(session)
    if isinstance(before, Stranger):
        session.start(refused)
    beyond_tours.greet(session)
