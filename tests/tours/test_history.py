"""Random histories of concurrent callers, against what must hold in every row that was ever committed."""

import asyncio
import random
from collections import defaultdict

from seatcast import rest, wire_events
from seatcast.domain import DomainError

UNDATED = ["louvre", "orsay"]
DATED = ["paris", "rome"]
USERS = ["ana", "ben"]

# Logs every row version, and looks at the sums of a tour at the moment of every commit.
_AUDIT = [
    """
    CREATE TABLE audit (n bigserial, kind text, key text, capacity int, available int, held int, sold int,
        version bigint)
    """,
    """
    CREATE FUNCTION audit_tour() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit (kind, key, capacity, available, held, sold, version)
        VALUES ('tour', NEW.id, NEW.capacity, NEW.available, NEW.held, NEW.sold, NEW.version);
        RETURN NULL; END $$
    """,
    """
    CREATE FUNCTION audit_departure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit (kind, key, capacity, available, held, sold, version)
        VALUES ('departure', NEW.tour_id || '/' || NEW.id, NEW.capacity, NEW.available, NEW.held, NEW.sold, NEW.version);
        RETURN NULL; END $$
    """,
    """
    CREATE FUNCTION check_sums() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE tour tours; open_ones record;
        BEGIN
            SELECT * INTO tour FROM tours WHERE id = NEW.id;
            SELECT COALESCE(sum(capacity), 0) AS capacity, COALESCE(sum(available), 0) AS available,
                COALESCE(sum(held), 0) AS held, COALESCE(sum(sold), 0) AS sold
            INTO open_ones FROM departures WHERE tour_id = NEW.id AND closed_at IS NULL;
            IF (tour.capacity, tour.available, tour.held, tour.sold)
                IS DISTINCT FROM (open_ones.capacity, open_ones.available, open_ones.held, open_ones.sold) THEN
                RAISE EXCEPTION 'tour % says %, its departures %', NEW.id, tour, open_ones;
            END IF;
            RETURN NULL;
        END $$
    """,
    "CREATE TRIGGER audit AFTER INSERT OR UPDATE ON tours FOR EACH ROW EXECUTE FUNCTION audit_tour()",
    "CREATE TRIGGER audit AFTER INSERT OR UPDATE ON departures FOR EACH ROW EXECUTE FUNCTION audit_departure()",
    """
    CREATE CONSTRAINT TRIGGER sums AFTER INSERT OR UPDATE ON tours DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION check_sums()
    """,
]


class Caller:
    """One of several who do random things at once; counts what came of them."""

    def __init__(self, office, seed, bookings):
        self.office = office
        self.random = random.Random(seed)
        self.bookings = bookings  # shared: callers cancel each other's bookings
        self.outcomes = defaultdict(int)
        self.keys = {}

    def departure(self, tour_id):
        return f"dep_{self.random.randint(1, 5)}" if tour_id in DATED else None

    async def act(self):
        acts = [self.book, self.retry, self.cancel, self.resize, self.close_or_reopen, self.add, self.rename]
        act = self.random.choices(acts, [40, 8, 25, 8, 10, 4, 5])[0]
        try:
            await act()
            self.outcomes[act.__name__] += 1
        except DomainError as refusal:
            self.outcomes[refusal.code] += 1

    async def book(self):
        tour_id = self.random.choice(UNDATED + DATED)
        wish = (tour_id, self.random.choice([1, 1, 2, 3, 9]), self.departure(tour_id))
        key = str(self.random.random())
        user = self.random.choice([*USERS, None])
        booked = await self.office.book(*wish, user=user, key=key)
        self.keys[key] = wish, user, booked.details.booking.id
        self.bookings.append(booked.details.booking.id)

    async def retry(self):
        if self.keys:
            key, (wish, user, booking_id) = self.random.choice(list(self.keys.items()))
            assert (await self.office.book(*wish, user=user, key=key)).details.booking.id == booking_id

    async def cancel(self):
        if self.bookings:
            booking_id = self.random.choice(self.bookings)
            await self.office.desk.cancel(booking_id, user=None, any_user=True)

    async def resize(self):
        tour_id, capacity = self.random.choice(UNDATED + DATED), self.random.randint(0, 30)
        if tour_id in UNDATED:
            await self.office.catalogue.change(tour_id, rest.TourPatch(capacity=capacity))
        else:
            patch = rest.DeparturePatch(capacity=capacity)
            await self.office.catalogue.change_departure(tour_id, self.departure(tour_id), patch)

    async def close_or_reopen(self):
        tour_id, closed = self.random.choice(UNDATED + DATED), self.random.random() < 0.4
        if tour_id in UNDATED or self.random.random() < 0.3:
            await self.office.catalogue.change(tour_id, rest.TourPatch(closed=closed))
        else:
            patch = rest.DeparturePatch(closed=closed)
            await self.office.catalogue.change_departure(tour_id, self.departure(tour_id), patch)

    async def add(self):
        tour_id = self.random.choice(DATED)
        departure = rest.NewDeparture(
            id=self.departure(tour_id), starts_at=self.office.clock.ahead(days=30), capacity=9
        )
        await self.office.catalogue.add_departure(tour_id, departure)

    async def rename(self):
        """And change the price, which earlier bookings keep."""
        tour_id = self.random.choice(UNDATED + DATED)
        patch = rest.TourPatch(
            name=f"{tour_id} {self.random.random()}", price=self.random.randint(0, 9_999) / 100
        )
        await self.office.catalogue.change(tour_id, patch)


