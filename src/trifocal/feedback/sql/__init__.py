"""Events and live items in SQL: one code for a file of SQLite and for a PostgreSQL server, through SQLAlchemy Core.

```
address ─► engine ─► migrations ─► SqlEventStore, SqlItemStore
```

`engine` comes first: it says what to install where SQLAlchemy is missing.
"""

from trifocal.feedback.sql.engine import shown_address, sqlite_path
from trifocal.feedback.sql.events import SqlEventStore
from trifocal.feedback.sql.items import SqlItemStore
from trifocal.feedback.sql.migrate import HEAD, migrated, open_store, schema_version

__all__ = [
    "HEAD",
    "SqlEventStore",
    "SqlItemStore",
    "migrated",
    "open_store",
    "schema_version",
    "shown_address",
    "sqlite_path",
]
