from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.bundle.small_bundle import small_contents
from tests.bundle.test_network import SHAPES, original
from typer.testing import CliRunner

from trifocal import columns as c
from trifocal.bundle import write_bundle
from trifocal.cli.app import app
from trifocal.errors import ConfigError, NotFoundError
from trifocal.explain import Encoders

RUNNER = CliRunner(env={"COLUMNS": "120"})


def test_vectors_alone_cannot_be_explained(tmp_path: Path) -> None:
    write_bundle(small_contents(), tmp_path / "bundle")
    with pytest.raises(ConfigError, match="holds vectors and no network, whose scores cannot be explained"):
        RUNNER.invoke(app, ["explain", str(tmp_path / "bundle"), "--user", "ann"], catch_exceptions=False)


def test_items_are_explained_in_the_terminal_and_on_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A bundle of drawn weights names an encoder that is nowhere: its items have neither text nor picture here.
    encoders = Encoders(None, None, SHAPES.text_width, SHAPES.image_width, SHAPES.grid_cells)
    monkeypatch.setattr("trifocal.cli.explain._encoders", lambda *_: encoders)
    recommender, contents = original()
    small = small_contents()
    twelve = small.items.sample(12, with_replacement=True, seed=0)
    items = twelve.with_columns(pl.Series(c.ITEM_ID, [*small.items[c.ITEM_ID], *map(str, range(12))][:12]))
    pooled = np.ones((12, SHAPES.text_width), np.float16)
    whole = replace(contents, items=items, text_vectors=pooled, popularity=np.ones(12, np.float32))
    assert len(recommender.item_vectors) == 12
    write_bundle(whole, tmp_path / "bundle")
    page = tmp_path / "pages" / "why.html"
    command = ["explain", str(tmp_path / "bundle"), "--user", "ann", "-k", "2", "--html", str(page)]
    output = RUNNER.invoke(app, command, catch_exceptions=False).output
    assert output.count("Close to “") == 2
    assert output.count("identity") == 2
    assert page.read_text(encoding="utf-8").count("<article>") == 2
    one = RUNNER.invoke(app, [*command[:4], "--item", "red-dress"], catch_exceptions=False).output
    assert one.count("score ") == 1
    with pytest.raises(NotFoundError, match="user 'zoe' has no liked event in this bundle"):
        RUNNER.invoke(app, ["explain", str(tmp_path / "bundle"), "--user", "zoe"], catch_exceptions=False)
