"""What a session does about messages for its user: which streams it follows, and from where on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from seatcast.gateway.channels import SUPPORT
from seatcast.gateway.mailboxes import TEAM
from seatcast.message_frames import MessageEvent
from seatcast.rights import may
from seatcast.tokens import Identity

if TYPE_CHECKING:
    from seatcast.gateway.session import Session

MAX_SINCE: Final = 4
"""Messages that a client may name as its last ones; each costs a request."""

Resumed = bool | UnsetType
"""Whether all that was missed could be had; UNSET where nobody asked."""

Then = Callable[[Resumed, list[MessageEvent]], None]


def ids_of(since: str | UnsetType | None) -> tuple[str, ...] | None:
    """Return the ids of messages in a client's `since`, None for no `since`. What can be no id is left out."""
    if not isinstance(since, str):
        return None
    ids = dict.fromkeys(id for id in since.split(",") if 1 <= len(id) <= 128 and "\x00" not in id)
    return tuple(ids)[:MAX_SINCE]


def follow(session: Session, since: tuple[str, ...] | None, then: Then, *, silent: bool = False) -> None:
    """Have the session's user told of their messages from now on, and call `then`; once what they missed since these is
    known, if it is asked for. `silent`: the client is told nothing before that.

    Nothing that was missed can be told in order to whom messages were told already.
    """
    post = session.shared.post
    streams = _streams(session)
    if post is None or not streams:
        then(UNSET if since is None else False, [])
        return
    catching_up = bool(since) and not session.told
    for stream in streams:
        if catching_up:
            post.mailboxes.leave(session.peer, stream)
        post.mailboxes.join(session.peer, stream, catching_up=catching_up)
    if since and catching_up:
        post.catch_up(session, streams, since, then, silent=silent)
    else:
        then(UNSET if since is None else False, [])


def welcome_agent(session: Session) -> None:
    """Have somebody of the support team follow what concerns it, without having to ask."""
    is_agent = isinstance(session.identity, Identity) and may(session.identity, "answer travellers")
    if is_agent and session.shared.post is not None and SUPPORT not in session.channels:
        session.shared.channels.follow(session.peer, SUPPORT)
        session.channels |= {SUPPORT}


def deliver(session: Session, missed: Sequence[MessageEvent]) -> None:
    """Tell the client what it missed."""
    if session.shared.post is not None:
        session.shared.post.deliver(session, missed)


def leave(session: Session) -> None:
    """Follow no stream any more."""
    if session.shared.post is not None:
        for stream in _streams(session):
            session.shared.post.mailboxes.leave(session.peer, stream)


def join_team(session: Session) -> None:
    """Follow the team's stream from now on."""
    if session.shared.post is not None:
        session.shared.post.mailboxes.join(session.peer, TEAM)


def leave_team(session: Session) -> None:
    """Follow the team's stream no more."""
    if session.shared.post is not None:
        session.shared.post.mailboxes.leave(session.peer, TEAM)


def _streams(session: Session) -> list[str]:
    if session.user is None:
        return []
    return [session.user, TEAM] if SUPPORT in session.channels else [session.user]
