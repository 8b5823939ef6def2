"""Two operators who change the same thing: the second is told, unless both want the same."""

import pytest

from seatcast import rest
from seatcast.domain import ChangedMeanwhile, TourDated


async def test_a_tour_that_is_as_it_was_seen_is_changed_whatever_was_sold_meanwhile(office):
    await office.undated("louvre", capacity=20, price=10)
    seen = rest.SeenTour(name=" louvre ", price=10.0, capacity=20)
    await office.book("louvre", 4)

    await office.catalogue.change(
        "louvre", rest.TourPatch(name="Orsay", price=12, capacity=30, expected=seen)
    )

    tour = await office.tour("louvre")
    assert (tour.name, tour.price_minor, tour.capacity, tour.available) == ("Orsay", 1_200, 30, 26)
    await office.check()


@pytest.mark.parametrize(
    ("other", "mine", "seen", "told"),
    [
        ({"name": "Hers"}, {"name": "Mine"}, {"name": "louvre"}, {"name": "Hers"}),
        ({"price": 11.11}, {"price": 12}, {"price": 10}, {"price": 11.11}),
        ({"capacity": 25}, {"capacity": 30}, {"capacity": 20}, {"capacity": 25}),
        ({"name": "Hers", "capacity": 25}, {"capacity": 30}, {"name": "louvre", "capacity": 20}, {"name": "Hers", "capacity": 25}),
    ],
)  # fmt: skip
async def test_a_tour_that_somebody_else_changed_meanwhile_is_left_as_it_is(office, other, mine, seen, told):
    await office.undated("louvre", capacity=20, price=10)
    await office.catalogue.change("louvre", rest.TourPatch(**other))
    before = await office.everything()

    with pytest.raises(ChangedMeanwhile) as refusal:
        await office.catalogue.change("louvre", rest.TourPatch(**mine, expected=rest.SeenTour(**seen)))

    assert refusal.value.details == told
    assert await office.everything() == before


async def test_the_same_change_again_is_no_conflict(office):
    """Its answer was lost, or somebody else had the same idea."""
    await office.undated("louvre", capacity=20)
    await office.dated("paris", capacities=(5,))
    later = office.clock.ahead(days=9)
    tour = rest.TourPatch(
        name="Orsay ", price=12, capacity=30, expected=rest.SeenTour(name="louvre", price=0, capacity=20)
    )
    departure = rest.DeparturePatch(
        starts_at=later,
        capacity=7,
        expected=rest.SeenDeparture(starts_at=office.clock.ahead(days=1), capacity=5),
    )
    for _ in range(2):
        await office.catalogue.change("louvre", tour)
        await office.catalogue.change_departure("paris", "dep_1", departure)

    assert (await office.tour("louvre")).capacity == 30
    moved = await office.departure("paris", "dep_1")
    assert (moved.starts_at, moved.capacity) == (later, 7)
    await office.check()


async def test_a_departure_that_somebody_else_changed_meanwhile_is_left_as_it_is(office):
    await office.dated("paris", capacities=(5,))
    moved, seen = office.clock.ahead(days=3), office.clock.ahead(days=1)
    await office.catalogue.change_departure(
        "paris", "dep_1", rest.DeparturePatch(starts_at=moved, capacity=6)
    )
    before = await office.everything()

    with pytest.raises(ChangedMeanwhile) as refusal:
        await office.catalogue.change_departure(
            "paris",
            "dep_1",
            rest.DeparturePatch(capacity=9, expected=rest.SeenDeparture(starts_at=seen, capacity=5)),
        )

    assert refusal.value.details == {"startsAt": moved, "capacity": 6}
    assert await office.everything() == before


async def test_a_dated_tour_has_no_capacity_to_have_been_seen(office):
    await office.dated("paris", capacities=())

    patch = rest.TourPatch(capacity=9, expected=rest.SeenTour(capacity=4))
    with pytest.raises(TourDated):
        await office.catalogue.change("paris", patch)


async def test_of_many_who_change_what_they_all_saw_one_does(office):
    await office.undated("louvre", capacity=20)
    seen = rest.SeenTour(name="louvre")

    done, refused = await office.race(
        office.catalogue.change("louvre", rest.TourPatch(name=f"Name {n}", expected=seen)) for n in range(8)
    )

    assert len(done) == 1
    assert refused == {"CHANGED_MEANWHILE": 7}
