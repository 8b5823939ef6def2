"""Who may call without a token, and tokens that are signed with published keys."""

import pytest

from seatcast.key_source import KeySource, KeysUnreadable
from seatcast.tokens import Tokens

from ..issuer import RSA, claims, key_set, public, token

SECRET = "a secret of the tests, of 32 bytes or more"


def _as(token):
    return {"Authorization": f"Bearer {token}"}


async def test_where_a_token_is_required_only_reading_tours_needs_none(running, sqlite_url, bearer):
    """Gateways read tours, and have no token."""
    async with running(sqlite_url) as service:
        await service.create("oslo", 9)
        booking = (await service.book("oslo")).json()["booking"]["id"]
    async with running(sqlite_url, auth="required") as service:
        for path in ("/api/tours", "/api/tours/oslo", "/api/config", "/health/ready", "/metrics"):
            assert (await service.client.get(path)).status_code == 200, path
        before = await service.bookable()
        for answer in (
            await service.book("oslo"),
            await service.client.get("/api/bookings"),
            await service.client.get(f"/api/bookings/{booking}"),
            await service.client.delete(f"/api/bookings/{booking}"),
            await service.client.post("/api/tours", json={"name": "x", "capacity": 1}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert await service.bookable() == before
        assert (await service.book("oslo", headers=bearer("ana"))).status_code == 200
        opened = await service.client.get(f"/api/bookings/{booking}", headers=bearer("ana"))
        assert opened.status_code == 200


async def test_tokens_of_published_keys_are_taken_and_their_roles_count(running, sqlite_url):
    answers = [key_set(public(RSA, kid="r"))]

    async def read():
        if not answers:
            raise KeysUnreadable("answered 503")
        return answers[0]

    source = KeySource(read, "the source", 60)
    await source.refresh()
    async with running(sqlite_url, tokens=Tokens(SECRET, source)) as service:
        staff = _as(token("RS256", RSA, claims("olga", roles=["staff"])))
        new = {"id": "oslo", "name": "Oslo", "capacity": 9}
        traveller = _as(token("RS256", RSA, claims("ana")))
        for headers, status in (({}, 401), (traveller, 403), (staff, 201)):
            assert (await service.client.post("/api/tours", json=new, headers=headers)).status_code == status
        assert (await service.book("oslo", headers=traveller)).status_code == 200
        (mine,) = (await service.client.get("/api/bookings", headers=traveller)).json()
        assert mine["tourId"] == "oslo"
        wrong = await service.client.get("/api/bookings", headers=_as(token("RS256", RSA, kid="x")))
        assert (wrong.status_code, wrong.json()["details"]) == (401, {"reason": "signed with an unknown key"})

        # Neither good nor bad while nobody can tell.
        answers.clear()
        await source.refresh()
        unknown = await service.client.get("/api/bookings", headers=_as(token("RS256", RSA, kid="x")))
        assert (unknown.status_code, unknown.json()["code"]) == (503, "UNAVAILABLE")
        assert unknown.headers["retry-after"] == "2"
        assert (await service.client.get("/api/bookings", headers=traveller)).status_code == 200
        health = await service.health()
        assert (health["status"], health["checks"]["public keys"]) == ("degraded", "answered 503")


@pytest.mark.parametrize("path", ["/api/tours/oslo/book", "/api/bookings/x"])
async def test_a_token_that_is_not_valid_is_refused_also_where_none_is_needed(running, sqlite_url, path):
    async with running(sqlite_url) as service:
        await service.create("oslo", 9)
        method, body = ("POST", {"seatsToBook": 1}) if path[-4:] == "book" else ("GET", None)
        answer = await service.client.request(method, path, json=body, headers=_as("nonsense"))
        assert (answer.status_code, answer.json()["details"]) == (401, {"reason": "malformed"})
