"""The first page in Chromium: how soon who has never been there sees seats, and whether 200 live cards hold 60 frames a second.

A cold load is a new browser process with an empty profile, on `seatcast serve --demo`. The browser times it: from the
beginning of the navigation until the first tour's seats were presented (Element Timing), and until anything was (FCP).

Frames are counted in the browser's trace while a shop of 200 tours sells and takes back seats, 100 changes a second
through its REST route, of which the page is told by the gateway. Once every change is of a card in view; once they are
of all 200 while somebody scrolls. The shop's database is in memory: a disk would gather its changes into a few bursts.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from playwright.async_api import Page

from bench import load, tables
from bench.chromium import DESKTOP, PHONE, Frames, Screen, frames_during, stranger
from bench.follower import Booker, booking
from bench.outcomes import Outcome
from bench.parts import StackFailed
from bench.stacks import Stack, seatcast_embedded
from seatcast.domain import iso

TOURS = 200
FACTS_PER_SECOND = 100.0
CALLERS = 20
CAPACITIES = (11, 11, 40)
"""One seat less, and two of three tours are another colour: what costs a page most."""
PAINT_TARGET_MS = 1_000.0
FRAMES_TARGET = 0.99
"""As `Frames.shown`."""
FACTS_SHARE = 0.85
"""What the shop has to manage beside a browser that goes first, or nothing was measured."""
_SETTLE_SECONDS = 1.5
_SCREENS = (DESKTOP, PHONE)

# Runs before the page's own scripts. The mark is there before the figure is first painted.
_WATCH_SEATS = """
new MutationObserver((_, observer) => {
    const figure = document.querySelector("article [data-seats]");
    if (figure === null) return;
    observer.disconnect();
    figure.setAttribute("elementtiming", "seats");
}).observe(document, { subtree: true, childList: true });
window.painted = new Promise((resolve) => {
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (entry.identifier === "seats") resolve(entry.renderTime);
    }).observe({ type: "element", buffered: true });
});
"""
_PAINTED = """async () => {
    const seats = await window.painted;
    const sizes = performance.getEntriesByType("resource").map(({ transferSize }) => transferSize);
    return { seats, first: performance.getEntriesByName("first-contentful-paint")[0].startTime,
             bytes: sizes.reduce((sum, size) => sum + size, 0) };
}"""


class _Load(NamedTuple):
    """One cold load: milliseconds to the first paint of anything and of seats, and bytes beside the document's."""

    first: float
    seats: float
    size: float


async def measure(*, rounds: int, seconds: float) -> list[Outcome]:
    """Print both tables; returns the outcomes."""
    return [*await _cold_loads(rounds), *await _live_cards(seconds)]


# Cold loads


async def _cold_loads(rounds: int) -> list[Outcome]:
    rows, outcomes = [], []
    async with seatcast_embedded("--demo") as stack:
        for screen in _SCREENS:
            tables.progress(f"page: {rounds} cold loads, {screen.name}")
            loads = [await _cold_load(stack, screen) for _ in range(rounds)]
            first, seats = ([getattr(one, what) for one in loads] for what in ("first", "seats"))
            middle = tables.median(seats)
            outcome = Outcome(
                f"First seats, {screen.name}",
                f"{middle:.0f} ms",
                f"< {PAINT_TARGET_MS:.0f} ms",
                middle < PAINT_TARGET_MS,
            )
            outcomes.append(outcome)
            figures = (tables.median(first), middle, max(seats), loads[0].size / 1_024)
            rows.append([screen.name, *(f"{figure:.0f}" for figure in figures), str(outcome)])
    tables.show(
        f"From nothing to seats, `serve --demo`, {rounds} cold loads each, ms",
        ["", "first paint, median", "seats painted, median", "worst", "loaded KiB", "target"],
        rows,
    )
    return outcomes


async def _cold_load(stack: Stack, screen: Screen) -> _Load:
    async with stranger(screen) as (_, page):
        await page.add_init_script(_WATCH_SEATS)
        # A browser that has just started is still busy with itself.
        await asyncio.sleep(_SETTLE_SECONDS)
        await page.goto(f"http://127.0.0.1:{stack.api_port}/", wait_until="commit")
        found = await asyncio.wait_for(page.evaluate(_PAINTED), 30)
        return _Load(found["first"], found["seats"], found["bytes"])


# Live cards


