"""Carries clients' commands to the tour service: over HTTP, with each client's own token, and the answers back.

One command of a connection at a time, in order; a few wait. The gateway decides nothing: what the tour service refuses
is told to the client with one of the codes of `wire.py`, in the service's own words. What it does comes to everybody as
an event.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import httpx
import msgspec
import structlog
from msgspec import UNSET, UnsetType

from seatcast import rest, wire
from seatcast.gateway.metrics import Carried, Metrics
from seatcast.gateway.orders import COMMANDS, Command, Request, Sender
from seatcast.gateway.refusals import error_frame
from seatcast.gateway.session import Session

log = structlog.get_logger(__name__)

MAX_WAITING: Final = 16
"""Commands of one connection that wait behind the one that is carried out."""

AT_ONCE: Final = 64
"""Requests under way, of all connections; the others have their turn."""

TIMEOUT_SECONDS: Final = 5.0

RETRY_MS: Final = 1_000
"""When to try again what could not be carried out for the moment."""

CODES: Final[dict[int, wire.ErrorCode]] = {
    400: "INVALID_MESSAGE",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    413: "INVALID_MESSAGE",
    429: "RATE_LIMITED",
}
"""The status of an answer, and what the client is told. Whatever is not here is our trouble, not the client's."""

_problem = msgspec.json.Decoder(rest.Problem).decode


class Commands:
    """The commands of all sessions of one gateway. `client` knows the tour service's address."""

    def __init__(self, client: httpx.AsyncClient, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics
        # Of sessions whose commands are being carried out: what waits behind the present one.
        self._waiting: dict[Session, deque[Command]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, group: asyncio.TaskGroup) -> None:
        """Carry commands out from now on, until `stop`."""
        self._group = group

    def stop(self) -> None:
        """Wait for no answer any more: whoever gets none sends the command again, with the same mark."""
        for task in self._tasks:
            task.cancel()

    def submit(self, session: Session, command: Command) -> None:
        """Have a command carried out, after those that the session gave before."""
        waiting = self._waiting.get(session)
        if waiting is not None:
            if len(waiting) >= MAX_WAITING:
                self._metrics.commands["refused"] += 1
                detail = f"{MAX_WAITING} commands wait already"
                session.peer.send(error_frame("RATE_LIMITED", detail, command.id, retry_after_ms=RETRY_MS))
                return
            waiting.append(command)
            return
        assert self._group is not None  # noqa: S101 - for the type checker: nobody connects before `start`
        self._waiting[session] = deque((command,))
        task = self._group.create_task(
            self._work(session, self._waiting[session]), name="commands of a client"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self, session: Session) -> None:
        """The session is over: what of it waits is not carried out any more."""
        waiting = self._waiting.get(session)
        if waiting is not None:
            waiting.clear()

    async def _work(self, session: Session, waiting: deque[Command]) -> None:
        try:
            while waiting:
                async with self._turns:
                    # Its session may have ended while it waited for its turn.
                    if waiting:
                        await self._carry(session, waiting.popleft())
        finally:
            del self._waiting[session]

    async def _carry(self, session: Session, command: Command) -> None:
        row = COMMANDS[type(command)]
        outcome: Carried = "failed"
        told: wire.ServerFrame | None
        try:
            answer = await self._ask(session, row.request(command))
            if answer.is_success:
                told = row.answer(command, answer.content, Sender(session.user, session.channels))
                outcome = "done"
            else:
                outcome = "refused" if answer.status_code in CODES else "failed"
                told = _refusal(answer, command)
        except (httpx.HTTPError, ValueError) as error:
            # The kind alone: texts of errors may hold what the client said.
            log.warning("A command could not be carried out", reason=type(error).__name__)
            told = error_frame(
                "INTERNAL", "the tour service gives no answer", command.id, retry_after_ms=RETRY_MS
            )
        except Exception:
            log.exception("A command failed")
            told = error_frame("INTERNAL", "it may have been carried out", command.id)
        self._metrics.commands[outcome] += 1
        if told is not None:
            session.peer.send(told)

    async def _ask(self, session: Session, request: Request) -> httpx.Response:
        return await self._client.request(
            request.method,
            request.path,
            content=None if request.body is None else msgspec.json.encode(request.body),
            headers={
                "Accept": "application/json",
                "Accept-Language": session.language,
                "Authorization": f"Bearer {session.token}",
                "Content-Type": "application/json",
            },
            timeout=TIMEOUT_SECONDS,
        )


def _refusal(answer: httpx.Response, command: Command) -> wire.Error:
    """Return the ERROR for an answer that is no success."""
    code = CODES.get(answer.status_code, "INTERNAL")
    later = code in ("INTERNAL", "RATE_LIMITED")
    details: dict[str, Any] | UnsetType = UNSET
    try:
        problem = _problem(answer.content)
    except ValueError:
        # A tour service that is not ours, or a proxy in front of it.
        detail = f"the tour service answered {answer.status_code}"
    else:
        more = {} if problem.details is UNSET else problem.details
        detail, details = problem.error, {"code": problem.code, **more}
    return error_frame(code, detail, command.id, retry_after_ms=RETRY_MS if later else UNSET, details=details)
