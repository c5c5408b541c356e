"""Trifocal: recommendations that read, look and remember."""

__all__ = ["__version__"]

__version__ = "0.1.0"
