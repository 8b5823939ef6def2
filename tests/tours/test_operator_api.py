"""The operators' routes: what they make, what they refuse and with which words, and whom they let in."""

import pytest
import pytest_asyncio

from seatcast.text import text

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON = "2031-07-14T10:30:00+02:00"


async def send(shop, method, path, body, headers=None):
    sent = {"content": body} if isinstance(body, bytes) else {"json": body}
    return await shop.client.request(method, f"/api{path}", headers=headers or shop.staff, **sent)


async def test_a_tour_is_made_and_its_address_told(shop, tour_id):
    body = {"id": tour_id, "name": "Louvre", "capacity": 20, "price": 39.5, "currency": "CHF"}

    answer = await send(shop, "POST", "/tours", body)

    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/tours/{tour_id}"
    assert (await shop.client.get(answer.headers["location"])).json() == answer.json()
    assert (answer.json()["price"], answer.json()["available_seats"]) == (39.5, 20)


async def test_a_dated_tour_is_made_with_its_departures_in_utc(shop, tour_id):
    departures = [
        {"id": "dep_1", "startsAt": SOON, "capacity": 5},
        {"startsAt": "2031-07-15T08:30Z", "capacity": 3},
    ]
    answer = await send(shop, "POST", "/tours", {"id": tour_id, "name": "Paris", "departures": departures})

    made = answer.json()["departures"]
    assert [d["startsAt"] for d in made] == ["2031-07-14T08:30:00.000Z", "2031-07-15T08:30:00.000Z"]
    assert made[1]["id"].startswith("dep_")


async def test_an_id_is_made_where_none_is_given(shop):
    answer = await send(shop, "POST", "/tours", {"name": "Rome", "capacity": 0})

    assert answer.status_code == 201
    assert answer.json()["id"].startswith("tour_")


async def test_a_tour_and_its_departures_are_changed(shop, tour_id):
    await shop.create(tour_id, departures={"dep_1": (3, 5)})

    renamed = await send(shop, "PATCH", f"/tours/{tour_id}", {"name": "New", "price": 1})
    added = await send(
        shop, "POST", f"/tours/{tour_id}/departures", {"id": "dep_2", "startsAt": SOON, "capacity": 4}
    )
    changed = await send(
        shop, "PATCH", f"/tours/{tour_id}/departures/dep_1", {"capacity": 9, "startsAt": "2032-01-01T00:00Z"}
    )

    assert (renamed.status_code, renamed.json()["name"], renamed.json()["price"]) == (200, "New", 1.0)
    assert (added.status_code, added.headers["location"]) == (201, f"/api/tours/{tour_id}")
    assert changed.status_code == 200
    assert [(d["id"], d["capacity"]) for d in changed.json()["departures"]] == [("dep_2", 4), ("dep_1", 9)]
    assert changed.json()["available_seats"] == 13


NEW = {"name": "Paris", "capacity": 5}
DEPARTURE = {"startsAt": SOON, "capacity": 5}

