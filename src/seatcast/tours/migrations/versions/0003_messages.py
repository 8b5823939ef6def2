"""Streams of messages for people."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "streams",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("head", sa.BigInteger, nullable=False),
        sa.Column("forgotten", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("forgotten_at", sa.String(24)),
        sa.CheckConstraint(
            "0 <= forgotten AND forgotten <= head", name=op.f("ck_streams_forgotten_was_there")
        ),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("support_seq", sa.BigInteger),
        sa.Column("sender", sa.Text),
        sa.Column("client_id", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(24), nullable=False),
        sa.UniqueConstraint("user_id", "seq", name="uq_messages_user_id_seq"),
        sa.UniqueConstraint("support_seq", name="uq_messages_support_seq"),
        sa.UniqueConstraint("sender", "client_id", name="uq_messages_sender_client_id"),
    )
    for name, which in (
        ("ix_messages_notified_at", "support_seq IS NULL"),
        ("ix_messages_said_at", "support_seq IS NOT NULL"),
    ):
        op.create_index(
            name, "messages", ["created_at"], postgresql_where=sa.text(which), sqlite_where=sa.text(which)
        )
