"""A bundle says whose pictures its training left out, so that what learns on from it leaves them out too."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trifocal.bundle import Bundle

__all__ = ["excluded_pictures", "with_excluded"]

_KEY = "excluded_pictures"


def with_excluded(config: dict[str, Any], items: Collection[str]) -> dict[str, Any]:
    """Return the settings of a bundle with the ids of the `items` whose pictures were left out, where there are any.

    >>> with_excluded({"blend": {}}, {"b", "a"})
    {'blend': {}, 'excluded_pictures': ['a', 'b']}
    """
    return config | {_KEY: sorted(items)} if items else config


def excluded_pictures(bundle: Bundle) -> tuple[str, ...]:
    """Return the ids of the items whose pictures were left out when `bundle` was trained."""
    return tuple(bundle.contents.config.get(_KEY, ()))
