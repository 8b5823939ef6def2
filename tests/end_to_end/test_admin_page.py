"""/admin in Debian's Chromium: whoever has the role watches the shop, and nobody else."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from seatcast.tokens import Tokens

from .conftest import SECRET


def _address(api, *roles: str) -> str:
    """The page's address as another site would link to it, for somebody with these roles."""
    return f"{api.base_url.join('/admin')}#token={Tokens(SECRET).mint('ada', list(roles), 3600)}"


async def _watch(browser, api, *roles: str) -> tuple[Page, list[str]]:
    page = await (await browser.new_context(locale="fr-FR")).new_page()
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(_address(api, *roles))
    return page, wrong


def _figure(page: Page, label: str) -> Locator:
    return page.locator("dl > div", has=page.locator("dt", has_text=re.compile(f"^{label}$")))


async def test_admin_metrics_a_booking_is_seen_in_the_figures_the_row_the_chart_and_the_events(
    world, tmp_path, browser, create_tour, book
):
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 12)
    page, wrong = await _watch(browser, api, "admin")
    row = page.get_by_role("row", name="Tour_Metz")
    chart = page.get_by_role("table", name="Réservations actives, à la fin de chaque minute")
    await expect(_figure(page, "Réservations actives")).to_contain_text("0")
    await expect(row.get_by_role("cell").nth(2)).to_contain_text("12")
    await expect(page.locator(".uplot canvas")).to_have_count(4)
    # Figures are told as soon as every gateway has said who is there.
    await expect(_figure(page, "Connexions")).to_contain_text(
        re.compile(r"1\s*sur 1\s*passerelle"), timeout=15_000
    )

    book(api, "tour_metz", 3)

    await expect(_figure(page, "Réservations actives")).to_contain_text("1")
    await expect(row.get_by_role("cell").nth(0)).to_contain_text("3")
    await expect(row.get_by_role("cell").nth(2)).to_contain_text("9")
    await expect(row.get_by_role("cell").nth(3)).to_contain_text("1")
    events = page.get_by_role("region", name="Événements de cette connexion")
    await expect(events).to_contain_text(re.compile(r"Tour_Metz 12 → 9\s*places"))
    await expect(events).to_contain_text(re.compile(r"0 → 1\s*réservation active"))
    await page.get_by_role("button", name=re.compile("Tableau.: Réservations actives")).click()
    await expect(chart.get_by_role("cell").first).to_have_text("1")
    assert wrong == []


async def test_admin_figures_say_their_age_while_cut_off_and_are_right_afterwards(
    world, tmp_path, browser, create_tour, book, free_port
):
    ports = (free_port(), free_port())
    running, api, _ = world.serve(tmp_path / "data", ports)
    create_tour(api, "tour_albi", 9)
    page, _ = await _watch(browser, api, "admin")
    await expect(_figure(page, "Réservations actives")).to_contain_text("0")

    running.kill()
    await expect(page.get_by_text("Ces chiffres datent de")).to_be_visible()
    _, api, _ = world.serve(tmp_path / "data", ports)
    book(api, "tour_albi", 4)

    row = page.get_by_role("row", name="Tour_Albi")
    await expect(row.get_by_role("cell").nth(2)).to_contain_text("5", timeout=30_000)
    await expect(_figure(page, "Réservations actives")).to_contain_text("1", timeout=15_000)
    await expect(page.get_by_text("Ces chiffres datent de")).to_have_count(0)
    events = page.get_by_role("region", name="Événements de cette connexion")
    await expect(events).to_contain_text("Connexion perdue")


async def test_admin_page_is_not_for_a_person_without_the_role(world, tmp_path, browser):
    _, api, _ = world.serve(tmp_path)

    page, _ = await _watch(browser, api, "staff")

    await expect(page.get_by_role("alert")).to_contain_text(
        re.compile(r"Elle est réservée au rôle «\s*Administration\s*»")
    )
    await expect(page.get_by_role("link", name="Supervision")).to_have_count(0)
