"""Tours, departures, bookings and the outbox.

Written out rather than taken from `schema.py`: a migration says what was true on its day.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_moment = sa.String(24)


def _seats() -> list[sa.Column[int] | sa.CheckConstraint]:
    return [
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("available", sa.Integer, nullable=False),
        sa.Column("held", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sold", sa.Integer, nullable=False, server_default="0"),
    ]


def _seat_checks(table: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(
            "available >= 0 AND held >= 0 AND sold >= 0", name=op.f(f"ck_{table}_seats_not_negative")
        ),
        sa.CheckConstraint("available + held + sold = capacity", name=op.f(f"ck_{table}_seats_add_up")),
    ]


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    meta = op.create_table(
        "seatcast_meta",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_seatcast_meta_one_row")),
    )
    op.bulk_insert(meta, [{"id": 1, "epoch": secrets.token_hex(8)}])
    op.create_table(
        "tours",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("dated", sa.Boolean, nullable=False),
        *_seats(),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("changed_at", _moment, nullable=False),
        sa.Column("closed_at", _moment),
        *_seat_checks("tours"),
    )
    op.create_table(
        "departures",
        sa.Column("tour_id", sa.Text, sa.ForeignKey("tours.id"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("starts_at", _moment),
        *_seats(),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("changed_at", _moment, nullable=False),
        sa.Column("closed_at", _moment),
        *_seat_checks("departures"),
    )
    # What the sweep of past departures looks for: few rows, however long the history grows.
    op.create_index(
        "ix_departures_open_starts_at",
        "departures",
        ["starts_at"],
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tour_id", sa.Text, nullable=False),
        sa.Column("departure_id", sa.Text, nullable=False),
        sa.Column("seats", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("cancelled_at", _moment),
        sa.Column("key_scope", sa.Text),
        sa.Column("key", sa.Text),
        sa.Column("request_hash", sa.Text),
        sa.ForeignKeyConstraint(["tour_id", "departure_id"], ["departures.tour_id", "departures.id"]),
        sa.UniqueConstraint("key_scope", "key", name="uq_bookings_key_scope_key"),
        sa.CheckConstraint("seats > 0", name=op.f("ck_bookings_seats_positive")),
        sa.CheckConstraint("status IN ('confirmed', 'cancelled')", name=op.f("ck_bookings_status_known")),
    )
    op.create_index("ix_bookings_user_id_created_at", "bookings", ["user_id", "created_at"])
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "outbox",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("parked_at", _moment),
        sa.Column("error", sa.Text),
        sqlite_autoincrement=True,
    )
    if postgresql:
        # The relay deletes what it sends, so the table stays short but turns over fast.
        op.execute(
            "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"
        )
