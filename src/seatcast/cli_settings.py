"""Settings from flags, environment and file, and the flags themselves, all made from `config.Settings`.

Flag over environment over file over default. Every mistake is a `SettingsError`: one line that names where the
value came from and never the value, which may be a secret.
"""

from __future__ import annotations

import difflib
import inspect
import re
import tomllib
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import typer

from seatcast.config import Settings, SettingsError

FILE: Final = "seatcast.toml"

HELP: Final[dict[str, str]] = {
    "host": "Address to listen on.",
    "port": "Port of the WebSockets.",
    "api_port": "Port of REST and pages.",
    "http_port": "Port of a lone gateway's health and metrics.",
    "data_dir": "Folder of the SQLite file and the generated secret.",
    "database_url": "postgresql://... or sqlite:///FILE; without it a SQLite file in the data folder.",
    "broker_url": "amqp://...; without it the broker inside the process.",
    "tours_url": "Where a lone gateway reads snapshots: http://...; without it, it starts from events alone.",
    "websocket_url": "Where the page finds the gateway: ws:// or wss://; default: the page's own host and --port.",
    "gateway_id": "Name of this gateway in queues and logs.",
    "workers": "Processes of a lone gateway, all on its ports, under one that replaces them; one per core is a good number.",
    "jwt_secret": "Secret of the tokens (HS256). Better in JWT_SECRET: others on the machine can read flags.",
    "jwks_file": "Public keys of the tokens (RS256, ES256, EdDSA), a JWK Set; a change counts within 2 s.",
    "jwks_url": "The same at an address: https://...",
    "jwks_refresh_seconds": "How often that address is read anew; an unknown key makes it so at once.",
    "jwt_audience": "What each token's aud must include. Needed where the same keys sign for others too.",
    "jwt_issuer": "What each token's iss must be.",
    "auth": "optional or required: whether somebody without a token may follow tours and book.",
    "demo": "Make the demo's tours, and travellers who book and cancel.",
    "heartbeat_seconds": "Pause between pings to a client.",
    "follow_all_limit": "Departures in the catalogue up to which a new connection follows everything.",
    "max_subscriptions": "Tours that one connection may name.",
    "allowed_origins": "Pages that may connect, and read the tours: https://tours.example,... or *; default: pages of the same host.",
    "trusted_proxies": "Proxies in front whose X-Forwarded-For and X-Forwarded-Host are believed: 10.0.0.0/8,...",
    "messages_per_minute": "Messages that a user, or an anonymous connection, may send; 0: no limit.",
    "handshakes_per_address": "Handshakes a second from one address; 0: no limit; default: 200, none for this machine's own.",
    "connections_per_address": "Connections from one address; 0: no limit; default: 2000, none for this machine's own.",
    "connections_per_user": "Connections of one user; 0: no limit; default: 100, none from this machine itself.",
    "snapshot_seconds": "How often a gateway compares itself with a snapshot although nothing seems wrong.",
    "stale_seconds": "Silence of the source after which a gateway says STALE.",
    "start_seconds": "How long a start waits for a database or broker that cannot be reached yet.",
    "drain_seconds": "How long a stop takes at most: half of it for clients to leave, then for requests in flight.",
    "log_format": "auto, text or json; auto is text on a terminal and JSON elsewhere.",
}

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LIST: Final = tuple[str, ...]
_TYPES: Final = get_type_hints(Settings)
_DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(Settings)}


def load(
    flags: Mapping[str, str | bool | None], environment: Mapping[str, str], config: str | None = None
) -> Settings:
    """Return the settings of this process. `config` is the value of `--config`.

    Raises `SettingsError` for a value of a wrong type, an unknown key in the file, a file that is missing
    although it was named, two secrets that differ, and whatever `Settings` itself refuses.
    """
    values = _from_file(config or environment.get("SEATCAST_CONFIG") or None)
    for name in _TYPES:
        variable = f"SEATCAST_{name.upper()}"
        # An empty variable is an unset one: that is how compose files say "nothing".
        if given := environment.get(variable):
            values[name] = _convert(name, given, variable, strict=False)
    if secret := environment.get("JWT_SECRET"):
        if environment.get("SEATCAST_JWT_SECRET") not in (None, "", secret):
            raise SettingsError("JWT_SECRET and SEATCAST_JWT_SECRET differ: set one of them")
        values["jwt_secret"] = secret
    for name, flag in flags.items():
        if flag is not None:
            values[name] = _convert(name, flag, _flag(name), strict=False)
    return Settings(**values)


def _from_file(named: str | None) -> dict[str, Any]:
    path = Path(named or FILE)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named is None:
            return {}
        raise SettingsError(f"the configuration file {path} does not exist") from None
    except OSError as error:
        raise SettingsError(f"the configuration file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"the configuration file {path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        # The parser's text tells line and column, and quotes at most a key.
        raise SettingsError(f"the configuration file {path} is not TOML: {error}") from None
    values = {}
    for key, value in table.items():
        if key not in _TYPES:
            close = difflib.get_close_matches(key.replace("-", "_"), _TYPES, 1)
            hint = f": do you mean {close[0]}?" if close else ""
            raise SettingsError(f"{path} has an unknown key {key!r}{hint}")
        values[key] = _convert(key, value, f"{key} in {path}", strict=True)
    return values


def lifetime(text: str) -> float:
    """Return the seconds of `90s`, `15m`, `1h` or `7d`. Raises `SettingsError` for anything else."""
    found = re.fullmatch(r"([1-9]\d{0,8})([smhd])", text)
    if found is None:
        raise SettingsError("--expires must be a number and s, m, h or d, such as 1h")
    return int(found[1]) * _UNITS[found[2]]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _convert(name: str, value: object, where: str, *, strict: bool) -> object:
    kind = _TYPES[name]
    if kind in (Path, Path | None):
        if not isinstance(value, str) or not value:
            raise SettingsError(f"{where} must be a path")
        return Path(value)
    if kind == _LIST and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        raise SettingsError(f"{where} must be {_described(kind)}") from None


def _described(kind: Any) -> str:
    if get_origin(kind) is Literal:
        *others, last = get_args(kind)
        return f"{', '.join(others)} or {last}"
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
    if kind == _LIST:
        return "a list of texts"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[kind]


def _option(name: str) -> inspect.Parameter:
    """Return the parameter that gives a command its flag. Text, so that `_convert` phrases every mistake."""
    kind, default = _TYPES[name], _DEFAULTS[name]
    shown = False if default in (None, False, ()) else str(default)
    is_switch = kind is bool
    annotation: Any = Annotated[
        (bool | None) if is_switch else (str | None),
        typer.Option(
            _flag(name),
            help=HELP[name],
            show_default=shown,
            metavar=None if is_switch else name.partition("_per_")[0].rpartition("_")[2].upper(),
        ),
    ]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def takes(
    *names: str, environment: Callable[[], Mapping[str, str]]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, a function of `Settings` and its own parameters, the flags of the named settings.

    The command's flags are those, `--config` and its own; it is called with the loaded settings.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

        def run(**given: Any) -> None:
            config = given.pop("config")
            flags = {name: given.pop(name) for name in names}
            command(load(flags, environment(), config), **given)

        config = inspect.Parameter(
            "config",
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    "--config", help=f"Configuration file (TOML); ./{FILE} if there is one.", metavar="FILE"
                ),
            ],
        )
        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        run.__signature__ = inspect.Signature([*keyword_only, *map(_option, names), config])  # type: ignore[attr-defined]
        run.__annotations__ = {}
        run.__name__ = command.__name__
        run.__doc__ = command.__doc__
        return run

    return decorate
