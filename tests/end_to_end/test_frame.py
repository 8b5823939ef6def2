"""What is around every page: its policy, its places, who is signed in and what they are told."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from seatcast.tokens import Tokens

from .conftest import SECRET
from .visitors import sign_in, visit, visitor


def _places(page: Page):
    return page.get_by_role("navigation", name="Pages").get_by_role("link")


def _account(page: Page, name: str):
    return page.get_by_role("banner").get_by_role("button", name=re.compile(rf"^Compte\s: {name}$"))


async def test_no_page_breaks_the_policy_fails_or_asks_another_origin(world, tmp_path, browser):
    """Every place that the navigation offers somebody with every role, gone to by its link and by its address."""
    _, api, _ = world.serve(tmp_path, None, "--demo")
    page, wrong = await visitor(browser, str(api.base_url))
    await sign_in(page, "emma")
    addresses = [await link.get_attribute("href") for link in await _places(page).all()]
    assert len(addresses) >= 2

    for at, address in enumerate(addresses):
        await _places(page).nth(at).click()
        for way in ("link", "address"):
            await expect(_places(page).nth(at)).to_have_attribute("aria-current", "page")
            assert urlsplit(page.url).path == address, way
            await expect(page.get_by_role("main").get_by_role("heading", level=1)).to_have_count(1)
            await expect(page.get_by_role("main").get_by_role("alert")).to_have_count(0)
            await expect(page.get_by_role("banner")).to_contain_text("En direct")
            assert wrong == [], (address, way)
            if way == "link":
                await page.reload()

    await page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '0'}))")
    await page.evaluate("fetch('https://elsewhere.invalid/').catch(() => undefined)")
    assert any("policy violated: script-src" in line for line in wrong), "a violation would have been seen"
    assert any("elsewhere.invalid" in line for line in wrong), "a foreign request would have been seen"


async def test_people_sign_in_become_others_and_leave_each_tab_for_itself(world, tmp_path, browser):
    """Two tabs of one browser are two people; a page of a role is offered to who has it; nobody is left in the tab."""
    _, api, _ = world.serve(tmp_path, None, "--demo")
    page, wrong = await visitor(browser, str(api.base_url))
    await sign_in(page, "alice")
    for_alice = await _places(page).count()
    await sign_in(page, "emma")
    assert await _places(page).count() >= for_alice
    other, wrong_there = await visit(page.context, str(api.base_url))
    await expect(other.get_by_role("banner").get_by_role("button", name="Se connecter")).to_be_visible()
    await sign_in(other, "bruno")

    await page.reload()
    await expect(_account(page, "emma")).to_be_visible()
    await page.get_by_role("link", name="English", exact=True).click()
    assert urlsplit(page.url).query == "lang=en"
    await _places(page).nth(1).click()
    assert urlsplit(page.url).query == "lang=en"
    await page.get_by_role("link", name="Français", exact=True).click()
    assert urlsplit(page.url).query == ""

    await _account(page, "emma").click()
    await page.get_by_role("button", name="Se déconnecter").click()
    await expect(page.get_by_role("banner").get_by_role("button", name="Se connecter")).to_be_focused()
    await expect(page.get_by_role("banner")).to_contain_text("En direct")
    assert await page.evaluate("JSON.stringify({...sessionStorage})") == "{}"
    await expect(_account(other, "bruno")).to_be_visible()
    assert wrong + wrong_there == []


async def test_a_token_comes_by_the_address_goes_from_it_and_ends(world, tmp_path, browser, create_tour):
    """Where there is no demo; a newer one without a reload. One that has ended is said, dropped and sent no more."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 12)
    page, wrong = await visitor(browser, f"{api.base_url}/#token={Tokens(SECRET).mint('ann', [], 60)}")
    addresses: list[str] = []
    page.on("request", lambda r: addresses.append(r.url))
    page.on("websocket", lambda socket: addresses.append(socket.url))
    await expect(_account(page, "ann")).to_be_visible()
    await expect(page.get_by_role("banner")).to_contain_text("En direct")
    assert page.url == f"{api.base_url}/"

    await page.evaluate("window.untouched = true")
    # Past its end, and not yet past what is allowed to clocks that differ.
    ending = Tokens(SECRET, clock=lambda: time.time() - 5).mint("bob", [], 3)
    await page.evaluate("(token) => { location.hash = `token=${token}`; }", ending)
    await expect(_account(page, "bob")).to_be_visible()
    assert page.url == f"{api.base_url}/"
    await page.go_back()
    assert "token" not in page.url

    await expect(page.get_by_text("La session de bob a expiré.")).to_be_visible(timeout=20_000)
    assert await page.evaluate("window.untouched")
    await expect(page.get_by_role("banner")).to_contain_text("En direct")
    await expect(page.get_by_role("article", name="Tour_Metz")).to_be_visible()
    assert await page.evaluate("sessionStorage.length") == 0
    await page.get_by_role("button", name="Continuer sans compte").click()
    await expect(page.get_by_text("La session de bob a expiré.")).to_have_count(0)

    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.headers.get("authorization", "")))
    await page.evaluate("(token) => sessionStorage.setItem('seatcast.token', token)", ending)
    await page.reload()
    await expect(page.get_by_text("La session de bob a expiré.")).to_be_visible()
    assert set(sent) == {""}
    assert addresses
    assert not any("eyJ" in address for address in addresses), "no token, nor a part of one"
    assert wrong == []


