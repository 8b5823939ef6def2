"""Debian's Chromium as a stranger's: a new process with an empty profile, and what its own traces say of its frames."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from bench.parts import StackFailed
from bench.quiet import put_ahead

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_CATEGORIES = ("cc", "benchmark", "blink.user_timing", "toplevel", "devtools.timeline")
_BEGIN, _END = "window begins", "window ends"


@dataclass(frozen=True)
class Screen:
    """A device's width, and how it is touched."""

    name: str
    viewport: ViewportSize
    scale: float
    mobile: bool
    cards: int
    """How many of the dashboard's cards it shows at once."""


DESKTOP = Screen("desktop, 1440 x 900", {"width": 1440, "height": 900}, 1.0, False, 9)
PHONE = Screen("phone, 360 x 740 at 2x", {"width": 360, "height": 740}, 2.0, True, 2)


@asynccontextmanager
async def stranger(screen: Screen) -> AsyncIterator[tuple[Browser, Page]]:
    """Open a browser that has never been anywhere; yields it and its one page."""
    program = shutil.which("chromium")
    if program is None:
        raise StackFailed("this needs Chromium (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*_FLAGS])
        try:
            context = await browser.new_context(
                viewport=screen.viewport,
                device_scale_factor=screen.scale,
                is_mobile=screen.mobile,
                has_touch=screen.mobile,
                locale="fr-FR",
            )
            page = await context.new_page()
            told = await (await browser.new_browser_cdp_session()).send("SystemInfo.getProcessInfo")
            for process in told["processInfo"]:
                put_ahead(process["id"])
            yield browser, page
        finally:
            await browser.close()


@dataclass(frozen=True)
class Frames:
    """What a trace says of a window of time.

    `wanted` are the ticks, 60 a second, at which there was something new to show. At `shown` of them it was; at `whole`
    of those with everything that the page had changed, which at the others came a tick later, after what was scrolled.
    `busy` is the share of time in which the page's main thread worked; `longest_ms` its longest task.
    """

    seconds: float
    wanted: int
    shown: int
    whole: int
    busy: float
    longest_ms: float


async def frames_during(browser: Browser, page: Page, doing: Awaitable[None]) -> Frames:
    """Trace the page while `doing` is done."""
    await browser.start_tracing(page=page, categories=list(_CATEGORIES))
    await page.evaluate(f"performance.mark({_BEGIN!r})")
    await doing
    await page.evaluate(f"performance.mark({_END!r})")
    return read_frames(json.loads(await browser.stop_tracing())["traceEvents"])


def read_frames(events: list[dict[str, Any]]) -> Frames:
    """Count what is in a trace between our two marks."""
    marks = {event["name"]: event for event in events if event["name"] in (_BEGIN, _END)}
    begin, end = marks[_BEGIN], marks[_END]
    ours = [
        event
        for event in events
        if event["pid"] == begin["pid"] and begin["ts"] <= event.get("ts", 0) < end["ts"]
    ]
    # A tick has one report or, where the compositor did not wait for the page, another for the page's part.
    ticks: dict[int, list[_Report]] = defaultdict(list)
    for event in ours:
        if event["name"] == "PipelineReporter" and event["ph"] == "b":
            report = _Report(**{name: event["args"]["frame_reporter"][name] for name in _Report._fields})
            if report.state != "STATE_NO_UPDATE_DESIRED":
                ticks[event["args"]["frame_reporter"]["frame_sequence"]].append(report)
    seconds = (end["ts"] - begin["ts"]) / 1e6
    tasks = [
        event.get("dur", 0)
        for event in ours
        if event["name"] == "ThreadControllerImpl::RunTask" and event["tid"] == begin["tid"]
    ]
    return Frames(
        seconds,
        wanted=len(ticks),
        shown=sum(any(report.shown for report in reports) for reports in ticks.values()),
        whole=sum(all(report.whole for report in reports) for reports in ticks.values()),
        busy=sum(tasks) / 1e6 / seconds,
        longest_ms=max(tasks, default=0) / 1e3,
    )


class _Report(NamedTuple):
    """What became of a frame, or of the page's part of it."""

    state: str
    has_high_latency: bool

    @property
    def shown(self) -> bool:
        return self.state in ("STATE_PRESENTED_ALL", "STATE_PRESENTED_PARTIAL") and not self.has_high_latency

    @property
    def whole(self) -> bool:
        return self.state == "STATE_PRESENTED_ALL" and not self.has_high_latency
