"""What a package or module names in `__all__` is there, once, and in order."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import trifocal

MODULES = ["trifocal", *(module.name for module in pkgutil.walk_packages(trifocal.__path__, "trifocal."))]


def in_order(name: str) -> tuple[int, str]:
    """CONSTANTS, then Classes, then functions: the order that ruff writes."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


@pytest.mark.parametrize("name", MODULES)
def test_exported_names_are_there_and_in_order(name: str) -> None:
    module = importlib.import_module(name)
    exported: list[str] = getattr(module, "__all__", [])
    assert exported == sorted(set(exported), key=in_order)
    assert [member for member in exported if not hasattr(module, member)] == []


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip()
