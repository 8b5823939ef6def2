"""Streams of messages: numbers without a gap in the order of commits, and where a reader goes on."""

import asyncio
import random
from collections import Counter

import msgspec
import pytest
from sqlalchemy import insert

from seatcast import wire_events
from seatcast.domain import new_id, partition_of
from seatcast.tours import outbox, streams
from seatcast.tours.schema import messages
from seatcast.tours.streams import add_message, forget, has_older, stream_of, take_seqs

BEFORE = "2026-05-01T00:00:00.000Z"
"""Before every message below."""


def notice(user="ana", *, at=0):
    """A notification made `at` seconds after ten."""
    identity = new_id("msg")
    return wire_events.BookingConfirmedEvent(
        event_id=identity,
        message_id=identity,
        user_id=user,
        timestamp=f"2026-06-01T10:{at // 60:02}:{at % 60:02}.000Z",
        booking_id=new_id("bkg"),
        tour_name="Le Louvre",
        tour_id="louvre",
        seats=2,
    )


def said(user="ana", *, at=0):
    identity = new_id("msg")
    return wire_events.ChatMessageSent(
        event_id=identity,
        message_id=identity,
        user_id=user,
        timestamp=f"2026-06-01T10:{at // 60:02}:{at % 60:02}.000Z",
        sender=user,
        to="support",
        message="Bonjour",
        conversation_id=user,
    )


async def add(office, *events):
    """Add messages in one transaction; return them with their numbers. What is said goes to `support` as well."""
    async with office.database.transaction() as tx:
        return [
            await say(tx, event)
            if isinstance(event, wire_events.ChatMessageSent)
            else (await add_message(tx, event))[0]
            for event in events
        ]


async def say(tx, event):
    """Store what is said, as the support chat does."""
    own = stream_of(event.user_id)
    seqs = await take_seqs(tx, {own: 1, streams.SUPPORT: 1})
    numbered = msgspec.structs.replace(event, seq=seqs[own], support_seq=seqs[streams.SUPPORT])
    row = await outbox.add_event(tx, numbered, event.user_id, None)
    values = {"id": event.message_id, "kind": row.routing_key, "user_id": event.user_id, "body": row.payload}
    values |= {"seq": numbered.seq, "support_seq": numbered.support_seq, "created_at": event.timestamp}
    await tx.execute(insert(messages).values(values))
    return numbered


async def read(office, stream, *, limit=100, **place):
    async with office.database.reading() as connection:
        return await streams.read(connection, stream, limit=limit, **place)


async def forgotten(office, before, limit=100):
    async with office.database.transaction() as tx:
        return await forget(tx, before, limit)


# Adding


async def test_messages_are_numbered_by_user_from_one(office):
    await add(office, notice("ana"), notice("ben"))
    await add(office, notice("ana"))

    assert [m.seq for m in (await read(office, "user:ana")).messages] == [1, 2]
    assert [m.seq for m in (await read(office, "user:ben")).messages] == [1]


async def test_a_message_its_number_and_its_event_are_one(office):
    before = notice("ana")
    async with office.database.transaction() as tx:
        event, row = await add_message(tx, before, traceparent="00-trace")
    async with office.database.reading() as connection:
        assert await outbox.waiting(connection, 10) == [row]

    assert (event.seq, before.seq) == (1, before.seq)
    assert wire_events.decode_event(row.routing_key, row.payload.encode()) == event
    assert (row.routing_key, row.event_id, row.traceparent) == (
        "booking.confirmed",
        event.message_id,
        "00-trace",
    )
    assert row.partition == partition_of("ana")
    assert (await read(office, "user:ana")).messages == [(1, event)]


async def test_what_is_said_is_in_the_streams_of_its_user_and_of_support(office):
    await add(office, said("ana"))
    await add(office, notice("ana"))
    [last] = await add(office, said("ben"))

    page = await read(office, streams.SUPPORT)
    assert [(m.seq, m.event.user_id, m.event.seq) for m in page.messages] == [(1, "ana", 1), (2, "ben", 1)]
    assert (last.seq, last.support_seq) == (1, 2)
    assert [m.event.__struct_config__.tag for m in (await read(office, "user:ana")).messages] == [
        "chat.message.sent",
        "booking.confirmed",
    ]


async def test_a_user_called_support_has_a_stream_of_its_own(office):
    await add(office, said("ana"))
    await add(office, notice("support"))

    assert [m.event.user_id for m in (await read(office, stream_of("support"))).messages] == ["support"]
    assert [m.event.user_id for m in (await read(office, streams.SUPPORT)).messages] == ["ana"]