async def _live_cards(seconds: float) -> list[Outcome]:
    rows, outcomes = [], []
    async with seatcast_embedded(on_disk=False) as stack:
        shop = _Shop(stack)
        await shop.stock()
        for screen in _SCREENS:
            for moving in (False, True):
                name = f"{screen.name}, {'scrolled' if moving else 'all in view'}"
                tables.progress(f"page: {seconds:g} s of live cards, {name}")
                async with shop.selling(TOURS if moving else screen.cards):
                    frames, rate = await _watched(shop, screen, seconds, moving=moving)
                share = frames.shown / max(frames.wanted, 1)
                outcome = Outcome(
                    f"200 live cards, {name}",
                    f"{share:.1%} of frames shown",
                    f">= {FRAMES_TARGET:.0%}",
                    share >= FRAMES_TARGET and rate > FACTS_PER_SECOND * FACTS_SHARE,
                )
                outcomes.append(outcome)
                whole = frames.whole / max(frames.wanted, 1)
                shares = (f"{frames.wanted / frames.seconds:.1f}", f"{share:.1%}", f"{whole:.1%}")
                worked = (f"{frames.busy:.0%}", f"{frames.longest_ms:.0f}")
                rows.append([name, f"{rate:.0f}", *shares, *worked, str(outcome)])
    tables.show(
        f"{TOURS} live cards, {FACTS_PER_SECOND:g} facts/s, {seconds:g} s each",
        ["", "facts/s", "frames wanted/s", "shown", "whole", "main thread", "longest task, ms", "target"],
        rows,
    )
    return outcomes


async def _watched(shop: _Shop, screen: Screen, seconds: float, *, moving: bool) -> tuple[Frames, float]:
    """Return the page's frames, and how many facts a second there were meanwhile."""
    async with stranger(screen) as (browser, page):
        await page.goto(f"http://127.0.0.1:{shop.stack.api_port}/")
        await page.get_by_role("article").nth(TOURS - 1).wait_for(state="attached")
        await asyncio.sleep(_SETTLE_SECONDS)
        rate = 0.0

        async def watch() -> None:
            nonlocal rate
            before, began = shop.changes, time.perf_counter()
            await (_scroll(page, seconds) if moving else asyncio.sleep(seconds))
            rate = (shop.changes - before) / (time.perf_counter() - began)

        return await frames_during(browser, page, watch()), rate


async def _scroll(page: Page, seconds: float) -> None:
    """As a wheel does, down and up again."""
    end = time.perf_counter() + seconds
    session = await page.context.new_cdp_session(page)
    way = 1
    while time.perf_counter() < end:
        gesture = {"x": 150, "y": 300, "yDistance": -way * 2_000, "speed": 1_000}
        await session.send("Input.synthesizeScrollGesture", gesture)
        way = -way


class _Shop:
    """Tours on sale, and travellers who book a seat somewhere or give it back."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.changes = 0
        self._closed = False

    async def stock(self) -> None:
        """Create the tours, each with a departure."""
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        async with booking(self.stack.api_port) as booker:
            for number in range(TOURS):
                departure = {
                    "id": f"departure-{number}",
                    "startsAt": iso(now + timedelta(weeks=1, hours=number % 24)),
                    "capacity": CAPACITIES[number % len(CAPACITIES)],
                }
                tour = {
                    "id": f"tour-{number}",
                    "name": f"Visite {number:03}",
                    "price": 30,
                    "departures": [departure],
                }
                request = load.post("/api/tours", json.dumps(tour).encode(), token=self.stack.staff)
                _answered(await booker.send(request))

    @asynccontextmanager
    async def selling(self, tours: int) -> AsyncIterator[None]:
        """Sell the first tours inside the context."""
        async with AsyncExitStack() as opened:
            bookers = [await opened.enter_async_context(booking(self.stack.api_port)) for _ in range(CALLERS)]
            group = await opened.enter_async_context(asyncio.TaskGroup())
            self._closed = False
            for caller, booker in enumerate(bookers):
                group.create_task(self._sell(caller, booker, range(caller % tours, tours, CALLERS)))
            try:
                yield
            finally:
                self._closed = True

    async def _sell(self, caller: int, booker: Booker, tours: range) -> None:
        booked: dict[int, str] = {}
        due = time.perf_counter() + caller / FACTS_PER_SECOND
        for turn in itertools.count():
            if not self._closed:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            # Neighbours on the page do not change together.
            tour = tours[turn * 37 % len(tours)]
            if (earlier := booked.pop(tour, None)) is not None:
                _answered(await booker.send(load.delete(f"/api/bookings/{earlier}")))
            elif not self._closed:
                booked[tour] = await self._book(booker, tour)
            elif not booked:
                return
            self.changes += 1
            due += CALLERS / FACTS_PER_SECOND

    async def _book(self, booker: Booker, tour: int) -> str:
        body = json.dumps({"seatsToBook": 1, "departureId": f"departure-{tour}"}).encode()
        answer = _answered(await booker.send(load.post(f"/api/tours/tour-{tour}/book", body)))
        found: str = json.loads(answer)["booking"]["id"]
        return found


def _answered(answer: tuple[int, bytes]) -> bytes:
    status, body = answer
    if status not in (200, 201):
        raise StackFailed(f"the shop was answered {status}: {body[:300]!r}")
    return body
