"""The one place that imports faiss, and only when it is asked for."""

from __future__ import annotations

import importlib
from types import ModuleType

from trifocal.errors import ConfigError

__all__ = ["load_faiss"]


def load_faiss() -> ModuleType:
    """Return the package faiss.

    Raises:
        ConfigError: when it is not installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise ConfigError(
            "this index needs the package faiss: pip install 'trifocal[serve]', or set index.kind to 'exact'"
        ) from error
