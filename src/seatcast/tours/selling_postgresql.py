"""Selling on PostgreSQL: any number of wishes in one statement, each with its booking, and one event per departure.

One round trip, one transaction, and rows are locked only while the server works. Over several round trips a hot
departure would sell no faster than the event loop turns (docs/decisions/0002).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast import wire
from seatcast.domain import partition_of
from seatcast.tours.selling import KeyInUse, Sale, Taken, Taking, columns
from seatcast.tours.store import DepartureRow, OutboxRow, TourRow


class Driver(Protocol):
    """The part of asyncpg's connection that sells."""

    async def fetch(self, query: str, *args: object) -> list[Sequence[Any]]: ...

    async def fetchrow(self, query: str, *args: object) -> Sequence[Any] | None: ...


_EVENT_TYPE = "tour.availability.updated"
_TOUR_PARTS = {"tour_id": "tour.id", "available_seats": "tour.available", "tour_name": "tour.name"}
_TOUR_PARTS |= {name: f"tour.{name}" for name in ("capacity", "held", "version")}
_TOUR_PARTS |= {
    "event_id": "'evt_' || gen_random_uuid()",
    "timestamp": "CAST(:now AS text)",
    "epoch": "CAST(:epoch AS text)",
}
_DEPARTURE_PARTS = {"available_seats": "departure.available"}
_DEPARTURE_PARTS |= {name: f"departure.{name}" for name in ("id", "starts_at", "capacity", "held", "version")}


def _json(kind: type[msgspec.Struct], parts: Mapping[str, str], first: str = "") -> str:
    """Return SQL that builds the JSON of a wire struct; `wire.py` stays the owner of the names."""
    pairs = [f"'{f.encode_name}', {parts[f.name]}" for f in msgspec.structs.fields(kind)]
    return f"json_build_object({first}{', '.join(pairs)})"


_DEPARTURE_JSON = (
    f"CASE WHEN departure.starts_at IS NOT NULL THEN {_json(wire.Departure, _DEPARTURE_PARTS)} END"
)
_EVENT_JSON = _json(
    wire.AvailabilityUpdated,
    _TOUR_PARTS | {"departure": _DEPARTURE_JSON},
    first=f"'eventType', '{_EVENT_TYPE}', ",
)


def _numbered(statement: str) -> str:
    """Return a statement with `:name` as PostgreSQL numbers parameters, in the order of `_PARAMETERS`."""
    return re.sub(r"(?<!:):([a-z_]+)", lambda name: f"${_PARAMETERS.index(name[1]) + 1}", statement)


_WISHES = {
    name: "int" if name in ("seats", "partition") else "text" for name in (*Taking._fields, "partition")
}
_PARAMETERS = [*_WISHES, "now", "epoch"]

