"""The demo's sign-in: there with `--demo`, and with it alone."""

from __future__ import annotations

import httpx
import pytest

from seatcast.broker.memory import MemoryBroker
from seatcast.config import Settings
from seatcast.tokens import Tokens
from seatcast.tours.app import tours
from seatcast.tours.demo_api import SESSION_SECONDS, USERS

TOKENS = Tokens("a secret of the tests, of 32 bytes or more")


@pytest.fixture
def service(tmp_path):
    """`async with service(demo=True) as http`: a tour service."""

    def open(*, demo):
        settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", demo=demo)
        return _Service(tours(settings, MemoryBroker(), TOKENS))

    return open


class _Service:
    def __init__(self, app):
        self.app = app

    async def __aenter__(self):
        transport = httpx.ASGITransport(await self.app.__aenter__())
        return httpx.AsyncClient(transport=transport, base_url="http://tours")

    async def __aexit__(self, *error):
        return await self.app.__aexit__(*error)


async def test_anybody_may_be_anybody(service):
    async with service(demo=True) as http:
        offered = (await http.get("/api/config")).json()["demoUsers"]
        assert offered == [{"userId": user.user_id, "roles": user.roles} for user in USERS]
        for user in [*offered, {"userId": "Zoé", "roles": ["staff"]}]:
            answer = await http.post("/api/demo/sessions", json=user)
            assert answer.status_code == 201
            assert answer.headers["cache-control"] == "no-store"
            identity = TOKENS.verify(answer.json()["token"])
            assert (identity.user, identity.roles) == (user["userId"], frozenset(user["roles"]))
            assert identity.expires == pytest.approx(TOKENS.clock() + SESSION_SECONDS, abs=10)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"userId": "", "roles": []}, "body.userId"),
        ({"userId": "a" * 65, "roles": []}, "body.userId"),
        ({"userId": "alice"}, "body"),
        ({"userId": "alice", "roles": "staff"}, "body.roles"),
        ({"userId": "alice", "roles": ["staff"] * 9}, "body.roles"),
        ({"userId": "alice", "roles": [], "extra": 1}, "body"),
    ],
)
async def test_a_wrong_wish_is_named(service, body, where):
    async with service(demo=True) as http:
        answer = await http.post("/api/demo/sessions", json=body)
        assert answer.status_code == 400
        assert where in str(answer.json()["details"])


async def test_it_is_not_there_without_the_demo(service):
    async with service(demo=False) as http:
        assert "demoUsers" not in (await http.get("/api/config")).json()
        answer = await http.post("/api/demo/sessions", json={"userId": "alice", "roles": ["admin"]})
        assert answer.status_code in (404, 405)
