"""One stream with followers: what is told, held, read and forgotten. Random histories are in `test_mailbox_histories.py`."""

import pytest

from seatcast.gateway.mailbox import MAX_HELD, Letter, Place
from seatcast.gateway.mailboxes import MAX_RECENT_IDS, Mailboxes
from seatcast.wire_events import BookingConfirmedEvent


def message(seq, event_id=None):
    return BookingConfirmedEvent(
        event_id=event_id or f"e{seq}", user_id="alice", booking_id=f"b{seq}", tour_name="t", timestamp="now"
    )  # fmt: skip


def letters(*numbers):
    return [Letter(seq, message(seq)) for seq in numbers]


class Outlet:
    def __init__(self, **more):
        self.told = {}
        self.asked = []
        self.now = 100.0
        self.mailboxes = Mailboxes(self, lambda: self.now, **more)

    def tell(self, stream, followers, event):
        for follower in followers:
            self.told.setdefault(follower, []).append(event.booking_id)

    def ask(self, mailbox):
        self.asked.append(mailbox.place)

    def take(self, *numbers):
        return [self.mailboxes.take("alice", seq, message(seq)) for seq in numbers]

    def read(self, *numbers, head, more=False):
        self.mailboxes["alice"].read(self.asked.pop(0), letters(*numbers), head, more=more)


@pytest.fixture
def outlet():
    outlet = Outlet()
    outlet.mailboxes.join("phone", "alice")
    return outlet


def test_every_follower_is_told_and_nobody_elses(outlet):
    outlet.mailboxes.join("laptop", "alice")
    outlet.mailboxes.join("other", "bob")
    assert outlet.take(7, 8) == ["told", "told"]
    assert outlet.told == {"phone": ["b7", "b8"], "laptop": ["b7", "b8"]}
    assert outlet.mailboxes.take("carol", 1, message(1)) == "for nobody"


def test_what_was_told_is_not_told_again(outlet):
    assert outlet.take(7, 7, 6, 8, 7) == ["told", "repeated", "repeated", "told", "repeated"]
    assert outlet.told == {"phone": ["b7", "b8"]}


def test_what_comes_too_early_waits_for_its_turn(outlet):
    assert outlet.take(7, 9, 10, 9, 8) == ["told", "held", "held", "repeated", "told"]
    assert outlet.told == {"phone": ["b7", "b8", "b9", "b10"]}


def test_a_gap_is_read_once_and_closed(outlet):
    outlet.take(7, 9, 11)
    assert outlet.asked == [Place(7, 100.0, 9)]
    outlet.read(8, 9, 10, 11, 12, head=12)
    assert outlet.told == {"phone": ["b7", "b8", "b9", "b10", "b11", "b12"]}
    assert outlet.asked == []


def test_what_is_read_in_pages_is_told_page_by_page(outlet):
    outlet.take(7, 10)
    outlet.read(8, head=10, more=True)
    outlet.asked = [outlet.mailboxes["alice"].place]
    assert outlet.asked == [Place(8, 100.0, 10)]
    outlet.read(9, 10, head=10)
    assert outlet.told == {"phone": ["b7", "b8", "b9", "b10"]}


def test_what_is_kept_no_more_is_passed_over(outlet):
    """Notifications are deleted after a week: a gap that nothing fills is no reason to wait."""
    outlet.take(7, 12)
    outlet.read(10, 12, head=12)
    assert outlet.told == {"phone": ["b7", "b10", "b12"]}
    assert outlet.take(13) == ["told"]


def test_after_a_doubt_what_was_missed_is_told(outlet):
    outlet.take(7)
    outlet.mailboxes.doubt()
    assert outlet.asked == [Place(7, 100.0, 0)]
    assert outlet.take(8) == ["told"]
    outlet.read(8, 9, head=9)
    assert outlet.told == {"phone": ["b7", "b8", "b9"]}


def test_before_anything_was_told_a_doubt_is_about_all_since_the_first_came(outlet):
    outlet.mailboxes.doubt()
    assert outlet.asked == [Place(None, 100.0, 0)]
    assert outlet.take(9) == ["held"]
    outlet.read(8, 9, head=9)
    assert outlet.told == {"phone": ["b8", "b9"]}
    outlet.mailboxes.doubt()
    outlet.read(head=9)
    assert outlet.take(10) == ["told"]


def test_a_reading_that_began_before_a_doubt_is_followed_by_another(outlet):
    outlet.take(7)
    outlet.mailboxes.doubt()
    outlet.mailboxes.doubt()
    outlet.read(head=7)
    outlet.read(8, head=8)
    assert outlet.told == {"phone": ["b7", "b8"]}
    assert outlet.asked == []


def test_what_is_held_is_bounded_and_what_was_not_held_is_read(outlet):
    numbers = range(3, 3 + MAX_HELD + 10)
    outlet.take(1, *numbers)
    assert len(outlet.mailboxes["alice"]._held) == MAX_HELD
    outlet.read(*range(2, 100), head=99)
    # What was held goes on from there, and the rest is asked for.
    assert outlet.asked[0].seq == 2 + MAX_HELD
    outlet.read(*range(3 + MAX_HELD, numbers[-1] + 1), head=numbers[-1])
    assert outlet.told["phone"] == [f"b{seq}" for seq in range(1, numbers[-1] + 1)]