# Locks are taken in the order of `schema.py`: departures by id, then tours by id. A wish is accepted if it and all
# wishes before it for the same departure fit together, those aside that cannot fit even alone; one that did not fit
# behind a larger one is simply made again.
# The updates see the newest rows, not the statement's snapshot: PostgreSQL evaluates an UPDATE anew on a row that
# another transaction has changed in the meantime (documentation, 13.2.1).
_TAKE_MANY = _numbered(f"""
    WITH wish AS MATERIALIZED (
        SELECT * FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _WISHES.items())})
            WITH ORDINALITY AS w({", ".join(_WISHES)}, n)),
    locked AS MATERIALIZED (
        SELECT d.tour_id, d.id, d.available FROM departures d
        WHERE (d.tour_id, d.id) IN (SELECT tour_id, departure_id FROM wish)
            AND d.closed_at IS NULL AND (d.starts_at IS NULL OR d.starts_at > :now)
        ORDER BY d.tour_id, d.id FOR UPDATE),
    accepted AS MATERIALIZED (
        SELECT * FROM (
            SELECT wish.*, locked.available,
                sum(wish.seats) OVER (PARTITION BY wish.tour_id, wish.departure_id ORDER BY wish.n) AS running
            FROM wish JOIN locked ON locked.tour_id = wish.tour_id AND locked.id = wish.departure_id
                AND wish.seats <= locked.available) AS ranked
        WHERE running <= available),
    sale AS MATERIALIZED (
        SELECT tour_id, departure_id, partition, CAST(sum(seats) AS int) AS seats, count(*) AS bookings,
            (array_agg(traceparent ORDER BY n) FILTER (WHERE traceparent IS NOT NULL))[1] AS traceparent
        FROM accepted GROUP BY tour_id, departure_id, partition),
    locked_tour AS MATERIALIZED (
        SELECT id FROM tours WHERE id IN (SELECT tour_id FROM sale) ORDER BY id FOR UPDATE),
    departure AS (
        UPDATE departures SET available = departures.available - sale.seats, sold = departures.sold + sale.seats,
            version = departures.version + sale.bookings, changed_at = :now
        FROM sale WHERE departures.tour_id = sale.tour_id AND departures.id = sale.departure_id
            AND departures.available >= sale.seats
        RETURNING {columns("departures", DepartureRow)}),
    tour AS (
        UPDATE tours SET available = tours.available - total.seats, sold = tours.sold + total.seats,
            version = tours.version + total.bookings, changed_at = :now
        FROM (
            SELECT sale.tour_id, CAST(sum(sale.seats) AS int) AS seats, CAST(sum(sale.bookings) AS bigint) AS bookings
            FROM sale
            JOIN departure ON departure.tour_id = sale.tour_id AND departure.id = sale.departure_id
            JOIN locked_tour ON locked_tour.id = sale.tour_id
            GROUP BY sale.tour_id) AS total
        WHERE tours.id = total.tour_id
        RETURNING {columns("tours", TourRow)}),
    booking AS (
        INSERT INTO bookings (id, tour_id, departure_id, seats, user_id, status, total_minor, currency,
            created_at, key_scope, key, request_hash)
        SELECT accepted.booking_id, tour.id, accepted.departure_id, accepted.seats, accepted.user_id, 'confirmed',
            tour.price_minor * accepted.seats, tour.currency, :now, accepted.key_scope, accepted.key,
            accepted.request_hash
        FROM accepted
        JOIN departure ON departure.tour_id = accepted.tour_id AND departure.id = accepted.departure_id
        JOIN tour ON tour.id = accepted.tour_id),
    event AS (
        INSERT INTO outbox (partition, routing_key, event_id, payload, traceparent, created_at)
        SELECT sale.partition, '{_EVENT_TYPE}', event.body ->> 'eventId', event.body::text, sale.traceparent, :now
        FROM sale
        JOIN departure ON departure.tour_id = sale.tour_id AND departure.id = sale.departure_id
        JOIN tour ON tour.id = sale.tour_id
        CROSS JOIN LATERAL (SELECT json_strip_nulls({_EVENT_JSON}) AS body) AS event
        RETURNING {columns("outbox", OutboxRow)})
    SELECT accepted.n, {columns("tour", TourRow)}, {columns("departure", DepartureRow)},
        CASE WHEN accepted.n = (SELECT min(n) FROM accepted)
            THEN (SELECT json_agg(event ORDER BY event.id)::text FROM event) END AS events
    FROM accepted
    JOIN departure ON departure.tour_id = accepted.tour_id AND departure.id = accepted.departure_id
    JOIN tour ON tour.id = accepted.tour_id
    """)  # noqa: S608 (made of names in this file, never of anybody's input)


class _Event(msgspec.Struct):
    """An `OutboxRow` as the statement returns it."""

    id: int
    partition: int
    routing_key: str
    event_id: str
    payload: str
    traceparent: str | None
    attempts: int


_events = msgspec.json.Decoder(list[_Event])


