"""The support chat on a real database: one order for everyone, one effect of a resent message, one agent at a time."""

import asyncio
import random
from collections import defaultdict
from contextlib import asynccontextmanager

import pytest

from seatcast import chat, wire_events
from seatcast.domain import (
    ConversationNotFound,
    ConversationTaken,
    DomainError,
    MessageEmpty,
    MessageIdReused,
    MessageNotFound,
)
from seatcast.tours import chat_store, streams
from seatcast.tours.chat_store import Saying
from seatcast.tours.conversations import Conversations
from seatcast.wire_events import ChatMessageSent, ConversationUpdated


@asynccontextmanager
async def _talking(office):
    """`conversations` of an office, running, with what tests ask of them."""
    committed = []
    conversations = Conversations(office.database, committed.extend, office.clock)
    running = asyncio.create_task(conversations.run())
    try:
        yield conversations, committed
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def talk(office):
    """`await talk(sender, conversation, message, mark=None)`: say something; `.conversations`, `.committed`."""
    async with _talking(office) as (conversations, committed):

        async def say(sender, conversation, message, mark=None):
            return await conversations.say(Saying(sender, conversation, message, mark, None))

        say.conversations, say.committed, say.office = conversations, committed, office
        yield say


async def heard(office, conversation_id):
    """What either end reads of a conversation."""
    async with office.database.reading() as connection:
        return await chat_store.said_before(connection, conversation_id, None, 10_000)


async def state(office, conversation_id):
    async with office.database.reading() as connection:
        return await chat_store.conversation(connection, conversation_id)


async def chat_events(office):
    rows = await office.rows("SELECT routing_key, payload FROM outbox ORDER BY id")
    return [wire_events.decode_event(row.routing_key, row.payload.encode()) for row in rows]


async def test_a_message_is_stored_with_its_events_and_the_relay_is_handed_them(talk):
    sent = await talk("ana", "ana", " Bonjour,\n<b>ça va ?</b> ", "c1")

    [said, updated] = await chat_events(talk.office)
    assert said == sent.event
    assert (said.sender, said.to, said.message) == ("ana", "support", " Bonjour,\n<b>ça va ?</b> ")
    assert (said.seq, said.support_seq, said.id, said.conversation_id) == (1, 1, "c1", "ana")
    assert (updated.version, updated.last_message_id, updated.unread.support) == (1, said.message_id, 1)
    assert [row.payload for row in talk.committed] == [
        row.payload for row in await talk.office.rows("SELECT payload FROM outbox ORDER BY id")
    ]
    assert await heard(talk.office, "ana") == [said]


async def test_an_agent_answers_and_the_message_is_for_the_traveller(talk):
    await talk("ana", "ana", "Bonjour")

    sent = await talk("sam", "ana", "Bonjour !")

    assert (sent.event.sender, sent.event.to, sent.event.seq) == ("sam", "ana", 2)
    now = await state(talk.office, "ana")
    assert (now.version, now.traveller_unread, now.support_unread) == (2, 1, 1)


async def test_the_same_mark_again_has_one_effect_and_answers_what_is_stored(talk):
    first = await talk("ana", "ana", "Bonjour", 7)
    before = await chat_events(talk.office)
    talk.committed.clear()

    again = await talk("ana", "ana", "Bonjour", 7)

    assert (again.event, again.repeated, first.repeated) == (first.event, True, False)
    assert await chat_events(talk.office) == before
    assert talk.committed == []
    assert (await state(talk.office, "ana")).version == 1


async def test_a_mark_that_comes_twice_in_one_batch_is_stored_once(talk):
    sent = await asyncio.gather(
        *(talk("ana", "ana", "Bonjour", "x") for _ in range(5)), talk("ana", "ana", "Alors ?")
    )

    assert [each.repeated for each in sent] == [False, True, True, True, True, False]
    assert len({each.event.message_id for each in sent}) == 2
    assert [event.message for event in await heard(talk.office, "ana")] == ["Bonjour", "Alors ?"]