async def test_a_notification_is_told_in_every_tab_of_its_person_and_read_in_all(
    world, tmp_path, browser, create_tour
):
    """Booked in one tab, told in the other; read there, it is read here; another person is told nothing."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 12)
    ann = Tokens(SECRET).mint("ann", [], 600)
    here, wrong_here = await visitor(browser, f"{api.base_url}/tours/tour_metz#token={ann}")
    there, wrong_there = await visit(here.context, f"{api.base_url}/#token={ann}")
    bob = Tokens(SECRET).mint("bob", [], 600)
    elsewhere, _ = await visit(here.context, f"{api.base_url}/random-numbers#token={bob}")
    for page in (here, there, elsewhere):
        await expect(page.get_by_role("banner")).to_contain_text("En direct")

    await here.get_by_role("button", name="Réserver").click()

    await expect(there.get_by_text("Réservation confirmée").first).to_be_visible()
    for page in (here, there):
        await expect(page.get_by_role("button", name="Notifications : 1 non lue")).to_be_visible()
    await there.get_by_role("button", name="Notifications : 1 non lue").click()
    await expect(there.get_by_role("dialog").get_by_role("listitem")).to_contain_text("Tour_Metz, 1 place")
    await there.keyboard.press("Escape")
    await expect(here.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    await expect(elsewhere.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    assert wrong_here + wrong_there == []


async def test_the_chosen_theme_is_there_before_the_page_s_own_scripts(world, tmp_path, browser):
    """Chosen dark on a light device, reloaded with the application held back: dark from the start, no script inside."""
    _, api, _ = world.serve(tmp_path)
    page, wrong = await visitor(browser, str(api.base_url), color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(background)
    await page.get_by_role("button", name="Thème").click()
    await page.get_by_role("radio", name="Sombre").check()
    await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    dark = await page.evaluate(background)
    assert dark != light

    await page.route(re.compile(r"/assets/index-.*\.js$"), lambda route: route.abort())
    await page.reload()
    assert await page.evaluate(background) == dark
    assert await page.locator("#root").inner_html() == ""
    assert await page.locator("script:not([src])").count() == 0
    await page.unroute_all()

    await page.reload()
    await page.get_by_role("button", name="Thème").click()
    await page.get_by_role("radio", name="Comme l’appareil").check()
    await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    assert [line for line in wrong if "ERR_FAILED" not in line] == []


async def test_many_places_fit_a_phone(world, tmp_path, browser):
    """The links of every role scroll sideways, the one of this page in sight; the page itself does not."""
    _, api, _ = world.serve(tmp_path, None, "--demo")
    page, _ = await visitor(browser, str(api.base_url), viewport={"width": 360, "height": 740})
    await sign_in(page, "emma")
    last = _places(page).last
    await last.focus()
    await page.keyboard.press("Enter")
    await expect(last).to_have_attribute("aria-current", "page")
    await page.reload()
    await expect(last).to_be_in_viewport(ratio=1)
    await expect(_account(page, "emma")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
