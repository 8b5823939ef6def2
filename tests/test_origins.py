"""Which pages may connect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast.origins import Origins, normal


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://tours.example:3001", "tours.example:8080", True),
        ("https://tours.example", "tours.example", True),
        ("https://TOURS.example", "tours.Example:443", True),
        ("http://192.168.1.5:3001", "192.168.1.5:8080", True),
        ("http://[2001:db8::1]:3001", "[2001:db8::1]:8080", True),
        # The lesson's React client: another port of localhost, whatever the loopback is called.
        ("http://localhost:3000", "localhost:8080", True),
        ("http://localhost:5173", "127.0.0.1:8080", True),
        ("http://127.0.0.1:5173", "localhost:8080", True),
        ("http://[::1]:5173", "127.0.0.2:8080", True),
        ("http://app.localhost:5173", "localhost:8080", True),
        ("https://evil.example", "tours.example", False),
        ("https://evil.example", "localhost:8080", False),
        ("http://localhost:3000", "tours.example", False),
        ("https://tours.example.evil.example", "tours.example", False),
        ("https://eviltours.example", "tours.example", False),
        ("https://localhost.evil.example", "localhost:8080", False),
        ("https://sub.tours.example", "tours.example", False),
        ("null", "localhost:8080", False),
        ("null", "null", False),
        ("file://", "localhost:8080", False),
        ("chrome-extension://tours.example", "tours.example", False),
        ("https://tours.example/", "tours.example", False),
        ("https://user@tours.example", "tours.example", False),
        ("https://tours.example https://evil.example", "tours.example", False),
        ("tours.example", "tours.example", False),
        ("", "", False),
        ("http://", "", False),
    ],
)
def test_by_default_the_pages_of_the_same_host(origin, host, allowed):
    assert Origins().allow(origin, host) is allowed


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        (["https://tours.example"], "https://tours.example", True),
        (["https://tours.example:443"], "https://Tours.example", True),
        (["https://tours.example"], "https://tours.example:443", True),
        (["https://a.example", "http://b.example:81"], "http://b.example:81", True),
        (["https://tours.example"], "http://tours.example", False),
        (["https://tours.example"], "https://tours.example:8443", False),
        (["https://tours.example"], "https://www.tours.example", False),
        # Whoever lists has said all: the host's own pages are no exception, nor is what is no origin.
        (["https://tours.example"], "http://gateway.example", False),
        (["https://tours.example"], "null", False),
        (["https://tours.example"], "rubbish", False),
        (["null"], "null", True),
        (["null"], "http://gateway.example", False),
        (["*"], "https://evil.example", True),
        (["*"], "null", True),
        (["capacitor://localhost"], "capacitor://localhost", True),
    ],
)
def test_a_list_is_the_whole_truth(listed, origin, allowed):
    assert Origins(listed).allow(origin, "gateway.example") is allowed


@pytest.mark.parametrize(
    "wrong", ["tours.example", "https://", "https://a.example/x", "https://a:99999", "https://*.example", ""]
)
def test_what_is_no_origin(wrong):
    assert normal(wrong) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_breaks_it(origin, host):
    assert Origins(["https://tours.example"]).allow(origin, host) is (
        normal(origin) == "https://tours.example"
    )
    Origins().allow(origin, host)
