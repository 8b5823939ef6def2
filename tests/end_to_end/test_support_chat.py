"""The support chat in Debian's Chromium: a traveller on any page, and agents in their inbox."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Locator, Page, WebSocketRoute, expect

from seatcast.tokens import Tokens

from .conftest import SECRET
from .visitors import visitor

AGENT = {"Authorization": f"Bearer {Tokens(SECRET).mint('sam', ['support'], 3600)}"}


async def _open(browser: Browser, api: str, path: str, user: str, *roles: str) -> tuple[Page, list[str]]:
    """Open a page in a browser of this person's own; return it and the list of what went wrong in it."""
    return await visitor(browser, f"{api}{path}#token={Tokens(SECRET).mint(user, list(roles), 3600)}")


class Wire:
    """What carries a page's WebSockets, and can be cut."""

    def __init__(self) -> None:
        self._whole = True
        self._sockets: list[WebSocketRoute] = []

    async def carry(self, socket: WebSocketRoute) -> None:
        """Connect a WebSocket of the page, or while cut end it."""
        if self._whole:
            socket.connect_to_server()
            self._sockets.append(socket)
        else:
            await socket.close(code=1001)

    async def cut(self) -> None:
        """End what is connected, and let nothing connect any more."""
        self._whole = False
        for socket in self._sockets:
            await socket.close(code=1001)

    def mend(self) -> None:
        """Let the page connect again."""
        self._whole = True


