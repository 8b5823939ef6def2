"""`<tour-availability>` on a site of another origin, in Debian's Chromium, against a real process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.async_api import Browser, Page, WebSocket, expect

from .axe import violations
from .conftest import ROOT

PLAIN = ROOT / "examples/plain"

PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>Agence</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/site.css"><script src="{api}/widget.js" async></script></head>
<body><main><h1>Visites</h1>
<tour-availability id="plain" tour="tour_metz" api="{api}" href="/metz"><span>99 places</span></tour-availability>
<tour-availability id="themed" tour="tour_metz" api="{api}/" lang="en"></tour-availability>
<tour-availability id="third" tour="tour_metz" api="{api}">Chargement</tour-availability>
<p id="after">Fin</p></main></body></html>
"""
STYLE = """
tour-availability { display: block; min-height: 12rem; }
#themed { color-scheme: dark; --seatcast-background: rgb(1, 2, 3); --seatcast-radius: 0px; }
#themed::part(name) { letter-spacing: 3px; }
"""


@dataclass
class Site:
    """A web site of another origin than the tours: its files, and the policy that it sends with each."""

    files: dict[str, str] = field(default_factory=dict)
    policy: str = "default-src 'none'"
    port: int = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def show(self, api: str, socket: str, files: dict[str, str]) -> None:
        """Show these files under the strictest policy that docs/widget.md promises to be enough."""
        self.files = files
        self.policy = (
            f"default-src 'none'; script-src {api}; connect-src {api} {socket.rstrip('/')}; style-src 'self';"
            " img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
        )


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, site: Site, *arguments: object) -> None:
        self.site = site
        super().__init__(*arguments)

    def do_GET(self) -> None:
        body = self.site.files.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header(
            "Content-Type", f"text/{'css' if self.path.endswith('.css') else 'html'}; charset=utf-8"
        )
        self.send_header("Content-Security-Policy", self.site.policy)
        self.send_header("Cache-Control", "public, max-age=3600")
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    """A site of its own port, which shows nothing yet."""
    site = Site()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, site)) as server:
        site.port = server.server_address[1]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@dataclass
class Visit:
    """A page, the WebSockets that it opened, and what went wrong in it."""

    page: Page
    sockets: list[WebSocket] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def open(self) -> int:
        return sum(not socket.is_closed() for socket in self.sockets)

    def tag(self, id: str):
        return self.page.locator(f"#{id} [part=box]")


async def _visit(browser: Browser, url: str, **context: object) -> Visit:
    visit = Visit(await (await browser.new_context(**context)).new_page())
    visit.page.on("websocket", lambda socket: visit.sockets.append(socket))
    visit.page.on("console", lambda line: visit.wrong.append(line.text) if line.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.wrong.append(str(error)))
    await visit.page.goto(url)
    return visit


def _root(api) -> str:
    return str(api.base_url).rstrip("/")


