"""axe on every page of the application, at the width of a phone and of a desk, light and dark: no violation."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from .axe import violations
from .conftest import ROOT

PATHS = re.findall(r'path: "([^"]+)"', (ROOT / "frontend" / "src" / "places.tsx").read_text())
# What may be missing is once, and once not.
PLACES = PATHS + [path.rpartition("/")[0] for path in PATHS if path.endswith("?")]
EXAMPLES = {":tourId": "tour_paris", ":travellerId?": "alice"}
WAYS = [(1440, "fr", "light"), (360, "en", "dark")]


def _demo(world, tmp_path, free_port):
    """Run the demo with a description, a booking and a conversation; return its address and a token for all roles."""
    port, api_port = free_port(), free_port()
    running = world.seatcast(
        "serve", "--demo", "--port", str(port), "--api-port", str(api_port), "--data-dir", str(tmp_path)
    )
    running.line("Seatcast is listening")
    api = httpx.Client(base_url=f"http://127.0.0.1:{api_port}")
    world.clients.append(api)

    def post(path, body, user="emma", roles=("admin", "staff", "support")):
        token = api.post("/api/demo/sessions", json={"userId": user, "roles": list(roles)}).json()["token"]
        api.post(path, json=body, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
        return token

    post("/api/conversations/support/messages", {"message": "Bonjour"}, "alice", ())
    post("/api/tours/tour_louvre/book", {"seatsToBook": 1})
    edit = {"changes": {"field": "description", "value": "Deux heures au fil de la Seine."}, "id": "axe"}
    return str(api.base_url), post("/api/documents/tour_paris/edits", edit)


@pytest.mark.parametrize(("width", "language", "scheme"), WAYS)
async def test_axe_finds_nothing_on_any_page(
    world, tmp_path, free_port, browser, subtests, width, language, scheme
):
    url, token = _demo(world, tmp_path, free_port)
    for place in PLACES:
        for name, example in EXAMPLES.items():
            place = place.replace(name, example)
        with subtests.test(place):
            context = await browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
            )
            page = await context.new_page()
            await page.goto(f"{url}{place}?lang={language}#token={token}")
            # Each page has one; on a phone, an open conversation's is for those who do not see it.
            await expect(page.locator("#content h1")).to_have_count(1)
            await expect(page.get_by_role("banner")).to_contain_text(
                "En direct" if language == "fr" else "Live"
            )
            await expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
            assert await violations(page) == []
            # Nothing is wider than the page.
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            await context.close()


async def test_axe_would_say_so(browser):
    page = await browser.new_page()
    await page.set_content(
        "<html><body><img src='x'><p style='color:#ccc;background:#fff'>pale</p></body></html>"
    )
    assert {"image-alt", "color-contrast"} <= {line.split()[0] for line in await violations(page)}
