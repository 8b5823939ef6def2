"""Bookings that nobody signed in for are no longer in the index by user: they cost every sale an entry nobody reads."""

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_index("ix_bookings_user_id_created_at", "bookings")
    op.create_index(
        "ix_bookings_user_id_created_at",
        "bookings",
        ["user_id", "created_at"],
        postgresql_where=text("user_id IS NOT NULL"),
        sqlite_where=text("user_id IS NOT NULL"),
    )
