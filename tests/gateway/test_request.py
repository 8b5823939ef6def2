"""Reading one HTTP request and writing its answer, without sockets."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast.gateway.request import MAX_FIELDS, Refused, Request, parse, response, switching

PLAIN = b"GET /ws?a=b HTTP/1.1\r\nHost: x\r\nAccept:*/*\r\nX-Empty:\r\n\r\n"


def status(head):
    found = parse(head)
    return found.status.value if isinstance(found, Refused) else 200


def test_a_request_is_read():
    found = parse(PLAIN)
    assert isinstance(found, Request)
    assert (found.method, found.target) == ("GET", b"/ws?a=b")
    assert list(found.headers.items()) == [("Host", "x"), ("Accept", "*/*"), ("X-Empty", "")]


def test_fields_may_come_several_times_in_any_case_and_with_space_around():
    found = parse(b"GET / HTTP/1.1\r\nconnection: keep-alive\r\nCONNECTION: \t Upgrade \t\r\n\r\n")
    assert found.headers.getall("Connection") == ["keep-alive", "Upgrade"]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.0\r\n\r\n", 405),
        (b"CONNECT x:1 HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nSpace : 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: 1\n\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\n\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / x HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.11\r\n\r\n", 400),
        (b"get\x00 / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"A: 1\r\n" * MAX_FIELDS + b"\r\n", 200),
        (b"GET / HTTP/1.1\r\n" + b"A: 1\r\n" * (MAX_FIELDS + 1) + b"\r\n", 431),
    ],
)
def test_what_is_served_and_what_is_refused(head, expected):
    assert status(head) == expected


@pytest.mark.parametrize("line", [b"GET / HTTP/1.0", b"HEAD / HTTP/1.1"])
def test_what_cannot_upgrade_asks_in_vain(line):
    assert "Upgrade" not in parse(line + b"\r\nUpgrade: websocket\r\n\r\n").headers


@given(st.binary(max_size=200), st.integers(0, len(PLAIN)), st.integers(0, 20))
def test_whatever_comes_is_read_or_refused_with_fixed_words(noise, at, cut):
    """Nothing that was sent is ever told back."""
    found = parse(PLAIN[:at] + noise + PLAIN[at + cut :])
    if isinstance(found, Refused):
        assert found.text in TEXTS


TEXTS = {
    "This is not an HTTP request\n",
    "HTTP/1.1 is needed\n",
    "Only GET is served\n",
    "A request with a body is not served\n",
    "The request's head is too large\n",
}


def test_an_answer_closes_and_says_how_long_it_is():
    head, body = response(HTTPStatus.NOT_FOUND, b"Nothing\n", (("Retry-After", "2"),)).split(b"\r\n\r\n")
    assert body == b"Nothing\n"
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 404 Not Found"
    assert {b"Retry-After: 2", b"Content-Type: text/plain; charset=utf-8", b"Content-Length: 8"} < set(lines)
    assert b"Connection: close" in lines


def test_an_answer_to_head_has_no_body():
    found = response(HTTPStatus.OK, b"Nothing\n", (("Content-Type", "x/y"),), bodiless=True)
    assert found.endswith(b"\r\n\r\n")
    assert b"Content-Length: 8\r\n" in found
    assert found.count(b"Content-Type") == 1


def test_the_accepting_answer_is_the_one_of_the_rfc():
    """RFC 6455, 1.3."""
    found = switching("dGhlIHNhbXBsZSBub25jZQ==", (("Sec-WebSocket-Protocol", "chat"),))
    assert found.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in found
    assert found.endswith(b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