BAD = [
    # method, path, body, where it is wrong
    ("POST", "", b"", "body"),
    ("POST", "", b"[]", "body"),
    ("POST", "", b'{"name": "x", "capacity": 5', "body"),
    ("POST", "", b"[" * 100_000, "body"),
    ("POST", "", {}, "body"),
    ("POST", "", {"name": "Paris"}, "body"),
    ("POST", "", NEW | {"departures": []}, "body"),
    ("POST", "", NEW | {"colour": "red"}, "body"),
    ("POST", "", NEW | {"name": ""}, "body.name"),
    ("POST", "", NEW | {"name": " \n"}, "body.name"),
    ("POST", "", NEW | {"name": "Par\0is"}, "body.name"),
    ("POST", "", NEW | {"name": "x" * 201}, "body.name"),
    ("POST", "", NEW | {"name": 5}, "body.name"),
    ("POST", "", NEW | {"id": "a b"}, "body.id"),
    ("POST", "", NEW | {"id": "-a"}, "body.id"),
    ("POST", "", NEW | {"id": "tour\n"}, "body.id"),
    ("POST", "", NEW | {"id": "a/b"}, "body.id"),
    ("POST", "", NEW | {"id": "a" * 65}, "body.id"),
    ("POST", "", NEW | {"capacity": -1}, "body.capacity"),
    ("POST", "", NEW | {"capacity": 100_001}, "body.capacity"),
    ("POST", "", NEW | {"capacity": 1.5}, "body.capacity"),
    ("POST", "", NEW | {"capacity": "5"}, "body.capacity"),
    ("POST", "", NEW | {"price": -0.01}, "body.price"),
    ("POST", "", NEW | {"price": 1e300}, "body.price"),
    ("POST", "", b'{"name": "x", "capacity": 5, "price": NaN}', "body"),
    ("POST", "", NEW | {"currency": "eur"}, "body.currency"),
    ("POST", "", NEW | {"currency": "EUR\n"}, "body.currency"),
    ("POST", "", NEW | {"timeZone": "Europe/Atlantis"}, "body.timeZone"),
    ("POST", "", NEW | {"timeZone": "../../etc/passwd"}, "body.timeZone"),
    ("POST", "", NEW | {"timeZone": ""}, "body.timeZone"),
    ("POST", "", NEW | {"timeZone": "\0"}, "body.timeZone"),
    ("POST", "", NEW | {"timeZone": "x" * 5_000}, "body.timeZone"),
    ("POST", "", {"name": "x", "departures": [DEPARTURE, {"startsAt": SOON}]}, "body.departures[1]"),
    ("POST", "", {"name": "x", "departures": [DEPARTURE | {"startsAt": "2031-07-14"}]}, "body.departures[0].startsAt"),
    ("POST", "", {"name": "x", "departures": [DEPARTURE | {"startsAt": "2031-02-30T10:00Z"}]}, "body.departures[0].startsAt"),
    ("POST", "/{dated}/departures", DEPARTURE | {"startsAt": "2031-07-14T10:30:00"}, "body.startsAt"),
    ("POST", "/{dated}/departures", DEPARTURE | {"startsAt": "9999-12-31T23:59-12:00"}, "body.startsAt"),
    ("POST", "/{dated}/departures", DEPARTURE | {"startsAt": "0001-01-01T00:00+12:00"}, "body.startsAt"),
    ("POST", "/{dated}/departures", DEPARTURE | {"startsAt": "٢٠٣١-07-14T10:30Z"}, "body.startsAt"),
    ("POST", "/{dated}/departures", DEPARTURE | {"capacity": None}, "body.capacity"),
    ("PATCH", "/{dated}", {"name": None}, "body.name"),
    ("PATCH", "/{dated}", {"closed": "yes"}, "body.closed"),
    ("PATCH", "/{dated}", {"closed": 1}, "body.closed"),
    ("PATCH", "/{dated}", {"id": "other"}, "body"),
    ("PATCH", "/{dated}", {"name": "x", "expected": {"name": 5}}, "body.expected.name"),
    ("PATCH", "/{dated}", {"name": "x", "expected": {"closed": False}}, "body.expected"),
    ("PATCH", "/{dated}/departures/dep_1", {"capacity": 2, "expected": {"startsAt": "2031-07-14T25:00Z"}}, "body.expected.startsAt"),
    ("PATCH", "/{dated}/departures/dep_1", {"startsAt": "2031-07-14T25:00Z"}, "body.startsAt"),
    ("PATCH", "/{dated}/departures/dep_1", {"capacity": 2.0}, "body.capacity"),
]  # fmt: skip