async def _live(*offices, seed, callers=6, acts=60):
    """Let `callers` share the offices, each a process of its own for all that the database can see."""
    office = offices[0]
    for tour_id in UNDATED:
        await office.undated(tour_id, capacity=20, price=19.99)
    for tour_id in DATED:
        await office.dated(tour_id, capacities=(6, 6, 6), price=35.5)
    bookings = []
    crowd = [
        Caller(offices[number % len(offices)], f"{seed}/{number}", bookings) for number in range(callers)
    ]

    async def live(caller):
        for number in range(acts):
            await caller.act()
            if caller is crowd[0] and number % 8 == 0:
                await office.check()

    async with asyncio.TaskGroup() as tasks:
        for caller in crowd:
            tasks.create_task(live(caller))
    total = defaultdict(int)
    for caller in crowd:
        for outcome, count in caller.outcomes.items():
            total[outcome] += count
    return total


def _replay(events):
    """What a client knows that joins facts by version, in whatever order they come."""
    tours, departures = {}, {}
    for event in events:
        if isinstance(event, wire_events.TourClosedEvent):
            if event.departure_id:
                _join(departures, (event.tour_id, event.departure_id), event.version, "closed")
            else:
                _join(tours, event.tour_id, event.version, "closed")
            continue
        numbers = (event.available_seats, event.capacity, event.held, event.tour_name)
        _join(tours, event.tour_id, event.version, numbers)
        if event.departure:
            known = (event.departure.available_seats, event.departure.capacity, event.departure.held)
            _join(departures, (event.tour_id, event.departure.id), event.departure.version, known)
    return tours, departures


def _join(known, key, version, fact):
    old_version, old_fact = known.get(key, (-1, None))
    assert version != old_version or fact == old_fact, f"{key} has two facts of version {version}"
    if version > old_version:
        known[key] = version, fact


async def test_a_random_history_keeps_every_promise(office):
    outcomes = await _live(office, seed=1)

    assert min(outcomes[act] for act in ("book", "retry", "cancel", "resize", "close_or_reopen")) > 5
    await office.check()
    events = await office.events()
    for order in (events, random.Random(1).sample(events, len(events)), events * 2):
        await _compare(office, *_replay(order))
    _order(events)
    await _everybody_was_told(office)


async def _everybody_was_told(office):
    """Each user was told of each of their bookings once, and once of its end, in the order of the numbers."""
    for user in USERS:
        told = await office.told(user)
        assert [event.seq for event in told] == list(range(1, len(told) + 1))
        expected = defaultdict(list)
        for row in await office.rows("SELECT id, status FROM bookings WHERE user_id = :user", user=user):
            expected[row.id] = ["booking.confirmed"]
            if row.status == "cancelled":
                expected[row.id].append("booking.cancelled")
        found = defaultdict(list)
        for event in told:
            found[event.booking_id].append(event.__struct_config__.tag)
        assert found == expected
        stored = await office.rows(
            "SELECT seq, id FROM messages WHERE user_id = :user ORDER BY seq", user=user
        )
        assert stored == [(event.seq, event.message_id) for event in told]


async def _compare(office, tours, departures):
    for row in await office.rows("SELECT * FROM tours"):
        version, fact = tours[row.id]
        if row.closed_at is None:
            assert (version, fact) == (row.version, (row.available, row.capacity, row.held, row.name))
        else:
            assert fact == "closed"
    for row in await office.rows("SELECT * FROM departures WHERE starts_at IS NOT NULL"):
        version, fact = departures[row.tour_id, row.id]
        if row.closed_at is None:
            assert (version, fact) == (row.version, (row.available, row.capacity, row.held))
        else:
            assert fact == "closed"


def _order(events):
    """Within a tour, outbox order is version order: who orders by arrival sees the same."""
    tour_at, departure_at = {}, {}
    for event in events:
        closed = isinstance(event, wire_events.TourClosedEvent)
        of_departure = closed and bool(event.departure_id)
        if not of_departure:
            assert event.version >= tour_at.get(event.tour_id, 0)
            tour_at[event.tour_id] = event.version
        if of_departure or (not closed and event.departure):
            name = event.departure_id if closed else event.departure.id
            version = event.version if closed else event.departure.version
            assert version > departure_at.get((event.tour_id, name), 0)
            departure_at[event.tour_id, name] = version


async def test_every_row_version_ever_committed_is_possible(postgres_url, opened):
    async with opened(postgres_url) as office, opened(postgres_url) as another:
        async with office.database.transaction() as tx:
            for statement in _AUDIT:
                await tx.exec_driver_sql(statement)

        await _live(office, another, seed="audited", callers=8, acts=50)

        await _everybody_was_told(office)
        last = {}
        rows = await office.rows("SELECT * FROM audit ORDER BY n")
        assert len(rows) > 200
        for row in rows:
            key = (row.kind, row.key)
            assert row.available + row.held + row.sold == row.capacity
            assert min(row.available, row.held, row.sold) >= 0
            if key in last:
                step = row.version - last[key].version
                if step == 0:
                    # What a booking of a closed departure cost is returned, which nobody follows.
                    assert row.kind == "tour"
                    assert row[3:] == last[key][3:]
                    continue
                # One change counts one; bookings sold in one transaction count one each, and each takes a seat.
                assert step == 1 or 1 < step <= row.sold - last[key].sold, (last[key], row)
            else:
                assert row.version == 1
            last[key] = row
        for kind, table, key in (
            ("tour", "tours", "id"),
            ("departure", "departures", "tour_id || '/' || id"),
        ):
            now = await office.rows(f"SELECT {key} AS key, version FROM {table}")
            assert {row.key: row.version for row in now} == {
                name: row.version for (of, name), row in last.items() if of == kind
            }
