"""A PostgreSQL that takes what it is sent and answers nothing: callers are told in time, and nothing is lost or sold twice."""

import asyncio
import signal
import time
from contextlib import contextmanager

import pytest

from seatcast.tours import database, store
from seatcast.tours.database import open_database

SECONDS = 1.0


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(database, "ANSWER_SECONDS", SECONDS)


@contextmanager
def frozen(server):
    server.send(signal.SIGSTOP)
    try:
        yield
    finally:
        server.send(signal.SIGCONT)


async def rows(url):
    async with open_database(url) as opened, opened.reading() as connection:
        [(tour, _)] = await store.open_tours(connection, "louvre")
        bookings = list(await connection.exec_driver_sql("SELECT key, seats FROM bookings"))
        return tour, bookings


async def in_time(asking, seconds):
    began = time.monotonic()
    answer = await asking
    assert time.monotonic() - began < seconds
    return answer


async def test_bookings_are_refused_in_time_and_go_on_once_it_answers(running, private_postgres, eventually):
    async with running(private_postgres.url) as service:
        await service.create("louvre", capacity=1_000)
        assert (await service.book("louvre", key="before")).status_code == 200
        with frozen(private_postgres):
            for _ in range(2):  # what the first one leaves behind does not keep the second
                # More than one batch, so that some wait behind one that hangs.
                asked = [in_time(service.book("louvre", key=f"k{n}"), 2 * SECONDS) for n in range(150)]
                answers = await asyncio.gather(*asked)
                assert {answer.status_code for answer in answers} == {503}
                assert {answer.headers["retry-after"] for answer in answers} == {"1"}

        async def sold():
            answer = await service.book("louvre", key="after")
            return answer.status_code == 200

        await eventually(sold)
        # Whether a refused booking was sold after all only its key tells.
        again = await asyncio.gather(*(service.book("louvre", key=f"k{n}") for n in range(150)))
        assert {answer.status_code for answer in again} == {200}
        tour, bookings = await rows(service.url)
        assert sorted(key for key, _ in bookings) == sorted(
            ["before", "after", *(f"k{n}" for n in range(150))]
        )
        assert (tour.sold, tour.available) == (152, 848)
        await eventually(lambda: service.of("louvre")[-1].available_seats == 848)


async def test_what_is_said_is_refused_in_time_and_said_once(running, private_postgres, eventually):
    async with running(private_postgres.url) as service:

        async def say(number):
            body = {"message": "hello", "id": f"m{number}"}
            path = "/api/conversations/support/messages"
            return await service.client.post(path, json=body, headers=service.user)

        assert (await say(0)).status_code == 200
        with frozen(private_postgres):
            asked = [in_time(say(number), 2 * SECONDS) for number in range(1, 150)]
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {503}

        async def said():
            return (await say(0)).status_code == 200

        await eventually(said)
        answers = await asyncio.gather(*(say(number) for number in range(150)))
        assert len({answer.json()["message"]["messageId"] for answer in answers}) == 150
        history = await service.client.get("/api/messages", params={"limit": 200}, headers=service.user)
        told = [message["frame"]["messageId"] for message in history.json()["messages"]]
        assert sorted(told) == sorted(answer.json()["message"]["messageId"] for answer in answers)


async def test_whatever_else_is_asked_is_answered_in_time(running, private_postgres, eventually):
    async with running(private_postgres.url) as service:
        await service.create("louvre", capacity=10)
        with frozen(private_postgres):
            # A statement, a connection that is let go of or made, and the wait for one.
            asked = [in_time(service.client.get("/api/tours"), 6 * SECONDS) for _ in range(20)]
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {503}

        async def listed():
            return (await service.client.get("/api/tours")).status_code == 200

        await eventually(listed)
