"""Another bundle in the place of the one that serves: loaded and warmed beside it, put in force in one assignment.

```
read, verify ─► build ─► warm up ─► live items, forgotten users ─► in force; the one before is kept for a way back
```

Whatever fails on the way leaves the service as it was. Requests that run end on the service that they began with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from trifocal.errors import NotFoundError, ServingError
from trifocal.serve.current import Current
from trifocal.serve.live.items import LiveItems
from trifocal.serve.service import Service
from trifocal.serve.statuses import OverloadedError

__all__ = ["BundleSwap", "InForce"]


@dataclass(frozen=True)
class InForce:
    """Which bundle serves: `since_s`, seconds since 1970, UTC; `previous` = the version that a rollback leads to."""

    model_name: str
    model_version: str
    variant: str
    since_s: float
    previous: str | None


class BundleSwap:
    """Swaps bundles, and back. Safe to use from several threads; one swap at a time. Stability: caller."""

    def __init__(self, current: Current, items: LiveItems, load: Callable[[Path], Service] | None = None) -> None:
        """Take what swaps need.

        Args:
            current: holds the service.
            items: does the live items again on a new service.
            load: reads, verifies and builds; None = nothing can be swapped in.
        """
        self._current, self._items, self._load = current, items, load
        # As it was loaded, so without live items: they are done again on the way back.
        self._fresh = items.fresh
        self._previous: Service | None = None
        self._lock = Lock()

    @property
    def service(self) -> Service:
        """The service in force."""
        return self._current.service

    def state(self) -> InForce:
        """Return which bundle serves."""
        service, previous = self._current.service, self._previous
        manifest = service.manifest
        return InForce(
            manifest.model_name,
            manifest.model_version,
            service.config.variant,
            self._current.since_s,
            None if previous is None else previous.manifest.model_version,
        )

    def swap(self, path: str) -> InForce:
        """Serve from the bundle at `path`, inside the folder of bundles.

        Raises:
            ServingError: when swaps are off, or `path` leads out of that folder.
            NotFoundError: when there is no such folder.
            ArtifactError: when the bundle is damaged, incomplete or of another format.
            OverloadedError: when another swap is under way.
        """
        folder, load = self._folder(path), self._load
        if load is None:
            raise ServingError("this server cannot load bundles; start another with the one that is wanted")
        with _one(self._lock):
            fresh = load(folder)
            fresh.warm_up()
            self._in_force(fresh)
        return self.state()

    def roll_back(self) -> InForce:
        """Serve from the bundle before; a second call leads forth again.

        Raises:
            ServingError: when there was none.
            OverloadedError: when another swap is under way.
        """
        with _one(self._lock):
            if self._previous is None:
                raise ServingError("no bundle was served before this one; there is nothing to go back to")
            self._in_force(self._previous)
        return self.state()

    def _in_force(self, fresh: Service) -> None:
        # Nobody changes an item meanwhile: it would be changed on the old service alone.
        with self._items.lock:
            self._current.service = self._items.replayed(fresh)
            self._current.since_s = time.time()
            self._previous, self._fresh = self._fresh, fresh

    def _folder(self, path: str) -> Path:
        root_name = self._current.service.config.live.bundles
        if not root_name:
            raise ServingError("no folder of bundles is named (serve.live.bundles), so that none can be swapped in")
        root = Path(root_name).resolve()
        folder = (root / path).resolve() if "\0" not in path else root
        if folder == root or not folder.is_relative_to(root):
            raise ServingError(f"{path!r} is no folder inside the folder of bundles; name one by its path in there")
        if not folder.is_dir():
            raise NotFoundError(f"there is no bundle at {path!r} inside the folder of bundles")
        return folder


@contextmanager
def _one(lock: Lock) -> Iterator[None]:
    """Hold `lock`, or refuse at once where somebody else does."""
    if not lock.acquire(blocking=False):
        raise OverloadedError("another swap is under way; try again when it is done")
    try:
        yield
    finally:
        lock.release()
