"""What a session has around it: its client's other end, and what all sessions of a gateway have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from seatcast import wire, wire_events
from seatcast.gateway.channels import Channels
from seatcast.gateway.facts import Key
from seatcast.gateway.hub import Hub
from seatcast.gateway.mailboxes import Mailboxes
from seatcast.gateway.orders import Command
from seatcast.message_frames import MessageEvent
from seatcast.tokens import Identity

if TYPE_CHECKING:
    from seatcast.gateway.session import Session


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may do, and what it is told."""

    follow_all: int = 2_000
    """Departures in the catalogue up to which a new connection follows everything."""
    subscriptions: int = 500
    """Tours that one session may name, and channels that it may follow."""
    heartbeat_seconds: float = 20.0
    auth_required: bool = False
    """Whether a client without a token follows nothing and has to send AUTH."""
    auth_seconds: float = 5.0
    """How long such a client may take."""


class Peer(Protocol):
    """The other end: takes what the client has to be told. Told apart by identity; it is who follows."""

    def __hash__(self) -> int: ...

    def send(self, frame: wire.ServerFrame) -> None:
        """Deliver a message that may not be left out, after everything sent before."""

    def offer(self, keys: Sequence[Key]) -> None:
        """Deliver the state to start from under these keys, the newest that there is when it leaves."""

    def drop(self, tour_id: str) -> None:
        """Deliver nothing more that waits under this tour's keys."""

    def keep(self, tour_id: str) -> None:
        """Deliver nothing more that waits under any other tour's keys."""

    def identified(self) -> bool:
        """AUTH changed whom the session speaks for, or until when; return False where it was closed for it."""


class Orders(Protocol):
    """Who carries commands out. The answers come to the session's peer, later."""

    def submit(self, session: Session, command: Command) -> None:
        """Have a command carried out, after those that the session gave before."""

    def forget(self, session: Session) -> None:
        """The session is over: what of it waits is not carried out any more."""


class Post(Protocol):
    """Who brings messages to people."""

    mailboxes: Mailboxes

    def restart(self) -> None:
        """Another database: its numbers and versions begin anew."""

    def catch_up(
        self,
        session: Session,
        streams: Sequence[str],
        since: Sequence[str],
        then: Callable[[bool, list[MessageEvent]], None],
        *,
        silent: bool,
    ) -> None:
        """Find out what the session's client missed after these messages, in streams that it joined for it; call
        `then` with whether all of it could be had, and with what was. `silent`: the client is told nothing meanwhile.
        """

    def deliver(self, session: Session, missed: Sequence[MessageEvent]) -> None:
        """Tell the session's client several messages at once."""


Whisper = Callable[[str, wire_events.Event], None]
"""Tells all gateways an event that nobody stores, in place of one about the same that waits to be told."""


def unheard(about: str, event: wire_events.Event) -> None:
    """Where there is no broker, nobody hears it."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all sessions of a gateway have in common, and each keeps in one place."""

    hub: Hub
    limits: Limits
    now: Callable[[], str]
    """Returns the present as the wire writes it."""
    verify: Callable[[str], Identity]
    """Returns whom a token speaks for, or raises `InvalidToken` or `KeysUnavailable`."""
    channels: Channels = field(default_factory=Channels)
    orders: Orders | None = None
    """None where there is nobody to carry commands out."""
    whisper: Whisper = unheard
    post: Post | None = None
    """None where nobody is told messages."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who has to say who they are first. `tours` is what they asked to follow then."""

    tours: Sequence[str] | None