# One wish alone, which is what most batches are: the same effect at a third of the time in the server. The departure's
# row is locked first here too, since the tour's update waits for what the departure's returns.
_TAKE_ONE = _numbered(f"""
    WITH departure AS (
        UPDATE departures SET available = available - CAST(:seats AS int), sold = sold + :seats,
            version = version + 1, changed_at = :now
        WHERE tour_id = :tour_id AND id = :departure_id AND closed_at IS NULL
            AND (starts_at IS NULL OR starts_at > :now) AND available >= :seats
        RETURNING {columns("departures", DepartureRow)}),
    tour AS (
        UPDATE tours SET available = available - :seats, sold = sold + :seats, version = version + 1, changed_at = :now
        WHERE id = (SELECT tour_id FROM departure)
        RETURNING {columns("tours", TourRow)}),
    booking AS (
        INSERT INTO bookings (id, tour_id, departure_id, seats, user_id, status, total_minor, currency,
            created_at, key_scope, key, request_hash)
        SELECT :booking_id, :tour_id, :departure_id, :seats, :user_id, 'confirmed', tour.price_minor * :seats,
            tour.currency, :now, :key_scope, :key, :request_hash
        FROM tour),
    event AS (
        INSERT INTO outbox (partition, routing_key, event_id, payload, traceparent, created_at)
        SELECT CAST(:partition AS int), '{_EVENT_TYPE}', event.body ->> 'eventId', event.body::text, :traceparent, :now
        FROM departure CROSS JOIN tour CROSS JOIN LATERAL (SELECT json_strip_nulls({_EVENT_JSON}) AS body) AS event
        RETURNING {columns("outbox", OutboxRow)})
    SELECT {columns("tour", TourRow)}, {columns("departure", DepartureRow)}, {columns("event", OutboxRow)}
    FROM tour CROSS JOIN departure CROSS JOIN event
    """)  # noqa: S608 (made of names in this file, never of anybody's input)


async def driver_of(connection: AsyncConnection) -> Driver:
    """Return what `take_all` sells through; it ends with the connection."""
    driver: Driver | None = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # noqa: S101 - for mypy: a connection that is open has one
    return driver


async def take_all(driver: Driver, takings: Sequence[Taking], epoch: str, now: str) -> Sale:
    """Sell to every wish that can be met, in one statement.

    Through the driver itself: SQLAlchemy's handling of a result with this many columns takes as long as the
    statement. Raises `KeyInUse` if any idempotency key is in use; nothing has changed then.
    """
    try:
        if len(takings) == 1:
            return await _take_one(driver, takings[0], epoch, now)
        return await _take_many(driver, takings, epoch, now)
    except asyncpg.UniqueViolationError:
        raise KeyInUse from None


async def _take_one(driver: Driver, taking: Taking, epoch: str, now: str) -> Sale:
    row = await driver.fetchrow(_TAKE_ONE, *taking, partition_of(taking.tour_id), now, epoch)
    if row is None:
        return Sale([None], [])
    parts = tuple(row)
    tour, departure = len(TourRow._fields), len(TourRow._fields) + len(DepartureRow._fields)
    taken = Taken(TourRow(*parts[:tour]), DepartureRow(*parts[tour:departure]))
    return Sale([taken], [OutboxRow(*parts[departure:])])


async def _take_many(driver: Driver, takings: Sequence[Taking], epoch: str, now: str) -> Sale:
    by_name = [*map(list, zip(*takings, strict=True)), [partition_of(t.tour_id) for t in takings]]
    sale = Sale([None] * len(takings), [])
    width = 1 + len(TourRow._fields)
    for row in map(tuple, await driver.fetch(_TAKE_MANY, *by_name, now, epoch)):
        sale.taken[row[0] - 1] = Taken(TourRow(*row[1:width]), DepartureRow(*row[width:-1]))
        if row[-1] is not None:
            sale.events.extend(
                OutboxRow(*msgspec.structs.astuple(event)) for event in _events.decode(row[-1])
            )
    return sale
