"""The in-process broker keeps the contract, and nothing of a subscription that has ended."""

import pytest

from seatcast.broker import Message
from seatcast.broker.memory import DEAD_LETTERS, MemoryBroker

from .contract import KEYS, BrokerContract


@pytest.fixture
async def broker():
    async with MemoryBroker() as broker:
        yield broker


@pytest.fixture
def dead_letters(broker):
    async def read():
        return [
            (letter.delivery.routing_key, letter.delivery.body, letter.reason)
            for letter in broker.dead_letters
        ]

    return read


class TestMemoryBroker(BrokerContract):
    pass


async def test_dead_letters_are_bounded_and_the_newest_stay(broker):
    async with broker.subscribe("gateway", KEYS) as subscription:
        await broker.publish([Message(KEYS[0], b"{}")])
        delivery = await anext(aiter(subscription))
        for number in range(DEAD_LETTERS + 5):
            await subscription.dead_letter(delivery, str(number))

    assert len(broker.dead_letters) == DEAD_LETTERS
    assert broker.dead_letters[-1].reason == str(DEAD_LETTERS + 4)


async def test_a_thousand_subscriptions_come_and_go_without_a_trace(broker):
    for _ in range(1_000):
        async with broker.subscribe("gateway", KEYS):
            pass

    assert broker._by_key == {}
