"""`POST /api/tours/{id}/book`: the answer to a good request, and to everything else a caller can send."""

import pytest
from sqlalchemy import text as sql

from seatcast.text import text
from seatcast.tours.book_route import MAX_BODY_BYTES
from seatcast.tours.database import open_database

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_booking_is_answered_as_the_contract_shows(shop, tour_id, contract_example):
    await shop.create(tour_id, departures={"dep_1": (3, 20)}, price=49)

    answer = await shop.book(tour_id, 2, departureId="dep_1", headers=shop.user)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.content)
    body, example = answer.json(), contract_example("rest.json", "BookResponse")
    assert _shape(body) == _shape(example)
    assert body["message"] == "Réservation réussie"
    assert body["tour"] == {"id": tour_id, "name": tour_id.title(), "availableSeats": 18}
    assert (body["booking"]["total"], body["booking"]["status"]) == (98.0, "confirmed")
    assert body["availability"]["departure"]["availableSeats"] == 18


def _shape(value):
    return {key: _shape(part) for key, part in value.items()} if isinstance(value, dict) else type(value)


async def test_an_undated_booking_has_no_departure_in_its_answer(shop, tour_id):
    await shop.create(tour_id, 5)

    body = (await shop.book(tour_id, 2)).json()

    assert not {"departureId", "startsAt", "timeZone"} & body["booking"].keys()
    assert "departure" not in body["availability"]
    assert body["tour"]["availableSeats"] == 3


async def test_the_answer_is_the_fact_that_the_event_tells(shop, tour_id, eventually):
    await shop.create(tour_id, 5)
    said = (await shop.book(tour_id, 2)).json()["availability"]

    event = await eventually(lambda: shop.of(tour_id)[1:])

    told = event[0]
    assert (
        told.version,
        told.available_seats,
        told.timestamp,
        told.capacity,
        told.held,
        told.tour_name,
    ) == tuple(
        said[name] for name in ("version", "availableSeats", "timestamp", "capacity", "held", "tourName")
    )


@pytest.mark.parametrize(
    ("headers", "query", "message"),
    [
        ({}, "", "Réservation réussie"),
        ({"Accept-Language": "en-GB,en;q=0.9"}, "", "Booking confirmed"),
        ({"Accept-Language": "fr"}, "?lang=en", "Booking confirmed"),
    ],
)
async def test_the_caller_is_answered_in_their_language(shop, tour_id, headers, query, message):
    await shop.create(tour_id, 5)
    answer = await shop.client.post(
        f"/api/tours/{tour_id}/book{query}", json={"seatsToBook": 1}, headers=headers
    )

    assert answer.json()["message"] == message


async def test_fields_of_later_versions_are_ignored(shop, tour_id):
    await shop.create(tour_id, 5)
    assert (await shop.book(tour_id, 1, seatMap="A1", departureId=None)).status_code == 200


async def test_a_trailing_slash_changes_nothing(shop, tour_id):
    await shop.create(tour_id, 5)
    answer = await shop.client.post(f"/api/tours/{tour_id}/book/", json={"seatsToBook": 1})
    assert answer.status_code == 200


async def test_the_traceparent_of_a_caller_travels_with_the_event(shop, tour_id, eventually):
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    heard = []
    async with shop.broker.subscribe("tracer", ["tour.availability.updated"]) as subscription:
        await shop.create(tour_id, 5)
        await shop.book(tour_id, headers={"traceparent": traceparent})
        await shop.book(tour_id, headers={"traceparent": "not one"})
        while len(heard) < 3:
            delivery = await anext(subscription)
            heard += [delivery.traceparent] if tour_id.encode() in delivery.body else []

    assert heard == [None, traceparent, None]


async def test_a_key_makes_a_retry_safe_and_belongs_to_its_user(shop, tour_id):
    await shop.create(tour_id, 5)

    first = await shop.book(tour_id, 2, key="click-1", headers=shop.user)
    again = await shop.book(tour_id, 2, key="click-1", headers=shop.user)
    somebody = await shop.book(tour_id, 2, key="click-1")

    assert again.status_code == 200
    assert again.json() == first.json()
    assert somebody.json()["booking"]["id"] != first.json()["booking"]["id"]
    assert somebody.json()["tour"]["availableSeats"] == 1


# Everything else


def seats(value):
    return b'{"seatsToBook": %s}' % value


