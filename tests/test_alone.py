"""A tour service and a gateway as processes of their own, joined by RabbitMQ and HTTP alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets

from seatcast.alone import gateway_alone, open_broker, open_tokens, tours_alone
from seatcast.broker import BrokerUnavailable
from seatcast.broker.memory import MemoryBroker
from seatcast.client_commands import publish
from seatcast.config import Settings, SettingsError
from seatcast.tokens import InvalidToken, Tokens

from .issuer import OTHER_RSA, RSA, Issuer, key_set, public, token
from .running import UPGRADE, ending

SECRET = "a secret of more than sixteen bytes"


async def _frame(client: websockets.ClientConnection, kind: str) -> dict[str, object]:
    while True:
        frame: dict[str, object] = json.loads(await client.recv())
        if frame["type"] == kind:
            return frame


def _gateway(amqp_url: str, tours_url: str | None = None) -> Settings:
    return Settings(port=0, http_port=0, broker_url=amqp_url, tours_url=tours_url, drain_seconds=0.2)


async def test_a_booking_travels_from_one_to_the_other(sqlite_url, amqp_url):
    settings = Settings(api_port=0, database_url=sqlite_url, broker_url=amqp_url, jwt_secret=SECRET)
    staff = {"Authorization": f"Bearer {Tokens(SECRET).mint('me', ['staff'], 60)}"}
    async with tours_alone(settings) as api, httpx.AsyncClient(base_url=api) as http:
        new = {"id": "tour_oslo", "name": "Oslo", "capacity": 9}
        assert (await http.post("/api/tours", json=new, headers=staff)).status_code == 201
        async with gateway_alone(_gateway(amqp_url, api)) as where, websockets.connect(where.url) as client:
            assert (await _frame(client, "INITIAL_STATE"))["availableSeats"] == 9
            assert (await http.post("/api/tours/tour_oslo/book", json={"seatsToBook": 2})).is_success
            assert (await _frame(client, "AVAILABILITY_UPDATE"))["availableSeats"] == 7


async def test_a_gateway_without_a_tour_service_starts_from_events_alone(amqp_url):
    async with gateway_alone(_gateway(amqp_url)) as where, websockets.connect(where.url) as client:
        assert (await _frame(client, "WELCOME"))["following"] == "all"
        heard = asyncio.create_task(_frame(client, "AVAILABILITY_UPDATE"))
        # Again, because nothing gives back what was sent before the gateway's queue was there.
        while not heard.done():
            await publish(amqp_url, "tour_elsewhere", 5, "Elsewhere")
            await asyncio.wait([heard], timeout=0.5)
        frame = heard.result()
        assert (frame["tourId"], frame["availableSeats"]) == ("tour_elsewhere", 5)


async def test_the_http_port_says_unready_while_the_gateway_drains(amqp_url, eventually):
    """A load balancer that asks there then sends nobody here any more."""
    settings = Settings(port=0, http_port=0, broker_url=amqp_url, drain_seconds=20)
    async with (
        ending(gateway_alone(settings)) as (where, end),
        httpx.AsyncClient(base_url=where.health) as http,
    ):
        # It will not answer the CLOSE, so it is waited for.
        _, writer = await asyncio.open_connection("127.0.0.1", int(where.url.rpartition(":")[2]))
        writer.write(UPGRADE)

        async def connections(count: int) -> bool:
            return f"seatcast_gateway_connections {count}.0" in (await http.get("/metrics")).text

        await eventually(lambda: connections(1))
        end()
        answer = await eventually(lambda: _unready(http))
        assert answer["checks"]["gateway"] == "draining"
        assert await connections(1), "and not only at the end"
    writer.close()


async def _unready(http: httpx.AsyncClient) -> dict[str, Any] | None:
    answer = await http.get("/health/ready")
    return answer.json() if answer.status_code == 503 else None


async def test_a_tour_service_without_a_secret_takes_no_token(sqlite_url, amqp_url):
    settings = Settings(api_port=0, database_url=sqlite_url, broker_url=amqp_url)
    token = Tokens(SECRET).mint("me", ["staff"], 60)
    async with tours_alone(settings) as api, httpx.AsyncClient(base_url=api) as http:
        answer = await http.get("/api/bookings", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


async def test_without_a_broker_url_the_broker_is_in_the_process():
    async with open_broker(Settings()) as broker:
        assert isinstance(broker, MemoryBroker)


async def test_a_broker_that_is_not_there_is_given_up_after_the_start(free_port):
    settings = Settings(broker_url=f"amqp://127.0.0.1:{free_port()}", start_seconds=0.3)
    with pytest.raises(BrokerUnavailable):
        async with open_broker(settings):
            pass


# The keys of tokens


async def test_keys_of_a_url_are_there_at_the_start_and_read_anew(eventually):
    issuer = Issuer(key_set(public(RSA, kid="old")))
    async with issuer.serving() as url:
        settings = Settings(jwks_url=url, jwks_refresh_seconds=0.05)
        async with open_tokens(settings, SECRET) as tokens:
            assert tokens.verify(token("RS256", RSA, kid="old")).user == "alice"
            assert tokens.verify(tokens.mint("bob", [], 60)).user == "bob"
            issuer.body = key_set(public(OTHER_RSA, kid="new"))
            await eventually(lambda: _is_refused(tokens, token("RS256", RSA, kid="old")))
            assert tokens.verify(token("RS256", OTHER_RSA, kid="new")).user == "alice"


def _is_refused(tokens, token):
    try:
        tokens.verify(token)
    except InvalidToken:
        return True
    return False


async def test_a_url_that_cannot_be_read_does_not_stop_the_start(free_port):
    settings = Settings(jwks_url=f"http://127.0.0.1:{free_port()}/")
    async with open_tokens(settings, None) as tokens:
        assert (tokens.configured, tokens.blind) == (True, True)
        assert tokens.problem == "cannot be reached (ConnectError)"
    async with open_tokens(settings, SECRET) as tokens:
        assert not tokens.blind
        assert tokens.verify(tokens.mint("bob", [], 60)).user == "bob"


async def test_a_file_that_cannot_be_read_stops_the_start_with_one_line(tmp_path):
    path = tmp_path / "keys.json"
    for write, line in (
        (lambda: None, "cannot be read: No such file or directory"),
        (lambda: path.write_text("keys"), "is no JWK Set"),
        (lambda: path.write_bytes(key_set(RSA.as_dict(private=True))), "key 1 is private"),
    ):
        write()
        with pytest.raises(SettingsError, match=line):
            async with open_tokens(Settings(jwks_file=path), SECRET):
                """Never here."""
    path.write_bytes(key_set(public(RSA)))
    async with open_tokens(Settings(jwks_file=path), None) as tokens:
        assert tokens.verify(token("RS256", RSA)).user == "alice"


async def test_audience_and_issuer_are_passed_on():
    async with open_tokens(Settings(jwt_audience="seatcast", jwt_issuer="me"), SECRET) as tokens:
        assert tokens.verify(tokens.mint("bob", [], 60)).user == "bob"
        with pytest.raises(InvalidToken):
            tokens.verify(Tokens(SECRET).mint("bob", [], 60))


async def test_what_nobody_could_satisfy_is_not_required():
    with pytest.raises(SettingsError, match="auth is required but no token could be valid"):
        async with open_tokens(Settings(auth="required"), None):
            """Never here."""
