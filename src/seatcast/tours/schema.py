"""The tables, as SQLAlchemy Core sees them. `migrations/` makes them; a test holds the two together.

Moments are text, ISO-8601 UTC with milliseconds and `Z`: fixed width, so they sort and compare as
moments on both databases and go onto the wire as they stand (docs/decisions/0003).

Every row with seats obeys `available + held + sold = capacity`, by CHECK. A tour's numbers are the sums
over its open departures; an undated tour's one departure has the tour's id and no `starts_at`.

Lock order, everywhere: departures (by id), then tours, then bookings, then the streams of users (by id), then the
stream `support`, then conversations (by id); a document is locked alone. `outbox.id` is therefore taken under the lock
of the tour's row, of the stream's for a message, of the conversation's or of the document's, so within each of them it
follows commit order.
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
    LargeBinary,
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
    # What its confirmed bookings cost, in the currency's hundredths: kept by whatever sells and cancels.
    Column("revenue_minor", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("revenue_minor >= 0", name="revenue_not_negative"),
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
    # How many confirmed bookings it has.
    Column("bookings", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("bookings >= 0", name="bookings_not_negative"),
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
    Index(
        "ix_bookings_user_id_created_at",
        "user_id",
        "created_at",
        postgresql_where=text("user_id IS NOT NULL"),
        sqlite_where=text("user_id IS NOT NULL"),
    ),
    Index("ix_bookings_created_at", "created_at"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    # The number of the last update, and of the one that holds everything before it.
    Column("head", BigInteger, nullable=False),
    Column("compacted", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    # Counts the changes of fields.
    Column("version", BigInteger, nullable=False),
)

document_updates = Table(
    "document_updates",
    metadata,
    Column("document_id", Text, ForeignKey("documents.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

document_fields = Table(
    "document_fields",
    metadata,
    Column("document_id", Text, ForeignKey("documents.id"), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("changed_at", _Moment, nullable=False),
)

# Edits by their author's own mark, so that the same one again has no effect.
document_edits = Table(
    "document_edits",
    metadata,
    Column("document_id", Text, ForeignKey("documents.id"), primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("mark", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("created_at", _Moment, nullable=False),
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

streams = Table(
    "streams",
    metadata,
    Column("id", Text, primary_key=True),
    Column("head", BigInteger, nullable=False),
    # The newest message that is not kept any more, and the latest moment of those.
    Column("forgotten", BigInteger, nullable=False, server_default="0"),
    Column("forgotten_at", _Moment),
    CheckConstraint("0 <= forgotten AND forgotten <= head", name="forgotten_was_there"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    # In the stream `support`; messages that are not in it are notifications.
    Column("support_seq", BigInteger, unique=True),
    # Whose mark `client_id` is, by which the same message again is known.
    Column("sender", Text),
    Column("client_id", Text),
    # The event, as it was published.
    Column("body", Text, nullable=False),
    Column("created_at", _Moment, nullable=False),
    UniqueConstraint("user_id", "seq"),
    UniqueConstraint("sender", "client_id"),
    *(
        Index(name, "created_at", postgresql_where=text(which), sqlite_where=text(which))
        for name, which in (
            ("ix_messages_notified_at", "support_seq IS NULL"),
            ("ix_messages_said_at", "support_seq IS NOT NULL"),
        )
    ),
)

# What `chat.Conversation` says.
conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", _Moment, nullable=False),
    Column("taken_by", Text),
    Column("last_message", Text, nullable=False),
    Column("last_seq", BigInteger, nullable=False, unique=True),
    Column("traveller_unread", Integer, nullable=False),
    Column("traveller_delivered", Text),
    Column("traveller_read", Text),
    Column("support_unread", Integer, nullable=False),
    Column("support_delivered", Text),
    Column("support_read", Text),
    CheckConstraint("traveller_unread >= 0 AND support_unread >= 0", name="unread_not_negative"),
)
