"""The command as its users meet it: real processes, their exit codes and what they print."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from seatcast.tokens import Tokens

SECRET = "a secret of more than sixteen bytes"
PORTS = ("--port", "0", "--api-port", "0")


def _environment(**more: str) -> dict[str, str]:
    """The environment without whatever settings this machine has."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SEATCAST_", "JWT_"))}
    return kept | {"COLUMNS": "200"} | more


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `seatcast ARGUMENTS` in an empty folder to its end."""

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "seatcast", *arguments],
            cwd=tmp_path, env=_environment(**environment), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return call


class Running:
    """A running `seatcast`, its log lines as they come, and its end."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "seatcast", *arguments],
                cwd=folder, env=_environment(**environment), stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip

    def line(self, event: str, seconds: float = 30) -> dict[str, str]:
        """Return the first log line with this event; fail with the whole log if there is none in time."""
        deadline = time.monotonic() + seconds
        while True:
            for line in self.log.read_text().splitlines():
                with contextlib.suppress(ValueError):
                    if (found := json.loads(line)).get("event") == event:
                        return found
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"no {event!r} in:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start `seatcast ARGUMENTS` in a folder of this test's; whatever still runs at the end is killed."""
    started: list[Running] = []

    def call(*arguments: str, **environment: str) -> Running:
        folder = tmp_path / f"process-{len(started)}"
        folder.mkdir()
        started.append(Running(folder, arguments, environment))
        return started[-1]

    yield call
    for running in started:
        running.process.kill()
        running.process.wait()


