"""Messages of one stream to whoever follows it: each once, in order, without a gap. Synchronous and pure.

A stream numbers its messages without a gap (`wire_events.py`); the broker may repeat, reorder and lose them. A mailbox
knows up to which number its followers were told. What is told already is dropped; what follows is told; what comes too
early is held, and the stream is read from where the gap begins. After every doubt about the broker it is read too.
What is held is bounded: it can be read again.

A mailbox begins with its first follower, and with the first number that it hears. Until then a doubt is about everything
since it began, and nothing is told before that is read.

A follower may want to be told first what it missed while it was away: it joins, somebody reads the stream, and
meanwhile what the others are told is kept for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from seatcast.gateway.channels import Follower
from seatcast.message_frames import MessageEvent

MAX_HELD: Final = 256
"""Messages that a mailbox holds because they came too early, and that are kept for one follower that catches up."""

Outcome = Literal["told", "repeated", "held", "for nobody"]
"""What became of a message that the broker brought."""


class Letter(NamedTuple):
    """A message and its number in the stream; `event` as the broker has it."""

    seq: int
    event: MessageEvent


class Outlet(Protocol):
    """The owner of mailboxes. None of its methods may join or leave one, but `tell` may close a follower."""

    def tell(self, stream: str, followers: Collection[Follower], event: MessageEvent) -> None:
        """Deliver a message, which may not be left out."""

    def ask(self, mailbox: Mailbox) -> None:
        """Have a mailbox's stream read from `Mailbox.place` on, and the mailbox told by `Mailbox.read`."""


class Place(NamedTuple):
    """Where to read a stream from: after a number, or where none is known after a moment in seconds since 1970.

    `newest` is the highest number that was heard of so far.
    """

    seq: int | None
    moment: float
    newest: int