async def test_a_mark_of_another_message_is_refused_and_the_batch_goes_on(talk):
    await talk("sam", "sam", "Moi-même")  # opens a conversation that agents can write to
    await talk("ana", "ana", "Bonjour")
    await talk("kim", "ana", "un", "x")

    outcomes = await asyncio.gather(
        talk("kim", "ana", "deux", "x"), talk("kim", "sam", "un", "x"), talk("kim", "ana", "deux", "y"),
        talk("sam", "ana", "un", "x"), talk("kim", "ana", "un", "x"),
        return_exceptions=True,
    )  # fmt: skip

    assert [type(outcome) for outcome in outcomes[:2]] == [MessageIdReused] * 2
    assert [outcome.repeated for outcome in outcomes[2:]] == [False, False, True]


async def test_a_number_is_not_the_text_that_looks_like_it(talk):
    await talk("ana", "ana", "un", 1)

    assert not (await talk("ana", "ana", "deux", "1")).repeated
    assert [event.id for event in await heard(talk.office, "ana")] == [1, "1"]


async def test_what_is_no_message_changes_nothing(talk):
    with pytest.raises(MessageEmpty):
        await talk("ana", "ana", " \n ")

    assert await chat_events(talk.office) == []
    assert await state(talk.office, "ana") is None


async def test_an_agent_opens_a_conversation_with_a_user_who_is_known(talk):
    await talk.office.undated("tour_louvre")
    await talk.office.book("tour_louvre", user="ana")

    opened, unknown = await asyncio.gather(
        talk("sam", "ana", "Votre visite"), talk("sam", "nobody", "?"), return_exceptions=True
    )

    assert opened.event.to == "ana"
    assert isinstance(unknown, ConversationNotFound)
    assert await talk.office.rows("SELECT * FROM streams WHERE id = 'user:nobody'") == []


async def test_marks_move_on_and_each_move_is_told_once(talk):
    one, two = [(await talk("sam", "sam", text)).event.message_id for text in ("un", "deux")]
    marks = talk.conversations.mark

    delivered = await marks("sam", "support", "delivered", two)
    read = await marks("sam", "support", "read", one)
    behind = await marks("sam", "support", "delivered", one)

    assert (delivered.support_delivered, delivered.support_unread) == (two, 2)
    assert (read.support_delivered, read.support_read, read.support_unread) == (two, one, 1)
    assert behind == read == await state(talk.office, "sam")
    versions = [e.version for e in await chat_events(talk.office) if isinstance(e, ConversationUpdated)]
    assert versions == [1, 2, 3, 4]


async def test_only_messages_of_the_conversation_can_be_marked(talk):
    elsewhere = (await talk("bob", "bob", "Bonjour")).event.message_id
    await talk("ana", "ana", "Bonjour")

    for message_id in (elsewhere, "msg_none", ""):
        with pytest.raises(MessageNotFound):
            await talk.conversations.mark("ana", "traveller", "read", message_id)
    with pytest.raises(ConversationNotFound):
        await talk.conversations.mark("nobody", "traveller", "read", elsewhere)
    assert (await state(talk.office, "ana")).version == 1


