"""Which pages may connect (RFC 6455, 10.2): a browser names a page's origin, and does not let the page lie."""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

ANY: Final = "*"
OPAQUE: Final = "null"
"""What a browser calls a page of no origin: one opened from a file, or in a sandbox."""

_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?")
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def normal(origin: str) -> str | None:
    """Return `scheme://host[:port]` in one spelling, also `*` and `null`; None for what is no origin."""
    origin = origin.lower()
    if origin in (ANY, OPAQUE):
        return origin
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return None
    scheme, host, port = found.groups()
    if port is not None and not 1 <= int(port) <= 65_535:
        return None
    return f"{scheme}://{host}" if port in (None, _DEFAULT_PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


class Origins:
    """The pages that may connect.

    `allowed` has their origins, `*` for all. Without any it is the pages of the host that the socket itself was
    asked of, on whatever port: page and socket of one machine have different ones. The names of the loopback
    are one host.
    """

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(filter(None, map(normal, allowed)))

    def allow(self, origin: str, host: str) -> bool:
        """Return whether a page of `origin` may connect where it asked for `host`, as in the Host header."""
        if ANY in self._allowed:
            return True
        if self._allowed:
            return normal(origin) in self._allowed
        page, socket = _ORIGIN.fullmatch(origin.lower()), _HOST.fullmatch(host.lower())
        if page is None or socket is None or page[1] not in _DEFAULT_PORTS:
            return False
        return page[2] == socket[1] or (_is_loopback(page[2]) and _is_loopback(socket[1]))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
