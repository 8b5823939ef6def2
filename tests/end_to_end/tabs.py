"""Tabs of one Chromium window, of which all but the one in front are hidden.

Playwright shows every page to itself as if it were in front, and none can be hidden; so this speaks to the browser alone.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from ..servers import require_chromium


class Tab:
    """One tab."""

    def __init__(self, window: Window, target: str, session: str) -> None:
        self._window = window
        self._target = target
        self._session = session

    async def before(self, script: str) -> None:
        """Run a script in every page that the tab goes to, before the page's own."""
        await self._window.call("Page.enable", session=self._session)
        await self._window.call("Page.addScriptToEvaluateOnNewDocument", session=self._session, source=script)

    async def go(self, url: str) -> None:
        """Go to an address."""
        await self._window.call("Page.navigate", session=self._session, url=url)

    async def front(self) -> None:
        """Put it in front of the others, which are hidden then."""
        await self._window.call("Target.activateTarget", targetId=self._target)

    async def read(self, expression: str) -> Any:
        """Return what an expression is in the page."""
        told = await self._window.call(
            "Runtime.evaluate", session=self._session, expression=expression, returnByValue=True
        )
        return told["result"].get("value")

    async def until(self, expression: str, value: Any, seconds: float = 20.0) -> None:
        """Wait until an expression is a value."""
        try:
            async with asyncio.timeout(seconds):
                while (found := await self.read(expression)) != value:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{expression} is {found!r}, not {value!r}") from None


class Window:
    """A browser's only window."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._calls = 0

    async def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something and return its answer."""
        self._calls += 1
        number = self._calls
        command: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        await self._connection.send(json.dumps(command))
        while True:
            told = json.loads(await self._connection.recv())
            if told.get("id") == number:
                assert "error" not in told, told
                return dict(told["result"])

    async def tab(self) -> Tab:
        """Open another tab, in front."""
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        return Tab(self, target, session)


@asynccontextmanager
async def window(profile: Path) -> AsyncIterator[Window]:
    """Start a Chromium with a window of its own."""
    options = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--remote-debugging-port=0",
    )
    browser = await asyncio.create_subprocess_exec(
        require_chromium(), *options, f"--user-data-dir={profile}", stderr=asyncio.subprocess.PIPE
    )
    try:
        assert browser.stderr is not None
        async with asyncio.timeout(30):
            while (found := re.search(rb"ws://\S+", await browser.stderr.readline())) is None:
                assert browser.returncode is None, "Chromium ended"
        async with connect(found.group().decode(), max_size=None) as connection:
            yield Window(connection)
    finally:
        browser.kill()
        await browser.wait()
