"""Workers are started, replaced and ended, whatever ends them or the supervisor: real processes throughout."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .running import Running, alive

PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path
from seatcast import logs
from seatcast.supervisor import Supervisor

def say(**what):
    os.write(1, json.dumps(what).encode() + b"\\n")

def work(number, ready):
    say(worker=number, pid=os.getpid())
    stopped = []
    signal.signal(signal.SIGTERM, signal.SIG_IGN if Path("deaf").exists() else lambda *_: stopped.append(1))
    if Path(f"fail-{number}").exists():
        print("the reason", file=sys.stderr)
        sys.exit(3)
    # Said first: once it is ready, the others may be started and speak at any time.
    say(ready=number)
    ready()
    while not stopped:
        time.sleep(0.01)
    time.sleep(0.1)
    say(drained=number)

logs.configure("json")
say(supervisor=os.getpid())
code = Supervisor(int(sys.argv[1]), work, drain_seconds=0.3, started=lambda: say(started=True)).run()
say(code=code)
sys.exit(code)
"""


class Family(Running):
    """A supervisor and its workers, seen through what they print."""

    def pids(self, number: int) -> list[int]:
        """Return the process ids of this worker so far, in order."""
        return [line["pid"] for line in self.printed() if line.get("worker") == number]

    def said(self, **what: object) -> int:
        """Return how often this was said."""
        return self.printed().count(what)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Callable[..., Family]]:
    """`family(count)`: a supervisor with so many workers, in `tmp_path / "here"`; all are dead at the end."""
    started: list[Family] = []

    def start(count: int, *files: str) -> Family:
        (tmp_path / "made").mkdir()
        for name in files:
            (tmp_path / "made" / name).touch()
        # The folder that `Running` makes is for its output alone.
        program = f"import os; os.chdir({str(tmp_path / 'made')!r})\n{PROGRAM}"
        started.append(Family(tmp_path / "family", [sys.executable, "-c", program, str(count)]))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        for line in one.printed():
            with contextlib.suppress(ProcessLookupError):
                os.kill(line.get("pid", one.process.pid), signal.SIGKILL)


async def test_all_start_the_first_alone_and_a_signal_ends_all_in_order(family, eventually):
    one = family(3)
    await eventually(lambda: one.said(started=True))
    said = [next(iter(line)) for line in one.printed()]
    assert said[:3] == ["supervisor", "worker", "ready"], "the second waits for the first to be ready"
    assert len({pid for number in (1, 2, 3) for pid in one.pids(number)}) == 3

    assert one.stop(signal.SIGINT) == 0
    assert sorted(line["drained"] for line in one.printed() if "drained" in line) == [1, 2, 3]
    assert not any(alive(pid) for number in (1, 2, 3) for pid in one.pids(number))


async def test_a_killed_worker_is_replaced_and_the_others_go_on(family, eventually):
    one = family(2)
    await eventually(lambda: one.said(started=True))
    (first,), (second,) = one.pids(1), one.pids(2)
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: one.said(ready=1) == 2)
    assert one.pids(2) == [second]
    assert alive(second)
    (line,) = one.lines("A worker ended and is replaced")
    assert (line["worker"], line["exit"], line["pause_seconds"]) == (1, "SIGKILL", 0.0)
    assert one.said(started=True) == 1
    assert one.stop() == 0


async def test_a_worker_that_keeps_dying_is_replaced_ever_more_slowly_and_the_others_serve(
    family, eventually
):
    one = family(2)
    await eventually(lambda: one.said(started=True))
    (second,) = one.pids(2)
    made = one.out.parent.parent / "made"
    (made / "fail-1").touch()
    os.kill(one.pids(1)[0], signal.SIGKILL)
    await eventually(lambda: len(one.lines("A worker ended and is replaced")) >= 4, timeout=30)
    pauses = [line["pause_seconds"] for line in one.lines("A worker ended and is replaced")]
    assert pauses[:4] == [0.0, 0.5, 1.0, 2.0]
    assert alive(second)

    (made / "fail-1").unlink()
    await eventually(lambda: one.said(ready=1) == 2, timeout=30)
    assert one.stop() == 0


@pytest.mark.parametrize("number", [1, 2])
async def test_a_worker_that_fails_at_the_start_stops_the_whole_with_its_code_and_its_one_line(
    family, eventually, number
):
    one = family(2, f"fail-{number}")
    assert one.process.wait(30) == 3
    assert one.log.read_text() == "the reason\n"
    assert not one.said(started=True)
    assert not any(alive(pid) for worker in (1, 2) for pid in one.pids(worker))


async def test_a_killed_supervisor_leaves_no_orphan(family, eventually):
    one = family(2)
    await eventually(lambda: one.said(started=True))
    one.kill()
    await eventually(lambda: not any(alive(pid) for number in (1, 2) for pid in one.pids(number)))
    assert one.said(drained=1) == one.said(drained=2) == 1, "they were not even cut off"


async def test_a_worker_that_does_not_end_is_killed_and_the_exit_code_says_so(family, eventually):
    one = family(2, "deaf")
    await eventually(lambda: one.said(started=True))
    pids = one.pids(1) + one.pids(2)
    assert one.stop() == 1
    assert len(one.lines("A worker did not end in order")) == 2
    assert not any(map(alive, pids))


async def test_a_second_signal_ends_everything_at_once(family, eventually):
    one = family(2, "deaf")
    await eventually(lambda: one.said(started=True))
    pids = one.pids(1) + one.pids(2)
    one.process.send_signal(signal.SIGTERM)
    one.line("Stopping the workers")
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(4) == 1
    assert not any(map(alive, pids))


async def test_signals_to_everybody_at_once_are_one_drain(family, eventually):
    """As Ctrl+C and service managers send them: each worker then hears twice, and still drains."""
    one = family(2)
    await eventually(lambda: one.said(started=True))
    for pid in (*one.pids(1), *one.pids(2), one.process.pid):
        os.kill(pid, signal.SIGTERM)
    assert one.process.wait(30) == 0
    assert one.said(drained=1) == one.said(drained=2) == 1


async def test_a_hangup_replaces_one_after_the_other(family, eventually):
    one = family(2)
    await eventually(lambda: one.said(started=True))
    one.process.send_signal(signal.SIGHUP)
    await eventually(lambda: one.said(ready=1) == one.said(ready=2) == 2)
    steps = [line for line in one.printed() if "drained" in line or "ready" in line][2:]
    assert steps == [{"drained": 1}, {"ready": 1}, {"drained": 2}, {"ready": 2}]
    assert not one.lines("A worker ended and is replaced"), "nothing went wrong"
    assert one.stop() == 0
