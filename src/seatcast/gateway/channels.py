"""Who follows which channel: whatever is told to those who asked for it and is no fact about a tour.

Synchronous, without loop or sockets. A new channel is a row of `rights.CHANNELS`. Messages for people, which may not be missed,
have streams instead (`mailboxes.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import Final

from seatcast import wire
from seatcast.gateway.messages import text_frame
from seatcast.rights import NEEDS, channel_act, may
from seatcast.tokens import Identity

Follower = Hashable
"""Whoever follows, told apart by identity."""

Tell = Callable[[Collection[Follower], str | None, bytes], None]
"""Delivers a frame to followers: in place of one of the same kind that still waits, or None: whatever waits."""

Greeting = Callable[[], wire.ServerFrame | None]
"""Returns a channel's latest value; None while there is none."""

SUPPORT: Final = "support"
METRICS: Final = "metrics"
NUMBERS: Final = "random-numbers"

SIGNED_IN: Final = "signed in"
"""What whoever signs in is told. No channel to ask for: it is in no table."""
DOCUMENT: Final = "document:"


def document_channel(document_id: str) -> str:
    """Return the channel on which the edits of a document are told."""
    return DOCUMENT + document_id


def _nobody(followers: Collection[Follower], kind: str | None, frame: bytes) -> None:
    """Where there is no outlet, nobody is told anything."""


class Channels:
    """The channels of one gateway and their followers; `tell` delivers."""

    def __init__(self, tell: Tell = _nobody) -> None:
        self._tell = tell
        self._open: set[str] = set()
        self._followers: dict[str, dict[Follower, None]] = {}
        self._greetings: dict[str, tuple[str, Greeting]] = {}

    def greet(self, channel: str, kind: str, greeting: Greeting) -> None:
        """Have new followers of a channel told its latest value, a frame of this kind, at once."""
        self._greetings[channel] = (kind, greeting)

    def open(self, channel: str) -> None:
        """Have a channel that anybody may follow, and that there is not elsewhere."""
        self._open.add(channel)

    def refusal(self, channel: str, identity: Identity | None) -> tuple[wire.ErrorCode, str] | None:
        """Return why somebody may not follow a channel, as the code of an ERROR and its detail; None if they may."""
        act = channel_act(channel)
        if act is None or (NEEDS[act] == "anybody" and channel not in self._open):
            return "NOT_FOUND", f"no channel {channel!r}"
        if not may(identity, act):
            return "FORBIDDEN", f"channel {channel!r} needs the role {NEEDS[act]}"
        return None

    def followers(self, channel: str) -> Collection[Follower]:
        """Return who follows a channel."""
        return self._followers.get(channel, {}).keys()

    def documents(self) -> list[str]:
        """Return the ids of the documents whose channels somebody follows."""
        return [name.removeprefix(DOCUMENT) for name in self._followers if name.startswith(DOCUMENT)]

    def follow(self, follower: Follower, channel: str) -> None:
        """Have somebody told what is published on a channel from now on."""
        self._followers.setdefault(channel, {})[follower] = None

    def catch_up(self, follower: Follower, channel: str) -> None:
        """Tell a new follower the channel's latest value, if it has one."""
        if channel in self._greetings:
            kind, greeting = self._greetings[channel]
            frame = greeting()
            if frame is not None:
                self._tell((follower,), kind, text_frame(wire.encode(frame)))

    def unfollow(self, follower: Follower, channel: str) -> None:
        """Tell somebody nothing more of a channel that they follow; nothing of it stays."""
        followers = self._followers[channel]
        del followers[follower]
        if not followers:
            del self._followers[channel]

    def __len__(self) -> int:
        """Return how many channels somebody follows."""
        return len(self._followers)

    def publish(self, channel: str, frame: wire.ServerFrame, kind: str | None = None) -> None:
        """Tell a channel's followers. Of frames of a `kind` only the last one matters; others may not be left out."""
        followers = self._followers.get(channel)
        if followers:
            # A copy: whoever turns out to be too slow is closed, and follows no more.
            self._tell(list(followers), kind, text_frame(wire.encode(frame)))
