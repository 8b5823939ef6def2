"""What operators see beside what is on sale: closed tours, closed departures, and what was sold in them."""

import pytest

from seatcast.tours import closed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def read(shop, path, headers=None, **params):
    answer = await shop.client.get(f"/api{path}", params=params, headers=headers or shop.staff)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def close(shop, path, headers=None):
    answer = await shop.client.patch(f"/api{path}", json={"closed": True}, headers=shop.staff)
    assert answer.status_code == 200, answer.text


async def test_a_closed_tour_is_listed_for_who_asks_for_it_with_what_was_sold(shop, tour_id):
    await shop.create(tour_id, 5)
    await shop.book(tour_id, 2)
    await close(shop, f"/tours/{tour_id}")

    [tour] = [tour for tour in await read(shop, "/tours", closed="true") if tour["id"] == tour_id]

    assert (tour["closed"], tour["capacity"], tour["available_seats"]) == (True, 0, 0)
    assert tour["closedSeats"] == {"capacity": 5, "availableSeats": 3, "held": 0}
    assert await read(shop, f"/tours/{tour_id}", closed="true") == tour
    assert tour_id not in [tour["id"] for tour in await read(shop, "/tours")]


async def test_an_open_tour_is_listed_like_for_everybody_but_for_the_sums_of_its_closed_departures(
    shop, tour_id
):
    await shop.create(tour_id, departures={"dep_1": (3, 5), "dep_2": (4, 7)})
    await shop.book(tour_id, 3, departureId="dep_2")
    await close(shop, f"/tours/{tour_id}/departures/dep_2")

    [everybodys] = [tour for tour in await read(shop, "/tours") if tour["id"] == tour_id]
    [tour] = [tour for tour in await read(shop, "/tours", closed="true") if tour["id"] == tour_id]

    assert tour == everybodys | {"closedSeats": {"capacity": 7, "availableSeats": 4, "held": 0}}
    assert [departure["id"] for departure in tour["departures"]] == ["dep_1"]


async def test_a_tour_is_read_with_its_closed_departures_among_the_others_by_date(shop, tour_id):
    await shop.create(tour_id, departures={"third": (5, 5), "first": (3, 5), "second": (4, 5)})
    await close(shop, f"/tours/{tour_id}/departures/second")

    tour = await read(shop, f"/tours/{tour_id}", closed="true")

    assert [(departure["id"], departure.get("closed")) for departure in tour["departures"]] == [
        ("first", None), ("second", True), ("third", None),
    ]  # fmt: skip
    assert [departure["id"] for departure in (await read(shop, f"/tours/{tour_id}"))["departures"]] == [
        "first",
        "third",
    ]


async def test_of_many_closed_departures_the_last_are_shown_and_all_are_counted(shop, tour_id, monkeypatch):
    monkeypatch.setattr(closed, "MOST_DEPARTURES", 2)
    await shop.create(tour_id, departures={"second": (4, 5), "first": (3, 5), "third": (5, 5)})
    await close(shop, f"/tours/{tour_id}")

    tour = await read(shop, f"/tours/{tour_id}", closed="true")

    assert [departure["id"] for departure in tour["departures"]] == ["second", "third"]
    assert tour["closedSeats"]["capacity"] == 15


async def test_a_tour_without_anything_closed_says_so(shop, tour_id):
    await shop.create(tour_id, 5)

    tour = await read(shop, f"/tours/{tour_id}", closed="true")

    assert tour["closedSeats"] == {"capacity": 0, "availableSeats": 0, "held": 0}
    assert await read(shop, f"/tours/{tour_id}") == {k: v for k, v in tour.items() if k != "closedSeats"}


@pytest.mark.parametrize("path", ["/tours", "/tours/nowhere"])
async def test_only_staff_may_ask_for_what_is_closed(shop, bearer, path):
    """Asked before anything is looked up: a stranger learns nothing from it."""
    for headers, status in ((None, 401), (bearer("ana", "admin"), 403)):
        answer = await shop.client.get(f"/api{path}?closed=true", headers=headers)
        assert answer.status_code == status
    assert (await shop.client.get(f"/api{path}?closed=perhaps", headers=shop.staff)).status_code == 400
