"""The page in Debian's Chromium, against a real process."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from .conftest import STAFF


async def _open(browser: Browser, url: str) -> tuple[Page, list[str]]:
    """Open a page in a context of its own; return it and the list of what went wrong in it."""
    page = await (await browser.new_context(locale="fr-FR")).new_page()
    wrong: list[str] = []
    here = urlsplit(url).hostname
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda r: wrong.append(r.url) if urlsplit(r.url).hostname != here else None)
    await page.goto(url)
    return page, wrong


def _card(page: Page, name: str):
    return page.get_by_role("article", name=name)


async def test_a_booking_in_one_tab_changes_the_number_in_another(world, tmp_path, browser, create_tour):
    """Two visitors watch; one books; both see it, and the booker's cancellation too."""
    _, api, _ = world.serve(tmp_path)
    create_tour(api, "tour_metz", 12)
    ours, wrong_here = await _open(browser, str(api.base_url))
    theirs, wrong_there = await _open(browser, str(api.base_url))
    for page in (ours, theirs):
        await expect(_card(page, "Tour_Metz")).to_contain_text(re.compile(r"12\s*places restantes"))
        await expect(page.get_by_role("banner")).to_contain_text("En direct")

    await _card(ours, "Tour_Metz").get_by_role("link", name="Tour_Metz").click()
    await ours.get_by_role("button", name="Une place de plus").click()
    await ours.get_by_role("button", name="Réserver").click()

    await expect(ours.get_by_role("main")).to_contain_text(re.compile(r"10\s*places restantes"))
    await expect(_card(theirs, "Tour_Metz")).to_contain_text(re.compile(r"10\s*places restantes"))
    assert api.get("/api/tours/tour_metz").json()["available_seats"] == 10

    await ours.get_by_role("button", name="Annuler la réservation").click()
    await ours.get_by_role("button", name="Oui, annuler").click()
    await expect(_card(theirs, "Tour_Metz")).to_contain_text(re.compile(r"12\s*places restantes"))
    assert (wrong_here, wrong_there) == ([], [])


async def test_the_page_says_when_it_is_cut_off_and_comes_back_on_the_truth(
    world, tmp_path, browser, create_tour, book, free_port
):
    """The process is killed, seats are sold after its return before the page is back: no reload is needed."""
    ports = (free_port(), free_port())
    running, api, _ = world.serve(tmp_path / "data", ports)
    create_tour(api, "tour_albi", 9)
    page, _ = await _open(browser, str(api.base_url))
    await expect(_card(page, "Tour_Albi")).to_contain_text(re.compile(r"9\s*places restantes"))

    running.kill()
    await expect(page.get_by_role("banner")).not_to_contain_text("En direct")
    await expect(_card(page, "Tour_Albi")).to_contain_text(re.compile(r"9\s*places restantes"))
    _, api, _ = world.serve(tmp_path / "data", ports)
    book(api, "tour_albi", 4)

    await expect(_card(page, "Tour_Albi")).to_contain_text(
        re.compile(r"5\s*places restantes"), timeout=30_000
    )
    await expect(page.get_by_role("banner")).to_contain_text("En direct")


async def test_the_api_documentation_loads_from_this_origin_alone(world, tmp_path, browser):
    """/docs shows the booking route, with every script served by us."""
    _, api, _ = world.serve(tmp_path)

    page, wrong = await _open(browser, str(api.base_url.join("/docs")))

    await expect(page.get_by_text("/api/tours/{tour_id}/book").first).to_be_visible()
    assert wrong == []


