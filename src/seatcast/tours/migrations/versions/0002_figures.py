"""What live figures need without reading all bookings: each departure's number of them, each tour's revenue.

Confirmed bookings only. A tour service of an older version must not sell beside a newer one: it would not count.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # As both databases say it: SQLite adds a column together with its CHECK, or remakes the whole table.
    op.execute(
        "ALTER TABLE departures ADD COLUMN bookings BIGINT DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_departures_bookings_not_negative CHECK (bookings >= 0)"
    )
    op.execute(
        "ALTER TABLE tours ADD COLUMN revenue_minor BIGINT DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_tours_revenue_not_negative CHECK (revenue_minor >= 0)"
    )
    op.execute("""
        UPDATE departures SET bookings = counted.bookings FROM (
            SELECT tour_id, departure_id, count(*) AS bookings FROM bookings
            WHERE status = 'confirmed' GROUP BY tour_id, departure_id) AS counted
        WHERE departures.tour_id = counted.tour_id AND departures.id = counted.departure_id
        """)
    op.execute("""
        UPDATE tours SET revenue_minor = summed.minor FROM (
            SELECT tour_id, CAST(sum(total_minor) AS BIGINT) AS minor FROM bookings
            WHERE status = 'confirmed' GROUP BY tour_id) AS summed
        WHERE tours.id = summed.tour_id
        """)
    op.create_index("ix_bookings_created_at", "bookings", ["created_at"])
