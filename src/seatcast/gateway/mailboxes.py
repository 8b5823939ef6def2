"""All streams of messages that somebody here follows, each with a mailbox (`mailbox.py`). Synchronous and pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from seatcast.gateway.channels import Follower
from seatcast.gateway.mailbox import Letter, Mailbox, Outcome, Outlet
from seatcast.message_frames import MessageEvent

MAX_RECENT_IDS: Final = 10_000
"""Ids of messages without a number that are remembered, so that a repeat has no effect."""

TEAM: Final = ""
"""The stream that the support team follows; every other has the name of its user, which is never empty."""


class Mailboxes:
    """All streams that somebody here follows. `now` returns the seconds since 1970.

    Where streams cannot be read (`readable`), what comes is told as it comes, if it is newer.
    """

    def __init__(self, outlet: Outlet, now: Callable[[], float], *, readable: bool = True) -> None:
        self._outlet = outlet
        self._now = now
        self._readable = readable
        self._streams: dict[str, Mailbox] = {}
        self._recent: dict[str, None] = {}

    def __len__(self) -> int:
        """Return how many streams somebody follows."""
        return len(self._streams)

    def __getitem__(self, stream: str) -> Mailbox:
        """Return the mailbox of a stream that somebody follows."""
        return self._streams[stream]

    def followers(self, stream: str) -> Collection[Follower]:
        """Return who follows a stream."""
        mailbox = self._streams.get(stream)
        return () if mailbox is None else mailbox.followers

    def join(self, follower: Follower, stream: str, *, catching_up: bool = False) -> None:
        """Have somebody told what comes in a stream. Harmless for one who follows it."""
        mailbox = self._streams.get(stream)
        if mailbox is None:
            mailbox = self._streams[stream] = Mailbox(stream, self._outlet, self._now())
        if follower not in mailbox.followers:
            mailbox.join(follower, catching_up=catching_up)

    def leave(self, follower: Follower, stream: str) -> None:
        """Tell somebody nothing more of a stream. Harmless for one who does not follow it."""
        mailbox = self._streams.get(stream)
        if mailbox is not None:
            mailbox.leave(follower)
            if not mailbox.followers:
                del self._streams[stream]

    def take(self, stream: str, seq: int | None, event: MessageEvent) -> Outcome:
        """Take a message from the broker. One without a number is told once, at once."""
        mailbox = self._streams.get(stream)
        if mailbox is None:
            return "for nobody"
        if seq is None:
            if event.event_id in self._recent:
                return "repeated"
            self._recent[event.event_id] = None
            if len(self._recent) > MAX_RECENT_IDS:
                del self._recent[next(iter(self._recent))]
            self._outlet.tell(stream, mailbox.followers, event)
            return "told"
        if not self._readable and mailbox.position is not None and seq > mailbox.position:
            mailbox.position = seq - 1
        return mailbox.take(Letter(seq, event))

    def doubt(self) -> None:
        """Something may have been missed: have every stream read."""
        if self._readable:
            for mailbox in list(self._streams.values()):
                mailbox.doubt()

    def restart(self) -> None:
        """Another database: its numbers begin anew."""
        for mailbox in self._streams.values():
            mailbox.restart(self._now())