def _one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one clear line of a failed command."""
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("seatcast: ").rstrip("\n")


@contextlib.contextmanager
def _taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (("serve", "--port", "abc"), {}, "--port must be a whole number"),
        (("serve",), {"SEATCAST_API_PORT": "-1"}, "api-port must be between 0 and 65535, not -1"),
        (("serve", "--port", "9000", "--api-port", "9000"), {}, "--port and --api-port are both 9000: they must differ"),
        (("serve", "--config", "none.toml"), {}, "the configuration file none.toml does not exist"),
        (("serve", "--database-url", "mysql://h/d"), {}, "database-url must begin with postgresql:// or postgres:// or sqlite://, not 'mysql'"),
        (("serve",), {"JWT_SECRET": "short"}, "jwt-secret is too short: at least 16 bytes (HS256 is only as strong as it)"),
        (("tours",), {}, "a tour service alone needs --broker-url: without it nobody hears of its bookings"),
        (("gateway", "--workers", "0"), {}, "workers must be between 1 and 128, not 0"),
        (("gateway", "--workers", "2"), {}, "a gateway alone needs --broker-url: without it nothing ever reaches it"),
        (("serve",), {"SEATCAST_WORKERS": "2"}, "workers are for a gateway alone: `seatcast serve` is one process"),
        (("serve", "--workers", "2"), {}, None),
        (("gateway",), {}, "a gateway alone needs --broker-url: without it nothing ever reaches it"),
        (("token", "--user", "x", "--expires", "soon"), {}, "--expires must be a number and s, m, h or d, such as 1h"),
        (("token", "--user", ""), {}, "--user takes 1 to 128 characters"),
        (("publish", "tour_paris", "-1"), {}, None),
        (("publish", "tour_paris", "many"), {}, None),
        (("listen", "http://127.0.0.1"), {}, "URL must begin with ws:// or wss://"),
        (("serve", "--prot", "1"), {}, None),
        (("fly",), {}, None),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_line_and_exit_2(run, arguments, environment, line):
    said = _one_line(run(*arguments, **environment), 2)
    assert line is None or said == line


def test_help_and_version_need_nothing(run):
    for arguments in ((), ("--help",), ("serve", "--help"), ("demo", "--help")):
        done = run(*arguments)
        assert "Usage" in done.stdout + done.stderr
        assert done.returncode in (0, 2)
    assert re.fullmatch(r"seatcast \d+\.\d+\.\d+\n", run("--version").stdout)
    assert "--api-port" in run("serve", "--help").stdout


def test_a_taken_port_is_one_line(run):
    with _taken_port() as port:
        for arguments in (
            ("serve", "--port", "0", "--api-port", str(port)),
            ("demo", "tours", "--port", str(port)),
        ):
            last = run(*arguments).stderr.splitlines()[-1]
            assert last.startswith("seatcast: ")
            assert f"127.0.0.1 port {port}: the port is already taken" in last


@pytest.mark.parametrize("command", ["serve", "tours", "gateway"])
def test_a_broker_that_is_not_there_is_one_line_after_the_wait(run, free_port, command):
    port = str(free_port())
    done = run(
        command,
        "--broker-url",
        f"amqp://me:hunter2@127.0.0.1:{port}",
        "--start-seconds",
        "1.5",
        JWT_SECRET=SECRET,
    )
    assert done.returncode == 1
    *waiting, last = done.stderr.splitlines()
    assert last.startswith("seatcast: ")
    assert port in last
    assert "refused" in last
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
    assert any("RabbitMQ is not there" in line for line in waiting)


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_is_not_there_is_one_line_after_the_wait(run, free_port, command):
    port = free_port()
    url = f"postgresql://me:hunter2@127.0.0.1:{port}/seatcast"
    done = run(command, "--database-url", url, "--start-seconds", "1")
    assert done.returncode == 1
    *waiting, last = done.stderr.splitlines()
    assert last == f"seatcast: database postgresql://127.0.0.1:{port}/seatcast: connection refused"
    assert "hunter2" not in done.stderr
    assert any("aiting for the database" in line for line in waiting)


def test_a_wrong_broker_password_is_final(run, amqp_url):
    started = time.monotonic()
    done = run("publish", "tour_paris", "3", "--broker-url", amqp_url.replace(":guest@", ":hunter2@"))
    assert "hunter2" not in _one_line(done, 1)
    assert time.monotonic() - started < 15


def test_a_database_from_the_future_is_one_line(run, tmp_path):
    assert run("migrate").stdout.startswith("the database is at revision ")
    import sqlite3

    with contextlib.closing(sqlite3.connect(tmp_path / "seatcast.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999_future'")
    for command in (("serve", *PORTS), ("migrate",)):
        done = run(*command)
        assert done.returncode == 1
        assert "newer Seatcast" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_a_data_folder_that_cannot_be_made_is_one_line(run, tmp_path):
    (tmp_path / "file").touch()
    assert "file/seatcast.secret cannot be read or made" in _one_line(
        run("token", "--user", "x", "--data-dir", "file"), 2
    )


def test_a_token_verifies_with_the_configured_secret(run):
    done = run(
        "token", "--user", "alice", "--role", "staff", "--role", "admin", "--expires", "2h", JWT_SECRET=SECRET
    )
    identity = Tokens(SECRET).verify(done.stdout.strip())
    assert identity.user == "alice"
    assert identity.roles == {"staff", "admin"}
    assert identity.expires is not None
    assert 7100 < identity.expires - time.time() < 7300


def test_without_a_secret_one_is_made_once_and_kept_private(run, tmp_path):
    first = run("token", "--user", "alice", "--data-dir", "data").stdout.strip()
    path = tmp_path / "data" / "seatcast.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = path.read_text().strip()
    assert len(secret) == 43
    assert Tokens(secret).verify(first).user == "alice"
    run("token", "--user", "bob", "--data-dir", "data")
    assert path.read_text().strip() == secret
    assert [file.name for file in path.parent.iterdir()] == ["seatcast.secret"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_logs_where_it_listens_and_a_signal_ends_it_with_0(start, number):
    running = start("serve", *PORTS)
    line = running.line("Seatcast is listening")
    assert httpx.get(f"{line['pages']}/api/tours").json() == []
    assert running.stop(number) == 0
    assert "Traceback" not in running.log.read_text()


def test_a_signal_while_waiting_for_a_server_ends_the_wait_with_0(start, free_port):
    running = start("gateway", "--broker-url", f"amqp://127.0.0.1:{free_port()}")
    deadline = time.monotonic() + 20
    while "RabbitMQ is not there" not in running.log.read_text():
        assert time.monotonic() < deadline, running.log.read_text()
        time.sleep(0.02)
    assert running.stop() == 0


def test_tour_service_and_gateway_alone_carry_a_booking_between_them(start, run, postgres_url, amqp_url):
    from websockets.sync.client import connect

    secret = {"JWT_SECRET": SECRET}
    both = ("--broker-url", amqp_url)
    api = start("tours", *both, "--database-url", postgres_url, "--api-port", "0", **secret).line(
        "Tour service is listening"
    )["url"]
    staff = {"Authorization": f"Bearer {Tokens(SECRET).mint('me', ['staff'], 60)}"}
    new = {"id": "tour_oslo", "name": "Oslo", "capacity": 9}
    assert httpx.post(f"{api}/api/tours", json=new, headers=staff).status_code == 201
    running = start("gateway", *both, "--tours-url", api, "--port", "0", "--http-port", "0", **secret)
    where = running.line("Gateway is listening")
    assert httpx.get(f"{where['health']}/health/live").json() == {"status": "ok"}
    assert "seatcast" in httpx.get(f"{where['health']}/metrics").text
    with connect(where["url"]) as client:
        frames = iter(lambda: json.loads(client.recv(10)), None)
        assert next(frames)["type"] == "WELCOME"
        assert next(frame for frame in frames if frame["type"] == "INITIAL_STATE")["availableSeats"] == 9
        assert httpx.post(f"{api}/api/tours/tour_oslo/book", json={"seatsToBook": 2}).status_code == 200
        assert (
            next(frame for frame in frames if frame["type"] == "AVAILABILITY_UPDATE")["availableSeats"] == 7
        )
        # Another program's event, without a version.
        assert run("publish", "tour_ghost", "4", "--name", "Ghost", *both).stdout.startswith(
            "tour_ghost has 4 seats"
        )
        ghost = next(frame for frame in frames if frame.get("tourId") == "tour_ghost")
        assert (ghost["availableSeats"], ghost["tourName"]) == (4, "Ghost")
    assert running.stop() == 0


def test_listen_prints_frames_as_lines_of_json(start, run):
    port = start("serve", *PORTS).line("Seatcast is listening")["websocket"]
    process = subprocess.Popen(
        [sys.executable, "-m", "seatcast", "listen", port, "--tour", "tour_x"],
        env=_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["type"] == "WELCOME"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_listen_to_nobody_is_one_line(run, free_port):
    port = free_port()
    assert (
        _one_line(run("listen", f"ws://127.0.0.1:{port}"), 1)
        == f"cannot connect to ws://127.0.0.1:{port}: connection refused"
    )


def test_publish_to_nobody_is_one_line(run, free_port):
    url = f"amqp://127.0.0.1:{free_port()}"
    assert "refused" in _one_line(run("publish", "tour_x", "1", "--broker-url", url), 1)
