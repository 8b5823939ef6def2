"""One line per event on standard error, machine-readable where nobody watches."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from seatcast import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_logger_taken_before_the_set_up_speaks_json_afterwards(capsys):
    logger = structlog.get_logger("seatcast.early")
    logs.configure("json")
    logger.info("Listening", port=8080)
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "Listening"
    assert line["port"] == 8080
    assert line["level"] == "info"
    assert line["logger"] == "seatcast.early"
    assert line["timestamp"].endswith("Z")


def test_auto_is_json_without_a_terminal(capsys):
    logs.configure("auto")
    structlog.get_logger("seatcast.x").warning("Careful")
    assert json.loads(capsys.readouterr().err)["event"] == "Careful"


def test_text_is_one_line_without_colours_into_a_file(capsys):
    logs.configure("text")
    structlog.get_logger("seatcast.x").info("Listening", port=8080)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "Listening" in line
    assert "port=8080" in line
    assert "\x1b" not in line


def test_an_exception_stays_one_line_of_json(capsys):
    logs.configure("json")
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("seatcast.x").exception("It failed")
    line = json.loads(capsys.readouterr().err)
    assert "ValueError: broken" in line["exception"]


def test_libraries_are_heard_from_warning_on_in_the_same_form(capsys):
    logs.configure("json")
    logging.getLogger("httpx").info("HTTP Request: GET http://host/?token=secret")
    logging.getLogger("uvicorn.error").warning("Exceeded %s", "something")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "Exceeded something"
