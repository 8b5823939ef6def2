"""A RabbitMQ node of the benchmark's own, held to one core, so that it takes nothing from the server's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.parts import StackFailed, free_port, listens, ports_again, running


@dataclass(frozen=True)
class Rabbit:
    """A node: its address without a virtual host, and how to run `rabbitmqctl` on it."""

    url: str
    environment: dict[str, str]

    async def vhost(self, name: str) -> str:
        """Make a virtual host and return its URL."""
        await ports_again()
        for arguments in (("add_vhost", name), ("set_permissions", "-p", name, "guest", ".*", ".*", ".*")):
            process = await asyncio.create_subprocess_exec(
                _program("rabbitmqctl"), "--quiet", *arguments, env=self.environment, cwd="/",
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            output, _ = await asyncio.wait_for(process.communicate(), 60)
            if process.returncode:
                raise StackFailed(f"rabbitmqctl {arguments[0]}: {output.decode()[-500:]}")
        return f"{self.url}/{name}"


def _program(name: str) -> str:
    # Not the wrapper in /usr/sbin: it becomes user rabbitmq and reads the shared node's settings.
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob(f"rabbitmq_server-*/sbin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise StackFailed(f"`{name}` is needed: install rabbitmq-server")
    return path


@asynccontextmanager
async def private_rabbit(before: Sequence[str]) -> AsyncIterator[Rabbit]:
    """Start a node with one scheduler (4 to 9 s); it and its files are gone afterwards. `before` is what its command begins
    with.
    """
    with tempfile.TemporaryDirectory(prefix="seatcast-bench-rabbitmq-") as folder:
        directory = Path(folder)
        port = free_port()
        (directory / "rabbitmq.conf").write_text(f"listeners.tcp.default = 127.0.0.1:{port}\n")
        (directory / "env.conf").touch()
        (directory / "plugins").write_text("[].\n")
        environment = {
            "HOME": folder,  # its own cookie: nobody else's node talks to it
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"seatcast-bench-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"
            " +S 1:1 +SDcpu 1:1 +A 4 +sbwt none +sbwtdcpu none +sbwtdio none",
        }
        rabbit = Rabbit(f"amqp://guest:guest@127.0.0.1:{port}", environment)
        command = (*before, _program("rabbitmq-server"))
        await ports_again()
        async with running(*command, environment=environment) as process:
            await process.wait_until(partial(listens, port))
            try:
                yield rabbit
            finally:
                with contextlib.suppress(StackFailed, TimeoutError):
                    await _shutdown(rabbit)


async def _shutdown(rabbit: Rabbit) -> None:
    process = await asyncio.create_subprocess_exec(
        _program("rabbitmqctl"), "--quiet", "shutdown", "--no-wait", env=rabbit.environment, cwd="/",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await asyncio.wait_for(process.wait(), 60)
