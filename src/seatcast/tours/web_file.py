"""A file of the built front end as browsers ask for it: once, then again by its tag, and in gzip where they take that."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response

_REFUSED: Final = re.compile(r"q=0(\.0*)?")
_TEXT: Final = ("text/", "application/json", "image/svg+xml")

WORTH_GZIP: Final = 1_400
"""Bytes from which on a text is compressed: less is one packet anyway."""


class WebFile:
    """A file, read at the first request for it: what was built does not change while it is served."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.kind: Final = mimetypes.guess_type(path.name)[0] or "application/octet-stream"

    @cached_property
    def content(self) -> bytes:
        return self._path.read_bytes()

    @cached_property
    def tag(self) -> str:
        """Its `ETag`: weak, since it names the content in whatever coding."""
        return f'W/"{hashlib.sha256(self.content).hexdigest()[:20]}"'

    @cached_property
    def gzipped(self) -> bytes | None:
        """The content in gzip, None where that is not worth it."""
        if not self.kind.startswith(_TEXT) or len(self.content) < WORTH_GZIP:
            return None
        return gzip.compress(self.content, mtime=0)

    def answer(self, request: Request[Any, Any, Any], headers: dict[str, str]) -> Response[bytes]:
        """Return the whole file, or 304 to whoever has it."""
        headers = headers | {"ETag": self.tag, "Vary": "Accept-Encoding"}
        if self.tag in _listed(request.headers.get("If-None-Match", "")):
            return Response(b"", status_code=304, media_type=self.kind, headers=headers)
        if self.gzipped is not None and _takes_gzip(request.headers.get("Accept-Encoding", "")):
            return Response(
                self.gzipped, media_type=self.kind, headers=headers | {"Content-Encoding": "gzip"}
            )
        return Response(self.content, media_type=self.kind, headers=headers)


def _listed(field: str) -> list[str]:
    return [part.strip() for part in field.split(",")]


def _takes_gzip(field: str) -> bool:
    """Return whether an `Accept-Encoding` names gzip, and not only to refuse it."""
    weights = dict(part.replace(" ", "").partition(";")[::2] for part in _listed(field))
    return _REFUSED.fullmatch(weights.get("gzip", "q=0")) is None
