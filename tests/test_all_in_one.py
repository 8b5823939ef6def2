"""One process does the whole road, and its data outlives it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import websockets

from seatcast import rest
from seatcast.all_in_one import all_in_one
from seatcast.config import Settings
from seatcast.rest import LIVE_PATH, LIVE_STREAM_PATH
from seatcast.secret_file import generated_secret
from seatcast.tokens import Tokens

from .running import UPGRADE, ending


def _settings(folder: Path, *, demo: bool = False, broker_url: str | None = None) -> Settings:
    return Settings(
        port=0, api_port=0, data_dir=folder / "data", demo=demo, broker_url=broker_url, drain_seconds=0.2
    )


async def _make_tour(api: str, folder: Path) -> None:
    staff = Tokens(generated_secret(folder / "data")).mint("me", ["staff"], 60)
    async with httpx.AsyncClient(base_url=api, headers={"Authorization": f"Bearer {staff}"}) as client:
        new = {"id": "tour_oslo", "name": "Oslo by Boat", "capacity": 10}
        assert (await client.post("/api/tours", json=new)).status_code == 201


async def _frame(client: websockets.ClientConnection, seats: int, *kinds: str) -> dict[str, object]:
    """Return the next frame of these kinds and this count; frames of other counts in between are the past."""
    while True:
        frame: dict[str, object] = json.loads(await client.recv())
        if frame["type"] in kinds and frame.get("availableSeats") == seats:
            return frame


async def _a_booking_arrives(settings: Settings, folder: Path) -> None:
    async with all_in_one(settings) as addresses:
        await _make_tour(addresses.api, folder)
        async with (
            websockets.connect(addresses.websocket) as client,
            httpx.AsyncClient(base_url=addresses.api) as http,
        ):
            # An update if the client was here before the gateway heard of the tour.
            await _frame(client, 10, "INITIAL_STATE", "AVAILABILITY_UPDATE")
            answer = await http.post("/api/tours/tour_oslo/book", json={"seatsToBook": 3})
            assert answer.status_code == 200
            frame = await _frame(client, 7, "AVAILABILITY_UPDATE")
            assert frame["tourName"] == "Oslo by Boat"
            # A page finds the gateway where it is, not where it was asked to be (any port).
            config = (await http.get("/api/config")).json()
            assert addresses.websocket.endswith(f":{config['websocketPort']}")
            # The booker already had the same fact in the answer.
            assert frame["version"] == answer.json()["availability"]["version"]


async def test_a_booking_reaches_a_websocket_client(tmp_path):
    await _a_booking_arrives(_settings(tmp_path), tmp_path)


async def test_a_booking_reaches_a_websocket_client_through_rabbitmq(tmp_path, amqp_url):
    await _a_booking_arrives(_settings(tmp_path, broker_url=amqp_url), tmp_path)


async def test_a_restart_keeps_tours_bookings_and_tokens(tmp_path):
    settings = _settings(tmp_path)
    async with all_in_one(settings) as addresses:
        await _make_tour(addresses.api, tmp_path)
        token = Tokens(generated_secret(settings.data_dir)).mint("alice", [], 60)
        async with httpx.AsyncClient(base_url=addresses.api) as http:
            mine = {"Authorization": f"Bearer {token}"}
            assert (
                await http.post("/api/tours/tour_oslo/book", json={"seatsToBook": 4}, headers=mine)
            ).is_success
    async with all_in_one(settings) as addresses, httpx.AsyncClient(base_url=addresses.api) as http:
        assert (await http.get("/api/tours/tour_oslo")).json()["available_seats"] == 6
        (booking,) = (await http.get("/api/bookings", headers=mine)).json()
        assert booking["seats"] == 4
        async with websockets.connect(addresses.websocket) as client:
            await _frame(client, 6, "INITIAL_STATE")


async def test_the_demo_moves_by_itself_and_both_ends_agree(tmp_path):
    async with all_in_one(_settings(tmp_path, demo=True)) as addresses:
        async with httpx.AsyncClient(base_url=addresses.api) as http:
            tours = {tour["id"]: tour for tour in (await http.get("/api/tours")).json()}
            assert {"tour_paris", "tour_london", "tour_rome"} < set(tours)
        async with websockets.connect(addresses.websocket) as client:
            await client.send('{"type":"SUBSCRIBE","channel":"random-numbers"}')
            awaited = {"SUBSCRIBED", "AVAILABILITY_UPDATE", "RANDOM_NUMBER"}
            async with asyncio.timeout(30):
                while awaited:
                    awaited.discard(json.loads(await client.recv())["type"])


async def test_the_rest_port_has_health_and_metrics(tmp_path):
    """The tour service's port has health and metrics too."""
    async with (
        all_in_one(_settings(tmp_path)) as addresses,
        httpx.AsyncClient(base_url=addresses.api) as http,
    ):
        assert (await http.get("/health/live")).json() == {"status": "ok"}
        assert (await http.get("/health/ready")).json()["status"] in ("ok", "degraded")
        assert "seatcast" in (await http.get("/metrics")).text


