"""From an exception to an answer: one status and one sentence for each, and nothing of our insides."""

import asyncio
import inspect

import pytest
from structlog.testing import capture_logs

from seatcast import domain
from seatcast.domain import DomainError
from seatcast.text import LANGUAGES, text
from seatcast.tours.database import open_database
from seatcast.tours.problems import STATUS

KINDS = [
    kind for _, kind in inspect.getmembers(domain, inspect.isclass)
    if issubclass(kind, DomainError) and kind is not DomainError
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_refusal_has_a_status_and_a_sentence_in_each_language(kind):
    assert 400 <= STATUS[kind] < 500
    sentences = {text(language, f"error.{kind.code.lower()}") for language in LANGUAGES}
    assert len(sentences) == len(LANGUAGES)


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/tours/x/y/z", "/health/nothing", "/assets/x.js"]
)
async def test_a_route_that_is_not_there_is_not_found(service, path):
    answer = await service.client.get(path, headers={"Accept-Language": "en"})

    assert answer.status_code == 404
    assert answer.json() == {"error": "Page or resource not found", "code": "NOT_FOUND"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/tours", {"GET", "POST"}),
        ("DELETE", "/api/tours/x", {"GET", "PATCH"}),
        ("POST", "/api/bookings", {"GET"}),
        ("PATCH", "/api/bookings/x", {"GET", "DELETE"}),
        ("POST", "/health/ready", {"GET"}),
    ],
)
async def test_a_wrong_method_is_told_which_are_right(service, method, path, allowed):
    answer = await service.client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert allowed <= set(answer.headers["allow"].replace(" ", "").split(","))


async def test_a_defect_is_a_500_that_tells_nothing_but_is_logged(service):
    await service.create("louvre", 5)
    async with open_database(service.url) as database:
        await _rename(database, "bookings", "mislaid")
        try:
            with capture_logs() as logged:
                answers = [
                    await service.book("louvre", key="a-secret-key"),
                    await service.client.get("/api/bookings/bkg_x"),
                ]
        finally:
            await _rename(database, "mislaid", "bookings")

    for answer in answers:
        assert (answer.status_code, answer.json()) == (500, {"error": "Erreur serveur", "code": "INTERNAL"})
    errors = [entry for entry in logged if entry["event"] == "request failed"]
    assert [entry["path"] for entry in errors] == ["/api/tours/louvre/book", "/api/bookings/bkg_x"]
    assert "a-secret-key" not in str([(entry, str(entry["exc_info"])) for entry in errors])
    assert (await service.book("louvre")).status_code == 200


async def _rename(database, old, new):
    async with database.transaction() as tx:
        await tx.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


async def test_while_the_database_is_away_callers_are_told_to_try_again_and_then_all_is_well(
    private_postgres, running, eventually
):
    async with running(private_postgres.url) as service:
        await service.create("louvre", 5)
        await service.book("louvre", 1, key="before")
        await asyncio.to_thread(private_postgres.kill)
        try:
            for answer in (
                await service.book("louvre", 1, key="during"),
                await service.client.get("/api/tours"),
                await service.client.get("/api/bookings", headers=service.user),
                await service.client.patch("/api/tours/louvre", json={"name": "x"}, headers=service.staff),
            ):
                assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
                assert answer.headers["retry-after"] == "1"
                assert answer.json()["error"] == text("fr", "error.unavailable")

            async def degraded():
                return (await service.health())["status"] == "degraded"

            await eventually(degraded)
            assert (await service.client.get("/health/live")).status_code == 200
        finally:
            await asyncio.to_thread(private_postgres.start)

        async def booked():
            return (await service.book("louvre", 1, key="during")).status_code == 200

        await eventually(booked)
        again = await service.book("louvre", 1, key="before")
        assert again.json()["tour"]["availableSeats"] == 3
        await eventually(lambda: service.events and service.events[-1].available_seats == 3)

        async def well():
            return (await service.health())["status"] == "ok"

        await eventually(well)
