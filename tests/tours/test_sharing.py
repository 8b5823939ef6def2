"""Pages of other origins may read the seats where the settings let them, and nothing else of the API."""

import httpx
import pytest

from seatcast.origins import Origins
from seatcast.tours.sharing import SharedReads

PARTNER = "https://partner.example"


async def _answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": b"[]"})


@pytest.fixture
async def ask():
    """`await ask(path, origin, *allowed, method=..., **headers)`: ask a service of the host `tours.example`."""

    async def request(path, origin, *allowed, method="GET", **headers):
        transport = httpx.ASGITransport(SharedReads(_answer, Origins(allowed)))
        async with httpx.AsyncClient(transport=transport, base_url="https://tours.example") as client:
            if origin is not None:
                headers["Origin"] = origin
            return await client.request(method, path, headers=headers)

    return request


def _allowed(answer):
    return answer.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("path", ["/api/config", "/api/tours", "/api/tours/", "/api/tours/tour_paris"])
async def test_a_page_that_is_allowed_may_read_the_seats_and_their_epoch(ask, path):
    answer = await ask(path, PARTNER, PARTNER)

    assert _allowed(answer) == PARTNER
    assert answer.headers["access-control-expose-headers"] == "Seatcast-Epoch"
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == "[]"


@pytest.mark.parametrize(
    ("origin", "allowed", "lets"),
    [
        (PARTNER, (), False),
        (PARTNER, ("https://other.example",), False),
        (PARTNER, ("*",), True),
        ("https://tours.example:8443", (), True),  # the same host, as for WebSockets
        ("null", (), False),
        ("null", ("null",), True),
        ("no origin at all", ("https://other.example",), False),
    ],
)
async def test_which_pages_are_allowed_is_the_same_as_for_websockets(ask, origin, allowed, lets):
    answer = await ask("/api/tours", origin, *allowed)

    assert _allowed(answer) == (origin if lets else None)
    # Caches keep what one page was answered from another.
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/tours"),
        ("PATCH", "/api/tours/tour_paris"),
        ("POST", "/api/tours/tour_paris/book"),
        ("GET", "/api/bookings"),
        ("POST", "/api/demo/sessions"),
        ("GET", "/api/configuration"),
    ],
)
async def test_nothing_else_is_for_pages_of_other_origins(ask, method, path):
    assert _allowed(await ask(path, PARTNER, "*", method=method)) is None
    asked = {"Access-Control-Request-Method": method}
    assert _allowed(await ask(path, PARTNER, "*", method="OPTIONS", **asked)) is None


async def test_a_page_with_a_token_may_ask_first(ask):
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    answer = await ask("/api/tours", PARTNER, PARTNER, method="OPTIONS", **asked)

    assert (answer.status_code, _allowed(answer)) == (204, PARTNER)
    assert answer.headers["access-control-allow-headers"] == "Authorization"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert _allowed(await ask("/api/tours", PARTNER, method="OPTIONS", **asked)) is None


async def test_who_is_no_page_is_answered_as_ever(ask):
    answer = await ask("/api/tours", None)
    assert (answer.status_code, _allowed(answer)) == (200, None)


async def test_the_service_lets_the_pages_that_its_settings_name(service):
    await service.create("tour_albi", 9)
    answer = await service.client.get("/api/tours/tour_albi", headers={"Origin": "http://localhost:9000"})
    assert (answer.status_code, _allowed(answer)) == (200, None)
    own = str(service.client.base_url).rstrip("/")
    answer = await service.client.get("/api/tours/tour_albi", headers={"Origin": f"{own}:9000"})
    assert _allowed(answer) == f"{own}:9000"
