"""The command `seatcast`. The only place that reads the environment; see `cli_settings.py` for the rest of it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

import structlog
import typer

from seatcast import __version__, logs
from seatcast.cli_run import exit_with, run, run_until_signal
from seatcast.cli_settings import lifetime, takes
from seatcast.config import Settings, SettingsError, web_url

# The servers are imported by the commands that run them: `seatcast token` needs no SQL.
if TYPE_CHECKING:
    from seatcast.all_in_one import Addresses

_log = structlog.get_logger(__name__)

app = typer.Typer(
    name="seatcast",
    help="Live availability for tours that you can trust to the seat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
demo_app = typer.Typer(no_args_is_help=True, help="Small servers to learn and to test clients with.")
app.add_typer(demo_app, name="demo")


def _environment() -> Mapping[str, str]:
    return os.environ


_GATEWAY: Final = (
    "heartbeat_seconds",
    "follow_all_limit",
    "max_subscriptions",
    "allowed_origins",
    "trusted_proxies",
    "messages_per_minute",
    "handshakes_per_address",
    "connections_per_address",
    "connections_per_user",
    "snapshot_seconds",
    "stale_seconds",
)
_TOKENS: Final = (
    "jwt_secret", "jwks_file", "jwks_url", "jwks_refresh_seconds", "jwt_audience", "jwt_issuer", "auth",
)  # fmt: skip
_PROCESS: Final = ("start_seconds", "drain_seconds", "log_format")


def _command(
    group: typer.Typer, *settings: str, name: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        return group.command(name)(takes(*settings, environment=_environment)(command))

    return decorate


@_command(
    app,
    "demo", "host", "port", "api_port", "data_dir", "database_url", "broker_url", "websocket_url", "gateway_id",
    *_TOKENS, *_GATEWAY, *_PROCESS,
)  # fmt: skip
def serve(settings: Settings) -> None:
    """Tour service, relay, gateway and pages in one process."""
    if settings.workers > 1:
        raise SettingsError("workers are for a gateway alone: `seatcast serve` is one process")
    _differ(settings, "port", "api_port")
    from seatcast.all_in_one import all_in_one

    logs.configure(settings.log_format)
    run_until_signal(all_in_one(settings), started=_announce)


@_command(
    app,
    "host",
    "api_port",
    "data_dir",
    "database_url",
    "broker_url",
    "websocket_url",
    "allowed_origins",
    *_TOKENS,
    *_PROCESS,
)
def tours(settings: Settings) -> None:
    """The tour service and its relay alone."""
    if settings.broker_url is None:
        raise SettingsError(
            "a tour service alone needs --broker-url: without it nobody hears of its bookings"
        )
    from seatcast.alone import tours_alone

    logs.configure(settings.log_format)
    run_until_signal(tours_alone(settings))


@_command(
    app,
    "host",
    "port",
    "http_port",
    "broker_url",
    "tours_url",
    "gateway_id",
    "workers",
    *_TOKENS,
    *_GATEWAY,
    *_PROCESS,
)
def gateway(settings: Settings) -> None:
    """A gateway alone: WebSockets, and health and metrics on --http-port."""
    if settings.broker_url is None:
        raise SettingsError("a gateway alone needs --broker-url: without it nothing ever reaches it")
    _differ(settings, "port", "http_port")
    from seatcast.workers import gateway_workers, one_gateway

    logs.configure(settings.log_format)
    if settings.workers > 1:
        sys.exit(gateway_workers(settings))
    one_gateway(settings)


@_command(demo_app, "host", "port", "heartbeat_seconds", "drain_seconds", "log_format", name="random-numbers")
def random_numbers(settings: Settings) -> None:
    """WELCOME, then RANDOM_NUMBER (1 to 100) to everyone every 3 s."""
    from seatcast import demo

    logs.configure(settings.log_format)
    run_until_signal(demo.random_numbers(settings))


@_command(demo_app, "host", "port", "heartbeat_seconds", "drain_seconds", "log_format", name="tours")
def demo_tours(settings: Settings) -> None:
    """Three tours; every 5 s one of them loses 1 to 3 seats. No database."""
    from seatcast import demo

    logs.configure(settings.log_format)
    run_until_signal(demo.three_tours(settings))


@_command(app, "broker_url")
def publish(
    settings: Settings,
    tour: Annotated[str, typer.Argument(help="Id of the tour.", metavar="TOUR", show_default=False)],
    seats: Annotated[int, typer.Argument(help="Seats available now.", metavar="SEATS", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="Name of the tour.", show_default=False)] = None,
) -> None:
    """Send one tour.availability.updated event to the broker, as another program would."""
    from seatcast import client_commands

    logs.configure("text", least=logging.ERROR)
    url = settings.broker_url or "amqp://localhost"
    run(client_commands.publish(url, tour, seats, name))
    typer.echo(f"{tour} has {seats} seats: the broker holds the event")


@_command(app, "host", "port")
def listen(
    settings: Settings,
    url: Annotated[
        str | None, typer.Argument(help="WebSocket address.", metavar="[URL]", show_default=False)
    ] = None,
    tour: Annotated[
        str | None, typer.Option("--tour", help="Follow this tour alone.", show_default=False)
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", help="Who is listening.", show_default=False)
    ] = None,
) -> None:
    """Print what a WebSocket client receives, one JSON object a line."""
    from seatcast import client_commands

    logs.configure("text", least=logging.ERROR)
    where = url or web_url("ws", settings.host, settings.port)
    run_until_signal(client_commands.listening(where, tour, token))


@_command(app, "data_dir", "jwt_secret", "jwt_audience", "jwt_issuer")
def token(
    settings: Settings,
    user: Annotated[str, typer.Option("--user", help="Whom the token speaks for.", show_default=False)],
    role: Annotated[list[str] | None, typer.Option("--role", help="staff or admin; may be repeated.")] = None,
    expires: Annotated[str, typer.Option("--expires", help="Lifetime: 90s, 15m, 1h or 7d.")] = "1h",
) -> None:
    """Mint a token with the configured secret, else with the data folder's."""
    from seatcast.secret_file import generated_secret
    from seatcast.tokens import Tokens

    seconds = lifetime(expires)
    if not 1 <= len(user) <= 128:
        raise SettingsError("--user takes 1 to 128 characters")
    secret = settings.jwt_secret or generated_secret(settings.data_dir)
    tokens = Tokens(secret, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
    typer.echo(tokens.mint(user, role or [], seconds))


@_command(app, "data_dir", "database_url", "start_seconds", "log_format")
def migrate(
    settings: Settings,
    new_epoch: Annotated[
        bool, typer.Option("--new-epoch", help="After a restore: versions start anew for every client.")
    ] = False,
) -> None:
    """Bring the database to this version's schema."""
    from seatcast.tours.migrate import migrate

    logs.configure(settings.log_format)
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    revision = run(
        migrate(
            settings.database,
            new_epoch=new_epoch,
            wait_seconds=settings.start_seconds,
            waiting=lambda reason: _log.warning("Waiting for the database", reason=reason),
        )
    )
    typer.echo(f"the database is at revision {revision}")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"seatcast {__version__}")
        raise typer.Exit


def _announce(addresses: Addresses) -> None:
    typer.echo(f"\n  Pages and REST  {addresses.api}\n  WebSocket       {addresses.websocket}\n")
    sys.stdout.flush()


def _differ(settings: Settings, one: str, other: str) -> None:
    if getattr(settings, one) == getattr(settings, other) != 0:
        names = " and ".join(f"--{name.replace('_', '-')}" for name in (one, other))
        raise SettingsError(f"{names} are both {getattr(settings, one)}: they must differ")


def main() -> None:
    """Run the command line and exit."""
    command = typer.main.get_command(app)
    exit_with(lambda: command.main(standalone_mode=False, prog_name="seatcast"))
