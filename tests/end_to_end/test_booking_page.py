"""The page of a tour and the list of bookings in Debian's Chromium, against a real process."""

from __future__ import annotations

import re
from typing import Any

import httpx
from playwright.async_api import Browser, Page, Route, expect

from seatcast.tokens import Tokens

from .conftest import SECRET

SOLD_OUT = re.compile(r"0\s*place restante")


async def _open(browser: Browser, api: httpx.Client, path: str, user: str | None = None) -> Page:
    """Open a page of a French visitor of its own, signed in as a site that links here would do it."""
    page = await (await browser.new_context(locale="fr-FR")).new_page()
    fragment = "" if user is None else f"#token={Tokens(SECRET).mint(user, [], 3_600)}"
    await page.goto(f"{api.base_url}{path}{fragment}")
    await expect(page.get_by_role("banner")).to_contain_text("En direct")
    return page


def _book(page: Page):
    return page.get_by_role("button", name=re.compile("^Réserver"))


def _confirmed(page: Page):
    return page.get_by_role("group", name="Réservation confirmée")


def _bookings(api: httpx.Client, user: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {Tokens(SECRET).mint(user, [], 60)}"}
    found: list[dict[str, Any]] = api.get("/api/bookings", headers=headers).raise_for_status().json()
    return found


async def test_the_last_seat_goes_to_one_of_two_and_the_other_is_told(world, tmp_path, browser, create_tour):
    """Both click when one seat is left for both to see: exactly one has it, the other reads why not, and "complet"."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 1)
    pages = [await _open(browser, api, "/tours/tour_metz") for _ in range(2)]
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)
        if len(held) == len(pages):
            for one in held:
                await one.continue_()

    for page in pages:
        await page.route("**/book", hold)
        await _book(page).click()

    for page in pages:
        await expect(page.get_by_role("main")).to_contain_text(SOLD_OUT)
        await expect(page.get_by_role("button", name="Complet")).to_be_visible()
        await expect(_confirmed(page).or_(page.get_by_text("Réservation refusée"))).to_be_visible()
    assert sum([await _confirmed(page).count() for page in pages]) == 1
    [told] = [page for page in pages if await _confirmed(page).count() == 0]
    await expect(told.get_by_role("alert")).to_contain_text("Il ne reste plus de place.")
    assert api.get("/api/tours/tour_metz").json()["available_seats"] == 0


async def test_a_booking_is_confirmed_listed_and_cancelled_on_every_page_of_its_user(
    world, tmp_path, browser, create_tour
):
    """One page books, the list in another browser has it by itself; cancelled there, both know and the seats are back."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_albi", 9)
    ours = await _open(browser, api, "/tours/tour_albi", "alice")
    theirs = await _open(browser, api, "/bookings", "alice")
    await expect(theirs.get_by_text("Vous n’avez pas encore de réservation.")).to_be_visible()

    await ours.get_by_role("button", name="Une place de plus").click()
    await _book(ours).click()

    await expect(_confirmed(ours)).to_have_count(1)
    await expect(ours.get_by_role("main")).to_contain_text(re.compile(r"7\s*places restantes"))
    listed = theirs.get_by_role("article", name="Tour_Albi")
    await expect(listed).to_contain_text("Confirmée")

    await listed.get_by_role("button", name="Annuler la réservation").click()
    await listed.get_by_role("button", name="Oui, annuler").click()

    await expect(listed).to_contain_text("Annulée")
    await expect(ours.get_by_role("group", name="Réservation annulée")).to_be_visible()
    await expect(ours.get_by_role("main")).to_contain_text(re.compile(r"9\s*places restantes"))
    assert [booking["status"] for booking in _bookings(api, "alice")] == ["cancelled"]


async def test_a_booking_whose_answer_is_lost_is_made_once_and_confirmed_by_the_socket(
    world, tmp_path, browser, create_tour
):
    """No answer ever comes back, though each request arrives: BOOKING_CONFIRMED says it, and the page shows it once."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_nice", 9)
    page = await _open(browser, api, "/tours/tour_nice", "alice")

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/book", lose_the_answer)
    await _book(page).click()

    await expect(_confirmed(page)).to_have_count(1)
    await expect(page.get_by_role("main")).to_contain_text(re.compile(r"8\s*places restantes"))
    await expect(_book(page)).to_have_attribute("aria-disabled", "false")
    assert [booking["seats"] for booking in _bookings(api, "alice")] == [1]


async def test_a_retry_after_a_lost_answer_books_once(world, tmp_path, browser, create_tour):
    """Without sign-in nobody else says it: the page does not know, asks again with the same key, and has one booking."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_caen", 9)
    page = await _open(browser, api, "/tours/tour_caen")
    keys: list[str | None] = []

    async def lose_the_answer(route: Route) -> None:
        keys.append(await route.request.header_value("idempotency-key"))
        await route.fetch()
        await route.abort()

    await page.route("**/book", lose_the_answer)
    await _book(page).click()
    retry = page.get_by_role("button", name="Réessayer")
    await expect(retry).to_be_focused(timeout=20_000)
    await page.unroute("**/book")
    await retry.click()

    await expect(_confirmed(page)).to_have_count(1)
    assert len(keys) > 1
    assert len(set(keys)) == 1
    assert api.get("/api/tours/tour_caen").json()["available_seats"] == 8
    await page.get_by_role("navigation").get_by_role("link", name="Mes réservations").click()
    await expect(page.get_by_role("article")).to_have_count(1)


async def test_going_back_returns_to_the_place_that_was_left(world, tmp_path, browser, create_tour):
    """A page opens at its top with the keyboard on its heading; back, the list is where it was, at the link that led away."""
    _, api, _ = world.serve(tmp_path)
    for number in range(40):
        create_tour(api, f"tour_{number:02}", 9)
    page = await _open(browser, api, "/")
    link = page.get_by_role("link", name="Tour_35")
    await link.scroll_into_view_if_needed()
    depth = await page.evaluate("scrollY")
    assert depth > 0

    await link.click()

    await expect(page.get_by_role("heading", level=1, name="Tour_35")).to_be_focused()
    assert await page.evaluate("scrollY") == 0
    await page.go_back()
    await expect(link).to_be_focused()
    await expect(link).to_be_in_viewport()
    # Cards out of sight have not been measured yet: their heights are guessed.
    assert abs(await page.evaluate("scrollY") - depth) < 250
