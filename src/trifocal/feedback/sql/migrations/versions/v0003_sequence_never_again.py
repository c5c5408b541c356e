"""SQLite gives no sequence number twice any more, as PostgreSQL never did.

Without it the number of the newest event comes again once that event was deleted, and whoever reads on from a number
would miss the event that has it now. SQLite can only say so of a new table, so the events move.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NAMES = (
    "sequence, event_id, user_id, item_id, event, timestamp_s, session_id, device, country, dwell_ms, position, "
    "query, value, answer_id, propensity, model_version, variant, rung"
)


def upgrade() -> None:
    """Move the events to a table that counts on; nothing on PostgreSQL."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index("events_by_user", "events")
    op.rename_table("events", "events_before")
    _create()
    op.execute(f"INSERT INTO events ({_NAMES}) SELECT {_NAMES} FROM events_before ORDER BY sequence")  # noqa: S608 - constants
    op.drop_table("events_before")
    op.create_index("events_by_user", "events", ["user_id", "timestamp_s", "sequence"])


def _create() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.String, nullable=False, unique=True),
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("item_id", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("timestamp_s", sa.Float(53), nullable=False),
        sa.Column("session_id", sa.String),
        sa.Column("device", sa.String),
        sa.Column("country", sa.String),
        sa.Column("dwell_ms", sa.BigInteger),
        sa.Column("position", sa.BigInteger),
        sa.Column("query", sa.String),
        sa.Column("value", sa.Float(53)),
        sa.Column("answer_id", sa.String),
        sa.Column("propensity", sa.Float(53)),
        sa.Column("model_version", sa.String),
        sa.Column("variant", sa.String),
        sa.Column("rung", sa.String),
        sqlite_autoincrement=True,
    )
