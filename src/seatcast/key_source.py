"""Where public keys come from, a file or a URL, and reading them anew while tokens are being verified.

Verifying never waits: `KeySource.find` answers from memory, `run` reads in the background. Keys that were read stay
valid while their source cannot be read. A token that names an unknown key makes `run` read at once (the
issuer may have a new key), but not again and again: anybody can invent names of keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import httpx
import structlog

from seatcast.key_set import InvalidKeySet, KeySet, SigningKey, parse
from seatcast.tokens import InvalidToken, KeysUnavailable

_log = structlog.get_logger(__name__)

MAX_BYTES: Final = 256 * 1024
TIMEOUT_SECONDS: Final = 5.0
"""For the whole answer, however slowly it comes."""

FILE_SECONDS: Final = 2.0
"""How often a file is looked at."""

AGAIN_SECONDS: Final = 10.0
"""How soon, at the earliest, keys are read again after a failure or for the sake of an unknown key."""

Read = Callable[[], Awaitable[bytes]]
"""Returns the JSON of a JWK Set, or raises `KeysUnreadable`."""


class KeysUnreadable(Exception):
    """The keys could not be read; one line that says why, without URLs."""


def from_file(path: Path) -> Read:
    """Return a reader of the file, in a thread: a disk may be far away.

    It reads all of it each time. That costs no more than to look at its date, and misses no change.
    """

    def read() -> bytes:
        try:
            with path.open("rb") as file:
                return _bounded(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise KeysUnreadable(f"cannot be read: {error.strerror}") from None

    return lambda: asyncio.to_thread(read)


def from_url(client: httpx.AsyncClient, url: str) -> Read:
    """Return a reader of the URL. Redirects are not followed: keys come from where they are configured to."""

    async def fetch() -> bytes:
        body = b""
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                # Not compressed, so that what is bounded is what is read.
                client.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as answer,
            ):  # fmt: skip
                if answer.status_code != httpx.codes.OK:
                    raise KeysUnreadable(f"answered {answer.status_code}")
                async for part in answer.aiter_raw():
                    body += part
                    if len(body) > MAX_BYTES:
                        break
        except (TimeoutError, httpx.TimeoutException):
            raise KeysUnreadable(f"no answer within {TIMEOUT_SECONDS:g} s") from None
        except httpx.HTTPError as error:
            # The kind alone: texts of errors may hold URLs.
            raise KeysUnreadable(f"cannot be reached ({type(error).__name__})") from None
        return _bounded(body)

    return fetch


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_BYTES:
        raise KeysUnreadable(f"is larger than {MAX_BYTES} bytes")
    return body


class KeySource:
    """The keys of one source. `where` names it in logs; `every` and `again` are seconds."""

    def __init__(self, read: Read, where: str, every: float, *, again: float = AGAIN_SECONDS) -> None:
        self._read = read
        self._where = where
        self._every = every
        self._again = again
        self._set: KeySet | None = None
        self._body: bytes | None = None
        self._tried = self._read_at = -math.inf
        self._wanted = asyncio.Event()
        self.problem: str | None = "not read yet"

    @property
    def loaded(self) -> bool:
        """Whether any keys were ever read."""
        return self._set is not None

    def find(self, algorithm: str, id: str | None) -> list[SigningKey]:
        """Return the keys to try for what a token's header says.

        Raises `InvalidToken` if there is none in what was read a moment ago, else `KeysUnavailable`, and has the
        keys read again.
        """
        found = [] if self._set is None else self._set.find(algorithm, id)
        if not found:
            if self.problem is None and time.monotonic() - self._read_at < self._again:
                raise InvalidToken("signed with an unknown key")
            self._wanted.set()
            raise KeysUnavailable("the key to check it with cannot be had at the moment")
        return found

    async def run(self) -> None:
        """Read again and again, for ever. `refresh` must have been called before."""
        while True:
            # Spread, so that many gateways that started together do not ask together.
            pause = min(self._every, self._again) if self.problem else self._every
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause * random.uniform(0.9, 1.1)):  # noqa: S311 - no secret
                    await self._wanted.wait()
                    await asyncio.sleep(self._tried + self._again - time.monotonic())
            await self.refresh()

    async def refresh(self) -> None:
        """Read once. What goes wrong is in `problem`, and logged once; the keys then stay as they were."""
        self._wanted.clear()
        self._tried = time.monotonic()
        try:
            body = await self._read()
            if body != self._body:
                self._take(parse(body))
                self._body = body
        except (KeysUnreadable, InvalidKeySet) as error:
            if str(error) != self.problem:
                _log.warning(
                    "Public keys cannot be read", source=self._where, reason=str(error), in_use=self._ids()
                )
            self.problem = str(error)
        else:
            self._read_at = self._tried
            self.problem = None

    def _take(self, keys: KeySet) -> None:
        self._set = keys
        for reason in keys.ignored:
            _log.warning("A public key is ignored", source=self._where, key=reason)
        _log.info("Public keys were read", source=self._where, keys=self._ids())

    def _ids(self) -> list[str]:
        return (
            [] if self._set is None else [f"{key.algorithm} {key.id or ''}".strip() for key in self._set.keys]
        )