REFUSED = [
    # method, path, body, status, code, details
    ("POST", "", NEW | {"id": "{undated}"}, 409, "TOUR_EXISTS", {"id": "{undated}"}),
    ("POST", "", {"name": "x", "departures": [DEPARTURE | {"id": "d"}] * 2}, 409, "DEPARTURE_EXISTS", None),
    ("POST", "", {"name": "x", "departures": [DEPARTURE | {"startsAt": "0999-01-01T00:00Z"}]}, 409, "DEPARTURE_PAST", {"startsAt": "0999-01-01T00:00:00.000Z"}),
    ("POST", "", {"name": "x", "departures": [DEPARTURE | {"capacity": 100_000}] * 101}, 400, "CAPACITY_TOO_LARGE", {"maximum": 10_000_000}),
    ("PATCH", "/nowhere", {"name": "x"}, 404, "TOUR_NOT_FOUND", None),
    ("PATCH", "/%00", {"name": "x"}, 404, None, None),
    ("PATCH", "/{dated}", {"capacity": 5}, 409, "TOUR_DATED", None),
    ("PATCH", "/{undated}", {"capacity": 1}, 409, "CAPACITY_BELOW_SOLD", {"sold": 2, "held": 0}),
    ("PATCH", "/{undated}", {"capacity": 9, "expected": {"capacity": 4}}, 409, "CHANGED_MEANWHILE", {"capacity": 5}),
    ("PATCH", "/{dated}/departures/dep_1", {"capacity": 9, "expected": {"capacity": 4}}, 409, "CHANGED_MEANWHILE", {"capacity": 5}),
    ("POST", "/nowhere/departures", DEPARTURE, 404, "TOUR_NOT_FOUND", None),
    ("POST", "/{undated}/departures", DEPARTURE, 409, "TOUR_UNDATED", None),
    ("POST", "/{dated}/departures", DEPARTURE | {"id": "dep_1"}, 409, "DEPARTURE_EXISTS", {"id": "dep_1"}),
    ("POST", "/{closed}/departures", DEPARTURE, 409, "TOUR_CLOSED", None),
    ("PATCH", "/{dated}/departures/dep_9", {}, 404, "DEPARTURE_NOT_FOUND", None),
    ("PATCH", "/{dated}/departures/dep_1", {"startsAt": "2020-01-01T00:00Z"}, 409, "DEPARTURE_PAST", {"startsAt": "2020-01-01T00:00:00.000Z"}),
    ("PATCH", "/{closed}/departures/dep_1", {"closed": False}, 409, "TOUR_CLOSED", None),
]  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def names(shop, tour_id):
    """Ids of an undated tour with two seats sold, a dated one and a closed one, as the paths above name them."""
    found = {name: f"{tour_id}_{name}" for name in ("undated", "dated", "closed")}
    await shop.create(found["undated"], 5)
    await shop.book(found["undated"], 2)
    await shop.create(found["dated"], departures={"dep_1": (3, 5)})
    await shop.create(found["closed"], departures={"dep_1": (3, 5)})
    await send(shop, "PATCH", f"/tours/{found['closed']}", {"closed": True})
    return found


def _named(value, names):
    for name, real in names.items():
        placeholder = f"{{{name}}}"
        if isinstance(value, str):
            value = value.replace(placeholder, real)
        elif isinstance(value, dict):
            value = {key: real if part == placeholder else part for key, part in value.items()}
    return value


async def test_a_body_that_is_wrong_says_where_and_changes_nothing(shop, names, subtests):
    before = await shop.bookable()
    for method, path, body, where in BAD:
        with subtests.test(f"{method} {path} {str(body)[:60]}"):
            answer = await send(shop, method, f"/tours{_named(path, names)}", body)
            assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
            assert list(answer.json()["details"]) == [where]
            assert answer.json()["error"] == text("fr", "error.invalid_body")
    assert await shop.bookable() == before


async def test_what_cannot_be_done_is_refused_in_both_languages_and_changes_nothing(shop, names, subtests):
    before = await shop.bookable()
    for method, path, body, status, code, details in REFUSED:
        with subtests.test(f"{method} {path} {code}"):
            for language in ("fr", "en"):
                url = f"/tours{_named(path, names)}?lang={language}"
                answer = await send(shop, method, url, _named(body, names))
                assert answer.status_code == status
                if code is not None:
                    assert answer.json()["code"] == code
                    assert answer.json()["error"] == text(language, f"error.{code.lower()}")
                    assert answer.json().get("details") == _named(details, names)
    assert await shop.bookable() == before


async def test_a_body_too_large_is_refused(shop):
    answer = await send(shop, "POST", "/tours", NEW | {"name": "x" * 300_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("PATCH", "/{dated}"),
        ("POST", "/{dated}/departures"),
        ("PATCH", "/{dated}/departures/dep_1"),
    ],
)
async def test_only_staff_may(shop, names, bearer, method, path):
    """Asked before the body is looked at: a stranger learns nothing from it."""
    before = await shop.bookable()
    path = f"/tours{_named(path, names)}"

    anonymous = await send(shop, method, path, b"not json", {"Accept-Language": "en"})
    traveller = await send(shop, method, path, b"not json", bearer("ana", "admin"))

    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "UNAUTHENTICATED")
    assert anonymous.headers["www-authenticate"] == "Bearer"
    assert anonymous.json()["error"] == "Authentication required"
    assert (traveller.status_code, traveller.json()["code"]) == (403, "FORBIDDEN")
    assert traveller.json()["details"] == {"role": "staff"}
    assert await shop.bookable() == before
