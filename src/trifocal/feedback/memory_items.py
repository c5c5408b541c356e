"""An item store that forgets on exit: the twin of the durable one, for tests and for a server without a file."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from trifocal.ports import KeptItem

__all__ = ["MemoryItemStore"]


class MemoryItemStore:
    """Keeps changes in memory, pictures in a temporary folder; safe to use from several threads. Stability: caller."""

    def __init__(self) -> None:
        self._items: dict[str, KeptItem] = {}
        self._forgotten: dict[str, float] = {}
        self._lock = Lock()
        self._folder: Path | None = None
        self._delete: Callable[[], object] = lambda: None

    @property
    def pictures(self) -> Path:
        """The folder of the pictures; made when it is first asked for."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="trifocal-pictures-")).resolve()
                # Also where nobody closes the store, at the latest when the process ends.
                self._delete = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    def put(self, kept: KeptItem) -> None:
        """Keep `kept` in place of what was there under its id."""
        with self._lock:
            self._items[kept.item_id] = kept

    @property
    def is_durable(self) -> bool:
        """False: it forgets on exit."""
        return False

    def item(self, item_id: str) -> KeptItem | None:
        """Return what is kept under `item_id`, or None."""
        with self._lock:
            return self._items.get(item_id)

    def items(self) -> list[KeptItem]:
        """Return everything kept, in the order in which the ids first came."""
        with self._lock:
            return list(self._items.values())

    def forget_user(self, user_id: str, at_s: float) -> None:
        """Note that what the user did up to `at_s` must not be used any more."""
        with self._lock:
            self._forgotten[user_id] = at_s

    def forgotten_users(self) -> dict[str, float]:
        """Return user id -> up to when."""
        with self._lock:
            return dict(self._forgotten)

    def close(self) -> None:
        """Delete the pictures."""
        self._delete()
