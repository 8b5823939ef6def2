"""Private servers that a test may kill, stop, hang and restart, each in its own directory on its own ports.

Everything here is synchronous and blocks: from a coroutine that must keep running while a server restarts,
call `await asyncio.to_thread(server.start)`.
"""

import contextlib
import datetime
import getpass
import ipaddress
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .servers import free_port

START_SECONDS = 60.0


def _program(name: str, pattern: str, package: str) -> Path:
    """Return the newest `name` under /`pattern`, else the one on PATH."""
    found = sorted(Path("/").glob(f"{pattern}/{name}"))
    if found:
        return found[-1]
    on_path = shutil.which(name)
    if on_path is None:
        raise AssertionError(
            f"These tests start a private server with `{name}`: `apt-get install {package}`."
        )
    return Path(on_path)


def _wait(ready, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the private server did not start:\n{log.read_text()[-4_000:]}")
        time.sleep(0.05)


def _descendants(pid: int) -> list[int]:
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in brackets may hold spaces: what follows it is state, then the parent.
            child, fields = status.read_text().rsplit(")", 1)
            if int(fields.split()[1]) == pid:
                children.append(int(child.split()[0]))
    return children + [below for child in children for below in _descendants(child)]


class _Server:
    """What the private servers share: a directory, a port, a process with children, an end."""

    def __init__(self, prefix: str) -> None:
        # Not pytest's tmp_path: the server may run as a user who may not enter it.
        self.directory = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL the server and its children; returns when they are gone. Harmless when it is not running."""
        if self.process is None:
            return
        pids = [self.process.pid, *_descendants(self.process.pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(_alive(pid) for pid in pids):
            time.sleep(0.01)
        self.process = None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server and its children: SIGSTOP makes it hang, SIGCONT goes on."""
        for pid in [self.process.pid, *_descendants(self.process.pid)]:
            os.kill(pid, number)

    def _stop(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def end(self) -> None:
        """Kill the server and remove its files."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        dead = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        # A zombie's other threads may still be dying, with its sockets in their hands.
        return not dead or len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except OSError:
        return False


def certify(directory: Path) -> Path:
    """Make `key.pem` and, in the file that is returned, its own certificate for 127.0.0.1, which no other authority signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a private server of the tests")])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (directory / "key.pem").chmod(0o600)
    made = directory / "certificate.pem"
    made.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return made


class PrivatePostgres(_Server):
    """A PostgreSQL cluster of its own, to be killed and restarted at will. `server` is its URL without a database."""

    def __init__(self) -> None:
        super().__init__("seatcast-postgres-")
        self.server = f"postgresql://postgres@127.0.0.1:{self.port}"
        self.url = f"{self.server}/postgres"
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        self.data = self.directory / "data"
        self.certificate = certify(self.directory)
        """The file to know it by over TLS."""

    def _run(self, *command: object, wait: bool) -> subprocess.Popen[bytes]:
        with (self.directory / "log").open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command], user=self.user, cwd="/", stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        if wait and process.wait() != 0:
            raise AssertionError((self.directory / "log").read_text()[-4_000:])
        return process

    def start(self) -> None:
        """Start it, on the first call with an empty cluster; returns when it takes connections."""
        if self.running:
            return
        programs = _program("initdb", "usr/lib/postgresql/*/bin", "postgresql").parent
        if not self.data.exists():
            if self.user is not None:
                for mine in (self.directory, self.directory / "key.pem", self.certificate):
                    shutil.chown(mine, self.user)
            options = ["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
            self._run(programs / "initdb", "-D", self.data, *options, wait=True)
        self.process = self._run(
            programs / "postgres", "-D", self.data, "-p", self.port, "-k", self.directory,
            "-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c", f"ssl_cert_file={self.certificate}",
            "-c", f"ssl_key_file={self.directory / 'key.pem'}", wait=False,
        )  # fmt: skip
        probe = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        _wait(
            lambda: subprocess.run(probe, check=False).returncode == 0, self.process, self.directory / "log"
        )

    def stop(self) -> None:
        """Stop it in order; connections are ended."""
        self._stop(signal.SIGINT)


class PrivateRabbitMQ(_Server):
    """A RabbitMQ node of its own, to be killed and restarted at will. Durable things survive, as on a real one."""

    def __init__(self) -> None:
        super().__init__("seatcast-rabbitmq-")
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}"
        node = f"seatcast-{secrets.token_hex(4)}@localhost"
        configuration = self.directory / "rabbitmq.conf"
        self.certificate = certify(self.directory)
        """The file to know it by on `tls_url`."""
        tls_port = free_port()
        self.tls_url = f"amqps://guest:guest@127.0.0.1:{tls_port}"
        configuration.write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
            f"listeners.ssl.default = 127.0.0.1:{tls_port}\n"
            f"ssl_options.certfile = {self.certificate}\n"
            f"ssl_options.keyfile = {self.directory / 'key.pem'}\n"
        )
        (self.directory / "env.conf").touch()
        (self.directory / "plugins").write_text("[].\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),  # its own cookie: nobody else's node talks to it
            "LANG": "C.UTF-8",
            "USER": getpass.getuser(),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": node,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
        }

    def _program(self, name: str) -> str:
        # Not the wrapper in /usr/sbin: it becomes user rabbitmq and reads the shared node's settings.
        return str(_program(name, "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin", "rabbitmq-server"))

    def start(self) -> None:
        """Start it; returns when it takes connections (4 to 9 s)."""
        if self.running:
            return
        with (self.directory / "output").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program("rabbitmq-server")], env=self.environment, cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

        def listening() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                probe.settimeout(5)
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                return probe.recv(1) != b""
            return False

        _wait(listening, self.process, self.directory / "output")

    def stop(self) -> None:
        """Stop it in order: connections are closed with CONNECTION_FORCED, messages are written."""
        if self.running:
            self.ctl("shutdown", "--no-wait")
            self.process.wait(60)
        self.process = None

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl on this node and return what it prints."""
        done = subprocess.run(
            [self._program("rabbitmqctl"), "--quiet", *arguments],
            env=self.environment, cwd=self.directory, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout
