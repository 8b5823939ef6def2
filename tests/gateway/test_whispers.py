"""What gateways tell each other through the broker, unstored: the last of each kind, and nothing that is late."""

import asyncio
import contextlib

from seatcast.broker.memory import MemoryBroker
from seatcast.gateway import whispers
from seatcast.gateway.whispers import Whispers
from seatcast.wire_events import ChatTypingEvent, decode_event


def typing(sender, moment="now"):
    return ChatTypingEvent(event_id="e", conversation_id="alice", sender=sender, timestamp=moment)


class Broker(MemoryBroker):
    def __init__(self):
        super().__init__()
        self.published = []
        self.takes = asyncio.Event()
        self.takes.set()

    async def publish(self, messages):
        self.published.append(list(messages))
        await self.takes.wait()
        return [None] * len(messages)


@contextlib.asynccontextmanager
async def speaking(broker):
    said = Whispers(broker)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(said.run())
        yield said
        await asyncio.sleep(0.01)
        task.cancel()


async def test_what_is_said_together_is_published_together_and_not_kept():
    broker = Broker()
    async with speaking(broker) as said:
        said.say("alice", typing("alice"))
        said.say("ann", typing("ann"))
        said.say("alice", typing("alice", "later"))
    (messages,) = broker.published
    events = [decode_event(message.routing_key, message.body) for message in messages]
    assert [(event.sender, event.timestamp) for event in events] == [("alice", "later"), ("ann", "now")]
    assert [(message.routing_key, message.persistent) for message in messages] == [("chat.typing", False)] * 2


async def test_while_the_broker_takes_nothing_only_so_much_waits(monkeypatch):
    monkeypatch.setattr(whispers, "MAX_WAITING", 3)
    broker = Broker()
    broker.takes.clear()
    async with speaking(broker) as said:
        said.say("first", typing("first"))
        await asyncio.sleep(0.01)
        for number in range(5):
            said.say(f"{number}", typing(f"{number}"))
        said.say("0", typing("0", "later"))
        broker.takes.set()
    assert [
        [decode_event(m.routing_key, m.body).sender for m in messages] for messages in broker.published
    ] == [
        ["first"],
        ["0", "1", "2"],
    ]
