"""The travellers' routes: what tours and bookings look like, and who may see and cancel what."""

import pytest

from seatcast import rest

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def ask(shop):
    """`await ask(path, **request)`: GET, or another `method`, and return the answer."""

    async def request(path, method="GET", **sent):
        return await shop.client.request(method, f"/api{path}", **sent)

    return request


# Tours


@pytest.mark.parametrize(
    ("departures", "capacity", "example"),
    [(None, 20, "Tour undated"), ({"dep_1": (2, 20), "dep_2": (3, 20)}, None, "Tour dated")],
)
async def test_a_tour_is_listed_as_the_contract_shows(
    shop, ask, tour_id, contract_example, departures, capacity, example
):
    await shop.create(tour_id, capacity, departures, price=49, timeZone="Europe/Rome")

    answer = await ask("/tours")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    [tour] = [tour for tour in answer.json() if tour["id"] == tour_id]
    golden = contract_example("rest.json", example)
    assert set(tour) == set(golden)
    assert [set(departure) for departure in tour.get("departures", [])] == [
        set(departure) for departure in golden.get("departures", [])
    ]
    assert (tour["price"], tour["currency"], tour["timeZone"], tour["version"]) == (
        49.0,
        "EUR",
        "Europe/Rome",
        1,
    )
    assert (await ask(f"/tours/{tour_id}")).json() == tour


async def test_the_list_says_in_which_epoch_its_versions_count(shop, ask, tour_id, eventually):
    await shop.create(tour_id, 1)
    event = (await eventually(lambda: shop.of(tour_id)))[0]

    assert (await ask("/tours")).headers[rest.EPOCH_HEADER] == event.epoch
    assert (await ask(f"/tours/{tour_id}")).headers[rest.EPOCH_HEADER] == event.epoch


async def test_the_snapshot_and_the_events_say_the_same(shop, ask, tour_id, eventually):
    """Joining them by version is joining equals: that is what a gateway rests on."""
    await shop.create(tour_id, departures={"dep_1": (2, 20), "dep_2": (3, 20)})
    await shop.book(tour_id, 3, departureId="dep_1")

    tour = (await ask(f"/tours/{tour_id}")).json()
    event = (await eventually(lambda: shop.of(tour_id)[2:]))[0]

    assert (tour["version"], tour["available_seats"], tour["capacity"], tour["held"], tour["timestamp"]) == (
        event.version, event.available_seats, event.capacity, event.held, event.timestamp,
    )  # fmt: skip
    departure = tour["departures"][0]
    told = event.departure
    assert (departure["id"], departure["startsAt"], departure["availableSeats"], departure["version"]) == (
        told.id, told.starts_at, told.available_seats, told.version,
    )  # fmt: skip


async def test_departures_are_listed_by_date_and_without_the_closed(shop, ask, tour_id):
    await shop.create(
        tour_id, departures={"third": (9, 1), "first": (2, 1), "shut": (3, 1), "second": (4, 1)}
    )
    await ask(f"/tours/{tour_id}/departures/shut", "PATCH", json={"closed": True}, headers=shop.staff)

    tour = (await ask(f"/tours/{tour_id}")).json()

    assert [departure["id"] for departure in tour["departures"]] == ["first", "second", "third"]
    assert tour["available_seats"] == 3


async def test_a_closed_tour_is_not_listed_but_can_be_read(shop, ask, tour_id):
    await shop.create(tour_id, 5)
    await ask(f"/tours/{tour_id}", "PATCH", json={"closed": True}, headers=shop.staff)

    assert tour_id not in [tour["id"] for tour in (await ask("/tours")).json()]
    tour = (await ask(f"/tours/{tour_id}")).json()
    assert (tour["closed"], tour["available_seats"]) == (True, 0)


async def test_a_tour_that_is_not_there_is_not_found(ask):
    answer = await ask("/tours/nowhere")
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": "Tour non trouvé", "code": "TOUR_NOT_FOUND"},
    )


async def test_the_page_is_told_what_it_needs_to_connect(ask):
    assert (await ask("/config")).json() == {"websocketUrl": None, "websocketPort": 8080, "demo": False}


# Bookings


async def test_a_booking_of_a_dated_tour_says_when_and_in_which_zone_it_starts(shop, ask, tour_id):
    await shop.create(tour_id, departures={"dep_1": (3, 20)}, timeZone="Asia/Tokyo")
    booking = (await shop.book(tour_id, 2, headers=shop.user)).json()["booking"]

    [listed] = (await ask("/bookings", headers=shop.user)).json()[:1]

    assert (booking["departureId"], booking["timeZone"]) == ("dep_1", "Asia/Tokyo")
    assert listed == booking


