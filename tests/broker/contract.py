"""What every broker adapter guarantees: the words of `seatcast.broker`, run against each of them.

A subclass gives two fixtures: `broker`, an adapter that is ready, and `dead_letters`, a coroutine function that
returns what was put aside so far as (routing key, body, reason).
"""

import asyncio
import uuid

import pytest

from seatcast import wire_events
from seatcast.broker import Message, MessageRefused, SubscriptionLost
from seatcast.broker.limits import LARGEST_BODY, MOST_WAITING

KEYS = ("tour.availability.updated", "tour.closed")


def numbered(count, key=KEYS[0], start=0):
    return [Message(key, b"%d" % n, event_id=f"event-{n}") for n in range(start, start + count)]


async def take(subscription, count, timeout=20.0):
    deliveries = []
    async with asyncio.timeout(timeout):
        async for delivery in subscription:
            deliveries.append(delivery)
            if len(deliveries) == count:
                return deliveries


class BrokerContract:
    @pytest.fixture
    def name(self):
        return f"gateway-{uuid.uuid4().hex[:8]}"

    async def test_each_message_of_its_keys_arrives_once_in_order_as_it_was_sent(self, broker, name):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        async with broker.subscribe(name, KEYS) as subscription:
            sent = [
                Message(KEYS[0], b'{"a":1}', "one", trace),
                Message("chat.message.sent", b"not asked for", "two"),
                Message(KEYS[1], b"", "three", persistent=False),
                Message(KEYS[0], b"\x00\xff not JSON", ""),
            ]
            assert await broker.publish(sent) == [None] * 4

            first, second, third = await take(subscription, 3)

        assert (first.routing_key, first.body, first.traceparent) == (KEYS[0], b'{"a":1}', trace)
        assert (second.routing_key, second.body, second.traceparent) == (KEYS[1], b"", None)
        assert third.body == b"\x00\xff not JSON"

    async def test_every_subscription_gets_every_message(self, broker, name):
        async with broker.subscribe(name, KEYS) as one, broker.subscribe(name, KEYS) as two:
            assert await broker.publish(numbered(1_000)) == [None] * 1_000

            for subscription in (one, two):
                bodies = [int(delivery.body) for delivery in await take(subscription, 1_000)]
                assert bodies == list(range(1_000))

    async def test_a_message_that_nobody_wants_is_no_failure(self, broker):
        assert await broker.publish([Message("hold.expired", b"{}", "lonely")]) == [None]
        assert await broker.publish([]) == []

    async def test_a_subscription_begins_when_it_is_entered(self, broker, name):
        await broker.publish(numbered(5))
        async with broker.subscribe(name, KEYS) as subscription:
            await broker.publish(numbered(1, start=5))

            assert [delivery.body for delivery in await take(subscription, 1)] == [b"5"]

    async def test_waiting_deliveries_are_read_in_one_turn_of_the_loop(self, broker, name, eventually):
        async with broker.subscribe(name, KEYS) as subscription:
            await broker.publish(numbered(150))
            await eventually(lambda: subscription.waiting == 150)
            turns = []
            asyncio.get_running_loop().call_soon(turns.append, "the loop had a turn")

            await take(subscription, 150)

            assert turns == []

    async def test_concurrent_publishers_each_keep_their_order(self, broker, name):
        async with broker.subscribe(name, KEYS) as subscription:
            outcomes = await asyncio.gather(
                *(broker.publish(numbered(200, start=first)) for first in (0, 1_000, 2_000))
            )
            assert outcomes == [[None] * 200] * 3

            bodies = [int(delivery.body) for delivery in await take(subscription, 600)]

        for first in (0, 1_000, 2_000):
            assert [n for n in bodies if first <= n < first + 1_000] == list(range(first, first + 200))

    async def test_a_reader_that_was_cancelled_loses_nothing(self, broker, name):
        async with broker.subscribe(name, KEYS) as subscription:
            with pytest.raises(TimeoutError):
                await take(subscription, 1, timeout=0.05)
            await broker.publish(numbered(3))

            assert [delivery.body for delivery in await take(subscription, 3)] == [b"0", b"1", b"2"]

    async def test_a_reader_that_falls_too_far_behind_is_told(self, broker, name, eventually):
        """Held are `MOST_WAITING` and what the adapter has read ahead; past that the oldest go, never in silence."""
        async with broker.subscribe(name, KEYS) as subscription, broker.subscribe(name, KEYS[1:]) as other:
            for start in range(0, MOST_WAITING + 1_000, 500):
                assert await broker.publish(numbered(500, start=start)) == [None] * 500
            await broker.publish(numbered(1, key=KEYS[1]))

            bodies = []

            async def read():
                async for delivery in subscription:
                    bodies.append(int(delivery.body))
                    # A reader with other things to do: the loss overtakes what still waits in the broker.
                    await asyncio.sleep(0)

            with pytest.raises(SubscriptionLost, match=f"more than {MOST_WAITING} messages behind"):
                await asyncio.wait_for(read(), 20)
            assert [delivery.body for delivery in await take(other, 1)] == [b"0"]
            with pytest.raises(SubscriptionLost):
                await anext(aiter(subscription))

        assert sorted(set(bodies)) == bodies

    async def test_a_message_that_can_never_be_sent_is_refused_and_the_rest_go(self, broker, name):
        async with broker.subscribe(name, KEYS) as subscription:
            outcomes = await broker.publish(
                [
                    *numbered(1),
                    Message("k" * 256, b"{}", "key too long"),
                    Message(KEYS[0], b"{}", "é" * 128),
                    Message(KEYS[0], b"{}", traceparent="\ud800"),
                    Message(KEYS[0], bytes(LARGEST_BODY + 1), "body too large"),
                    *numbered(1, start=1),
                ]
            )

            assert [delivery.body for delivery in await take(subscription, 2)] == [b"0", b"1"]
        assert (outcomes[0], outcomes[5]) == (None, None)
        assert all(isinstance(outcome, MessageRefused) for outcome in outcomes[1:5])

    async def test_a_body_of_many_frames_arrives_whole(self, broker, name):
        body = bytes(range(256)) * 2_000
        async with broker.subscribe(name, KEYS) as subscription:
            assert await broker.publish([Message(KEYS[0], body, "large"), *numbered(1)]) == [None, None]

            assert [delivery.body for delivery in await take(subscription, 2)] == [body, b"0"]

    async def test_a_probe_reaches_its_own_subscription_alone(self, broker, name):
        async with broker.subscribe(name, KEYS) as one, broker.subscribe(name, KEYS) as two:
            await one.probe()
            (arrived,) = await take(one, 1)
            await broker.publish(numbered(1))

            assert [delivery.body for delivery in await take(two, 1)] == [b"0"]
        assert arrived.routing_key.startswith(wire_events.PROBE_PREFIX)

    async def test_a_dead_letter_is_kept_with_its_reason(self, broker, name, eventually, dead_letters):
        async with broker.subscribe(name, KEYS) as subscription:
            body = f"not JSON {uuid.uuid4()}".encode()
            await broker.publish([Message(KEYS[0], body)])
            (delivery,) = await take(subscription, 1)

            await subscription.dead_letter(delivery, "not JSON: ligne 1, caractère 1")

            async def kept():
                return [letter for letter in await dead_letters() if letter[1] == body]

            assert await eventually(kept) == [(KEYS[0], body, "not JSON: ligne 1, caractère 1")]

    async def test_leaving_a_subscription_ends_it_and_hides_no_error(self, broker, name):
        with pytest.raises(LookupError, match="mine"):
            async with broker.subscribe(name, KEYS):
                raise LookupError("mine")

        async with broker.subscribe(name, KEYS) as subscription:
            await broker.publish(numbered(1))
            assert len(await take(subscription, 1)) == 1

    async def test_it_says_that_it_is_connected(self, broker):
        await broker.wait_connected(5)
        assert broker.connected