def test_a_number_that_nobody_gave_is_not_waited_for_for_ever(outlet):
    """A publisher that numbers by itself: what it sends is not told, and nothing is read again and again."""
    outlet.take(1, 1_000_000)
    outlet.read(head=1)
    assert outlet.asked == []
    assert outlet.take(2) == ["told"]


def test_an_older_copy_of_the_database_numbers_on_from_where_it_is(outlet):
    outlet.take(7)
    outlet.mailboxes.doubt()
    outlet.read(1, 2, 3, head=3)
    assert outlet.take(4) == ["told"]
    assert outlet.told == {"phone": ["b7", "b4"]}


def test_another_database_numbers_anew(outlet):
    outlet.take(7, 9)
    outlet.now = 200.0
    outlet.mailboxes.restart()
    # What was read in the other one is nothing.
    outlet.read(8, 9, head=9)
    assert outlet.asked == [Place(None, 200.0, 0)]
    outlet.read(1, head=1)
    assert outlet.take(2) == ["told"]
    assert outlet.told == {"phone": ["b7", "b1", "b2"]}


def test_a_message_without_a_number_is_told_at_once_and_once(outlet):
    for event_id in ("x", "x", "y"):
        outlet.mailboxes.take("alice", None, message(0, event_id))
    assert outlet.told == {"phone": ["b0", "b0"]}
    for number in range(MAX_RECENT_IDS):
        outlet.mailboxes.take("alice", None, message(0, f"z{number}"))
    assert len(outlet.mailboxes._recent) == MAX_RECENT_IDS


def test_where_nothing_can_be_read_gaps_are_passed_over():
    outlet = Outlet(readable=False)
    outlet.mailboxes.join("phone", "alice")
    outlet.mailboxes.doubt()
    assert outlet.take(3, 7, 5, 8) == ["told", "told", "repeated", "told"]
    assert outlet.asked == []


def test_who_leaves_leaves_nothing_behind(outlet):
    outlet.mailboxes.join("laptop", "alice", catching_up=True)
    outlet.take(7)
    outlet.mailboxes.leave("laptop", "alice")
    outlet.mailboxes.leave("laptop", "alice")
    outlet.mailboxes.leave("phone", "alice")
    assert len(outlet.mailboxes) == 0


# Catching up


def test_who_catches_up_is_told_what_it_missed_and_then_what_came_meanwhile():
    outlet = Outlet()
    outlet.mailboxes.join("phone", "alice")
    outlet.take(7)
    outlet.mailboxes.join("laptop", "alice", catching_up=True)
    outlet.take(8, 9)
    late, whole = outlet.mailboxes["alice"].caught_up("laptop", letters(6, 7, 8), 8)
    assert ([letter.seq for letter in late], whole) == ([6, 7, 8, 9], True)
    outlet.take(10)
    assert outlet.told == {"phone": ["b7", "b8", "b9", "b10"], "laptop": ["b10"]}


def test_who_knows_more_than_the_others_is_told_nothing_twice():
    outlet = Outlet()
    outlet.mailboxes.join("phone", "alice")
    outlet.take(7)
    outlet.mailboxes.join("laptop", "alice", catching_up=True)
    outlet.mailboxes["alice"].caught_up("laptop", letters(8, 9), 9)
    outlet.take(8, 9, 10)
    assert outlet.told == {"phone": ["b7", "b8", "b9", "b10"], "laptop": ["b10"]}
    assert outlet.mailboxes["alice"]._skipping is None


def test_the_first_that_catches_up_says_where_the_mailbox_is():
    outlet = Outlet()
    outlet.mailboxes.join("phone", "alice", catching_up=True)
    assert outlet.take(9) == ["held"]
    late, _ = outlet.mailboxes["alice"].caught_up("phone", letters(7), 7)
    assert [letter.seq for letter in late] == [7]
    # 8 is missing: nobody is told 9 before it is.
    outlet.read(8, 9, head=9)
    assert outlet.told == {"phone": ["b8", "b9"]}


def test_who_cannot_catch_up_begins_with_what_comes():
    outlet = Outlet()
    outlet.mailboxes.join("phone", "alice", catching_up=True)
    outlet.take(8, 9)
    late, whole = outlet.mailboxes["alice"].caught_up("phone", [], None)
    assert ([letter.seq for letter in late], whole) == ([8, 9], False)
    assert outlet.take(10) == ["told"]


def test_what_is_kept_for_who_catches_up_is_bounded():
    outlet = Outlet()
    outlet.mailboxes.join("phone", "alice")
    outlet.take(1)
    outlet.mailboxes.join("laptop", "alice", catching_up=True)
    outlet.take(*range(2, MAX_HELD + 5))
    assert outlet.mailboxes["alice"].caught_up("laptop", letters(1), 1) == ((), False)
    outlet.take(MAX_HELD + 5)
    assert outlet.told["laptop"] == [f"b{MAX_HELD + 5}"]


def test_what_was_held_for_who_leaves_before_it_caught_up_is_told():
    outlet = Outlet()
    outlet.mailboxes.join("laptop", "alice", catching_up=True)
    outlet.take(8)
    outlet.mailboxes.join("phone", "alice")
    outlet.mailboxes.leave("laptop", "alice")
    outlet.read(8, head=8)
    outlet.take(9)
    assert outlet.told == {"phone": ["b8", "b9"]}