BODIES = {
    "not JSON": (b"seatsToBook=2", "body"),
    "half of JSON": (b'{"seatsToBook": ', "body"),
    "two of JSON": (b'{"seatsToBook": 1} {}', "body"),
    "no body": (b"", "body"),
    "null": (b"null", "body"),
    "a number": (b"2", "body"),
    "an array": (b'[{"seatsToBook": 2}]', "body"),
    "not UTF-8": (b'{"seatsToBook": 1, "departureId": "\xff"}', "body"),
    "half a surrogate pair": (b'{"seatsToBook": 1, "departureId": "\\ud800"}', "body"),
    "no seats": (b"{}", "body"),
    "nested deeply": (b'{"seatsToBook": 1, "x": ' + b"[" * 8_000, "body"),
    "nested deeply and closed": (b'{"seatsToBook": 1, "x": ' + b"[" * 4_000 + b"]" * 4_000 + b"}", "body"),
    "0 seats": (seats(b"0"), "body.seatsToBook"),
    "-1 seats": (seats(b"-1"), "body.seatsToBook"),
    "1.5 seats": (seats(b"1.5"), "body.seatsToBook"),
    "2.0 seats": (seats(b"2.0"), "body.seatsToBook"),
    "seats as text": (seats(b'"2"'), "body.seatsToBook"),
    "true seats": (seats(b"true"), "body.seatsToBook"),
    "null seats": (seats(b"null"), "body.seatsToBook"),
    "seats in a list": (seats(b"[2]"), "body.seatsToBook"),
    "100,001 seats": (seats(b"100001"), "body.seatsToBook"),
    "2**63 seats": (seats(b"9223372036854775808"), "body.seatsToBook"),
    "10**100 seats": (seats(b"1" + b"0" * 100), "body.seatsToBook"),
    "1e3 seats": (seats(b"1e3"), "body.seatsToBook"),
    "1e999 seats": (seats(b"1e999"), "body.seatsToBook"),
    "a numeric departure": (b'{"seatsToBook": 1, "departureId": 7}', "body.departureId"),
    "an empty departure": (b'{"seatsToBook": 1, "departureId": ""}', "body.departureId"),
    "a departure with NUL": (b'{"seatsToBook": 1, "departureId": "a\\u0000"}', "body.departureId"),
    "an endless departure": (b'{"seatsToBook": 1, "departureId": "%s"}' % (b"d" * 129), "body.departureId"),
}


async def refused(shop, path, status, code, **sent):
    """Send it in both languages and both ways of asking for one; return the details of the refusal."""
    before = await shop.bookable()
    details = []
    for language, query, header in [
        ("fr", "", None),
        ("en", "?lang=en", None),
        ("en", "", "en-US,en;q=0.8,fr;q=0.5"),
    ]:
        headers = dict(sent.get("headers", {})) | ({"Accept-Language": header} if header else {})
        answer = await shop.client.post(path + query, **(sent | {"headers": headers}))
        body = answer.json()
        assert (answer.status_code, body["code"]) == (status, code)
        assert body["error"] == text(language, f"error.{code.lower()}")
        assert set(body) <= {"error", "code", "details"}
        assert answer.headers["content-language"] == language
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        details.append(body.get("details"))
    assert details[0] == details[1] == details[2]
    assert await shop.bookable() == before
    return details[0]


async def test_a_body_that_is_no_wish_says_where_and_changes_nothing(shop, tour_id, subtests):
    await shop.create(tour_id, 200_000 // 2)
    for name, (body, where) in BODIES.items():
        with subtests.test(name):
            details = await refused(shop, f"/api/tours/{tour_id}/book", 400, "INVALID_BODY", content=body)
            assert list(details) == [where]
            assert 0 < len(details[where]) < 300


async def test_a_body_too_large_is_refused_as_it_comes(shop, tour_id):
    await shop.create(tour_id, 5)

    async def stream():
        for _ in range(10_000):
            yield b" " * 1_024

    path = f"/api/tours/{tour_id}/book"
    assert await refused(shop, path, 413, "BODY_TOO_LARGE", content=b" " * (MAX_BODY_BYTES + 1)) is None
    answer = await shop.client.post(path, content=stream())
    assert answer.status_code == 413
    fits = seats(b"1").ljust(MAX_BODY_BYTES)
    assert (await shop.client.post(path, content=fits)).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "two words", "clé".encode("latin-1"), b"\x7f", "k" * 256])
async def test_a_key_that_cannot_be_told_from_others_is_refused(shop, tour_id, key):
    await shop.create(tour_id, 5)
    where = await refused(
        shop, f"/api/tours/{tour_id}/book", 400, "INVALID_REQUEST",
        content=seats(b"1"), headers={"Idempotency-Key": key},
    )  # fmt: skip
    assert list(where) == ["header.Idempotency-Key"]
    assert (await shop.book(tour_id, key=tour_id.ljust(255, "k"))).status_code == 200


