"""What every request to the gateway's port is answered: by the limits, by its origin, by what it asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import prometheus_client
import structlog
from multidict import CIMultiDict
from prometheus_client.registry import Collector

from seatcast import wire
from seatcast.gateway.addresses import Addresses
from seatcast.gateway.admission import Admission, TurnedAway, Visitor
from seatcast.gateway.arrival import Answer, Upgrade
from seatcast.gateway.auth import identify
from seatcast.gateway.connection import Connection
from seatcast.gateway.editor import BOUNDS
from seatcast.gateway.handshake import METRICS, Accepted, Plain, examine
from seatcast.gateway.metrics import Refusal
from seatcast.gateway.request import Refused, Request
from seatcast.health import Health
from seatcast.origins import Origins

if TYPE_CHECKING:
    from seatcast.gateway.server import Server

log = structlog.get_logger(__name__)

LOG_SECONDS: Final = 60.0
"""What somebody can cause as often as he likes is logged once in this time."""


class Reception:
    """Judges requests for a server."""

    def __init__(
        self,
        server: Server,
        admission: Admission,
        addresses: Addresses,
        origins: Origins,
        registry: Collector,
        health: Callable[[], Health],
    ) -> None:
        self._server = server
        self._admission = admission
        self._addresses = addresses
        self._origins = origins
        self._registry = registry
        self._health = health
        self._logged: dict[str, float] = {}

    def arrive(self, address: str) -> Visitor:
        """Count a new socket from this address; one that is turned away silently is to be dropped at once."""
        visitor = self._admission.arrive(self._addresses.of(address))
        if visitor.away is not None and visitor.away.silently:
            self._server.metrics.handshakes_refused[visitor.away.reason] += 1
            self._log_away(visitor, visitor.away)
        return visitor

    def ask(self, visitor: Visitor, headers: CIMultiDict[str]) -> TurnedAway | None:
        """Return why the request of a visitor who has arrived is refused by the limits, if it is."""
        return self._admission.ask(visitor, self._addresses.client(visitor.peer, headers))

    def judge(self, request: Request | Refused, visitor: Visitor) -> Answer | Upgrade:
        """Return what to answer. Does not raise."""
        try:
            return self._judge(request, visitor)
        except Exception:
            log.exception("A handshake failed")
            return self._refuse(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Internal error\n"))

    def _judge(self, request: Request | Refused, visitor: Visitor) -> Answer | Upgrade:
        if isinstance(request, Refused):
            return self._refuse(request)
        away = self.ask(visitor, request.headers)
        verdict = examine(request.target, request.headers)
        if away is not None and not _must_be_answered(verdict, away):
            return self._turn_away(visitor, away)
        if isinstance(verdict, Plain):
            return self._plain(verdict.path)
        if isinstance(verdict, Refused):
            return self._refuse(verdict)
        return self._open(request, visitor, verdict)

    def _open(self, request: Request, visitor: Visitor, accepted: Accepted) -> Answer | Upgrade:
        if not self.allows(request.headers, trusted=visitor.peer.trusted):
            return self._refuse(
                Refused(HTTPStatus.FORBIDDEN, "origin", "Pages of this origin may not connect\n")
            )
        if self._server.draining:
            return self._refuse(_unavailable("draining"))
        identity = identify(self._server.tokens, accepted.token)
        fields = () if accepted.protocol is None else (("Sec-WebSocket-Protocol", accepted.protocol),)
        if accepted.document is None:
            return Upgrade(Connection(self._server, visitor, accepted, identity), fields)
        if self._server.documents is None:
            return self._refuse(
                Refused(HTTPStatus.FORBIDDEN, "path", "This gateway has no tour service: no documents\n")
            )
        editor = self._server.documents.editor(self._admission, visitor, accepted, identity)
        return Upgrade(editor, fields, BOUNDS)

    def allows(self, headers: CIMultiDict[str], *, trusted: bool) -> bool:
        """Return whether the page that asks may connect, or nobody's page asks."""
        origins = headers.getall("Origin", [])
        if not origins:
            return True
        host = headers.get("Host", "")
        if trusted:
            host = headers.get("X-Forwarded-Host", host).partition(",")[0].strip()
        if len(origins) == 1 and self._origins.allow(origins[0], host):
            return True
        self._log_seldom(
            "A page may not connect: its origin is neither this host's nor in --allowed-origins",
            origin=_printable(", ".join(origins)),
            host=_printable(host),
        )
        return False

    def _turn_away(self, visitor: Visitor, away: TurnedAway) -> Answer:
        if away.reason == "full":
            return self._refuse(_unavailable("draining" if self._server.draining else "full"))
        self._log_away(visitor, away)
        after = str(math.ceil(away.seconds))
        text = "Too many requests or connections from your address\n"
        return self._refuse(
            Refused(HTTPStatus.TOO_MANY_REQUESTS, away.reason, text, (("Retry-After", after),))
        )

    def _refuse(self, refused: Refused) -> Answer:
        self._server.metrics.handshakes_refused[refused.reason] += 1
        return Answer(refused.status, refused.text.encode(), refused.headers)

    def _plain(self, path: str) -> Answer:
        kind, status = "application/json", HTTPStatus.OK
        if path == METRICS:
            kind = prometheus_client.CONTENT_TYPE_LATEST
            body = prometheus_client.generate_latest(self._registry)
        elif path == "/health/live":
            body = b'{"status":"ok"}'
        else:
            health = self._health()
            body = wire.encode(health)
            if health.status == "unready":
                status = HTTPStatus.SERVICE_UNAVAILABLE
        return Answer(status, body, (("Cache-Control", "no-store"), ("Content-Type", kind)))

    def _log_away(self, visitor: Visitor, away: TurnedAway) -> None:
        self._log_seldom(
            "Connections are refused. If the address is a proxy's, name it in --trusted-proxies",
            reason=away.reason,
            address=None if visitor.address is None else visitor.address.counted,
        )

    def _log_seldom(self, event: str, **more: str | None) -> None:
        now = self._server.clock()
        if now >= self._logged.get(event, -math.inf) + LOG_SECONDS:
            self._logged[event] = now
            log.warning(event, **more)


def _must_be_answered(verdict: Accepted | Plain | Refused, away: TurnedAway) -> bool:
    """Return whether this is an operator's question, however crowded it is: who asks for health restarts what
    does not answer. Metrics, which cost some milliseconds, are answered unless their reader's own address is over its limits.
    """
    return isinstance(verdict, Plain) and (away.reason == "full" or verdict.path != METRICS)


def _unavailable(reason: Refusal) -> Refused:
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, reason, "Try again later\n", (("Retry-After", "2"),))


def _printable(text: str) -> str:
    """Return what a client wrote as it may stand in a log: short, and of letters that no terminal acts on."""
    return text[:200].encode("ascii", "backslashreplace").decode()
