"""One plain AMQP 0-9-1 connection to RabbitMQ: opened once, lost once, never repaired in place.

On aiormq, the protocol library beneath aio-pika. `connect_robust` is not used: it has consumers that never come
back, and re-declares the same exclusive queue, which races that queue's own deletion.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiormq
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory

from seatcast.broker import BrokerUnavailable
from seatcast.broker.rabbitmq_deliveries import Deliveries, tap

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 2.0
HEARTBEAT_SECONDS = 10
# aiormq calls a connection dead after three heartbeats without a byte (33 s); the system, asked, gives up sooner
# on a peer that does not even acknowledge what is sent to it.
UNACKNOWLEDGED_MILLISECONDS = 10_000


class BrokerRefuses(BrokerUnavailable):
    """The broker answered and will not have us: wrong password, no such virtual host, another kind of exchange."""


class _Transport(TransportFactory):
    """Opens the socket and keeps hold of it, so that a connection that hangs can be cut."""

    def __init__(self, tls: bool, deliveries: Deliveries | None) -> None:
        self._inner: TransportFactory = TLSTransportFactory() if tls else TCPTransportFactory()
        self._deliveries = deliveries
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, self._writer = await self._inner.create(url, **kwargs)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            self._writer.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS
            )
        if self._deliveries is not None:
            tap(self._writer, self._deliveries)
        return reader, self._writer

    def write(self, data: bytes) -> None:
        """Send whole frames at once, ahead of what aiormq still has in its queue. Nothing happens once it is closed."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


class RabbitConnection:
    """An open connection. `lost` resolves, with the reason, when it or one of its channels is gone."""

    def __init__(self, connection: aiormq.Connection, transport: _Transport) -> None:
        self._connection = connection
        self._transport = transport
        self.write = transport.write
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connection.closing.add_done_callback(self._closed)

    @classmethod
    async def open(cls, url: str, name: str, deliveries: Deliveries | None = None) -> RabbitConnection:
        """Connect within `CONNECT_SECONDS`; `name` is what operators see, `deliveries` takes its consumer's part.

        Raises `BrokerUnavailable`, or `BrokerRefuses` when trying again cannot help, with a reason of one line.
        """
        parts = urlsplit(url)
        query = {"heartbeat": str(HEARTBEAT_SECONDS), **dict(parse_qsl(parts.query)), "name": name}
        transport = _Transport(parts.scheme == "amqps", deliveries)
        opened = False
        try:
            with failures_named("connect to RabbitMQ"):
                connection = aiormq.Connection(
                    urlunsplit(parts._replace(query=urlencode(query))), transport_factory=transport
                )
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.connect()
            opened = True
        finally:
            if not opened:
                transport.abort()
        return cls(connection, transport)

    async def channel(self, *, confirms: bool) -> aiormq.Channel:
        """Open a channel; its end is the connection's end."""
        channel = await self._connection.channel(publisher_confirms=confirms)
        assert isinstance(channel, aiormq.Channel)  # noqa: S101 - for mypy: aiormq types it as abstract
        channel.closing.add_done_callback(self._closed)
        return channel

    @property
    def blocked(self) -> bool:
        """Whether RabbitMQ has said that it takes no messages (memory or disk alarm). Publishing then hangs."""
        # `ready()` waits only while blocked. Stepping it once is the one public way to ask without waiting.
        ready = self._connection.ready()
        try:
            ready.send(None)
        except StopIteration:
            return False
        finally:
            ready.close()
        return True

    def lose(self, why: str) -> None:
        """Call the connection lost. The first reason stands."""
        if not self.lost.done():
            self.lost.set_result(why)

    def _closed(self, closing: asyncio.Future[Any]) -> None:
        error = None if closing.cancelled() else closing.exception()
        self.lose("connection closed" if error is None else describe(error))

    async def close(self) -> None:
        """Close in order if the broker answers within `CLOSE_SECONDS`, else cut. Never raises for the broker's sake."""
        hung_up = self.lost.done()
        self.lose("closed by us")
        try:
            if not hung_up:
                with contextlib.suppress(BrokerUnavailable), failures_named("close"):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await self._connection.close()
        finally:
            # Nothing that is still unsent is worth waiting for: a broker in alarm does not read.
            self._transport.abort()
            with contextlib.suppress(BrokerUnavailable), failures_named("close"):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._connection.close()


@contextlib.contextmanager
def failures_named(doing: str) -> Iterator[None]:
    """Turn whatever aiormq raises into `BrokerUnavailable` or `BrokerRefuses`; our own cancellation stays one."""
    try:
        yield
    except BrokerUnavailable:
        raise
    except TimeoutError:
        raise BrokerUnavailable(f"cannot {doing}: no answer in time") from None
    except asyncio.CancelledError as error:
        # aiormq rejects its own waiters with CancelledError when a connection ends.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BrokerUnavailable(f"cannot {doing}: {describe(error)}") from None
    except Exception as error:
        kind = BrokerRefuses if _is_final(error) else BrokerUnavailable
        raise kind(f"cannot {doing}: {describe(error)}") from None


def describe(error: BaseException) -> str:
    """Return what went wrong in one line without a secret."""
    if isinstance(error, asyncio.CancelledError):
        return "connection closed"
    if isinstance(error, aiormq.exceptions.ProbableAuthenticationError):
        return "user or password refused"
    if _is_refused_vhost(error):
        return "the virtual host does not exist, or is closed to this user"
    words = " ".join(str(part) for part in error.args if part is not None)
    return " ".join((words or type(error).__name__).split())[:300]


def _is_final(error: Exception) -> bool:
    refusals = (
        aiormq.exceptions.ProbableAuthenticationError,
        aiormq.exceptions.ChannelPreconditionFailed,
        aiormq.exceptions.ChannelAccessRefused,
        ValueError,  # a URL that is none
    )
    return isinstance(error, refusals) or _is_refused_vhost(error)


def _is_refused_vhost(error: BaseException) -> bool:
    # aiormq keeps neither code nor text of a Close that answers Open, the last step of connecting.
    return isinstance(error, aiormq.exceptions.InvalidFrameError) and "Connection.Close" in str(error)
