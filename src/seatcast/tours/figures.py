"""Figures of the whole shop, in SQL: from the sums that selling keeps, never by reading all bookings.

Money is in hundredths of its currency until it goes onto the wire, and what is in different currencies is never added
up. Moments are of the database's clock: whichever process asks, a later answer has a later moment.

In the drivers' own SQL, since they are read five times a second: Core's results cost more than the statements.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from seatcast.domain import iso


class Question(NamedTuple):
    """A statement as each driver takes it."""

    postgresql: str
    sqlite: str


class Ask(Protocol):
    """Asks a database and returns the rows."""

    def __call__(self, question: Question, *values: str) -> Awaitable[Iterable[Sequence[Any]]]: ...


class Shop(NamedTuple):
    """The shop at one instant, `at`. `revenue_minor` is by currency, the main one first; `mark` as `mark()` has it."""

    at: str
    mark: int
    active_bookings: int
    seats_sold: int
    seats_held: int
    revenue_minor: dict[str, int]


class TourFigures(NamedTuple):
    """One tour: the seats of its open departures, the confirmed bookings of all and what they cost."""

    id: str
    name: str
    currency: str
    capacity: int
    available: int
    held: int
    sold: int
    revenue_minor: int
    bookings: int
    closed: bool


# Every change of seats puts an event into the outbox. The ids tell without looking at any row.
_MARK: Final = Question(
    "SELECT last_value FROM outbox_id_seq",
    "SELECT COALESCE(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'",
)


def _shop(clock: str, mark: str, now: str) -> str:
    # One statement, for one instant. The currency of most tours comes first.
    return f"""
        SELECT {clock}, ({mark}), active.bookings, money.currency, money.minor, money.sold, money.held
        FROM (SELECT COALESCE(sum(bookings), 0) AS bookings FROM departures
              WHERE starts_at IS NULL OR starts_at > {now}) AS active
        LEFT JOIN (SELECT currency, count(*) AS tours, sum(revenue_minor) AS minor, sum(sold) AS sold,
                       sum(held) AS held
                   FROM tours GROUP BY currency) AS money ON true
        ORDER BY money.tours DESC, money.currency
        """  # noqa: S608 (made of what stands below)


_SHOP: Final = Question(
    _shop(
        """to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""",
        _MARK.postgresql,
        "$1",
    ),
    _shop("strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", _MARK.sqlite, "?1"),
)

_BOOKED: Final = Question(
    "SELECT count(*) FROM bookings WHERE created_at > $1 AND created_at <= $2",
    "SELECT count(*) FROM bookings WHERE created_at > ?1 AND created_at <= ?2",
)

_BY_TOUR: Final = """
    SELECT tours.id, tours.name, tours.currency, tours.capacity, tours.available, tours.held, tours.sold,
        tours.revenue_minor, CAST(COALESCE(counted.bookings, 0) AS bigint), tours.closed_at IS NOT NULL
    FROM tours
    LEFT JOIN (SELECT tour_id, sum(bookings) AS bookings FROM departures GROUP BY tour_id) AS counted
        ON counted.tour_id = tours.id
    ORDER BY tours.name, tours.id
    """


def asking(connection: AsyncConnection) -> Ask:
    """Return how to ask inside the transaction of a connection."""

    async def ask(question: Question, *values: str) -> Iterable[Sequence[Any]]:
        postgresql = connection.dialect.name == "postgresql"
        statement = question.postgresql if postgresql else question.sqlite
        return (await connection.exec_driver_sql(statement, values)).all()

    return ask


async def shop(ask: Ask, now: str) -> Shop:
    """Return the shop as it is; a departure that starts after `now` is still to come."""
    rows = list(await ask(_SHOP, now))
    at, mark, active = rows[0][:3]
    return Shop(
        at,
        int(mark),
        int(active),
        sum(int(sold or 0) for *_, sold, _ in rows),
        sum(int(held or 0) for *_, held in rows),
        {currency: int(minor) for _, _, _, currency, minor, _, _ in rows if currency is not None},
    )


async def booked_in_a_minute(ask: Ask, now: str) -> int:
    """Return how many bookings were made in the 60 s before `now`, whatever became of them."""
    since = iso(datetime.fromisoformat(now).astimezone(UTC) - timedelta(seconds=60))
    [[count]] = await ask(_BOOKED, since, now)
    return int(count)


async def by_tour(ask: Ask) -> Sequence[TourFigures]:
    """Return every tour's figures, closed ones too, by name."""
    return [
        TourFigures(*row)._replace(closed=bool(row[-1])) for row in await ask(Question(_BY_TOUR, _BY_TOUR))
    ]


async def mark(ask: Ask) -> int:
    """Return a number that is another one as soon as anything was sold or changed, at next to no cost.

    It changes shortly before the transaction that changes it commits.
    """
    [[number]] = await ask(_MARK)
    return int(number)