async def test_a_browser_without_websockets_follows_a_stream_across_a_restart(
    world, tmp_path, browser, create_tour, book, free_port
):
    """Chromium's own EventSource comes back by itself with its cursor; and its fetch gets 304 by itself."""
    ports = (free_port(), free_port())
    running, api, _ = world.serve(tmp_path / "data", ports)
    create_tour(api, "tour_metz", 12)
    create_tour(api, "tour_albi", 9)
    page, _ = await _open(browser, str(api.base_url))
    await page.evaluate("""() => {
        window.told = [];
        const events = new EventSource("/api/tours/availability/stream");
        events.onmessage = ({ data, lastEventId }) => window.told.push({ ...JSON.parse(data), lastEventId });
    }""")

    async def told(kind: str, **fields: object) -> dict[str, object]:
        wanted = {"type": kind, **fields}
        script = "(wanted) => window.told.find((m) => Object.keys(wanted).every((k) => m[k] === wanted[k]))"
        handle = await page.wait_for_function(script, arg=wanted, timeout=30_000)
        found: dict[str, object] = await handle.json_value()
        return found

    await told("INITIAL_STATE", tourId="tour_metz", availableSeats=12)
    await told("INITIAL_STATE", tourId="tour_albi", availableSeats=9)
    book(api, "tour_metz", 2)
    assert (await told("AVAILABILITY_UPDATE", tourId="tour_metz", availableSeats=10))["lastEventId"]

    assert running.stop() == 0
    await told("RECONNECT")
    await page.evaluate("window.told.length = 0")
    _, api, _ = world.serve(tmp_path / "data", ports)

    # Another process, which was never where the browser was in its own time: but it knows the state by its cursor.
    assert (await told("WELCOME"))["resumed"] is True
    book(api, "tour_albi", 4)
    await told("AVAILABILITY_UPDATE", tourId="tour_albi", availableSeats=5)
    assert await page.evaluate("window.told.some((m) => m.type === 'INITIAL_STATE')") is False

    answers: list[int] = []
    page.on("response", lambda r: answers.append(r.status) if r.url.endswith("/availability") else None)
    ask = "async () => (await (await fetch('/api/tours/availability')).json()).messages.length"
    assert [await page.evaluate(ask) for _ in range(2)] == [2, 2]
    assert answers


@pytest.mark.parametrize(
    ("blocked", "via"),
    [
        ("window.WebSocket = class { constructor() { throw new Error('blocked'); } };", "flux HTTP"),
        (
            """
            window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.({ code: 1006 }), 10); } close() {} };
            const real = window.fetch;
            window.fetch = (url, init) => String(url).includes("/stream") ? Promise.reject(new Error("blocked")) : real(url, init);
            """,
            "intervalles rapprochés",
        ),
    ],
    ids=["stream", "poll"],
)
async def test_the_page_follows_by_another_way_where_websockets_are_blocked_and_says_so(
    world, tmp_path, browser, create_tour, book, free_port, blocked, via
):
    """Over the stream, or where that is blocked too by polling; also across a restart and a tour that is closed."""
    ports = (free_port(), free_port())
    running, api, _ = world.serve(tmp_path / "data", ports)
    create_tour(api, "tour_metz", 12)
    create_tour(api, "tour_albi", 9)
    context = await browser.new_context(locale="fr-FR")
    await context.add_init_script(blocked)
    page = await context.new_page()
    await page.goto(str(api.base_url))
    badge = page.get_by_role("banner").locator(".connection")

    await expect(badge).to_contain_text("En direct, autre voie", timeout=20_000)
    assert via in (await badge.get_attribute("title") or "")
    book(api, "tour_metz", 2)
    await expect(_card(page, "Tour_Metz")).to_contain_text(re.compile(r"10\s*places restantes"))

    assert running.stop() == 0
    await expect(badge).not_to_contain_text("En direct")
    _, api, _ = world.serve(tmp_path / "data", ports)
    book(api, "tour_metz", 3)
    api.patch("/api/tours/tour_albi", json={"closed": True}, headers=STAFF).raise_for_status()
    await expect(badge).to_contain_text("En direct, autre voie", timeout=40_000)
    await expect(_card(page, "Tour_Metz")).to_contain_text(re.compile(r"7\s*places restantes"))
    await expect(_card(page, "Tour_Albi")).to_have_count(0)
    book(api, "tour_metz", 1)
    await expect(_card(page, "Tour_Metz")).to_contain_text(re.compile(r"6\s*places restantes"))
