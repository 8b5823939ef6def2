"""See that what the tests need is there: `servers.py postgresql rabbitmq chromium nginx caddy`.

A server that answers on its standard local port is used as it is. What is missing is installed (apt-get), and
started if it is a server that tests share, when this runs as root on Debian or its kin, without needing systemd;
otherwise the commands to run are printed. Proxies are started by the tests themselves, never as a service.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg

ENVIRONMENT = Path(__file__).parents[1] / ".venv" / "stamps" / "servers.env"
VARIABLE = "SEATCAST_TEST_POSTGRES_URL"
POSTGRES_PORT = 5432
RABBITMQ_PORT = 5672
POLICY = Path("/usr/sbin/policy-rc.d")


class Missing(Exception):
    """A server is missing and cannot be put there from here; the text says what to do."""


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _run(*command: str, check: bool = True) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False, stdin=subprocess.DEVNULL
    )
    if check and done.returncode:
        raise Missing(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def _install(package: str) -> None:
    print(f"servers: installing {package}", flush=True)
    _run("apt-get", "update", "-qq")
    _run(
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        package,
    )


def _wait(ready: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _postgres_url() -> str | None:
    """Return the first URL that lets us in as a superuser."""
    urls = [os.environ.get(VARIABLE), f"postgresql://postgres@127.0.0.1:{POSTGRES_PORT}"]
    if ENVIRONMENT.exists():
        urls.append(ENVIRONMENT.read_text().partition("=")[2].strip())
    for url in filter(None, urls):
        if asyncio.run(_superuser(url)):
            return url
    return None


async def _superuser(url: str) -> bool:
    try:
        connection = await asyncpg.connect(f"{url}/postgres", timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    try:
        return await connection.fetchval("SHOW is_superuser") == "on"
    finally:
        await connection.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError:
        return False
    return True


def postgresql() -> None:
    url = _postgres_url()
    if url is None:
        if not _may_install():
            raise Missing(
                "PostgreSQL does not let user postgres in on 127.0.0.1:5432. Install and start it, then either"
                " let it trust local connections or give the tests a superuser's URL:\n"
                "  sudo apt-get install postgresql && sudo service postgresql start\n"
                "  sudo -u postgres psql -c \"CREATE ROLE seatcast_test SUPERUSER LOGIN PASSWORD 'choose-one'\"\n"
                f"  export {VARIABLE}=postgresql://seatcast_test:choose-one@127.0.0.1:5432"
            )
        if not _listens(POSTGRES_PORT):
            _start_postgres()
        url = _postgres_url() or _test_role()
    ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(ENVIRONMENT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"export {VARIABLE}={url}\n")


def _start_postgres() -> None:
    if shutil.which("pg_ctlcluster") is None:
        _install("postgresql")
    # version, name, port, status...
    clusters = [line.split() for line in _run("pg_lsclusters", "-h").splitlines()]
    if not clusters:
        version = sorted(path.name for path in Path("/usr/lib/postgresql").iterdir())[-1]
        _run("pg_createcluster", version, "main", "--port", str(POSTGRES_PORT))
        clusters = [[version, "main", str(POSTGRES_PORT), "down"]]
    for version, name, port, status, *_ in clusters:
        if port == str(POSTGRES_PORT) and not status.startswith("online"):
            print(f"servers: starting PostgreSQL {version}", flush=True)
            _run("pg_ctlcluster", version, name, "start")
    if not _wait(lambda: _listens(POSTGRES_PORT), 60):
        raise Missing("PostgreSQL was started but does not listen on 127.0.0.1:5432")


def _test_role() -> str:
    """Make a role of our own, with the peer login that Debian gives the system user postgres."""
    password = secrets.token_hex(16)
    statement = (
        f"DROP ROLE IF EXISTS seatcast_test; CREATE ROLE seatcast_test SUPERUSER LOGIN PASSWORD '{password}';"
    )
    _run(
        "su",
        "postgres",
        "-s",
        "/bin/sh",
        "-c",
        f'psql -q -v ON_ERROR_STOP=1 -p {POSTGRES_PORT} -c "{statement}"',
    )
    return f"postgresql://seatcast_test:{password}@127.0.0.1:{POSTGRES_PORT}"


def rabbitmq() -> None:
    if _listens(RABBITMQ_PORT):
        return
    if not _may_install():
        raise Missing(
            "RabbitMQ does not listen on 127.0.0.1:5672:\n"
            "  sudo apt-get install rabbitmq-server && sudo service rabbitmq-server start"
        )
    if shutil.which("rabbitmq-server") is None and not Path("/usr/sbin/rabbitmq-server").exists():
        _install("rabbitmq-server")
    if not _listens(RABBITMQ_PORT):
        print("servers: starting RabbitMQ", flush=True)
        # Its output would keep a pipe open as long as the server lives.
        subprocess.run(
            ["/usr/sbin/rabbitmq-server", "-detached"],
            check=False, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    if not _wait(lambda: _listens(RABBITMQ_PORT), 90):
        raise Missing("RabbitMQ was started but does not listen on 127.0.0.1:5672 (see /var/log/rabbitmq)")


def chromium() -> None:
    if any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return
    if not _may_install():
        raise Missing("Chromium is missing:\n  sudo apt-get install chromium")
    _install("chromium")


def _proxy(name: str) -> None:
    if shutil.which(name) or Path(f"/usr/sbin/{name}").exists():
        return
    if not _may_install():
        raise Missing(
            f"{name} is missing. The tests start it themselves, its service is not needed:\n"
            f"  sudo apt-get install {name} && sudo systemctl disable --now {name}"
        )
    with _nothing_started():
        _install(name)
    if shutil.which("systemctl"):
        # Nor at the next boot. The service came with the package, so it cannot have been anybody's.
        _run("systemctl", "disable", "--now", name, check=False)


@contextlib.contextmanager
def _nothing_started() -> Iterator[None]:
    """Install packages without starting what is in them (Debian's policy-rc.d, if the machine has none)."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def nginx() -> None:
    _proxy("nginx")


def caddy() -> None:
    _proxy("caddy")


def main() -> int:
    checks = {
        "postgresql": postgresql,
        "rabbitmq": rabbitmq,
        "chromium": chromium,
        "nginx": nginx,
        "caddy": caddy,
    }
    missing = 0
    for name in sys.argv[1:] or checks:
        try:
            checks[name]()
        except Missing as problem:
            missing += 1
            print(f"servers: {problem}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
