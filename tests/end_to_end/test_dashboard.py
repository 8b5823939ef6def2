"""The dashboard in Debian's Chromium: what is looked for, in an order that holds still, and right after a sleep."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Locator, Page, expect

from .conftest import STAFF
from .tabs import window

SOON = (datetime.now(UTC) + timedelta(days=3)).replace(hour=23, minute=30, second=0, microsecond=0)
"""A departure that leaves on the day after in Sydney, at any time of year."""


@pytest.fixture
def catalogue():
    """`catalogue(api)`: four tours, one of them dated, whose names and seats are in different orders."""

    def create(api) -> None:
        tours = [
            {"id": "cite", "name": "Île de la Cité", "capacity": 4},
            {"id": "louvre", "name": "Louvre, la nuit", "capacity": 30},
            {"id": "orsay", "name": "Musée d’Orsay", "capacity": 8},
            {
                "id": "sydney",
                "name": "Sydney Harbour",
                "timeZone": "Australia/Sydney",
                "departures": [{"id": "sydney-1", "startsAt": SOON.isoformat(), "capacity": 20}],
            },
        ]
        for tour in tours:
            api.post("/api/tours", json=tour, headers=STAFF).raise_for_status()

    return create


def _names(page: Page) -> Locator:
    return page.get_by_role("article").get_by_role("heading", level=2)


def _query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


async def test_search_date_and_order_by_keyboard_stand_in_the_address(world, tmp_path, browser, catalogue):
    """A link or a reload shows the same; finding nothing leads back to everything."""
    _, api, _ = world.serve(tmp_path)
    catalogue(api)
    page = await browser.new_page(locale="fr-FR", timezone_id="America/New_York")
    await page.goto(str(api.base_url))
    by_name = ["Île de la Cité", "Louvre, la nuit", "Musée d’Orsay", "Sydney Harbour"]
    await expect(_names(page)).to_have_text(by_name)

    await page.get_by_role("searchbox", name="Rechercher par nom").focus()
    await page.keyboard.type("ile CITE")
    await expect(_names(page)).to_have_text(["Île de la Cité"])
    assert _query(page) == {"q": ["ile CITE"]}
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type("tombouctou")
    await expect(page.get_by_text("Aucune visite ne correspond à votre recherche.")).to_be_visible()
    await page.get_by_role("button", name="Tout afficher").press("Enter")
    await expect(_names(page)).to_have_text(by_name)
    await expect(page.get_by_role("searchbox", name="Rechercher par nom")).to_be_focused()

    order = page.get_by_role("combobox", name="Trier par")
    await order.focus()
    await page.keyboard.press("ArrowDown")
    by_seats = ["Louvre, la nuit", "Sydney Harbour", "Musée d’Orsay", "Île de la Cité"]
    await expect(_names(page)).to_have_text(by_seats)
    await page.reload()
    await expect(_names(page)).to_have_text(by_seats)
    assert _query(page) == {"sort": ["seats"]}

    # The day is the one in Sydney, wherever the reader is and whatever UTC says.
    await page.get_by_label("Départ le").fill(f"{SOON + timedelta(days=1):%Y-%m-%d}")
    await expect(_names(page)).to_have_text(["Sydney Harbour"])
    await expect(page.get_by_role("main")).to_contain_text(re.compile(r"1\s*visite sur 4"))
    await page.get_by_title("Read this page in English").click()
    await expect(page.get_by_role("main")).to_contain_text(re.compile(r"1\s*tour of 4"))
    linked = await browser.new_page(locale="fr-FR")
    await linked.goto(page.url)
    await expect(_names(linked)).to_have_text(["Sydney Harbour"])
    await linked.get_by_label("Leaving on").fill(f"{SOON:%Y-%m-%d}")
    await expect(_names(linked)).to_have_count(0)


async def test_no_card_moves_by_itself_when_seats_are_sold_elsewhere(
    world, tmp_path, browser, catalogue, book
):
    """Sorted by seats, the fullest tour keeps its place until its reader asks for a new order."""
    _, api, _ = world.serve(tmp_path)
    catalogue(api)
    page = await browser.new_page(locale="fr-FR")
    await page.goto(f"{api.base_url}?sort=seats")
    louvre = page.get_by_role("article", name="Louvre, la nuit")
    await expect(louvre).to_contain_text(re.compile(r"30\s*places restantes"))
    again = page.get_by_role("button", name="Trier de nouveau")
    await expect(again).to_have_count(0)
    place = await louvre.bounding_box()

    book(api, "louvre", 29)

    await expect(louvre).to_contain_text(re.compile(r"1\s*place restante"))
    await expect(again).to_be_visible()
    assert await louvre.bounding_box() == place
    await expect(_names(page).first).to_have_text("Louvre, la nuit")

    await again.press("Enter")
    await expect(_names(page)).to_have_text(
        ["Sydney Harbour", "Musée d’Orsay", "Île de la Cité", "Louvre, la nuit"]
    )
    await expect(again).to_have_count(0)


_HEAR = """
    window.heard = "";
    window.WebSocket = class extends WebSocket {
        constructor(...where) {
            super(...where);
            this.addEventListener("message", ({ data }) => (window.heard += data));
        }
    };
    document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "visible") {
            requestAnimationFrame(() => (window.firstFrame = document.querySelector("[data-seats]").textContent));
        }
    });
"""


async def test_a_hidden_tab_costs_nothing_and_is_right_on_the_first_frame_after_waking(
    world, tmp_path, create_tour, book
):
    """Behind another tab it hears of every sale and draws none; in front again, nobody sees the old figure."""
    _, api, _ = world.serve(tmp_path / "data")
    create_tour(api, "tour_metz", 60)
    async with window(tmp_path / "profile") as chromium:
        ours = await chromium.tab()
        await ours.before(_HEAR)
        await ours.go(str(api.base_url))
        figure = 'document.querySelector("[data-seats]")?.textContent'
        await ours.until(figure, "60")
        await ours.until('document.querySelector(".connection").dataset.status', "connected")

        await (await chromium.tab()).front()
        await ours.until("document.visibilityState", "hidden")
        for _ in range(20):
            book(api, "tour_metz")
        await ours.until("""heard.includes('"availableSeats":40')""", True)
        assert await ours.read(figure) == "60"

        await ours.front()
        await ours.until("window.firstFrame", "40")
