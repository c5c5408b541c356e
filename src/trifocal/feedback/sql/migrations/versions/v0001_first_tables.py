"""The tables as the first version made them. A file from before migrations has them already, and is adopted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create what is not there."""
    there = sa.inspect(op.get_bind()).get_table_names()
    for name, create in (("events", _events), ("live_items", _items), ("forgotten_users", _forgotten)):
        if name not in there:
            create()


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", _SEQUENCE, primary_key=True),
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
    )
    op.create_index("events_by_user", "events", ["user_id", "timestamp_s", "sequence"])


def _items() -> None:
    op.create_table(
        "live_items",
        sa.Column("sequence", _SEQUENCE, primary_key=True),
        sa.Column("item_id", sa.String, nullable=False, unique=True),
        sa.Column("item", sa.String),
        sa.Column("features", sa.LargeBinary, nullable=False),
        sa.Column("model_version", sa.String, nullable=False),
    )


def _forgotten() -> None:
    op.create_table(
        "forgotten_users",
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("at_s", sa.Float(53), nullable=False),
    )
