"""No token leaves by a log, an answer, a close or a metric: all of it is collected while tokens come by every road."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging

import httpx
import pytest
import structlog
import websockets

from seatcast import logs
from seatcast.all_in_one import all_in_one
from seatcast.config import Settings
from seatcast.tokens import Tokens

from .issuer import OTHER_RSA, RSA, Issuer, claims, key_set, public, token

SECRET = "a secret of more than sixteen bytes"
_LIBRARIES = (
    "seatcast",
    "aio_pika",
    "aiormq",
    "asyncio",
    "httpx",
    "httpcore",
    "uvicorn",
    "picows",
    "websockets",
)


@pytest.fixture
def everything():
    """What any logger says from DEBUG on, with tracebacks, as text; it grows."""
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, _LIBRARIES)]
    handlers, levels = root.handlers[:], [logger.level for logger in loggers]
    logs.configure("json", least=logging.DEBUG)
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(root.handlers[0].formatter)
    root.handlers[:] = [handler]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    # What the clients of this test say of themselves is not Seatcast's.
    quiet = [logging.getLogger(name) for name in ("websockets.client", "httpx", "httpcore")]
    for logger in quiet:
        logger.disabled = True
    yield out
    for logger in quiet:
        logger.disabled = False
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    root.handlers[:] = handlers
    structlog.reset_defaults()


def _tokens():
    """Tokens of every fate, by name."""
    secret = Tokens(SECRET)
    good = secret.mint("alice", ["staff"], 600)
    return {
        "good": good,
        "wrong signature": Tokens("another secret, just as long").mint("alice", [], 600),
        "expired": secret.mint("alice", [], -600),
        "published key": token("RS256", RSA, claims("alice", 600), kid="r"),
        "wrong key": token("RS256", OTHER_RSA, claims("alice", 600), kid="r"),
        "unknown key": token("RS256", OTHER_RSA, claims("alice", 600), kid="never-published"),
        "no user": token("RS256", RSA, {"exp": 4_000_000_000, "jti": "nobody-in-particular"}, kid="r"),
        "nonsense": "bm9uc2Vuc2UtYXQtdGhlLWhhbmRzaGFrZQ",
        "too long": "bG9uZw" * 1_500,
    }


async def _on_a_socket(url, told, **more):
    """Everything that a WebSocket client is told, its answer's headers and the close included."""
    sent = more.pop("sent", ())
    try:
        async with websockets.connect(url, open_timeout=30, **more) as client:
            told.append(str(client.response.headers))
            for message in sent:
                await client.send(message)
            await client.send('{"type":"PING","id":"end"}')
            with contextlib.suppress(websockets.ConnectionClosed):
                async with asyncio.timeout(30):
                    while '"id":"end"' not in (frame := await client.recv()):
                        told.append(frame)
        told.append(f"{client.close_code} {client.close_reason}")
    except websockets.InvalidStatus as error:
        told.append(f"{error.response.status_code} {error.response.headers} {error.response.body!r}")
    except websockets.ConnectionClosed as error:
        told.append(str(error))


async def _by_every_road(addresses, secret, told):
    ws = addresses.websocket
    await _on_a_socket(ws, told, additional_headers={"Authorization": f"Bearer {secret}"})
    await _on_a_socket(ws, told, subprotocols=["seatcast", f"bearer.{secret}"])
    await _on_a_socket(ws, told, sent=[
        f'{{"type":"AUTH","token":"{secret}"}}',
        # Beside what the protocol knows.
        f'{{"type":"AUTH","token":["{secret}"]}}', f'{{"type":"AUTH","tokn":"{secret}"}}',
        f'{{"type":"AUTH","token":"{secret}',
    ])  # fmt: skip
    for path in ("/", "/elsewhere", "/health/ready", "/metrics"):
        await _on_a_socket(f"{ws.rstrip('/')}{path}?token={secret}", told)
    bearer = {"Authorization": f"Bearer {secret}", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    async with httpx.AsyncClient(base_url=addresses.api, timeout=30) as http:
        for request in (
            http.build_request("GET", "/api/bookings", headers=bearer),
            http.build_request("GET", "/api/bookings", headers={"Authorization": secret}),
            http.build_request("GET", f"/api/bookings?token={secret}"),
            http.build_request("GET", f"/api/nothing?token={secret}", headers=bearer),
            http.build_request("POST", "/api/tours/x/book", json={"seatsToBook": 1}, headers=bearer),
            http.build_request("POST", "/api/tours", json={"name": 5}, headers=bearer),
            http.build_request("GET", "/metrics", headers=bearer),
        ):
            answer = await http.send(request)
            told.append(f"{answer.status_code} {answer.headers} {answer.text}")


def _parts(secret):
    """The token, and what of it would be enough to know it by: its claims and its signature."""
    return {secret, *(part for part in secret.split(".")[1:] if len(part) > 20)}


@pytest.mark.parametrize("defect", [False, True])
async def test_no_token_is_logged_or_answered(tmp_path, everything, monkeypatch, defect):
    """`defect`: and none is in the traceback of a mistake of ours."""
    issuer = Issuer(key_set(public(RSA, kid="r")))
    told: list[str] = []
    # Every callback of the loop is "slow" and logged with what it was given.
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    try:
        async with issuer.serving() as url:
            settings = Settings(
                port=0, api_port=0, data_dir=tmp_path, drain_seconds=0.5, jwt_secret=SECRET, jwks_url=url
            )
            async with all_in_one(settings) as addresses:
                if defect:
                    monkeypatch.setattr(Tokens, "verify", lambda self, token: len(token) / 0)
                secrets = _tokens()
                for secret in secrets.values():
                    await _by_every_road(addresses, secret, told)
    finally:
        loop.set_debug(False)
    logged, answered = everything.getvalue(), "\n".join(told)
    # The roads were taken, and the collecting works.
    if defect:
        assert "ZeroDivisionError" in logged
        assert "500" in answered
    else:
        for sign in ("4401", "token: expired", "token: wrong signature", "token: malformed", "token: too long",
                     "AUTHENTICATED", '"userId":"alice"', "INVALID_MESSAGE", "403"):  # fmt: skip
            assert sign in answered, sign
    assert "Seatcast is listening" in logged
    for name, secret in secrets.items():
        for part in _parts(secret):
            assert part not in logged, f"{name} was logged"
            assert part not in answered, f"{name} was answered"
    assert SECRET not in logged + answered
    assert "of-the-address" not in logged + answered
