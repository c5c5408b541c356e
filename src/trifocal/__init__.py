"""Trifocal: recommendations that read, look and remember.

`from trifocal import Recommender` is the way in from Python; it is loaded at its first use, so that `import trifocal`
and the command line stay fast. `__init__.pyi` says the same to type checkers.
"""

__all__ = ["Recommender", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Return `Recommender`, loaded now."""
    if name != "Recommender":
        raise AttributeError(f"module 'trifocal' has no attribute {name!r}; it has: {', '.join(__all__)}")
    import importlib

    # By name: a stage below imports `__version__` from here, and must not be said to import what stands above it.
    return importlib.import_module("trifocal.recommender").Recommender


def __dir__() -> list[str]:
    """Return the names to complete, without loading any."""
    return sorted({*globals(), *__all__})
