"""Flag over environment over file over default, and one line for every mistake."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from seatcast.cli_settings import HELP, load
from seatcast.config import Settings, SettingsError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in a folder of its own, with no ./seatcast.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_given_is_the_defaults():
    assert load({}, {}) == Settings()


def test_each_source_wins_over_the_next(folder):
    (folder / "seatcast.toml").write_text('port = 1\napi_port = 2\nhost = "::1"\n')
    settings = load({"port": "5", "api_port": None}, {"SEATCAST_PORT": "3", "SEATCAST_API_PORT": "4"})
    assert (settings.port, settings.api_port, settings.host) == (5, 4, "::1")


def test_the_file_may_be_named_by_flag_or_environment(folder):
    (folder / "a.toml").write_text("port = 1\n")
    (folder / "b.toml").write_text("port = 2\n")
    assert load({}, {"SEATCAST_CONFIG": "a.toml"}).port == 1
    assert load({}, {"SEATCAST_CONFIG": "a.toml"}, "b.toml").port == 2


def test_every_kind_of_value_is_read():
    settings = load(
        {"data_dir": "here", "demo": True, "broker_url": "amqp://h"},
        {"SEATCAST_STALE_SECONDS": "1.5", "SEATCAST_LOG_FORMAT": "json", "SEATCAST_MAX_SUBSCRIPTIONS": "7"},
    )
    assert settings.data_dir == Path("here")
    assert settings.demo is True
    assert settings.stale_seconds == 1.5
    assert settings.max_subscriptions == 7
    assert load({}, {"SEATCAST_DEMO": "true"}).demo is True


def test_an_empty_variable_is_unset():
    assert load({}, {"SEATCAST_PORT": "", "JWT_SECRET": "", "SEATCAST_CONFIG": ""}) == Settings()


def test_the_secret_has_its_older_name_too():
    secret = "sixteen bytes at least"
    assert load({}, {"JWT_SECRET": secret}).jwt_secret == secret
    assert load({}, {"JWT_SECRET": secret, "SEATCAST_JWT_SECRET": secret}).jwt_secret == secret


@pytest.mark.parametrize(
    ("flags", "environment", "file", "line"),
    [
        ({"port": "abc"}, {}, "", "--port must be a whole number"),
        ({"port": "70000"}, {}, "", "port must be between 0 and 65535, not 70000"),
        ({"log_format": "xml"}, {}, "", "--log-format must be auto, text or json"),
        ({"data_dir": ""}, {}, "", "--data-dir must be a path"),
        ({}, {"SEATCAST_STALE_SECONDS": "soon"}, "", "SEATCAST_STALE_SECONDS must be a number"),
        (
            {},
            {"SEATCAST_STALE_SECONDS": "nan"},
            "",
            "stale-seconds must be more than 0 and at most 86400, not nan",
        ),
        ({}, {"SEATCAST_DEMO": "perhaps"}, "", "SEATCAST_DEMO must be true or false"),
        ({}, {"SEATCAST_PORT": "tcp://10.0.0.1:8080"}, "", "SEATCAST_PORT must be a whole number"),
        ({}, {"SEATCAST_CONFIG": "none.toml"}, "", "the configuration file none.toml does not exist"),
        ({}, {"SEATCAST_CONFIG": "."}, "", "the configuration file . cannot be read: Is a directory"),
        ({}, {}, "prot = 1", "seatcast.toml has an unknown key 'prot': do you mean port?"),
        ({}, {}, "api-port = 1", "seatcast.toml has an unknown key 'api-port': do you mean api_port?"),
        (
            {},
            {},
            "[gateway]\nport = 1",
            "seatcast.toml has an unknown key 'gateway': do you mean gateway_id?",
        ),
        ({}, {}, 'port = "1"', "port in seatcast.toml must be a whole number"),
        ({}, {}, "host = 1", "host in seatcast.toml must be text"),
        ({}, {}, "port = ", "the configuration file seatcast.toml is not TOML: "),
        (
            {},
            {"JWT_SECRET": "sixteen bytes at least", "SEATCAST_JWT_SECRET": "another of sixteen bytes"},
            "",
            "JWT_SECRET and SEATCAST_JWT_SECRET differ: set one of them",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_its_source(folder, flags, environment, file, line):
    if file:
        (folder / "seatcast.toml").write_text(file)
    with pytest.raises(SettingsError) as caught:
        load(flags, environment)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_path_that_has_no_default_is_read_as_one():
    assert load({}, {"SEATCAST_JWKS_FILE": "keys.json"}).jwks_file == Path("keys.json")


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"jwks_file": Path("a"), "jwks_url": "https://b"}, "jwks-file and jwks-url contradict each other"),
        ({"jwks_url": "ftp://b"}, "jwks-url must begin with http:// or https://"),
        ({"jwks_refresh_seconds": 0}, "jwks-refresh-seconds must be more than 0"),
        ({"jwt_secret": "-----BEGIN PUBLIC KEY-----\nMIIB"}, "jwt-secret is a key or certificate"),
        ({"jwt_secret": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"}, "jwt-secret is a key or certificate"),
    ],
)
def test_settings_of_tokens_that_cannot_be_meant_are_refused(wrong, line):
    with pytest.raises(SettingsError, match=line) as caught:
        Settings(**wrong)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_one_line(folder):
    (folder / "seatcast.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load({}, {})


def test_a_mistake_never_quotes_a_secret(folder):
    for environment in ({"JWT_SECRET": "hunter2"}, {"SEATCAST_BROKER_URL": "http://me:hunter2@host"}):
        with pytest.raises(SettingsError) as caught:
            load({}, environment)
        assert "hunter2" not in str(caught.value)
    (folder / "seatcast.toml").write_text('jwt_secret = ["hunter2"]')
    with pytest.raises(SettingsError) as caught:
        load({}, {})
    assert "hunter2" not in str(caught.value)


def test_every_setting_has_a_line_of_help():
    assert set(HELP) == {field.name for field in msgspec.structs.fields(Settings)}


def test_a_list_is_read_from_text_and_file(folder):
    pages = ("https://a.example", "https://b.example")
    assert load({"allowed_origins": "https://a.example, https://b.example,"}, {}).allowed_origins == pages
    assert load({}, {"SEATCAST_ALLOWED_ORIGINS": ",".join(pages)}).allowed_origins == pages
    (folder / "seatcast.toml").write_text('allowed_origins = ["https://a.example", "https://b.example"]')
    assert load({}, {}).allowed_origins == pages


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"allowed_origins": "tours.example"},
            "allowed-origins takes origins such as https://tours.example, ",
        ),
        (
            {"allowed_origins": "*,https://a/"},
            "allowed-origins takes origins such as https://tours.example, ",
        ),
        (
            {"trusted_proxies": "10.0.0.1/8"},
            "trusted-proxies takes addresses and networks such as 10.0.0.1 or ",
        ),
        ({"trusted_proxies": "proxy"}, "trusted-proxies takes addresses and networks such as 10.0.0.1 or "),
        ({"messages_per_minute": "-1"}, "messages-per-minute must be between 0 and 1000000, not -1"),
        ({"connections_per_user": "many"}, "--connections-per-user must be a whole number"),
    ],
)
def test_a_wrong_limit_is_one_line(settings, line):
    with pytest.raises(SettingsError) as caught:
        load(settings, {})
    assert str(caught.value).startswith(line)