async def test_a_booking_can_be_read_and_cancelled_by_its_user(shop, ask, tour_id):
    await shop.create(tour_id, 5)
    booking = (await shop.book(tour_id, 2, headers=shop.user)).json()["booking"]
    path = f"/bookings/{booking['id']}"

    assert (await ask(path, headers=shop.user)).json() == booking
    cancelled = await ask(path, "DELETE", headers=shop.user)
    again = await ask(path, "DELETE", headers=shop.user)

    assert cancelled.status_code == 200
    assert cancelled.json() == booking | {
        "status": "cancelled", "cancelledAt": cancelled.json()["cancelledAt"],
    }  # fmt: skip
    assert again.json() == cancelled.json()
    assert (await ask(f"/tours/{tour_id}")).json()["available_seats"] == 5


async def test_only_its_user_and_staff_know_of_a_booking(shop, ask, tour_id, bearer):
    await shop.create(tour_id, 5)
    booking = (await shop.book(tour_id, 2, headers=shop.user)).json()["booking"]
    path = f"/bookings/{booking['id']}"

    for headers in ({}, bearer("bo"), bearer("bo", "admin")):
        for method in ("GET", "DELETE"):
            answer = await ask(path, method, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "BOOKING_NOT_FOUND")
    assert (await ask(path, headers=shop.staff)).json() == booking
    assert (await ask(path, "DELETE", headers=shop.staff)).json()["status"] == "cancelled"


async def test_a_booking_made_without_a_token_is_opened_by_its_id_alone(shop, ask, tour_id, bearer):
    await shop.create(tour_id, 5)
    booking = (await shop.book(tour_id, 2)).json()["booking"]

    assert (await ask(f"/bookings/{booking['id']}")).json() == booking
    assert (await ask(f"/bookings/{booking['id']}", headers=bearer("bo"))).json() == booking
    assert (await ask(f"/bookings/{booking['id']}", "DELETE")).json()["status"] == "cancelled"


async def test_a_users_bookings_are_listed_newest_first_page_by_page(shop, ask, tour_id, bearer):
    headers = bearer(f"traveller-{tour_id}")
    await shop.create(tour_id, departures={"dep_1": (2, 20)})
    made = [(await shop.book(tour_id, 1, headers=headers)).json()["booking"]["id"] for _ in range(5)]
    await shop.book(tour_id, 1)
    await ask(f"/bookings/{made[2]}", "DELETE", headers=headers)

    everything = (await ask("/bookings", headers=headers)).json()
    assert {booking["id"] for booking in everything} == set(made)
    assert [b["createdAt"] for b in everything] == sorted((b["createdAt"] for b in everything), reverse=True)
    assert [b["id"] for b in everything if b["status"] == "cancelled"] == [made[2]]
    assert all(b["departureId"] == "dep_1" and b["startsAt"] for b in everything)

    pages, before = [], None
    while page := (
        await ask("/bookings", params={"limit": 2} | ({"before": before} if before else {}), headers=headers)
    ).json():
        pages += page
        before = page[-1]["id"]
    assert pages == everything


@pytest.mark.parametrize("limit", ["0", "201", "-1", "two", "1.5", "", "9" * 30])
async def test_a_limit_that_is_none_is_refused(shop, ask, limit):
    answer = await ask("/bookings", params={"limit": limit}, headers=shop.user)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert list(answer.json()["details"]) == ["query.limit"]


@pytest.mark.parametrize("before", ["bkg_unknown", "%00", "é"])
async def test_a_page_after_a_booking_that_is_not_there_is_not_found(shop, ask, before):
    answer = await ask(f"/bookings?before={before}", headers=shop.user)
    assert answer.status_code == 404


async def test_a_list_of_ones_own_bookings_needs_a_token(ask, bearer):
    expired = bearer("ana", lifetime=-60)
    wrong = {"Authorization": bearer("ana")["Authorization"][:-4] + "AAAA"}
    for headers, reason in [
        ({}, None),
        ({"Authorization": "Basic YTpi"}, "the Authorization header must be 'Bearer <token>'"),
        (wrong, "wrong signature"),
        (expired, "expired"),
    ]:
        answer = await ask("/bookings", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json().get("details", {}).get("reason") == reason


async def test_a_token_in_the_query_counts_for_nothing(ask, bearer):
    """Addresses are logged; only the WebSocket handshake, which cannot send headers, takes one there."""
    token = bearer("ana")["Authorization"].removeprefix("Bearer ")
    assert (await ask(f"/bookings?token={token}")).status_code == 401
