"""The tables as they are now; how older ones become these is told by the migrations. A test compares both."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

__all__ = ["EVENTS", "FORGOTTEN", "ITEMS", "METADATA"]

# SQLite counts rows in a column of exactly this type only.
_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")

METADATA = MetaData()
EVENTS = Table(
    "events",
    METADATA,
    # In the order of arrival; a number is never given twice, also after the row has gone.
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("user_id", String, nullable=False),
    Column("item_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("timestamp_s", Float(53), nullable=False),
    Column("session_id", String),
    Column("device", String),
    Column("country", String),
    Column("dwell_ms", BigInteger),
    Column("position", BigInteger),
    Column("query", String),
    Column("value", Float(53)),
    Column("answer_id", String),
    Column("propensity", Float(53)),
    Column("model_version", String),
    Column("variant", String),
    Column("rung", String),
    Index("events_by_user", "user_id", "timestamp_s", "sequence"),
    sqlite_autoincrement=True,
)
ITEMS = Table(
    "live_items",
    METADATA,
    # The order in which ids first came: rows of new items are given in it.
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("item_id", String, nullable=False, unique=True),
    # JSON of the item as it stands now; NULL = it was deleted.
    Column("item", String),
    Column("features", LargeBinary, nullable=False),
    Column("model_version", String, nullable=False),
)
FORGOTTEN = Table(
    "forgotten_users",
    METADATA,
    Column("user_id", String, primary_key=True),
    Column("at_s", Float(53), nullable=False),
)
