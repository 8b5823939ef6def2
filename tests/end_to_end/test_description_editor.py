"""Two people write a tour's description in two browsers, and a traveller reads it; one of them is cut off and comes back."""

from __future__ import annotations

import re

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from seatcast.tokens import Tokens

from .conftest import SECRET, STAFF

WRITTEN = """() => {
    const box = document.querySelector(".cm-content")?.cloneNode(true);
    if (!box) return null;
    for (const one of box.querySelectorAll(".cm-ySelectionCaret, .cm-placeholder")) one.remove();
    return [...box.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\\n");
}"""
"""What a text box holds, without the cursors of others."""


LONG = 30_000
"""Milliseconds: on a machine with other things to do nothing is late before."""


class Writer:
    """Somebody with the editor of a tour's description in a browser of their own."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context, self.page = context, page
        self.wrong: list[str] = []
        page.on("console", lambda line: self.wrong.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Texte de la description")

    @property
    def people(self) -> Locator:
        return self.page.get_by_role("list", name="Ici en ce moment").get_by_role("listitem")

    async def until(self, text: str) -> None:
        """Wait until the text is this one, and stored."""
        await self.page.wait_for_function(f"(text) => ({WRITTEN})() === text", arg=text, timeout=LONG)
        await expect(self.page.get_by_text("Enregistré", exact=True)).to_be_visible(timeout=LONG)

    async def write(self, where: str, words: str) -> None:
        """Go to the beginning ("Home") or the end ("End") of the text and type."""
        await self.box.focus()
        await self.page.keyboard.press(f"Control+{where}")
        await self.page.keyboard.type(words)


async def _open(
    browser: Browser, api, user: str, *roles: str, path: str = "/descriptions/tour_metz"
) -> Writer:
    context = await browser.new_context(locale="fr-FR")
    writer = Writer(context, await context.new_page())
    token = Tokens(SECRET).mint(user, list(roles), 3_600)
    await writer.page.goto(f"{api.base_url.join(path)}#token={token}")
    return writer


def _description(api) -> str:
    return api.get("/api/tours/tour_metz").json().get("description", "")


async def test_two_people_write_one_text_see_each_other_and_a_traveller_reads_along(
    world, tmp_path, browser, create_tour
):
    """Each sees the other's cursor with the name; undoing takes back one's own words; Tab leaves the box."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 12)
    ana = await _open(browser, api, "ana", "staff")
    bob = await _open(browser, api, "bob", "staff", path="/descriptions")
    traveller = await _open(browser, api, "zoe", path="/tours/tour_metz")
    await expect(traveller.page.get_by_role("heading", name="Tour_Metz", level=1)).to_be_visible(timeout=LONG)
    await expect(bob.page.get_by_text("Sans description")).to_be_visible(timeout=LONG)
    await bob.page.get_by_role("link", name="Tour_Metz").click()
    await expect(bob.page.get_by_role("heading", name="Tour_Metz", level=1)).to_be_visible(timeout=LONG)

    await ana.write("End", "The cathedral")
    await bob.until("The cathedral")
    await bob.write("End", " by night")
    await ana.write("Home", "Metz: ")
    for writer, other in ((ana, "bob"), (bob, "ana")):
        await writer.until("Metz: The cathedral by night")
        await expect(writer.page.locator(".cm-ySelectionInfo", has_text=other)).to_be_visible(timeout=LONG)
        await expect(writer.people).to_have_text(
            [re.compile(r"\(vous\)$"), re.compile(f"{other}$")], timeout=LONG
        )

    await bob.page.keyboard.press("Control+z")
    await ana.until("Metz: The cathedral")
    await bob.page.keyboard.press("Control+y")
    await ana.until("Metz: The cathedral by night")
    assert _description(api) == "Metz: The cathedral by night"
    preview = ana.page.get_by_role("region", name="Ce que lisent les voyageurs")
    for public in (preview, traveller.page.get_by_role("main")):
        await expect(public).to_contain_text("Metz: The cathedral by night", timeout=LONG)

    await bob.page.keyboard.press("Tab")
    await expect(bob.box).not_to_be_focused()
    await bob.page.get_by_role("link", name="Toutes les descriptions").click()
    await expect(bob.page.get_by_role("listitem").filter(has_text="Tour_Metz")).to_contain_text(
        "5 mots", timeout=LONG
    )
    await expect(ana.page.locator(".cm-ySelectionInfo")).to_have_count(0, timeout=LONG)
    await expect(ana.people).to_have_text([re.compile(r"\(vous\)$")], timeout=LONG)
    assert (ana.wrong, bob.wrong, traveller.wrong) == ([], [], [])


async def test_what_is_written_while_the_service_is_away_arrives_with_what_others_wrote(
    world, tmp_path, browser, create_tour, free_port
):
    """The process is killed while one types on; somebody else changes the text before the browser is back."""
    ports = (free_port(), free_port())
    running, api, _ = world.serve(tmp_path / "data", ports)
    create_tour(api, "tour_metz", 12)
    ana = await _open(browser, api, "ana", "staff")
    await ana.write("End", "The cathedral")
    await ana.until("The cathedral")

    running.kill()
    await expect(ana.page.get_by_text("Hors ligne", exact=True).first).to_be_visible(timeout=LONG)
    await ana.write("End", " by night")
    await expect(ana.page.get_by_text("pas encore enregistré", exact=False).first).to_be_visible(timeout=LONG)
    _, api, _ = world.serve(tmp_path / "data", ports)
    body = {"changes": {"field": "description", "value": "Metz: The cathedral"}}
    api.post("/api/documents/tour_metz/edits", json=body, headers=STAFF).raise_for_status()

    await ana.until("Metz: The cathedral by night")
    assert _description(api) == "Metz: The cathedral by night"


async def test_what_is_not_stored_yet_is_not_lost_with_the_page_that_showed_it(
    world, tmp_path, browser, create_tour
):
    """Somebody without a network goes to another page of the application; what they wrote arrives nevertheless."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 12)
    ana = await _open(browser, api, "ana", "staff")
    await ana.write("End", "The cathedral")
    await ana.until("The cathedral")

    await ana.context.set_offline(True)
    await expect(ana.page.get_by_text("Hors ligne", exact=True).first).to_be_visible(timeout=LONG)
    await ana.write("End", " by night")
    await ana.page.get_by_role("link", name="Visites", exact=True).click()
    await expect(ana.page.get_by_role("heading", name="Nos visites")).to_be_visible(timeout=LONG)
    await ana.context.set_offline(False)

    await ana.page.get_by_role("link", name="Descriptions", exact=True).click()
    await ana.page.get_by_role("link", name="Tour_Metz").click()
    await ana.until("The cathedral by night")
    assert _description(api) == "The cathedral by night"


async def test_who_has_not_the_role_is_refused(world, tmp_path, browser, create_tour):
    """The page offers a traveller neither the text nor a way to it."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 12)
    traveller = await _open(browser, api, "zoe")
    await expect(traveller.page.get_by_role("alert")).to_contain_text("demande un autre compte", timeout=LONG)
    await expect(traveller.page.get_by_role("link", name="Descriptions", exact=True)).to_have_count(
        0, timeout=LONG
    )
    await expect(traveller.page.get_by_role("textbox")).to_have_count(0, timeout=LONG)
