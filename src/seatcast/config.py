"""Every setting, in one frozen value. `cli.py` alone reads environment, file and flags; nothing else does."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from seatcast import origins


class SettingsError(ValueError):
    """A wrong or contradictory setting, in one clear line that holds no secret."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one process. The name of a field is its key in `seatcast.toml`, `--like-this` its flag and
    `SEATCAST_LIKE_THIS` its environment variable (`jwt_secret` also reads `JWT_SECRET`).
    """

    host: str = "127.0.0.1"
    port: int = 8080
    """WebSockets."""
    api_port: int = 3001
    """REST and pages."""
    http_port: int = 8081
    """A gateway's health and metrics."""
    data_dir: Path = Path()
    """Where the SQLite file and the generated secret are, unless named otherwise."""
    database_url: str | None = None
    """`postgresql://...` or `sqlite:///file`; None: a SQLite file in `data_dir`."""
    broker_url: str | None = None
    """`amqp://...`; None: the in-process broker."""
    tours_url: str | None = None
    """Where a gateway reads snapshots; None: it starts from events alone."""
    websocket_url: str | None = None
    """Where the page finds the gateway, `ws://` or `wss://`; None: the page's own host, `port`."""
    gateway_id: str | None = None
    """Name of this gateway in queues and logs; None: one is made from host and process. Workers append `-1`..."""
    workers: int = 1
    """Processes of a gateway alone, all on the same ports."""
    jwt_secret: str | None = None
    jwks_file: Path | None = None
    """Public keys of tokens, as a JWK Set; looked at every two seconds."""
    jwks_url: str | None = None
    """The same at an `http://` or `https://` address."""
    jwks_refresh_seconds: float = 300.0
    """How often the address is read anew; a token with an unknown key makes it so at once."""
    jwt_audience: str | None = None
    """What every token's `aud` must include; None: tokens for whomever are taken."""
    jwt_issuer: str | None = None
    """What every token's `iss` must be."""
    auth: Literal["optional", "required"] = "optional"
    """Whether somebody without a token may follow and book."""
    demo: bool = False
    heartbeat_seconds: float = 20.0
    follow_all_limit: int = 2_000
    """Departures in the catalogue up to which a new connection follows everything."""
    max_subscriptions: int = 500
    """Tours that one connection may name."""
    allowed_origins: tuple[str, ...] = ()
    """Pages that may connect; empty: those of the host that the socket was asked of."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose word is taken for whom they speak for."""
    messages_per_minute: int = 100
    """Of each user, and of each anonymous connection; 0 here and below: no limit."""
    handshakes_per_address: int | None = None
    """A second; here and below None: the default of `gateway/admission.py`, which spares this machine itself."""
    connections_per_address: int | None = None
    connections_per_user: int | None = None
    snapshot_seconds: float = 60.0
    """How often a gateway compares itself with a snapshot although nothing seems wrong."""
    stale_seconds: float = 3.0
    """Silence of the source after which a gateway says STALE."""
    start_seconds: float = 30.0
    """How long a start waits for a database or broker that cannot be reached yet."""
    drain_seconds: float = 10.0
    """What a stop takes at most."""
    log_format: Literal["auto", "text", "json"] = "auto"

    def __post_init__(self) -> None:
        for name in ("port", "api_port", "http_port"):
            value = getattr(self, name)
            if not 0 <= value <= 65535:
                raise SettingsError(f"{name.replace('_', '-')} must be between 0 and 65535, not {value}")
        for name in (
            "heartbeat_seconds",
            "snapshot_seconds",
            "stale_seconds",
            "start_seconds",
            "drain_seconds",
            "jwks_refresh_seconds",
        ):
            value = getattr(self, name)
            if not 0 < value <= 86_400:
                raise SettingsError(
                    f"{name.replace('_', '-')} must be more than 0 and at most 86400, not {value}"
                )
        if not 1 <= self.workers <= 128:
            raise SettingsError(f"workers must be between 1 and 128, not {self.workers}")
        if self.follow_all_limit < 0 or self.max_subscriptions < 1:
            raise SettingsError("follow-all-limit and max-subscriptions must not be negative")
        for name in (
            "messages_per_minute",
            "handshakes_per_address",
            "connections_per_address",
            "connections_per_user",
        ):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1_000_000:
                raise SettingsError(f"{name.replace('_', '-')} must be between 0 and 1000000, not {value}")
        for origin in self.allowed_origins:
            if origins.normal(origin) is None:
                raise SettingsError(
                    f"allowed-origins takes origins such as https://tours.example, null or *, not {origin!r}"
                )
        for network in self.trusted_proxies:
            _check_network("trusted-proxies", network)
        _check_url("database-url", self.database_url, ("postgresql", "postgres", "sqlite"))
        _check_url("broker-url", self.broker_url, ("amqp", "amqps"))
        _check_url("tours-url", self.tours_url, ("http", "https"))
        _check_url("websocket-url", self.websocket_url, ("ws", "wss"))
        _check_url("jwks-url", self.jwks_url, ("http", "https"))
        if self.jwks_file is not None and self.jwks_url is not None:
            raise SettingsError("jwks-file and jwks-url contradict each other: set one of them")
        if self.gateway_id is not None and not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", self.gateway_id):
            raise SettingsError("gateway-id takes 1 to 64 letters, digits, dots, dashes and underscores")
        if self.jwt_secret is not None and len(self.jwt_secret.encode()) < 16:
            raise SettingsError("jwt-secret is too short: at least 16 bytes (HS256 is only as strong as it)")
        if self.jwt_secret is not None and (
            "-----BEGIN " in self.jwt_secret or self.jwt_secret.startswith("ssh-")
        ):
            raise SettingsError(
                "jwt-secret is a key or certificate for signatures: public keys go into jwks-file"
            )

    @property
    def database(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'seatcast.sqlite3'}"

    @property
    def farewell_seconds(self) -> float:
        """What of `drain_seconds` clients have to take their leave. Closing the broker and the rest has a tenth."""
        return self.drain_seconds / 2

    @property
    def requests_seconds(self) -> float:
        """What of `drain_seconds` requests in flight have after that to be answered."""
        return self.drain_seconds * 0.4


def _check_network(flag: str, network: str) -> None:
    try:
        ip_network(network)
    except ValueError:
        raise SettingsError(
            f"{flag} takes addresses and networks such as 10.0.0.1 or 10.0.0.0/8, not {network!r}"
        ) from None


def _check_url(flag: str, url: str | None, schemes: tuple[str, ...]) -> None:
    if url is None:
        return
    try:
        # The port is checked only when it is asked for.
        scheme, _ = urlsplit(url).scheme, urlsplit(url).port
    except ValueError:
        raise SettingsError(f"{flag} is not a URL") from None
    if scheme not in schemes:
        # Never the URL itself: it may hold a password.
        raise SettingsError(
            f"{flag} must begin with {' or '.join(s + '://' for s in schemes)}, not {scheme!r}"
        )


def redacted(url: str) -> str:
    """Return a URL fit for a log: scheme, host, port and path, never user, password or query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def web_url(scheme: str, host: str, port: int) -> str:
    """Return an address that a browser on this machine can open: a wildcard host becomes its loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
