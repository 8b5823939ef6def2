"""What is around every page: its policy, its places, who is signed in and what they are told."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from .visitors import sign_in, visitor


def _places(page: Page):
    return page.get_by_role("navigation", name="Pages").get_by_role("link")


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
