"""What a session does beyond following tours: channels, commands, and telling that its user is writing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from seatcast import chat, wire, wire_events
from seatcast.gateway import correspondence
from seatcast.gateway.channels import SIGNED_IN, SUPPORT
from seatcast.gateway.correspondence import Resumed
from seatcast.gateway.orders import COMMANDS, Command, writing_needs
from seatcast.gateway.refusals import error_frame, too_many
from seatcast.rights import NEEDS, Act, may
from seatcast.tokens import Identity
from seatcast.wire_messages import TypeChat

if TYPE_CHECKING:
    from seatcast.gateway.session import Session


# Channels


def enter(session: Session, channel: str, id: wire.RequestId | UnsetType, resumed: Resumed = UNSET) -> None:
    """Follow a channel. One that is followed already is answered as if it were not."""
    channels = session.shared.channels
    refusal = channels.refusal(channel, _identity(session))
    if refusal is not None:
        session.peer.send(error_frame(*refusal, id))
        return
    if channel not in session.channels:
        most = session.shared.limits.subscriptions
        if len(session.channels) >= most:
            session.peer.send(too_many(most, id))
            return
        channels.follow(session.peer, channel)
        session.channels |= {channel}
        if channel == SUPPORT:
            correspondence.join_team(session)
    session.peer.send(wire.Subscribed(channel=channel, id=id, resumed=resumed))
    channels.catch_up(session.peer, channel)


def greet(session: Session) -> None:
    """Tell somebody who has signed in what is told to whoever has."""
    if session.user is not None and session.shared.post is not None:
        channel = SUPPORT if SUPPORT in session.channels else SIGNED_IN
        session.shared.channels.catch_up(session.peer, channel)


def leave(session: Session, channel: str, id: wire.RequestId | UnsetType = UNSET) -> None:
    """Follow a channel no more."""
    if channel in session.channels:
        session.shared.channels.unfollow(session.peer, channel)
        session.channels -= {channel}
        if channel == SUPPORT:
            correspondence.leave_team(session)
    session.peer.send(wire.Unsubscribed(channel=channel, id=id))


def leave_forbidden(session: Session) -> None:
    """Follow no channel any more that only an earlier token allowed; the client is told of each."""
    for channel in sorted(session.channels):
        if session.shared.channels.refusal(channel, _identity(session)) is not None:
            leave(session, channel)


def close(session: Session) -> None:
    """The session is over: nothing of it stays."""
    for channel in session.channels:
        session.shared.channels.unfollow(session.peer, channel)
    session.channels = frozenset()
    if session.shared.orders is not None:
        session.shared.orders.forget(session)


# Commands


def command(session: Session, command: Command) -> None:
    """Hand on what somebody else carries out, and answers later."""
    if _user_for(session, command, COMMANDS[type(command)].needs) is None:
        return
    if session.shared.orders is None:
        session.peer.send(error_frame("NOT_FOUND", "this gateway has no tour service", command.id))
    else:
        session.shared.orders.submit(session, command)


def typing(session: Session, frame: TypeChat) -> None:
    """Tell the other side of a conversation that the client's user is writing. Nobody needs an answer to that."""
    user = _user_for(session, frame, writing_needs)
    if user is None:
        return
    conversation_id = chat.traveller(user.user, frame.to)
    event = wire_events.ChatTypingEvent(
        event_id=f"typing_{secrets.token_hex(8)}",
        conversation_id=conversation_id,
        sender=user.user,
        timestamp=session.shared.now(),
    )
    session.shared.whisper(f"typing {user.user} {conversation_id}", event)


def _user_for(
    session: Session, command: Command | TypeChat, needs: Callable[[Any, Identity], Act]
) -> Identity | None:
    """Return whom a command is from if they may give it; else None, and they are told why."""
    identity = session.identity
    if not isinstance(identity, Identity):
        session.peer.send(error_frame("UNAUTHENTICATED", "this takes a token", command.id))
        return None
    needed = needs(command, identity)
    if not may(identity, needed):
        session.peer.send(error_frame("FORBIDDEN", f"this takes the role {NEEDS[needed]}", command.id))
        return None
    return identity


def _identity(session: Session) -> Identity | None:
    return session.identity if isinstance(session.identity, Identity) else None
