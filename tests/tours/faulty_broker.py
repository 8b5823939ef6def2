"""A broker that does wrong what the test says."""

import asyncio

from seatcast import wire_events
from seatcast.broker import BrokerUnavailable, MessageRefused
from seatcast.broker.memory import MemoryBroker


class FaultyBroker(MemoryBroker):
    """The broker in this process, and what can go wrong with one in another."""

    def __init__(self):
        super().__init__()
        self.away = False
        self.refused = set()
        """Tours whose events it will not take."""
        self.answering = asyncio.Event()
        """Cleared: it holds what it is sent, and does not say so until set."""
        self.answering.set()
        self.delay = 0.0
        """Seconds before it holds what it is sent."""
        self.held = []

    @property
    def connected(self):
        return not self.away

    async def publish(self, messages):
        if self.away:
            return [BrokerUnavailable("gone")] * len(messages)
        if self.delay:
            await asyncio.sleep(self.delay)
        outcomes = []
        for message in messages:
            event = wire_events.decode_event(message.routing_key, message.body)
            if not isinstance(event, wire_events.Tick) and event.tour_id in self.refused:
                outcomes.append(MessageRefused("not to my taste"))
                continue
            if not isinstance(event, wire_events.Tick):
                self.held.append(event)
            outcomes += await super().publish([message])
        if not all(m.routing_key == "seatcast.tick" for m in messages):
            await self.answering.wait()
        return outcomes
