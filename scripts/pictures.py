"""Take pictures of every page of the demo, as it is: `python scripts/pictures.py FOLDER`, or `--docs` for those in `docs/pictures/`.

Each page at the width of a phone and of a desk, in French and English, light and dark; those of the documentation are a few of
these. The demo runs on ports of its own with data of its own; Debian's Chromium looks at it.
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from playwright.sync_api import Browser, sync_playwright

ROOT: Final = Path(__file__).parents[1]
CHROMIUM: Final = "/usr/bin/chromium"
WIDTHS: Final = {"phone": (360, 780), "desk": (1440, 900)}
LANGUAGES: Final = ("fr", "en")
SCHEMES: Final = ("light", "dark")
EXAMPLES: Final = {":tourId": "tour_paris", ":travellerId?": "alice"}
"""What stands for the named parts of an address."""

OF_THE_DOCS: Final = {
    "tours": ("/", "desk", "fr", "light"),
    "tours-phone": ("/", "phone", "fr", "dark"),
    "tour": ("/tours/:tourId", "desk", "fr", "light"),
    "admin": ("/admin", "desk", "fr", "light"),
    "operate": ("/operate/tours/:tourId", "desk", "en", "light"),
    "support": ("/support/:travellerId?", "desk", "fr", "dark"),
    "description": ("/descriptions/:tourId", "desk", "fr", "light"),
}

DESCRIPTION: Final = (
    "Deux heures au fil de la Seine, du Pont-Neuf à la tour Eiffel.\n\n"
    "Rendez-vous un quart d’heure avant le départ, devant la fontaine. Prévoyez de bonnes chaussures."
)


def places() -> list[str]:
    """Return every address of the application, as `places.tsx` has them."""
    table = (ROOT / "frontend" / "src" / "places.tsx").read_text()
    return re.findall(r'path: "([^"]+)"', table)


def address(place: str) -> str:
    """Return an address with its named parts filled in."""
    for name, example in EXAMPLES.items():
        place = place.replace(name, example)
    return place


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Demo:
    """A running demo, with something on every page."""

    url: str

    def token(self, user: str, *roles: str) -> str:
        """Return a token for somebody."""
        sent = {"userId": user, "roles": list(roles)}
        answer = httpx.post(f"{self.url}/api/demo/sessions", json=sent).raise_for_status()
        token: str = answer.json()["token"]
        return token

    def furnish(self) -> None:
        """Have a description, bookings and a conversation there."""
        alice, emma = self.token("alice"), self.token("emma", "admin", "staff", "support")
        self._post("/api/documents/tour_paris/edits", emma, {
            "changes": {"field": "description", "value": DESCRIPTION}, "id": "pictures",
        })  # fmt: skip
        for seats in (2, 1):
            self._post("/api/tours/tour_louvre/book", alice, {"seatsToBook": seats})
        say = "/api/conversations/alice/messages"
        self._post(
            "/api/conversations/support/messages", alice, {"message": "Bonjour, y a-t-il un ascenseur ?"}
        )
        self._post(say, emma, {"message": "Bonjour Alice ! Oui, à gauche de l’entrée."})
        self._post("/api/conversations/support/messages", alice, {"message": "Merci beaucoup."})
        bruno = self.token("bruno")
        self._post("/api/conversations/support/messages", bruno, {"message": "Peut-on venir avec un chien ?"})

    def _post(self, path: str, token: str, body: dict[str, object]) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        httpx.post(self.url + path, json=body, headers=headers).raise_for_status()


@contextmanager
def demo() -> Iterator[Demo]:
    """Run the demo, furnished."""
    port, api_port = _free_port(), _free_port()
    with tempfile.TemporaryDirectory(prefix="seatcast-pictures-") as folder:
        ports = ["--port", str(port), "--api-port", str(api_port)]
        command = [sys.executable, "-m", "seatcast", "serve", "--demo", *ports, "--data-dir", folder]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            here = Demo(f"http://127.0.0.1:{api_port}")
            _wait_for(f"{here.url}/health/ready")
            here.furnish()
            yield here
        finally:
            running.terminate()
            running.wait(20)


def _wait_for(url: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit("pictures: the demo did not start; run `make setup` and `seatcast serve --demo`")
        time.sleep(0.2)


def take(
    browser: Browser, here: Demo, place: str, width: str, language: str, scheme: str, file: Path
) -> None:
    """Look at one page, signed in as somebody who may do everything, and keep what is there."""
    wide, high = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="fr-FR" if language == "fr" else "en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    user = ("alice",) if place in ("/bookings",) else ("emma", "admin", "staff", "support")
    page.goto(f"{here.url}{address(place)}?lang={language}#token={here.token(*user)}")
    page.locator("#content h1").first.wait_for(state="attached")
    page.wait_for_timeout(2_500)  # figures and charts need something to show
    page.screenshot(path=file, full_page=width == "phone")
    context.close()


def main() -> None:
    """Take what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where to; all pages in all ways")
    parser.add_argument("--docs", action="store_true", help="those of the documentation, into docs/pictures/")
    options = parser.parse_args()
    if (options.folder is None) == (not options.docs):
        parser.error("name a folder, or --docs")
    wanted: dict[Path, tuple[str, str, str, str]] = {}
    if options.docs:
        wanted = {ROOT / "docs" / "pictures" / f"{name}.png": way for name, way in OF_THE_DOCS.items()}
    else:
        for place in places():
            name = address(place).strip("/").replace("/", "-") or "tours"
            for width in WIDTHS:
                for language in LANGUAGES:
                    for scheme in SCHEMES:
                        file = options.folder / f"{name}-{width}-{language}-{scheme}.png"
                        wanted[file] = (place, width, language, scheme)
    with demo() as here, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for file, way in wanted.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            take(browser, here, *way, file)
            print(file)
        browser.close()


if __name__ == "__main__":
    main()