async def test_what_cannot_be_sold_is_refused_with_the_reason(shop, tour_id, subtests):
    await shop.create(f"{tour_id}_few", 3)
    await shop.create(f"{tour_id}_closed", 3)
    await shop.client.patch(f"/api/tours/{tour_id}_closed", json={"closed": True}, headers=shop.staff)
    departures = {"dep_1": (3, 5), "dep_2": (4, 5), "shut": (5, 5), "gone": (6, 5)}
    await shop.create(f"{tour_id}_dated", departures=departures)
    await shop.client.patch(
        f"/api/tours/{tour_id}_dated/departures/shut", json={"closed": True}, headers=shop.staff
    )
    async with open_database(shop.url) as database, database.transaction() as tx:
        left = "2020-01-01T00:00:00.000Z"
        await tx.execute(sql("UPDATE departures SET starts_at = :left WHERE id = 'gone'"), {"left": left})
    # The sweep closes it within a second; what a caller is told does not depend on whether it has.
    await shop.book(f"{tour_id}_few", 1, key="used")
    for what, tour, wish, status, code, details in [
        ("unknown tour", "_nowhere", {}, 404, "TOUR_NOT_FOUND", None),
        ("closed tour", "_closed", {}, 409, "TOUR_CLOSED", None),
        ("no such departure", "_dated", {"departureId": "dep_9"}, 404, "DEPARTURE_NOT_FOUND", None),
        ("closed departure", "_dated", {"departureId": "shut"}, 409, "DEPARTURE_CLOSED", None),
        ("past departure", "_dated", {"departureId": "gone"}, 409, "DEPARTURE_PAST", {"startsAt": left}),
        ("too many", "_few", {"seatsToBook": 4}, 400, "NOT_ENOUGH_SEATS", {"availableSeats": 2}),
        ("key reused", "_few", {"seatsToBook": 2}, 409, "IDEMPOTENCY_KEY_REUSED", None),
    ]:
        with subtests.test(what):
            headers = {"Idempotency-Key": "used"} if what == "key reused" else {}
            path, wish = f"/api/tours/{tour_id}{tour}/book", {"seatsToBook": 1} | wish
            assert await _once_swept(shop, path, status, code, json=wish, headers=headers) == details
    with subtests.test("none named"):
        path, wish = f"/api/tours/{tour_id}_dated/book", {"seatsToBook": 1}
        details = await _once_swept(shop, path, 400, "DEPARTURE_REQUIRED", json=wish)
        assert details["departures"][:2] == ["dep_1", "dep_2"]


async def _once_swept(shop, *arguments, **sent):
    """`refused` compares the whole database: not while the sweep closes what has left."""
    async with open_database(shop.url) as database:
        query = "SELECT 1 FROM departures WHERE closed_at IS NULL AND starts_at < '2021'"
        while True:
            async with database.reading() as connection:
                if not (await connection.execute(sql(query))).all():
                    break
    return await refused(shop, *arguments, **sent)


async def test_the_sentences_that_older_clients_show_are_kept(shop, tour_id):
    await shop.create(tour_id, 1)

    assert (await shop.book(f"{tour_id}_nowhere")).json()["error"] == "Tour non trouvé"
    assert (await shop.book(tour_id, 2)).json()["error"] == "Pas assez de places disponibles"
    assert (await shop.book(tour_id, 1)).json()["message"] == "Réservation réussie"


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer not.a.token",
        "Basic b2xnYTpzZWNyZXQ=",
        "bearer\tx",
        b"Bearer x\x00",
    ],
)
async def test_a_token_that_proves_nothing_is_refused_rather_than_ignored(shop, tour_id, authorization):
    await shop.create(tour_id, 1)
    details = await refused(
        shop, f"/api/tours/{tour_id}/book", 401, "UNAUTHENTICATED",
        content=seats(b"1"), headers={"Authorization": authorization},
    )  # fmt: skip
    assert "not.a.token" not in str(details)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_told_which_is_right(shop, tour_id, method):
    await shop.create(tour_id, 1)
    answer = await shop.client.request(method, f"/api/tours/{tour_id}/book", json={"seatsToBook": 1})

    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "name", ["%00", "a%00b", "%C3%A9", "%20", "x" * 3_000, "a'; DROP TABLE tours; --", "%F0%9F%8E%89"]
)
async def test_a_tour_may_be_called_anything_and_is_then_not_found(shop, name):
    answer = await shop.client.post(f"/api/tours/{name}/book", json={"seatsToBook": 1})

    assert answer.status_code == 404
    assert answer.json()["code"] in {"TOUR_NOT_FOUND", "NOT_FOUND"}


async def test_bookings_are_timed_by_their_outcome(shop, tour_id):
    await shop.create(tour_id, 1)

    async def count(outcome):
        metrics = (await shop.client.get("/metrics")).text
        [line] = [
            line for line in metrics.splitlines()
            if line.startswith(f'seatcast_booking_seconds_count{{outcome="{outcome}"}}')
        ]  # fmt: skip
        return float(line.split()[-1])

    before = await count("confirmed"), await count("refused")
    await shop.book(tour_id)
    await shop.book(tour_id)
    await shop.book(tour_id, "two")

    assert (await count("confirmed"), await count("refused")) == (before[0] + 1, before[1] + 2)
