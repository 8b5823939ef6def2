"""The outbox's SQL: which rows wait, who may send them, and what becomes of them."""

import pytest
from sqlalchemy import text

from seatcast import wire_events
from seatcast.domain import partition_of
from seatcast.tours import outbox


def closed_event(number, tour_id="paris"):
    return wire_events.TourClosedEvent(
        event_id=f"evt_{number}",
        tour_id=tour_id,
        timestamp=f"2026-06-01T10:00:0{number % 10}.000Z",
        version=number,
    )


@pytest.fixture
async def filled(office):
    """An office whose outbox holds evt_0 to evt_5, of paris and rome in turn."""
    async with office.database.transaction() as tx:
        for number in range(6):
            traceparent = "00-trace" if number == 3 else None
            tour_id = ("paris", "rome")[number % 2]
            await outbox.add_event(tx, closed_event(number, tour_id), tour_id, traceparent)
    return office


async def _waiting(office, limit=100, others=()):
    async with office.database.reading() as connection:
        return await outbox.waiting(connection, limit, others)


async def test_rows_wait_in_the_order_in_which_they_were_written(filled):
    rows = await _waiting(filled)

    assert [row.event_id for row in rows] == [f"evt_{number}" for number in range(6)]
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert {row.routing_key for row in rows} == {"tour.closed"}
    assert wire_events.decode_event(rows[3].routing_key, rows[3].payload.encode()) == closed_event(3, "rome")
    assert [row.traceparent for row in rows] == [None, None, None, "00-trace", None, None]


async def test_an_event_exists_if_and_only_if_its_transaction_commits(filled):
    async def fail():
        async with filled.database.transaction() as tx:
            await outbox.add_event(tx, closed_event(7), "paris", None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert len(await _waiting(filled)) == 6


async def test_no_more_than_a_batch_is_read(filled):
    assert [row.event_id for row in await _waiting(filled, limit=2)] == ["evt_0", "evt_1"]


async def test_the_partitions_of_others_are_left_out(filled):
    rows = await _waiting(filled, others={partition_of("paris")})

    assert [row.event_id for row in rows] == ["evt_1", "evt_3", "evt_5"]
    assert {row.partition for row in rows} == {partition_of("rome")}


async def test_sent_rows_are_gone_and_no_others(filled):
    rows = await _waiting(filled)
    async with filled.database.transaction() as tx:
        await outbox.sent(tx, [rows[0].id, rows[4].id])

    assert [row.event_id for row in await _waiting(filled)] == ["evt_1", "evt_2", "evt_3", "evt_5"]


async def test_an_id_is_never_used_again(filled):
    """Or a watermark of before would hide what comes after."""
    rows = await _waiting(filled)
    async with filled.database.transaction() as tx:
        await outbox.sent(tx, [row.id for row in rows])
        await outbox.add_event(tx, closed_event(9), "paris", None)

    assert (await _waiting(filled))[0].id > rows[-1].id


async def test_a_refused_row_counts_its_tries_until_it_is_set_aside(filled):
    first = (await _waiting(filled))[0]
    async with filled.database.transaction() as tx:
        await outbox.failed(tx, first.id, "too large", None)
    assert (await _waiting(filled))[0].attempts == 1

    async with filled.database.transaction() as tx:
        await outbox.failed(tx, first.id, "x" * 1_000, "2026-06-01T10:00:00.000Z")
    assert (await _waiting(filled))[0].event_id == "evt_1"
    [row] = await filled.rows("SELECT * FROM outbox WHERE parked_at IS NOT NULL")
    assert (row.event_id, row.attempts, row.error) == ("evt_0", 2, "x" * 500)


async def test_the_backlog_tells_what_waits_and_what_was_set_aside(filled):
    async with filled.database.transaction() as tx:
        await outbox.failed(tx, (await outbox.waiting(tx, 1))[0].id, "no", "2026-06-01T10:00:00.000Z")
        backlog = await outbox.backlog(tx)

    assert backlog == (5, "2026-06-01T10:00:01.000Z", 1)


async def test_an_empty_backlog_has_no_oldest(office):
    async with office.database.reading() as connection:
        assert await outbox.backlog(connection) == (0, None, 0)


async def test_a_partition_is_claimed_by_one_session_until_it_lets_go_or_ends(postgres_office):
    writers = postgres_office.database.writers
    both = {partition_of("paris"), partition_of("rome")}

    async with writers.connect() as first, writers.connect() as second:
        assert await outbox.claim(first, sorted(both)) == both
        assert await outbox.claim(second, sorted(both)) == set()
        await outbox.let_go(first)
        assert await outbox.claim(second, sorted(both)) == both
        await second.invalidate()
    async with writers.connect() as third:
        assert await outbox.claim(third, sorted(both)) == both
        await outbox.let_go(third)


async def test_a_session_of_which_nothing_is_heard_is_ended_by_the_server(postgres_office):
    """A process that is stopped but not dead must not keep its partitions for ever."""
    async with postgres_office.database.writers.connect() as connection:
        await outbox.end_if_stopped(connection)
        assert (await connection.execute(text("SHOW idle_session_timeout"))).scalar_one() == "10s"
        await connection.invalidate()
