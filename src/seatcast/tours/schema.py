"""The tables, as SQLAlchemy Core sees them. `migrations/` makes them; a test holds the two together.

Moments are text, ISO-8601 UTC with milliseconds and `Z`: fixed width, so they sort and compare as
moments on both databases and go onto the wire as they stand (docs/decisions/0003).

Every row with seats obeys `available + held + sold = capacity`, by CHECK. A tour's numbers are the sums
over its open departures; an undated tour's one departure has the tour's id and no `starts_at`.

Lock order, everywhere: departures (by id), then tours, then bookings. `outbox.id` is therefore taken under
the tour's row lock, so within a tour it follows commit order.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

_Moment = String(24)
_Serial = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER autoincrements there


def _seats() -> list[Column[int] | CheckConstraint]:
    return [
        Column("capacity", Integer, nullable=False),
        Column("available", Integer, nullable=False),
        Column("held", Integer, nullable=False, server_default="0"),
        Column("sold", Integer, nullable=False, server_default="0"),
        CheckConstraint("available >= 0 AND held >= 0 AND sold >= 0", name="seats_not_negative"),
        CheckConstraint("available + held + sold = capacity", name="seats_add_up"),
    ]


meta = Table(
    "seatcast_meta",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Text, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

tours = Table(
    "tours",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("dated", Boolean, nullable=False),
    *_seats(),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("changed_at", _Moment, nullable=False),
    Column("closed_at", _Moment),
)

departures = Table(
    "departures",
    metadata,
    Column("tour_id", Text, ForeignKey("tours.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("starts_at", _Moment),
    *_seats(),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("changed_at", _Moment, nullable=False),
    Column("closed_at", _Moment),
    Index(
        "ix_departures_open_starts_at",
        "starts_at",
        postgresql_where=text("closed_at IS NULL"),
        sqlite_where=text("closed_at IS NULL"),
    ),
)

bookings = Table(
    "bookings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tour_id", Text, nullable=False),
    Column("departure_id", Text, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("user_id", Text),
    Column("status", Text, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created_at", _Moment, nullable=False),
    Column("cancelled_at", _Moment),
    # Whose key it is ("user:..." or "anonymous"), the key, and a hash of the request it stands for.
    Column("key_scope", Text),
    Column("key", Text),
    Column("request_hash", Text),
    ForeignKeyConstraint(["tour_id", "departure_id"], ["departures.tour_id", "departures.id"]),
    UniqueConstraint("key_scope", "key"),
    CheckConstraint("seats > 0", name="seats_positive"),
    CheckConstraint("status IN ('confirmed', 'cancelled')", name="status_known"),
    Index("ix_bookings_user_id_created_at", "user_id", "created_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("partition", SmallInteger, nullable=False),
    Column("routing_key", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("traceparent", Text),
    Column("created_at", _Moment, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("parked_at", _Moment),
    Column("error", Text),
    sqlite_autoincrement=True,  # ids are never used again, or the watermark would go backwards
)
