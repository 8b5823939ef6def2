"""The client library as it is published, against a real process that is killed."""

from __future__ import annotations

import json
import time

import pytest

from seatcast.tokens import Tokens

from .conftest import SECRET

ANN = Tokens(SECRET).mint("ann", [], 3600)
AGENT = {"Authorization": f"Bearer {Tokens(SECRET).mint('agent', ['support'], 3600)}"}


def _frames(program):
    return [json.loads(line) for line in program.out.read_text().splitlines()]


def _until(program, wanted, seconds=30.0):
    """Return everything that the program has printed, once `wanted(everything)` holds."""
    deadline = time.monotonic() + seconds
    while not wanted(frames := _frames(program)):
        assert time.monotonic() < deadline, f"{frames[-10:]} {program.log.read_text()}"
        time.sleep(0.05)
    return frames


def _book(api, seats):
    headers = {"Authorization": f"Bearer {ANN}"}
    api.post("/api/tours/tour_metz/book", json={"seatsToBook": seats}, headers=headers).raise_for_status()


def _answer(api, text):
    api.post("/api/conversations/ann/messages", json={"message": text}, headers=AGENT).raise_for_status()


@pytest.mark.timeout(180)
def test_who_was_away_is_told_everything_once_and_in_order(world, tmp_path, create_tour, free_port):
    """Bookings and chat messages of a while in which the server is killed, and of the while until we are back."""
    ports = (free_port(), free_port())
    running, api, socket = world.serve(tmp_path / "data", ports)
    create_tour(api, "tour_metz", 100)
    page = world.node("library.mjs", socket, str(api.base_url).rstrip("/"), ANN)
    _until(page, lambda frames: any(f["type"] == "SAID" for f in frames))

    texts = ["Bonjour"]
    for round_ in range(3):
        _book(api, round_ + 1)
        _answer(api, f"live {round_}")
        texts.append(f"live {round_}")
        _until(page, lambda frames: [f["message"] for f in frames if f["type"] == "CHAT_MESSAGE"] == texts)
        running.kill()
        running, api, _ = world.serve(tmp_path / "data", ports)
        _answer(api, f"away {round_}")
        texts.append(f"away {round_}")

    shown = {"type": "CONVERSATION", "texts": texts, "outgoing": 0}
    frames = _until(
        page,
        lambda frames: (
            [f["message"] for f in frames if f["type"] == "CHAT_MESSAGE"] == texts
            and sum(f["type"] == "BOOKING_CONFIRMED" for f in frames) == 3
            and [f for f in frames if f["type"] == "CONVERSATION"][-1] == shown
        ),
    )
    assert [f["seats"] for f in frames if f["type"] == "BOOKING_CONFIRMED"] == [1, 2, 3]
    assert [f for f in frames if f["type"] == "NOTICES"][-1]["count"] == 3
