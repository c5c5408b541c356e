"""Events carry what the answer said that showed the item. Some files have the columns from before migrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns that are not there; old events have none of it."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("events")}
    columns = (
        sa.Column("answer_id", sa.String),
        sa.Column("propensity", sa.Float(53)),
        sa.Column("model_version", sa.String),
        sa.Column("variant", sa.String),
        sa.Column("rung", sa.String),
    )
    for column in columns:
        if column.name not in there:
            op.add_column("events", column)