class Mailbox:
    """One stream with followers."""

    __slots__ = (
        "_again", "_asked", "_began", "_held", "_keeping", "_newest", "_outlet", "_skipping", "followers", "position",
        "stream",
    )  # fmt: skip

    def __init__(self, stream: str, outlet: Outlet, began: float) -> None:
        self.stream = stream
        self._outlet = outlet
        self._began = began
        # A tuple: most have one, and it is the smallest there is.
        self.followers: tuple[Follower, ...] = ()
        self.position: int | None = None
        """The number up to which followers were told; None until there is one."""
        # Whether the stream is to be read, or being read; and whether once more after that.
        self._asked = self._again = False
        self._newest = 0
        self._held: dict[int, MessageEvent] | None = None
        # Of followers that catch up what the others were told meanwhile (None: too much of it), and of those that
        # did, up to which number they need not be told.
        self._keeping: dict[Follower, list[Letter] | None] | None = None
        self._skipping: dict[Follower, int] | None = None

    @property
    def place(self) -> Place:
        """Where to read from."""
        return Place(self.position, self._began, self._newest)

    # From the broker

    def take(self, letter: Letter) -> Outcome:
        """Take a message as it comes."""
        seq = letter.seq
        if self.position is None:
            if self._asked or self._keeping:
                return self._hold(letter)
            self.position = seq - 1
        if seq <= self.position:
            return "repeated"
        if seq > self.position + 1:
            held = self._hold(letter)
            self.ask()
            return held
        self._told(letter)
        self._drain()
        return "told"

    def _hold(self, letter: Letter) -> Outcome:
        self._newest = max(self._newest, letter.seq)
        if self._held is None:
            self._held = {}
        if letter.seq in self._held:
            return "repeated"
        if len(self._held) < MAX_HELD:
            self._held[letter.seq] = letter.event
        return "held"

    def _told(self, letter: Letter) -> None:
        """Tell the followers the message that they are to be told next."""
        self.position = letter.seq
        if self._keeping is None and self._skipping is None:
            self._outlet.tell(self.stream, self.followers, letter.event)
            return
        keeping, skipping = self._keeping or {}, self._skipping or {}
        for follower, kept in keeping.items():
            if kept is not None:
                kept.append(letter)
                if len(kept) > MAX_HELD:
                    keeping[follower] = None
        self._outlet.tell(
            self.stream,
            [one for one in self.followers if one not in keeping and skipping.get(one, 0) < letter.seq],
            letter.event,
        )
        for follower in [one for one, last in skipping.items() if last <= letter.seq]:
            del skipping[follower]
        self._skipping = skipping or None

    def _drain(self) -> None:
        """Tell what was held and is next; ask for what is missing before the rest."""
        held = self._held
        while held and self.position is not None and (event := held.pop(self.position + 1, None)) is not None:
            self._told(Letter(self.position + 1, event))
        if not held:
            self._held = None
        if self.position is not None and self._newest > self.position:
            self.ask()

    # From whoever reads

    def ask(self) -> None:
        """Have the stream read, unless it is going to be."""
        if not self._asked and self.followers:
            self._asked = True
            self._outlet.ask(self)

    def doubt(self) -> None:
        """Have the stream read, and not by a reading that has begun already."""
        self._again = self._asked
        self.ask()

    def read(self, place: Place, letters: Sequence[Letter], head: int, *, more: bool) -> None:
        """Take what was read from a `place` on, in order. `head` is the newest number there is; `more`: this is not
        all up to there, and is to be read on from the present `place`.
        """
        if place.moment != self._began:
            # Numbers have begun anew since.
            self._asked = False
            self.ask()
            return
        if place.seq is not None and head < place.seq:
            # An older copy of the database: numbers go on from there.
            self._restart(head)
            letters = ()
        if head < place.newest and not more:
            # What was held is of somebody else's numbering.
            self._held, self._newest = None, head
        found = {letter.seq: letter.event for letter in letters}
        last = max(found, default=0) if more else head
        if self._held:
            early = [seq for seq in self._held if seq <= last]
            found = {seq: self._held.pop(seq) for seq in early} | found
        if self.position is None:
            # What comes before a gap is from before there was anybody here.
            self.position = last
            while self.position in found:
                self.position -= 1
        for seq in sorted(found):
            if seq > self.position:
                self._told(Letter(seq, found[seq]))
        if self.position < last:
            # Nobody is told what is kept no more.
            self.position = last
        if not more:
            self._asked = False
            if self._again:
                self._again = False
                self.ask()
            self._drain()

    def _restart(self, position: int | None) -> None:
        self.position = position
        self._newest = 0
        self._held = self._skipping = None

    def restart(self, began: float) -> None:
        """Numbers begin anew: whatever is told next is the first."""
        self._began = began
        self._restart(None)
        if self._keeping is not None:
            self._keeping = dict.fromkeys(self._keeping)

    # Followers

    def join(self, follower: Follower, *, catching_up: bool) -> None:
        """Have somebody told from now on; or, to be told first what they missed, from `caught_up` on."""
        self.followers += (follower,)
        if catching_up:
            self._keeping = self._keeping or {}
            self._keeping[follower] = []
        if self.position is None and self._keeping is not None and len(self.followers) > 1:
            # What is read for one of them says nothing of what is on its way to the others.
            self.ask()

    def leave(self, follower: Follower) -> None:
        """Tell somebody nothing more; nothing of them stays."""
        self.followers = tuple(one for one in self.followers if one is not follower)
        if self._forget_keeping(follower) is not None and self._keeping is None:
            self._begin()
            self._drain()
        if self._skipping is not None and self._skipping.pop(follower, 0) and not self._skipping:
            self._skipping = None

    def _forget_keeping(self, follower: Follower) -> list[Letter] | None:
        if self._keeping is None:
            return None
        kept = self._keeping.pop(follower, None)
        if not self._keeping:
            self._keeping = None
        return kept

    def caught_up(
        self, follower: Follower, letters: Sequence[Letter], head: int | None
    ) -> tuple[Sequence[Letter], bool]:
        """Return what a follower is to be told who wanted to be told first what they missed, and whether that is all
        of it; from now on it is told what comes.

        `letters` were read after it joined: all from where it was up to `head`. None: nothing could be read.
        """
        if self.position is not None or self._asked:
            if head is not None and (self.position is None or self.position < head):
                self._skipping = self._skipping or {}
                self._skipping[follower] = head
        elif head is not None:
            self.position = head
            if self._held:
                self._held = {seq: event for seq, event in self._held.items() if seq > head}
        elif self._keeping is None or len(self._keeping) < 2:
            self._begin()
        # What it brings is kept for the follower too, who is told it after the rest.
        self._drain()
        kept = self._forget_keeping(follower)
        if kept is None:
            return (), False
        if head is None:
            return kept, False
        return [*letters, *(letter for letter in kept if letter.seq > head)], True

    def _begin(self) -> None:
        """Nobody reads, so that what is held need not wait for where to begin."""
        if self.position is None and self._held and not self._asked:
            self.position = min(self._held) - 1
