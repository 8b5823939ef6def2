"""Conversations of the support chat."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.String(24), nullable=False),
        sa.Column("taken_by", sa.Text),
        sa.Column("last_message", sa.Text, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("traveller_unread", sa.Integer, nullable=False),
        sa.Column("traveller_delivered", sa.Text),
        sa.Column("traveller_read", sa.Text),
        sa.Column("support_unread", sa.Integer, nullable=False),
        sa.Column("support_delivered", sa.Text),
        sa.Column("support_read", sa.Text),
        sa.UniqueConstraint("last_seq", name="uq_conversations_last_seq"),
        sa.CheckConstraint(
            "traveller_unread >= 0 AND support_unread >= 0",
            name=op.f("ck_conversations_unread_not_negative"),
        ),
    )
