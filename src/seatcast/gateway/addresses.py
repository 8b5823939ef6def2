"""Who is calling, as limits count it: a client's address, behind proxies too. Pure; trusts nobody by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from multidict import CIMultiDict

_IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Address:
    """What is known of an address."""

    counted: str
    """Counted together: an IPv4 address, or the /64 of an IPv6 one, which belongs to one client whole."""
    local: bool
    """Of this machine itself: a test, or a proxy that nobody named."""
    trusted: bool
    """Of a proxy whose word on its clients is taken."""


class Addresses:
    """Tells clients from proxies. `trusted` are the proxies' networks, such as `10.0.0.0/8`."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted = tuple(map(ip_network, trusted))
        self.of = lru_cache(maxsize=1_024)(self._of)
        """Return what is known of a peer's address; one that is none (no socket of the Internet) is counted as it is."""

    def _of(self, text: str) -> Address:
        address = _parse(text)
        return Address(text, local=False, trusted=False) if address is None else self._known(address)

    def _known(self, address: _IPAddress) -> Address:
        return Address(
            counted=_counted(address),
            local=address.is_loopback,
            trusted=any(address in network for network in self._trusted),
        )

    def client(self, peer: Address, headers: CIMultiDict[str]) -> Address:
        """Return the address of the client behind a peer, which is the peer itself unless it is a trusted proxy.

        `X-Forwarded-For` is read from its right end, where the nearest proxy wrote: what stands left of the
        first address that is no trusted proxy's, anybody may have written. What is no address ends it too.
        """
        found = peer
        for text in _forwarded(headers) if peer.trusted else ():
            address = _parse(text)
            if address is None:
                break
            found = self._known(address)
            if not found.trusted:
                break
        return found


def _forwarded(headers: CIMultiDict[str]) -> Iterable[str]:
    """Yield the entries of every X-Forwarded-For line, the last one first."""
    for line in reversed(headers.getall("X-Forwarded-For", [])):
        yield from reversed(line.split(","))


def _parse(text: str) -> _IPAddress | None:
    """Return an address, also one with a port or in brackets, as some proxies write it; None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _counted(address: _IPAddress) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