def _log(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def _said(page: Page, text: str) -> Locator:
    """The line of the log with exactly this text."""
    line = page.get_by_role("listitem").filter(has=page.get_by_text(text, exact=True))
    return _log(page).locator(line)


def _help(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Aide"))


def _row(page: Page, traveller: str) -> Locator:
    return page.get_by_role("main").get_by_role("link", name=re.compile(f"^{traveller}"))


async def test_a_traveller_and_an_agent_talk(world, tmp_path, browser):
    """Message, writing, answer, read mark; unread counted while the panel is closed, and cleared; a reload keeps all."""
    _, api, _ = world.serve(tmp_path)
    base = str(api.base_url).rstrip("/")
    ann, wrong_ann = await _open(browser, base, "/", "ann")
    sam, wrong_sam = await _open(browser, base, "/support", "sam", "support")
    await expect(sam.get_by_text("Personne ne nous a encore écrit.")).to_be_visible()

    await _help(ann).click()
    field = ann.get_by_role("textbox", name="Votre message")
    await expect(field).to_be_focused()
    await expect(ann.get_by_role("dialog")).to_contain_text("Une personne de l’équipe est là.")
    await field.press_sequentially("Bonjour !")
    await field.press("Enter")
    await expect(_said(ann, "Bonjour !")).to_contain_text("Envoyé")

    row = _row(sam, "ann")
    await expect(row.get_by_label("1 message non lu")).to_be_visible()
    await expect(row).to_contain_text("Attend depuis")
    await row.click()
    answer = sam.get_by_role("textbox", name="Message à ann")
    await expect(answer).to_be_focused()
    await expect(_said(sam, "Bonjour !")).to_be_visible()
    await expect(_said(ann, "Bonjour !")).to_contain_text("Lu")
    await expect(row.get_by_label(re.compile("non lu"))).to_have_count(0)

    await field.press_sequentially("Et")
    await expect(sam.get_by_text("ann écrit…")).to_be_visible()
    await answer.press_sequentially("Que puis-je pour vous ?")
    await expect(ann.get_by_text("sam écrit…")).to_be_visible()
    await answer.press("Enter")
    await expect(_said(ann, "Que puis-je pour vous ?")).to_contain_text("sam")
    await expect(_said(sam, "Que puis-je pour vous ?")).to_contain_text("Lu")
    await expect(row).not_to_contain_text("Attend depuis")

    await ann.keyboard.press("Escape")
    await expect(ann.get_by_role("dialog")).to_have_count(0)
    await expect(_help(ann)).to_be_focused()
    for text in ("Êtes-vous là ?", "Je reste ici."):
        await answer.fill(text)
        await answer.press("Enter")
    await expect(_help(ann)).to_have_accessible_name(re.compile(r"2\smessages non lus"))
    await expect(_said(sam, "Je reste ici.")).to_contain_text("Remis")

    await ann.reload()
    await expect(_help(ann)).to_have_accessible_name(re.compile(r"2\smessages non lus"))
    await _help(ann).press("Enter")
    for page in (ann, sam):
        for text in ("Bonjour !", "Que puis-je pour vous ?", "Êtes-vous là ?", "Je reste ici."):
            await expect(_said(page, text)).to_have_count(1)
    await expect(_said(sam, "Je reste ici.")).to_contain_text("Lu")
    await ann.get_by_role("button", name="Fermer la discussion").click()
    await expect(_help(ann)).to_have_accessible_name("Aide")
    await sam.reload()
    await expect(_said(sam, "Je reste ici.")).to_contain_text("Lu")
    assert (wrong_ann, wrong_sam) == ([], [])


async def test_two_agents_see_at_once_who_has_taken_a_conversation(world, tmp_path, browser):
    """Taken and released by one, seen by the other, in the list, its filters and the conversation."""
    _, api, _ = world.serve(tmp_path)
    base = str(api.base_url).rstrip("/")
    ann = {"Authorization": f"Bearer {Tokens(SECRET).mint('ann', [], 3600)}"}
    api.post(
        "/api/conversations/support/messages", json={"message": "Bonjour"}, headers=ann
    ).raise_for_status()
    sam, wrong_sam = await _open(browser, base, "/support/ann", "sam", "support")
    eve, wrong_eve = await _open(browser, base, "/support/ann", "eve", "support")
    await expect(sam.get_by_text("Présents : eve, sam")).to_be_visible()
    await expect(_row(eve, "ann")).to_contain_text("Libre")

    await sam.get_by_role("button", name="Prendre").click()
    await expect(_row(eve, "ann")).to_contain_text("Prise par sam")
    await expect(eve.get_by_role("status").filter(has_text="Prise par sam")).to_be_visible()
    await expect(eve.get_by_role("button", name=re.compile("Prendre|Libérer"))).to_have_count(0)
    await eve.get_by_role("radio", name=re.compile("^Libres")).check()
    await expect(eve.get_by_text("Aucune conversation n’est libre.")).to_be_visible()
    await sam.get_by_role("radio", name=re.compile("^Les miennes")).check()
    await expect(_row(sam, "ann")).to_contain_text("Prise par vous")

    await sam.get_by_role("button", name="Libérer").click()
    await expect(eve.get_by_role("button", name="Prendre")).to_be_visible()
    assert (wrong_sam, wrong_eve) == ([], [])


async def test_what_was_written_while_the_other_was_away_arrives_once(world, tmp_path, browser):
    """An agent is cut off. What the traveller says meanwhile is there once afterwards, and so is what the agent said."""
    _, api, _ = world.serve(tmp_path)
    base = str(api.base_url).rstrip("/")
    ann, _ = await _open(browser, base, "/", "ann")
    await _help(ann).click()
    field = ann.get_by_role("textbox", name="Votre message")
    await field.fill("Bonjour")
    await field.press("Enter")
    sam = await (await browser.new_context(locale="fr-FR")).new_page()
    wire = Wire()
    await sam.route_web_socket(re.compile("^ws"), wire.carry)
    await sam.goto(f"{base}/support/ann#token={Tokens(SECRET).mint('sam', ['support'], 3600)}")
    await expect(_said(sam, "Bonjour")).to_have_count(1)

    await wire.cut()
    await expect(
        sam.get_by_text("Pas de connexion. Ce que vous envoyez partira à son retour.")
    ).to_be_visible()
    await field.fill("Vous m'entendez ?")
    await field.press("Enter")
    await expect(_said(ann, "Vous m'entendez ?")).to_contain_text("Envoyé")
    answer = sam.get_by_role("textbox", name="Message à ann")
    await answer.fill("J'écoute")
    await answer.press("Enter")
    await expect(_said(sam, "J'écoute")).to_contain_text("Envoi…")
    wire.mend()

    for page in (ann, sam):
        for text in ("Vous m'entendez ?", "J'écoute"):
            await expect(_said(page, text)).to_have_count(1, timeout=30_000)
    await expect(_said(sam, "J'écoute")).to_contain_text("Lu", timeout=30_000)
    assert [
        each["message"]
        for each in api.get("/api/conversations/ann/messages", headers=AGENT).json()["messages"]
    ] == [
        "Bonjour",
        "Vous m'entendez ?",
        "J'écoute",
    ]