async def test_the_rest_port_answers_those_without_a_websocket_and_says_so(tmp_path):
    """Same origin as the page: snapshot, long poll and stream, in front of /api/tours/{id}; and in the documentation."""
    async with (
        all_in_one(_settings(tmp_path)) as addresses,
        httpx.AsyncClient(base_url=addresses.api) as http,
    ):
        await _make_tour(addresses.api, tmp_path)
        cursor = "none"
        while not (body := (await http.get(LIVE_PATH, params={"since": cursor, "wait": 5})).json())[
            "messages"
        ]:
            cursor = body["cursor"]
        assert [frame["availableSeats"] for frame in body["messages"]] == [10]
        assert (await http.get("/api/tours/tour_oslo")).json()["available_seats"] == 10
        async with http.stream("GET", LIVE_STREAM_PATH) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            assert [line async for line in _until(answer, "INITIAL_STATE")]
        document = (await http.get("/openapi.json")).json()
        for path in (LIVE_PATH, LIVE_STREAM_PATH):
            assert set(document["paths"][path]["get"]["responses"]) >= {
                "200",
                "400",
                "401",
                "403",
                "429",
                "503",
            }
        named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
        assert named <= set(document["components"]["schemas"])
        msgspec.json.decode(json.dumps(body), type=rest.Live)


async def _until(answer: httpx.Response, text: str) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        yield line
        if text in line:
            return


async def test_an_open_stream_does_not_hold_up_the_end(tmp_path):
    """It is told to come back, and ends, before the port stops answering."""
    lines: list[str] = []

    async def follow(api: str) -> None:
        async with httpx.AsyncClient(base_url=api) as http, http.stream("GET", LIVE_STREAM_PATH) as answer:
            async for line in answer.aiter_lines():
                lines.append(line)
                here.set()

    here = asyncio.Event()
    async with asyncio.TaskGroup() as group, all_in_one(_settings(tmp_path)) as addresses:
        group.create_task(follow(addresses.api))
        await here.wait()
    assert any('"RECONNECT"' in line for line in lines)


async def test_the_rest_port_says_unready_while_clients_are_sent_away_and_answers_all_the_same(
    tmp_path, eventually
):
    settings = Settings(port=0, api_port=0, data_dir=tmp_path / "data", drain_seconds=20)
    async with (
        ending(all_in_one(settings)) as (where, end),
        httpx.AsyncClient(base_url=where.api) as http,
    ):
        # It will not answer the CLOSE, so it is waited for.
        reader, writer = await asyncio.open_connection("127.0.0.1", int(where.websocket.rpartition(":")[2]))
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        assert (await http.get("/health/ready")).status_code == 200
        end()

        async def unready() -> bool:
            return (await http.get("/health/ready")).status_code == 503

        await eventually(unready)
        assert (await http.get("/api/tours")).status_code == 200
    writer.close()