SHIFTS = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0)))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(0), 200);
})"""


@pytest.mark.timeout(180)
async def test_a_site_of_another_origin_shows_seats_as_they_are(
    world, tmp_path, browser, create_tour, book, free_port, eventually, site
):
    """Three tags over one connection, in two languages and a theme; a booking; a server that is killed and returns."""
    ports = (free_port(), free_port())
    allowed = ("--allowed-origins", site.origin)
    running, api, socket = world.serve(tmp_path / "data", ports, *allowed)
    create_tour(api, "tour_metz", 12)
    site.show(_root(api), socket, {"/": PAGE.format(api=_root(api)), "/site.css": STYLE})
    visit = await _visit(browser, site.origin)
    plain, themed, third = tags = [visit.tag(id) for id in ("plain", "themed", "third")]

    for tag in tags:
        await expect(tag).to_have_attribute("data-state", "live", timeout=20_000)
    await expect(plain).to_contain_text(re.compile(r"Tour_Metz\s*12\s*places restantes\s*Disponible"))
    await expect(themed).to_contain_text(re.compile(r"12\s*seats left\s*Available"))
    await expect(plain.get_by_role("link", name="Voir la visite\u00a0: Tour_Metz")).to_have_attribute(
        "href", "/metz"
    )
    # What the site's HTML said, however old a cache it came from, is gone.
    await expect(visit.page.get_by_text("99 places")).to_be_hidden()
    assert len(visit.sockets) == 1
    assert visit.sockets[0].url.endswith("/?tours=tour_metz")
    style = "(box) => [getComputedStyle(box).backgroundColor, getComputedStyle(box).borderRadius]"
    assert await themed.evaluate(style) == ["rgb(1, 2, 3)", "0px"]
    spacing = "(name) => getComputedStyle(name).letterSpacing"
    assert await themed.locator("[part=name]").evaluate(spacing) == "3px"
    assert await visit.page.evaluate(SHIFTS) == 0
    assert await violations(visit.page) == []
    assert visit.wrong == []

    book(api, "tour_metz", 9)
    for tag in tags:
        await expect(tag.locator("[part=figure]")).to_have_text("3", timeout=1_000)
    await expect(third).to_contain_text("Dernières places")

    running.kill()
    for tag in tags:
        await expect(tag).to_have_attribute("data-state", "old")
    await expect(plain).to_contain_text(re.compile(r"3\s*places restantes.*places d’il y a", re.DOTALL))
    await expect(themed).to_contain_text("seats as of")
    await expect(visit.page.get_by_text("99 places")).to_be_hidden()
    _, api, _ = world.serve(tmp_path / "data", ports, *allowed)
    book(api, "tour_metz", 3)
    for tag in tags:
        await expect(tag).to_have_attribute("data-state", "live", timeout=40_000)
        await expect(tag.locator("[part=figure]")).to_have_text("0")
    await expect(plain).to_contain_text("Complet")

    await visit.page.evaluate("document.querySelectorAll('tour-availability').forEach((tag) => tag.remove())")
    await eventually(lambda: visit.open == 0)


async def test_a_page_that_may_not_keeps_what_the_site_wrote(world, tmp_path, browser, create_tour, site):
    """Another origin than those allowed reads nothing, neither over REST nor over a WebSocket."""
    _, api, socket = world.serve(tmp_path, None, "--allowed-origins", "https://agency.example")
    create_tour(api, "tour_metz", 12)
    site.show(_root(api), socket, {"/": PAGE.format(api=_root(api)), "/site.css": STYLE})
    visit = await _visit(browser, site.origin)

    await expect(visit.tag("plain")).to_have_attribute("data-state", "unreachable", timeout=20_000)
    await expect(visit.page.get_by_text("99 places")).to_be_visible()
    await expect(visit.tag("themed")).to_contain_text("Live seats are unavailable at the moment")


async def test_without_javascript_the_tag_is_what_the_site_wrote(world, tmp_path, browser, site):
    """The content of a tag that nobody brings to life is ordinary text."""
    site.show("http://127.0.0.1:9", "ws://127.0.0.1:9", {"/": PAGE.format(api="http://127.0.0.1:9")})
    visit = await _visit(browser, site.origin, java_script_enabled=False)

    await expect(visit.page.get_by_text("99 places")).to_be_visible()


async def test_the_example_is_live_and_nothing_in_it_goes_wrong(world, tmp_path, browser, create_tour, site):
    """The files of `examples/plain`, with the address of this test's tours in them."""
    _, api, socket = world.serve(tmp_path, None, "--allowed-origins", "*")
    for id in ("tour_paris", "tour_london", "tour_louvre"):
        create_tour(api, id, 12)
    page = (PLAIN / "index.html").read_text().replace("http://127.0.0.1:3001", _root(api))
    site.show(_root(api), socket, {"/": page, "/site.css": (PLAIN / "site.css").read_text()})
    visit = await _visit(browser, site.origin)

    boxes = visit.page.locator("tour-availability [part=box]")
    await expect(boxes).to_have_count(3)
    for at in range(3):
        await expect(boxes.nth(at)).to_have_attribute("data-state", "live", timeout=20_000)
    assert (len(visit.sockets), visit.wrong) == (1, [])