async def test_of_agents_who_take_a_conversation_at_once_one_has_it(talk):
    await talk("ana", "ana", "Bonjour")

    outcomes = await asyncio.gather(
        *(talk.conversations.take("ana", f"agent_{n}") for n in range(5)), return_exceptions=True
    )

    [won] = [outcome for outcome in outcomes if not isinstance(outcome, DomainError)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
    assert [(type(refusal), refusal.details) for refusal in lost] == [
        (ConversationTaken, {"takenBy": won.taken_by})
    ] * 4
    assert await state(talk.office, "ana") == won
    assert (await talk.conversations.release("ana", won.taken_by, anyones=False)).taken_by is None


async def test_pages_of_a_conversation_meet_without_overlap(talk):
    ids = [(await talk("ana", "ana", str(number))).event.message_id for number in range(7)]
    await talk("bob", "bob", "elsewhere")

    async with talk.office.database.reading() as connection:
        newest = await chat_store.said_before(connection, "ana", None, 3)
        older = await chat_store.said_before(connection, "ana", newest[0].message_id, 3)
        onwards = await chat_store.said_since(connection, "ana", ids[1], 2)
        with pytest.raises(MessageNotFound):
            await chat_store.said_since(connection, "bob", ids[1], 2)

    assert [e.message_id for e in newest] == ids[4:]
    assert [e.message_id for e in older] == ids[1:4]
    assert [e.message_id for e in onwards] == ids[2:4]


TRAVELLERS = ["ana", "bob"]
AGENTS = ["sam", "kim"]


async def _live(person, services, seed, number_of_acts):
    """Somebody who writes, resends and marks at random, through whichever service; returns what was acknowledged."""
    chance = random.Random(f"{seed}/{person}")
    sent = []
    for number in range(number_of_acts):
        service = chance.choice(services)
        conversation = person if person in TRAVELLERS else chance.choice(TRAVELLERS)
        if sent and chance.random() < 0.3:
            saying, before = chance.choice(sent)
            again = await service.say(saying)
            assert (again.event, again.repeated) == (before, True)
        elif sent and chance.random() < 0.3:
            saying, before = chance.choice(sent)
            side = chat.side_of(person, saying.conversation_id)
            kind = chance.choice(["read", "delivered"])
            await service.mark(saying.conversation_id, side, kind, before.message_id)
        else:
            saying = Saying(person, conversation, f"{person} {number}", number, None)
            # Impatient: sent again, perhaps elsewhere, before the first answer is there.
            copies = chance.choice([1, 1, 2, 3])
            answers = await asyncio.gather(*(chance.choice(services).say(saying) for _ in range(copies)))
            assert len({answer.event.message_id for answer in answers}) == 1
            assert sorted(answer.repeated for answer in answers) == [False] + [True] * (copies - 1)
            sent.append((saying, answers[0].event))
    return [event for _, event in sent]


async def _agree(office, acknowledged):
    """Whatever happened: both ends read the same, each message once, in the order in which it was sent and told."""
    events = await chat_events(office)
    told = [event for event in events if isinstance(event, ChatMessageSent)]
    everything = sorted(told, key=lambda event: event.support_seq)
    assert [event.support_seq for event in everything] == list(range(1, len(told) + 1))
    assert sorted(event.message_id for event in told) == sorted(
        event.message_id for sent in acknowledged.values() for event in sent
    )
    async with office.database.reading() as connection:
        followed = await streams.read(connection, streams.SUPPORT, limit=10_000)
    assert [message.event for message in followed.messages] == everything
    for traveller in TRAVELLERS:
        mine = [event for event in everything if event.conversation_id == traveller]
        assert [event for event in told if event.conversation_id == traveller] == mine
        assert [event.seq for event in mine] == list(range(1, len(mine) + 1))
        assert await heard(office, traveller) == mine
        async with office.database.reading() as connection:
            own = await streams.read(connection, streams.stream_of(traveller), limit=10_000)
        assert [message.event for message in own.messages] == mine
        for person, sent in acknowledged.items():
            assert [e for e in mine if e.sender == person] == [
                e for e in sent if e.conversation_id == traveller
            ]
        await _stands(office, traveller, mine, events)


async def _stands(office, traveller, mine, events):
    now = await state(office, traveller)
    updates = [e for e in events if isinstance(e, ConversationUpdated) and e.conversation_id == traveller]
    versions = [update.version for update in updates]
    assert versions == sorted(set(versions))
    assert (updates[-1].version, updates[-1].last_message_id) == (now.version, mine[-1].message_id)
    assert now.last_message == mine[-1].message_id
    seqs = {event.message_id: event.seq for event in mine}
    for side, unread, read in (
        ("traveller", now.traveller_unread, now.traveller_read),
        ("support", now.support_unread, now.support_read),
    ):
        theirs = [event for event in mine if chat.side_of(event.sender, traveller) != side]
        assert unread == sum(event.seq > seqs.get(read, 0) for event in theirs)


@pytest.mark.parametrize("seed", range(3))
async def test_two_agents_and_travellers_who_write_at_once_read_the_same(office, seed):
    people = TRAVELLERS + AGENTS
    async with _talking(office) as (one, _), _talking(office) as (other, _):
        for traveller in TRAVELLERS:
            await one.say(Saying(traveller, traveller, "Bonjour", "first", None))
        opening = defaultdict(list)
        for traveller in TRAVELLERS:
            opening[traveller] += await heard(office, traveller)

        sent = await asyncio.gather(*(_live(person, [one, other], seed, 25) for person in people))

    await _agree(office, {p: opening[p] + events for p, events in zip(people, sent, strict=True)})
