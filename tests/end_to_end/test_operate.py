"""Operators at work in Debian's Chromium, and travellers who see it at once, against a real process."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from seatcast.tokens import Tokens

from .conftest import SECRET, STAFF

LONG = 20_000
"""Milliseconds for what goes through the service and comes back to another page, on a busy machine."""

TOKEN = Tokens(SECRET).mint("denis", ["staff"], 3600)


async def _open(browser: Browser, url: str) -> Page:
    page = await (await browser.new_context(locale="fr-FR")).new_page()
    await page.goto(url)
    return page


async def _wrong(field: Locator, words: str) -> None:
    """The field is marked as wrong, and its description says why."""
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_accessible_description(re.compile(words))


@pytest.fixture
async def shop(world, tmp_path, browser):
    """A running service, an operator on a page of it, and a traveller's dashboard."""
    _, api, _ = world.serve(tmp_path)
    here = str(api.base_url).rstrip("/")
    traveller = await _open(browser, f"{here}/")
    await expect(traveller.get_by_role("banner")).to_contain_text("En direct", timeout=LONG)
    operator = await _open(browser, f"{here}/operate#token={TOKEN}")
    return api, operator, traveller


async def test_a_tour_is_made_changed_and_closed_before_a_traveller_s_eyes(shop, book):
    """From the first wrong field to the tour's reopening; the traveller never reloads."""
    api, operator, traveller = shop
    card = traveller.get_by_role("article", name="Ellis Island")

    await operator.get_by_role("link", name="Nouvelle visite").click()
    name = operator.get_by_label("Nom", exact=True)
    await operator.get_by_role("button", name="Créer la visite").click()
    await _wrong(name, "Donnez-lui un nom")
    await expect(name).to_be_focused()

    await name.fill("Ellis Island")
    await expect(operator.get_by_label("Identifiant")).to_have_value("tour_ellis_island")
    await operator.get_by_label("Prix par personne").fill("19,50")
    zone = operator.get_by_role("combobox", name="Fuseau horaire")
    await zone.fill("new york")
    await operator.get_by_role("option", name="America/New York").click()
    await operator.get_by_label("Date", exact=True).fill("2031-03-09")
    await operator.get_by_label("Heure", exact=True).fill("02:30")
    await operator.get_by_label("Places en tout").fill("20")
    await operator.get_by_role("button", name="Créer la visite").click()
    await _wrong(operator.get_by_label("Heure", exact=True), "03:30")
    await operator.get_by_label("Date", exact=True).fill("2031-11-02")
    await operator.get_by_label("Heure", exact=True).fill("01:30")
    await operator.get_by_role("radio", name=re.compile(r"seconde fois.*UTC−5")).check()
    await operator.get_by_role("button", name="Créer la visite").click()

    await expect(card).to_contain_text(re.compile(r"20\s*places"), timeout=LONG)
    tour = api.get("/api/tours/tour_ellis_island").json()
    assert (tour["price"], tour["departures"][0]["startsAt"]) == (19.5, "2031-11-02T06:30:00.000Z")

    departure = operator.get_by_role("article", name=re.compile("2 novembre 2031, 01:30"))
    book(api, "tour_ellis_island", 3)
    await expect(departure).to_contain_text("Vendues3", timeout=LONG)
    await departure.get_by_role("button", name="Modifier").click()
    seats = departure.get_by_label("Places en tout")
    await seats.fill("2")
    await departure.get_by_role("button", name="Enregistrer").click()
    await _wrong(seats, r"au moins 3\s*places")
    await seats.fill("25")
    await departure.get_by_role("button", name="Enregistrer").click()
    await expect(card).to_contain_text(re.compile(r"22\s*places"), timeout=LONG)

    adding = operator.get_by_role("region", name="Ajouter un départ")
    await adding.get_by_label("Date").fill("2031-11-03")
    await adding.get_by_label("Heure").fill("10:00")
    await adding.get_by_label("Places en tout").fill("5")
    await adding.get_by_role("button", name="Ajouter").click()
    await expect(card).to_contain_text(re.compile(r"27\s*places"), timeout=LONG)
    await departure.get_by_role("button", name="Fermer à la vente").click()
    await expect(operator.get_by_role("dialog")).to_contain_text(re.compile(r"3\s*places vendues"))
    await operator.get_by_role("button", name="Fermer le départ").click()
    await expect(card).to_contain_text(re.compile(r"5\s*places"), timeout=LONG)
    await expect(departure).to_contain_text("Hors vente", timeout=LONG)

    await operator.get_by_role("button", name="Fermer la visite").click()
    await operator.get_by_role("dialog").get_by_role("button", name="Fermer la visite").click()
    await expect(card).to_have_count(0, timeout=LONG)
    await operator.get_by_role("button", name="Rouvrir la visite").click()
    await operator.get_by_role("dialog").get_by_role("button", name="Rouvrir la visite").click()
    await expect(card).to_contain_text(re.compile(r"5\s*places"), timeout=LONG)


async def test_two_operators_do_not_overwrite_each_other_unawares(shop, create_tour):
    """What the other does is seen live; where both want the same field, the second is asked; leaving asks too."""
    api, operator, _ = shop

    def patch(**values: object) -> None:
        api.patch("/api/tours/tour_metz", json=values, headers=STAFF).raise_for_status()

    create_tour(api, "tour_metz", 12)
    await operator.get_by_role("link", name="Tour_Metz").click()
    seats = operator.get_by_role("textbox", name="Places en tout")
    await seats.fill("30")
    patch(name="Metz la nuit", capacity=18)

    await expect(operator.get_by_role("heading", level=1)).to_have_text("Metz la nuit", timeout=LONG)
    await expect(operator.get_by_label("Nom", exact=True)).to_have_value("Metz la nuit")
    await _wrong(seats, "entre-temps")
    await operator.get_by_role("button", name="Enregistrer").click()
    assert api.get("/api/tours/tour_metz").json()["capacity"] == 18

    asked: list[str] = []

    async def stay(dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    operator.on("dialog", stay)
    await operator.get_by_role("link", name="Toutes les visites").click()
    async with operator.expect_event("dialog"):
        await operator.evaluate("history.back()")
    await expect(seats).to_have_value("30")

    await operator.get_by_role("button", name="Garder la mienne").click()
    await operator.get_by_role("button", name="Enregistrer").click()
    await expect(operator.get_by_text("Enregistré", exact=True).first).to_be_visible(timeout=LONG)
    assert api.get("/api/tours/tour_metz").json()["capacity"] == 30
    await operator.get_by_role("link", name="Toutes les visites").click()
    await expect(operator.get_by_role("article", name="Metz la nuit")).to_be_visible()
    assert len(asked) == 2
