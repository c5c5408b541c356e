"""Names of the canonical columns, in one place. Imports nothing from this package.

Canonical tables are polars frames. `items` has one row a product, `events` one row a thing that a user did.
Free attributes of an item are text columns named `attribute.<name>`.
"""

from __future__ import annotations

ITEM_ID = "item_id"
TITLE = "title"
DESCRIPTION = "description"
CATEGORY = "category"
IMAGE = "image"
PRICE = "price"
CREATED_AT = "created_at"
AVAILABLE = "available"
ATTRIBUTE_PREFIX = "attribute."

USER_ID = "user_id"
EVENT = "event"
TIMESTAMP = "timestamp"
SESSION_ID = "session_id"
DEVICE = "device"
COUNTRY = "country"
DWELL_MS = "dwell_ms"
POSITION = "position"
QUERY = "query"
VALUE = "value"
ANSWER_ID = "answer_id"
PROPENSITY = "propensity"
MODEL_VERSION = "model_version"
VARIANT = "variant"
RUNG = "rung"

ITEM_COLUMNS = (ITEM_ID, TITLE, DESCRIPTION, CATEGORY, IMAGE, PRICE, CREATED_AT, AVAILABLE)
EVENT_COLUMNS = (
    USER_ID, ITEM_ID, EVENT, TIMESTAMP, SESSION_ID, DEVICE, COUNTRY, DWELL_MS, POSITION, QUERY, VALUE,
)  # fmt: skip
# What the answer said that showed the item; exports have them, data sets do not.
ECHO_COLUMNS = (ANSWER_ID, PROPENSITY, MODEL_VERSION, VARIANT, RUNG)

CATEGORY_SEPARATOR = " > "
