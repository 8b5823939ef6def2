"""Which address a client has: its own, or what trusted proxies say of it and nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from seatcast.gateway.addresses import Addresses

PROXIES = Addresses(["10.0.0.0/8", "192.0.2.7", "2001:db8:aaaa::/48"])


def client(peer, *lines, addresses=PROXIES):
    headers = CIMultiDict(("x-forwarded-for", line) for line in lines)
    return addresses.client(addresses.of(peer), headers).counted


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
    ],
)
def test_what_is_counted_together(address, counted):
    assert Addresses().of(address).counted == counted


@pytest.mark.parametrize(
    ("address", "local"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False)]
)  # fmt: skip
def test_which_addresses_are_of_this_machine(address, local):
    assert Addresses().of(address).local is local


@pytest.mark.parametrize(
    ("peer", "lines", "expected"),
    [
        # Nobody is believed who was not named.
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("192.0.2.7", ["198.51.100.1"], "198.51.100.1"),
        ("192.0.2.8", ["198.51.100.1"], "192.0.2.8"),
        ("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("2001:db8:aaaa::1", ["2001:db8:1:2::99"], "2001:db8:1:2::/64"),
        # What the client wrote stands left of what the proxy wrote.
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["198.51.100.1", "10.9.9.9 ,10.8.8.8"], "198.51.100.1"),
        ("10.1.2.3", ["10.9.9.9, 10.8.8.8"], "10.9.9.9"),
        # As some proxies write it.
        ("10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.1.2.3", ["[2001:db8:1:2::99]:4711"], "2001:db8:1:2::/64"),
        ("10.1.2.3", ['"[2001:db8:1:2::99]"'], "2001:db8:1:2::/64"),
        ("10.1.2.3", ["::ffff:198.51.100.1"], "198.51.100.1"),
        # Garbage is nobody's address: the one who passed it on answers for it.
        ("10.1.2.3", ["unknown"], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1, unknown, 10.8.8.8"], "10.8.8.8"),
        ("10.1.2.3", ["198.51.100.1, 999.1.1.1"], "10.1.2.3"),
        ("10.1.2.3", ["[::1"], "::/64"),
    ],
)
def test_whom_a_peer_speaks_for(peer, lines, expected):
    assert client(peer, *lines) == expected


LINES = st.lists(
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)
    | st.lists(st.sampled_from(["10.1.1.1", "1.2.3.4", "::1", "[::1]:80", "x", " "])).map(",".join),
    max_size=4,
)


@given(LINES)
def test_what_a_client_writes_itself_changes_nothing(lines):
    """The proxy appends the address that it sees."""
    assert client("10.1.2.3", *lines, "198.51.100.1") == "198.51.100.1"
    if lines:
        assert client("10.1.2.3", *lines[:-1], lines[-1] + ", 198.51.100.1") == "198.51.100.1"


@given(LINES)
def test_without_trusted_proxies_the_header_is_not_read(lines):
    assert client("10.1.2.3", *lines, addresses=Addresses()) == "10.1.2.3"
