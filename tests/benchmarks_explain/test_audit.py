"""The part `audit` on a generated shop: swapping, and the whole of it, small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.explain import audit
from benchmarks.explain.plan import QUICK, Setting
from typer.testing import CliRunner

from trifocal import columns as c
from trifocal.bundle import read_bundle
from trifocal.bundle.network import load_looks
from trifocal.cli.app import app
from trifocal.train.excluded import excluded_pictures


def test_pictures_change_with_those_of_another_group_alone() -> None:
    groups = ["a", "b", "c"] * 100
    items = pl.DataFrame({c.ITEM_ID: [str(n) for n in range(300)], c.CATEGORY: groups, c.IMAGE: ["x.jpg"] * 300})
    rows = audit.swapped(items, seed=1, share=0.1)
    changed = np.flatnonzero(rows != np.arange(300))
    assert 26 <= len(changed) <= 30
    assert (rows[rows] == np.arange(300)).all()
    assert all(groups[row] != groups[rows[row]] for row in changed)
    assert (audit.swapped(items, seed=1, share=0.1) == rows).all()


def in_process(*words: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Run the command here: it has been imported already."""
    result = CliRunner().invoke(app, list(words), env=environment)
    if result.exception is not None:
        raise result.exception
    return result.stdout.splitlines()


def test_the_whole_part_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("benchmarks.explain.audit", "benchmarks.quality.steps"):
        monkeypatch.setattr(f"{module}.trifocal", in_process)
    monkeypatch.setattr(audit, "_MODELS", ("image",))
    # The shop's searches are many; what they say bears on nothing here.
    silent = lambda queries, *_: dict.fromkeys(queries, np.zeros(384, np.float32))  # noqa: E731 - one line is enough
    monkeypatch.setattr("trifocal.train.prepare._query_vectors", silent)
    sizes = replace(QUICK, products=60, shoppers=60)
    setting = Setting(out=tmp_path, sizes=sizes)
    ids = tmp_path / "ids.txt"
    ids.write_text("item-00003\nitem-00007\n", encoding="utf-8")
    monkeypatch.setattr(audit, "_audit_table", lambda _: ids)
    measured = audit.measure(setting)
    assert 0 <= measured.values["planted mismatches, AUC"] <= 1
    assert "image, ndcg@10, excluded - planted" in measured.notes
    # The bundle says what was left out, and lacks it.
    bundle = read_bundle(tmp_path / "audit" / "excluded" / "run" / "image" / "bundle")
    assert excluded_pictures(bundle) == ("item-00003", "item-00007")
    missing = bundle.contents.items[c.IMAGE].is_null()
    assert bundle.contents.items.filter(missing)[c.ITEM_ID].to_list() == ["item-00003", "item-00007"]
    assert (np.abs(load_looks(bundle)).sum(axis=1) == 0).tolist() == missing.to_list()
    planted = read_bundle(tmp_path / "audit" / "planted" / "run" / "image" / "bundle")
    assert excluded_pictures(planted) == ()
