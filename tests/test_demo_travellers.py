"""The demo stocks a catalogue once, keeps it topped up, and its travellers never run it dry or full."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.demo_travellers import DEPARTURES, TOURS, Demo, next_departures, wants_to_book
from seatcast.tokens import Tokens
from seatcast.tours.app import tours

TOKENS = Tokens("a secret of more than sixteen bytes")


@contextlib.asynccontextmanager
async def _demo(folder: Path) -> AsyncIterator[Demo]:
    """A demo on the real application and a SQLite file, without the detour over a socket."""
    async with (
        MemoryBroker() as broker,
        tours(Settings(data_dir=folder), broker, TOKENS) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tours") as client,
    ):
        yield Demo(client, TOKENS, random.Random(7))


def _numbers(found):
    return {tour.id: (tour.available_seats, len(tour.departures or ())) for tour in found}


async def test_the_three_tours_are_dated_and_a_fourth_is_not(tmp_path):
    async with _demo(tmp_path) as demo:
        await demo.stock(datetime.now(UTC))
        found = {tour.id: tour for tour in await demo.tours()}
    assert {(tour.id, tour.name) for tour in found.values()} >= {
        ("tour_paris", "Paris City Tour"),
        ("tour_london", "London Eye Experience"),
        ("tour_rome", "Rome Colosseum Tour"),
    }
    for known in TOURS:
        assert bool(found[known.id].departures) is known.dated
    assert len(found["tour_paris"].departures) == DEPARTURES


async def test_stocking_twice_and_after_a_restart_changes_nothing(tmp_path):
    now = datetime.now(UTC)
    async with _demo(tmp_path) as demo:
        await demo.stock(now)
        await demo.change()
        before = _numbers(await demo.tours())
        await demo.stock(now)
        assert _numbers(await demo.tours()) == before
    async with _demo(tmp_path) as demo:
        await demo.stock(now)
        assert _numbers(await demo.tours()) == before


async def test_departures_are_added_as_time_goes_on(tmp_path):
    now = datetime.now(UTC)
    async with _demo(tmp_path) as demo:
        await demo.stock(now)
        before = {d.id for tour in await demo.tours() for d in tour.departures or ()}
        await demo.stock(now + timedelta(days=1))
        after = {d.id for tour in await demo.tours() for d in tour.departures or ()}
    assert after > before


async def test_a_closed_demo_tour_is_left_closed(tmp_path):
    async with _demo(tmp_path) as demo:
        await demo.stock(datetime.now(UTC))
        staff = {"Authorization": f"Bearer {TOKENS.mint('me', ['staff'], 60)}"}
        answer = await demo.client.patch("/api/tours/tour_rome", json={"closed": True}, headers=staff)
        assert answer.status_code == 200
        await demo.stock(datetime.now(UTC))
        assert "tour_rome" not in {tour.id for tour in await demo.tours()}


async def test_travellers_know_their_bookings_after_a_restart(tmp_path):
    async with _demo(tmp_path) as demo:
        await demo.stock(datetime.now(UTC))
        for _ in range(40):
            await demo.change()
        before = {key: sorted(value) for key, value in demo.bookings.items() if value}
    async with _demo(tmp_path) as demo:
        await demo.remember()
        assert {key: sorted(value) for key, value in demo.bookings.items()} == before


async def test_seats_stay_in_an_interesting_range(tmp_path):
    """After many changes departures are neither all full nor all empty, and every seat is accounted for."""
    async with _demo(tmp_path) as demo:
        await demo.stock(datetime.now(UTC))
        for _ in range(250):
            await demo.change()
        found = await demo.tours()
    share = sum(tour.available_seats for tour in found) / sum(tour.capacity for tour in found)
    assert 0.15 < share < 0.75
    for tour in found:
        assert 0 <= tour.available_seats <= tour.capacity


@pytest.mark.parametrize("month", [1, 3, 7, 10])
def test_departures_leave_at_nine_and_two_local_time_all_year(month):
    tour = TOURS[0]
    ahead = next_departures(tour, datetime(2026, month, 28, 23, 30, tzinfo=UTC))
    assert len(ahead) == DEPARTURES
    for departure in ahead:
        start = datetime.fromisoformat(departure.starts_at)
        assert (start.hour, start.minute) in {(9, 0), (14, 0)}
        assert departure.id == f"tour_paris-{start:%Y%m%d-%H%M}"


def test_a_full_departure_only_frees_up_and_an_empty_one_only_fills():
    assert not wants_to_book(0, 20, 0.0)
    assert wants_to_book(20, 20, 0.999)
