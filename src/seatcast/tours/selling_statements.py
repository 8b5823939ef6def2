"""The SQL of selling on PostgreSQL: a batch of wishes, or one alone, with bookings, events and messages in one statement.

Each comes in two forms: to tell users of their bookings (`streams.py`), and without it, so that a booking without a user
costs nothing more.

Locks are taken in the order of `schema.py`: departures by id, tours by id, bookings, streams by id. A part that selects from
another comes after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from seatcast import wire, wire_events
from seatcast.tours.outbox import EVENTS_JSON, OutboxRow
from seatcast.tours.selling import Taking, columns
from seatcast.tours.store import DepartureRow, TourRow

_TOUR_PARTS = {"tour_id": "tour.id", "available_seats": "tour.available", "tour_name": "tour.name"}
_TOUR_PARTS |= {name: f"tour.{name}" for name in ("capacity", "held", "version")}
_TOUR_PARTS |= {
    "event_id": "'evt_' || gen_random_uuid()",
    "timestamp": "CAST(:now AS text)",
    "epoch": "CAST(:epoch AS text)",
}
_DEPARTURE_PARTS = {"available_seats": "departure.available"}
_DEPARTURE_PARTS |= {name: f"departure.{name}" for name in ("id", "starts_at", "capacity", "held", "version")}


def json_of(kind: type[msgspec.Struct], parts: Mapping[str, str], first: str = "") -> str:
    """Return SQL that builds the JSON of a struct of the wire, which stays the owner of the names.

    A field without a part is absent.
    """
    pairs = [f"'{f.encode_name}', {parts[f.name]}" for f in msgspec.structs.fields(kind) if f.name in parts]
    return f"json_build_object({first}{', '.join(pairs)})"


_DEPARTURE_JSON = (
    f"CASE WHEN departure.starts_at IS NOT NULL THEN {json_of(wire.Departure, _DEPARTURE_PARTS)} END"
)
_SEATS_TYPE, _CONFIRMED_TYPE = "tour.availability.updated", "booking.confirmed"
_SEATS_JSON = json_of(
    wire_events.AvailabilityUpdated,
    _TOUR_PARTS | {"departure": _DEPARTURE_JSON},
    first=f"'eventType', '{_SEATS_TYPE}', ",
)

_CONFIRMED_PARTS = {name: f"told.{name}" for name in ("user_id", "message_id", "seq", "booking_id", "seats")}
_CONFIRMED_PARTS |= {"event_id": "told.message_id", "timestamp": "CAST(:now AS text)"}
_CONFIRMED_PARTS |= {"tour_id": "tour.id", "tour_name": "tour.name"}
_CONFIRMED_PARTS |= {"departure_id": "CASE WHEN departure.starts_at IS NOT NULL THEN departure.id END"}
_CONFIRMED_JSON = json_of(
    wire_events.BookingConfirmedEvent, _CONFIRMED_PARTS, first=f"'eventType', '{_CONFIRMED_TYPE}', "
)
_MESSAGE = f"""
    message AS (
        INSERT INTO messages (id, kind, user_id, seq, body, created_at)
        SELECT message_id, '{_CONFIRMED_TYPE}', user_id, seq, body, :now FROM notice),
    """  # noqa: S608 (made of names in this file, never of anybody's input)
_AND_NOTICES = f"""
        UNION ALL (
            SELECT partition, '{_CONFIRMED_TYPE}', message_id, body, traceparent, :now FROM notice ORDER BY n)
    """  # noqa: S608 (made of names in this file, never of anybody's input)

WISH: Final[dict[str, str]] = {
    name: "int" if name in ("seats", "partition") else "text" for name in (*Taking._fields, "partition")
}
"""The parameters of a wish and their types; with `now` and `epoch` behind them, those of a statement."""

WISH_TO_TELL: Final = WISH | {"user_partition": "int"}


def _numbered(statement: str, wish: Mapping[str, str]) -> str:
    """Return a statement with `:name` as PostgreSQL numbers parameters."""
    parameters = [*wish, "now", "epoch"]
    return re.sub(r"(?<!:):([a-z_]+)", lambda name: f"${parameters.index(name[1]) + 1}", statement)


# Bookings of one user have consecutive numbers, in the order of the wishes. Streams are locked in one order everywhere,
# that of their bytes. A wish that was accepted is not booked yet: where seats came back after the statement began, its
# departure's update still sees too few, and the wish is made again. A number for it would be nobody's.
_TELL_MANY = f"""
    sold AS MATERIALIZED (
        SELECT accepted.*, 'user:' || user_id AS stream, count(*) OVER of_user AS times,
            row_number() OVER (of_user ORDER BY n) AS nth
        FROM accepted JOIN booking ON booking.id = accepted.booking_id WHERE user_id IS NOT NULL
        WINDOW of_user AS (PARTITION BY user_id)),
    stream AS (
        INSERT INTO streams (id, head)
        SELECT stream, count(*) FROM sold GROUP BY stream ORDER BY stream COLLATE "C"
        ON CONFLICT (id) DO UPDATE SET head = streams.head + excluded.head
        RETURNING id, head),
    told AS MATERIALIZED (
        SELECT sold.*, stream.head - sold.times + sold.nth AS seq, 'msg_' || gen_random_uuid() AS message_id
        FROM sold JOIN stream ON stream.id = sold.stream),
    notice AS MATERIALIZED (
        SELECT told.n, told.user_partition AS partition, told.user_id, told.seq, told.message_id, told.traceparent,
            json_strip_nulls({_CONFIRMED_JSON})::text AS body
        FROM told
        JOIN departure ON departure.tour_id = told.tour_id AND departure.id = told.departure_id
        JOIN tour ON tour.id = told.tour_id),
    {_MESSAGE}
    """  # noqa: S608 (made of names in this file, never of anybody's input)


# A wish is accepted if it and all wishes before it for the same departure fit together, those aside that cannot fit even
# alone; one that did not fit behind a larger one is simply made again.
# The updates see the newest rows, not the statement's snapshot: PostgreSQL evaluates an UPDATE anew on a row that
# another transaction has changed in the meantime (documentation, 13.2.1).
# Departures are looked up one by one: joined to the wishes, before the tables have statistics, the planner reads every open
# departure there is for each wish.
def _take_many(wish: Mapping[str, str], tell: str = "", and_notices: str = "") -> str:
    return _numbered(
        f"""
    WITH wish AS MATERIALIZED (
        SELECT * FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in wish.items())})
            WITH ORDINALITY AS w({", ".join(wish)}, n)),
    locked AS MATERIALIZED (
        SELECT d.tour_id, d.id, d.available
        FROM (SELECT DISTINCT tour_id, departure_id FROM wish ORDER BY tour_id, departure_id) AS wanted
        CROSS JOIN LATERAL (
            SELECT * FROM departures
            WHERE tour_id = wanted.tour_id AND id = wanted.departure_id
                AND closed_at IS NULL AND (starts_at IS NULL OR starts_at > :now) FOR UPDATE) AS d),
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
            version = departures.version + sale.bookings, changed_at = :now,
            bookings = departures.bookings + sale.bookings
        FROM sale WHERE departures.tour_id = sale.tour_id AND departures.id = sale.departure_id
            AND departures.available >= sale.seats
        RETURNING {columns("departures", DepartureRow)}),
    tour AS (
        UPDATE tours SET available = tours.available - total.seats, sold = tours.sold + total.seats,
            version = tours.version + total.bookings, changed_at = :now,
            revenue_minor = tours.revenue_minor + tours.price_minor * total.seats
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
        JOIN tour ON tour.id = accepted.tour_id
        RETURNING id),
    {tell}
    event AS (
        INSERT INTO outbox (partition, routing_key, event_id, payload, traceparent, created_at)
        SELECT sale.partition, '{_SEATS_TYPE}', event.body ->> 'eventId', event.body::text, sale.traceparent, :now
        FROM sale
        JOIN departure ON departure.tour_id = sale.tour_id AND departure.id = sale.departure_id
        JOIN tour ON tour.id = sale.tour_id
        CROSS JOIN LATERAL (SELECT json_strip_nulls({_SEATS_JSON}) AS body) AS event
        {and_notices}
        RETURNING {columns("outbox", OutboxRow)})
    SELECT accepted.n, {columns("tour", TourRow)}, {columns("departure", DepartureRow)},
        CASE WHEN accepted.n = (SELECT min(n) FROM accepted)
            THEN {EVENTS_JSON} END AS events
    FROM accepted
    JOIN departure ON departure.tour_id = accepted.tour_id AND departure.id = accepted.departure_id
    JOIN tour ON tour.id = accepted.tour_id
    """,  # noqa: S608 (made of names in this file, never of anybody's input)
        wish,
    )


TAKE_MANY: Final = _take_many(WISH)
TAKE_MANY_AND_TELL: Final = _take_many(WISH_TO_TELL, _TELL_MANY, _AND_NOTICES)
"""Its arguments are lists, one value a wish; it returns each wish that was met, with its number from 1."""


_TELL_ONE = f"""
    stream AS (
        INSERT INTO streams (id, head) SELECT 'user:' || CAST(:user_id AS text), 1 FROM booking
        ON CONFLICT (id) DO UPDATE SET head = streams.head + 1
        RETURNING head),
    told AS MATERIALIZED (
        SELECT :user_id AS user_id, :booking_id AS booking_id, :seats AS seats, head AS seq,
            'msg_' || gen_random_uuid() AS message_id
        FROM stream),
    notice AS MATERIALIZED (
        SELECT 1 AS n, CAST(:user_partition AS int) AS partition, told.user_id, told.seq, told.message_id,
            :traceparent AS traceparent, json_strip_nulls({_CONFIRMED_JSON})::text AS body
        FROM told CROSS JOIN departure CROSS JOIN tour),
    {_MESSAGE}
    """  # noqa: S608 (made of names in this file, never of anybody's input)


# One wish alone, which is what most batches are: the same effect at a third of the time in the server. The departure's
# row is locked first here too, since the tour's update waits for what the departure's returns.
def _take_one(wish: Mapping[str, str], tell: str = "", and_notices: str = "") -> str:
    return _numbered(
        f"""
    WITH departure AS (
        UPDATE departures SET available = available - CAST(:seats AS int), sold = sold + :seats,
            version = version + 1, changed_at = :now, bookings = bookings + 1
        WHERE tour_id = :tour_id AND id = :departure_id AND closed_at IS NULL
            AND (starts_at IS NULL OR starts_at > :now) AND available >= :seats
        RETURNING {columns("departures", DepartureRow)}),
    tour AS (
        UPDATE tours SET available = available - :seats, sold = sold + :seats, version = version + 1, changed_at = :now,
            revenue_minor = revenue_minor + price_minor * :seats
        WHERE id = (SELECT tour_id FROM departure)
        RETURNING {columns("tours", TourRow)}),
    booking AS (
        INSERT INTO bookings (id, tour_id, departure_id, seats, user_id, status, total_minor, currency,
            created_at, key_scope, key, request_hash)
        SELECT :booking_id, :tour_id, :departure_id, :seats, :user_id, 'confirmed', tour.price_minor * :seats,
            tour.currency, :now, :key_scope, :key, :request_hash
        FROM tour
        RETURNING id),
    {tell}
    event AS (
        INSERT INTO outbox (partition, routing_key, event_id, payload, traceparent, created_at)
        SELECT CAST(:partition AS int), '{_SEATS_TYPE}', event.body ->> 'eventId', event.body::text, :traceparent, :now
        FROM departure CROSS JOIN tour CROSS JOIN LATERAL (SELECT json_strip_nulls({_SEATS_JSON}) AS body) AS event
        {and_notices}
        RETURNING {columns("outbox", OutboxRow)})
    SELECT {columns("tour", TourRow)}, {columns("departure", DepartureRow)}, {columns("event", OutboxRow)}
    FROM tour CROSS JOIN departure CROSS JOIN event
    """,  # noqa: S608 (made of names in this file, never of anybody's input)
        wish,
    )


TAKE_ONE: Final = _take_one(WISH)
TAKE_ONE_AND_TELL: Final = _take_one(WISH_TO_TELL, _TELL_ONE, _AND_NOTICES)
"""Returns the tour, the departure and an event, in as many rows as there are events."""
