"""Waiting before another try."""

import asyncio

from seatcast import backoff


def test_the_ceiling_doubles_up_to_the_longest():
    assert [backoff.ceiling(failures) for failures in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert [backoff.ceiling(failures) for failures in (6, 100, 10**6)] == [5.0] * 3
    assert backoff.ceiling(100, longest=2.0) == 2.0


async def test_who_failed_together_does_not_try_again_together(monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    for _ in range(200):
        await backoff.full_jitter(3)
    assert all(0 <= seconds <= backoff.ceiling(3) for seconds in waited)
    assert len(set(waited)) > 190
    assert min(waited) < 0.2 < 0.6 < max(waited)
