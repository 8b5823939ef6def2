"""Serves an ASGI application on a port, with uvicorn, until its context ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, cast

import uvicorn

BACKLOG: Final = 2048

UNSENT_BYTES: Final = 64 * 1024


class PortTaken(Exception):
    """The address cannot be listened on; one line that names host, port and reason."""


async def listen_on(host: str, port: int, *, name: str, shared: bool = False) -> socket.socket:
    """Return a socket listening on the address; port 0 takes any free one.

    `shared`: other sockets of this user may listen there too if they say so as well (SO_REUSEPORT); the kernel
    then spreads new connections over all of them. See `reserve`. A host name with several addresses gives the
    IPv4 one. Raises `PortTaken`; `name` says in its line what wanted the port.
    """
    listener = await _bound(host, port, name, shared=shared)
    try:
        # Listening here and not later: two processes may both bind, only one can listen.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(_reason(error, host, port, name)) from None
    return listener


async def reserve(host: str, port: int, *, name: str) -> socket.socket:
    """Return a socket that keeps the address, without listening, for `shared` listeners of this user.

    As long as it is open nobody can listen there who does not share, another `reserve` included. Raises `PortTaken`
    when somebody listens there already, also if they share: whoever comes first has the port for itself.
    """
    probe = await listen_on(host, port, name=name)
    port = probe.getsockname()[1]
    probe.close()
    keeper = await _bound(host, port, name, shared=True)
    # It was needed to bind beside the remains of old connections; without it, nobody else who has it gets past us.
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return keeper


async def _bound(host: str, port: int, name: str, *, shared: bool) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(_reason(error, host, port, name)) from None
    try:
        bound.setblocking(False)
        # A port whose last connections are in TIME_WAIT is free; one that another process listens on is not.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise PortTaken(_reason(error, host, port, name)) from None
    return bound


def _reason(error: OSError, host: str, port: int, name: str) -> str:
    where = f"{name} cannot listen on {host} port {port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: the port is already taken"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where}: not allowed (ports below 1024 need privileges)"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{where}: this machine has no such address"
    return f"{where}: {error.strerror or error}"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process has one owner of signals, and it is not this."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve_http(
    app: Any, host: str, port: int, *, name: str, shared: bool = False, grace_seconds: float = 5.0
) -> AsyncIterator[int]:
    """Serve an ASGI application inside the context, which yields the bound port. `shared`: see `listen_on`.

    Raises `PortTaken`. At the end of the context no new connection is taken and requests in flight have
    `grace_seconds`. Should the server itself die, the body is cancelled and its error raised.
    """
    listener = await listen_on(host, port, name=name, shared=shared)
    # Of what a client does not read, the kernel keeps no more than this before it tells us (connections inherit it):
    # who streams then knows that what is not written yet is still to be made.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    bound: int = listener.getsockname()[1]
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=cast(int, grace_seconds),
            # Longer than the 60 s of common reverse proxies, which must be the ones to close first.
            timeout_keep_alive=75,
        )
    )

    async def run() -> None:
        await server.serve(sockets=[listener])
        if not server.should_exit:
            raise RuntimeError(f"{name} stopped serving")

    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(run(), name=name)
            try:
                yield bound
            finally:
                server.should_exit = True
                # Not awaited directly: its error belongs to the group, which also cancelled us for it.
                await asyncio.wait([task], timeout=grace_seconds + 1)
    finally:
        listener.close()
