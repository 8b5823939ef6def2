"""The property tests notice: each way of breaking a promise, put into the code, makes them fail.

A mutation is one place in the source, replaced. A `before` that is no longer there exactly once says so:
write the mutation anew for the code as it is now.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HISTORIES = ["test_histories.py"]
MAILBOXES = ["test_mailbox_histories.py"]
TESTS = {"slots": ["test_slots.py", "test_histories.py"], "mailbox": MAILBOXES, "mailboxes": MAILBOXES}

MUTATIONS = {
    # The version test
    "an older version is applied": (
        "facts",
        "elif version > self.base:",
        "elif version != self.base and not closed:",
    ),
    "an equal version is applied again": (
        "facts",
        "elif version > self.base:",
        "elif version >= self.base and not closed:",
    ),
    "a snapshot closes what was opened after its reading began": (
        "truth",
        "not part.closed and part.changed <= mark",
        "not part.closed",
    ),
    "a snapshot is judged by what was joined of it so far": (
        "truth",
        "                yield\n        # Last",
        "                yield\n                break\n        # Last",
    ),
    "a snapshot of the former database is joined": ("truth", "if mark < self._restarted_at:", "if False:"),
    "a late event of the former database is applied": (
        "truth",
        "if not self._epochs.unheard_of(event.epoch):",
        "if False:",
    ),
    "an old frame is told for a new fact": ("ledger", "tour.forget_frames()", "pass"),
    # The offer on subscribe
    "a subscriber is not told the state": (
        "session",
        "self.peer.offer(self._hub.truth.keys(frozenset((tour_id,))))",
        "pass",
    ),
    "a newcomer is not told the state": (
        "session",
        "peer.offer(hub.truth.keys(self.tours) if news is None else news)",
        "pass",
    ),
    "a newcomer is told an old state": (
        "server",
        "if whole and self._snapshot[0] == truth.clock:",
        "if whole and self._snapshot[0] >= 0:",
    ),
    "a subscriber is told twice what changed in this turn": (
        "hub",
        "        if self._dirty:\n            self._be_late(group, follower)\n        else:\n            group.add(follower, way)",
        "        group.add(follower, way)",
    ),
    "a newcomer is not told what changed after it came": (
        "hub",
        "for key in keys if dirty[key] > since",
        "for key in ()",
    ),
    "who left is remembered": (
        "hub",
        "        if not group:\n            self._late",
        "        if False:\n            self._late",
    ),
    "followers of names are not told": (
        "hub",
        "for group in self._by_tour.get(key[0], ()):",
        "for group in ():",
    ),
    # The slots
    "who is behind is not owed changes": ("slots", "slots.setdefault(key, slot)", "pass"),
    "who is behind is owed no state to start from": (
        "connection",
        "self.owed.offer(keys, self._server.clock())",
        "pass",
    ),
    "a change takes the place of a state to start from": (
        "slots",
        "slots.setdefault(key, slot)",
        "slots[key] = slot",
    ),
    "what is not followed any more is told": ("slots", "del self.slots[key]", "pass"),
    "of a chunk only the last slot is told": ("slots", "frames.append(frame)", "frames[:] = [frame]"),
    "who reads a little counts as reading": (
        "connection",
        "        while not self.paused:\n",
        "        while True:\n",
    ),
    "who is behind is written to": (
        "server",
        "            if connection.owed is not None:\n",
        "            if connection.owed is not None and len(keys) > 1:\n",
    ),
    "what changed in this turn is told after it was paid": (
        "connection",
        "            self._server.hub.settle(self)\n            self._pay(self.owed)",
        "            self._pay(self.owed)",
    ),
    "other versions leave old slots behind": ("server", 'connection.drop(None, "reset")', "pass"),
    "answers beyond bounds": ("slots", "if len(self.answers) >= MAX_ANSWERS:", "if False:"),
    # Messages for people
    "a message is told again": ("mailbox", "if seq <= self.position:", "if seq < self.position - 1:"),
    "a gap is told over": ("mailbox", "if seq > self.position + 1:", "if False:"),
    "a doubt is no reason to read": ("mailboxes", "mailbox.doubt()", "pass"),
    "a reading that began before a doubt ends it": (
        "mailbox",
        "self._again = self._asked",
        "self._again = False",
    ),
    "in doubt about everything the first one heard is the first": (
        "mailbox",
        "if self._asked or self._keeping:",
        "if self._keeping:",
    ),
    "who catches up does not hear what came meanwhile": (
        "mailbox",
        "return [*letters, *(letter for letter in kept if letter.seq > head)], True",
        "return [*letters], True",
    ),
    "who catches up hears twice what came meanwhile": (
        "mailbox",
        "for letter in kept if letter.seq > head)",
        "for letter in kept)",
    ),
    "who has caught up is told with the others what it knows": (
        "mailbox",
        "skipping.get(one, 0) < letter.seq",
        "True",
    ),
    "who catches up is told with the others": ("mailbox", "one not in keeping and", "True and"),
    "one's catching up makes the others miss what is on its way": (
        "mailbox",
        "if self.position is not None or self._asked:",
        "if self.position is not None:",
    ),
    "an old notice replaces a new one": (
        "slots",
        "self.notices[kind] = frame",
        "self.notices.setdefault(kind, frame)",
    ),
}


@pytest.fixture(scope="module")
def outcomes():
    """What became of each mutation, and (under None) of the code as it is."""
    asked: list[object] = [(None, [*TESTS["slots"], *MAILBOXES])]
    for module, *change in MUTATIONS.values():
        asked.append(((f"seatcast.gateway.{module}", *change), TESTS.get(module, HISTORIES)))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("mutants.py"))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip([None, *MUTATIONS], json.loads(done.stdout), strict=True))


@pytest.mark.timeout(900)
def test_nothing_is_noticed_where_nothing_is_broken(outcomes):
    code, output = outcomes[None]
    assert code == 0, output


@pytest.mark.parametrize("name", MUTATIONS)
def test_is_noticed(outcomes, name):
    code, output = outcomes[name]
    assert (code, "FAILED tests" in output) == (1, True), output