async def test_a_transaction_that_fails_leaves_no_message_and_no_gap(office):
    await add(office, notice("ana"))
    before = await office.rows("SELECT * FROM messages"), await office.rows("SELECT * FROM outbox")

    async def fail():
        async with office.database.transaction() as tx:
            await say(tx, said("ana"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert (await office.rows("SELECT * FROM messages"), await office.rows("SELECT * FROM outbox")) == before
    [event] = await add(office, said("ana"))
    assert (event.seq, event.support_seq) == (2, 1)


async def test_numbers_follow_commits_however_many_add_at_once(office):
    """Whoever reads in the meantime never sees a number before a smaller one."""
    users = ["ana", "ben", "eve"]
    seen = {stream: [] for stream in [*map(stream_of, users), streams.SUPPORT]}

    async def one(number):
        user = users[number % 3]
        if number % 2:
            await add(office, said(user))
        else:
            await add(office, notice(user))

    async def watch():
        for stream, numbers in seen.items():
            page = await read(office, stream, after_seq=len(numbers))
            numbers += [message.seq for message in page.messages]

    adding = asyncio.gather(*map(one, range(60)))
    while not adding.done():
        await watch()
        await asyncio.sleep(0.002)
    await adding
    await watch()

    assert {stream: len(numbers) for stream, numbers in seen.items()} == {
        "user:ana": 20, "user:ben": 20, "user:eve": 20, streams.SUPPORT: 30,
    }  # fmt: skip
    for numbers in seen.values():
        assert numbers == list(range(1, len(numbers) + 1))
    for user in users:
        assert [event.seq for event in await office.told(user)] == list(range(1, 21))


# Reading


async def test_a_reader_goes_on_after_what_it_knows(office):
    events = await add(office, *(notice("ana", at=second) for second in range(5)))

    for place in (
        {"since": events[2].message_id},
        {"after_seq": 3},
        {"after": events[2].timestamp},
    ):
        page = await read(office, "user:ana", **place)
        assert page == ([(4, events[3]), (5, events[4])], 5, True, False), place
    assert [m.seq for m in (await read(office, "user:ana")).messages] == [1, 2, 3, 4, 5]


async def test_pages_follow_each_other(office):
    await add(office, *(notice("ana") for _ in range(5)))

    first = await read(office, "user:ana", limit=2)
    second = await read(office, "user:ana", limit=2, since=first.messages[-1].event.message_id)
    third = await read(office, "user:ana", limit=2, after_seq=second.messages[-1].seq)

    assert [m.seq for page in (first, second, third) for m in page.messages] == [1, 2, 3, 4, 5]
    assert [page.more for page in (first, second, third)] == [True, True, False]


async def test_moments_out_of_order_hide_no_message(office):
    """Clocks of two processes differ, and a moment is read before the lock is had."""
    await add(office, notice("ana", at=1), notice("ana", at=5), notice("ana", at=3), notice("ana", at=7))

    page = await read(office, "user:ana", after="2026-06-01T10:00:04.000Z")

    assert [m.seq for m in page.messages] == [2, 3, 4]


async def test_a_reader_who_has_everything_gets_nothing(office):
    [event] = await add(office, notice("ana"))

    for place in ({"since": event.message_id}, {"after_seq": 1}, {"after": event.timestamp}):
        assert await read(office, "user:ana", **place) == ([], 1, True, False)


async def test_an_empty_stream_can_be_read(office):
    assert await read(office, "user:ana") == ([], 0, True, False)
    assert await read(office, streams.SUPPORT, after_seq=0) == ([], 0, True, False)


async def test_a_message_that_is_not_there_is_no_place_to_go_on_from(office):
    [of_another] = await add(office, notice("ben"))
    [known] = await add(office, notice("ana"))

    for place in ({"since": "msg_none"}, {"since": of_another.message_id}, {"after_seq": 7}):
        page = await read(office, "user:ana", **place)
        assert (page.resumed, [m.event for m in page.messages]) == (False, [known]), place


# Forgetting


async def test_old_notifications_are_forgotten_and_what_is_said_is_not(office):
    await add(office, notice("ana", at=1), notice("ben", at=2), notice("ana", at=9))
    await add(office, said("ana", at=1))

    assert await forgotten(office, "2026-06-01T10:00:09.000Z") == 2

    assert [m.seq for m in (await read(office, "user:ana")).messages] == [2, 3]
    assert (await read(office, "user:ben")).messages == []
    assert len((await read(office, streams.SUPPORT)).messages) == 1


async def test_whoever_missed_what_is_forgotten_is_told_so(office):
    first, second, third = await add(office, *(notice("ana", at=second) for second in range(3)))
    await forgotten(office, third.timestamp)

    for place in (
        {},
        {"since": first.message_id},
        {"after_seq": 1},
        {"after": BEFORE},
        {"after": first.timestamp},
    ):
        page = await read(office, "user:ana", **place)
        assert (page.resumed, [m.seq for m in page.messages]) == (False, [3]), place
    for place in ({"after_seq": 2}, {"after": second.timestamp}):
        page = await read(office, "user:ana", **place)
        assert (page.resumed, [m.seq for m in page.messages]) == (True, [3]), place
    # The message itself is gone, and with it what is known of its place.
    assert not (await read(office, "user:ana", since=second.message_id)).resumed


async def test_numbers_go_on_where_everything_is_forgotten(office):
    await add(office, notice("ana", at=1), notice("ana", at=2))
    await forgotten(office, "2026-07-01T00:00:00.000Z")
    [event] = await add(office, notice("ana", at=3))

    assert event.seq == 3
    assert (await read(office, "user:ana", after_seq=2)) == ([(3, event)], 3, True, False)


async def test_a_message_from_before_what_is_forgotten_is_no_place_to_go_on_from(office):
    """What is said stays, with notifications missing behind it."""
    [word] = await add(office, said("ana", at=1))
    await add(office, notice("ana", at=2), notice("ana", at=9))
    await forgotten(office, "2026-06-01T10:00:05.000Z")

    page = await read(office, "user:ana", since=word.message_id)

    assert (page.resumed, [m.seq for m in page.messages]) == (False, [3])


async def test_forgetting_goes_in_small_steps_and_ends(office):
    await add(office, *(notice(f"user_{n % 7}", at=n) for n in range(25)))
    later = "2026-06-01T10:59:00.000Z"

    counts = [await forgotten(office, later, limit=10) for _ in range(4)]

    assert counts == [10, 10, 5, 0]
    async with office.database.reading() as connection:
        assert not await has_older(connection, later)


async def test_forgetting_and_adding_do_not_get_into_each_others_way(postgres_office):
    """Both lock streams, of many users at once, in one order."""
    office = postgres_office
    users = [f"user_{number}" for number in range(20)]
    await add(office, *(notice(user, at=1) for user in users * 5))

    async def add_some(seed):
        order = random.Random(seed).sample(users, 8)
        await add(office, *(notice(user, at=30) for user in sorted(order)))

    await asyncio.gather(
        *(add_some(seed) for seed in range(15)),
        *(forgotten(office, "2026-06-01T10:00:20.000Z", limit=30) for _ in range(8)),
    )

    for user in users:
        page = await read(office, stream_of(user), after_seq=5)
        assert page.resumed
        assert [m.seq for m in page.messages] == list(range(6, page.head + 1))


# Random histories


async def test_whoever_is_told_that_nothing_is_missing_has_missed_nothing(office):
    """Readers come back at random places while messages are added and forgotten, one by one and in heaps."""
    chance = random.Random("streams")
    stored = {stream: [] for stream in ("user:ana", "user:ben", streams.SUPPORT)}
    """Every event that was ever in a stream, in order."""
    known = dict.fromkeys(stored, 0)
    """Of how many the reader of a stream can say that they were told, or that they were lost."""
    resumptions = Counter()
    for second in range(1, 250):
        user = chance.choice(["ana", "ben"])
        act = chance.choices(["notice", "said", "read", "forget"], [8, 3, 4, 4])[0]
        if act == "notice":
            stored[stream_of(user)] += await add(office, notice(user, at=second))
        elif act == "said":
            [event] = await add(office, said(user, at=second))
            stored[stream_of(user)].append(event)
            stored[streams.SUPPORT].append(event)
        elif act == "forget":
            await forgotten(
                office,
                notice(at=chance.randint(second // 2, second)).timestamp,
                limit=chance.choice([5, 100]),
            )
        else:
            stream = chance.choice(list(stored))
            history, seen = stored[stream], known[stream]
            places = [{"after_seq": seen}]
            if seen:
                places += [{"since": history[seen - 1].message_id}, {"after": history[seen - 1].timestamp}]
            page = await read(office, stream, limit=chance.choice([2, 100]), **chance.choice(places))
            numbers = [seq for seq, _ in page.messages]
            assert [event for _, event in page.messages] == [history[seq - 1] for seq in numbers]
            assert numbers == sorted(set(numbers))
            assert page.head == len(history)
            resumptions[page.resumed] += 1
            if page.resumed:
                assert numbers == list(range(seen + 1, seen + 1 + len(numbers)))
                assert page.more == (seen + len(numbers) < page.head)
            known[stream] = max(numbers, default=page.head)
    assert min(resumptions[True], resumptions[False]) > 5, resumptions
