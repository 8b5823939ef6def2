"""People in front of the page: a browser each, what goes wrong in it, and how they sign in to the demo."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, expect

_REPORT = """
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    console.error(`policy violated: ${violatedDirective} ${blockedURI}`));
"""


async def visitor(browser: Browser, url: str, **context: Any) -> tuple[Page, list[str]]:
    """Open a page in a browser of its own; see `visit`. `context` is what Playwright calls it."""
    return await visit(await browser.new_context(**{"locale": "fr-FR"} | context), url)


async def visit(context: BrowserContext, url: str) -> tuple[Page, list[str]]:
    """Open a page in a new tab; return it and what goes wrong in it.

    That is: what is written to the console as an error, what the page's policy forbids, and every request to another
    origin.
    """
    page = await context.new_page()
    wrong: list[str] = []
    here = urlsplit(url).netloc
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda r: wrong.append(r.url) if urlsplit(r.url).netloc != here else None)
    await page.add_init_script(_REPORT)
    await page.goto(url)
    return page, wrong


async def sign_in(page: Page, name: str) -> None:
    """Be one of the demo's people: alice, bruno, camille (support), denis (staff) or emma (every role)."""
    header = page.get_by_role("banner")
    await header.get_by_role("button", name=re.compile("^(Se connecter|Sign in|Compte|Account)")).click()
    await header.get_by_role("button", name=re.compile(f"^{name} ")).click()
    await expect(
        header.get_by_role("button", name=re.compile(rf"^(Compte|Account)\s?: {name}$"))
    ).to_be_visible()
