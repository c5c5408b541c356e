from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from tests.bundle.small_bundle import small_contents

from trifocal import columns as c
from trifocal.bundle import read_bundle, write_bundle
from trifocal.errors import ArtifactError


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    contents = small_contents("/pictures")
    manifest = write_bundle(contents, tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    read = bundle.contents
    assert bundle.manifest == manifest
    assert read.items.equals(contents.items)
    assert read.histories.equals(contents.histories)
    assert (read.config, read.feature_state, read.metrics) == (
        contents.config,
        contents.feature_state,
        contents.metrics,
    )
    assert torch.equal(read.weights["layer.weight"], contents.weights["layer.weight"])
    assert np.array_equal(read.item_vectors, contents.item_vectors)
    assert read.text_vectors.dtype == np.float16
    assert np.array_equal(read.text_vectors, contents.text_vectors)
    assert read.popularity.tolist() == contents.popularity.tolist()
    assert (read.image_root, read.data_fingerprint, read.model_name) == ("/pictures", "f" * 16, "nearest")


def test_vectors_stay_on_disk(tmp_path: Path) -> None:
    write_bundle(small_contents(), tmp_path / "bundle")
    assert isinstance(read_bundle(tmp_path / "bundle").contents.item_vectors, np.memmap)


def test_counts_are_those_of_the_contents(tmp_path: Path) -> None:
    manifest = write_bundle(small_contents(), tmp_path / "bundle")
    assert manifest.counts == {"items": 12, "users": 3, "events": 6, "parameters": 6, "embedding_size": 7}


def test_equal_contents_have_equal_versions_wherever_they_lie(tmp_path: Path) -> None:
    first = write_bundle(small_contents("/here"), tmp_path / "a")
    second = write_bundle(small_contents("/there"), tmp_path / "b")
    other = write_bundle(replace(small_contents(), popularity=np.ones(12, np.float32)), tmp_path / "c")
    assert first.model_version == second.model_version != other.model_version
    assert len(first.model_version) == 12


def test_tied_weights_and_a_model_without_text_are_legal(tmp_path: Path) -> None:
    shared = torch.ones(3)
    contents = replace(small_contents(), weights={"a": shared, "b": shared}, text_vectors=np.zeros((12, 0), np.float16))
    write_bundle(contents, tmp_path / "bundle")
    read = read_bundle(tmp_path / "bundle").contents
    assert read.weights["a"].tolist() == read.weights["b"].tolist() == [1, 1, 1]
    assert read.text_vectors.shape == (12, 0)


def test_an_existing_folder_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    first = write_bundle(small_contents(), folder)
    other = replace(small_contents(), popularity=np.ones(12, np.float32))
    with pytest.raises(ArtifactError, match="bundle exists; name a new folder"):
        write_bundle(other, folder)
    assert read_bundle(folder).manifest.model_version == first.model_version
    second = write_bundle(other, folder, overwrite=True)
    assert read_bundle(folder).manifest.model_version == second.model_version != first.model_version
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_crash_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_contents: object, folder: Path) -> None:
        (folder / "config.json").write_text("{")
        raise OSError("disk full")

    monkeypatch.setattr("trifocal.bundle.write.write_files", fails)
    with pytest.raises(OSError, match="disk full"):
        write_bundle(small_contents(), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_rename_brings_the_old_bundle_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bundle"
    first = write_bundle(small_contents(), folder)

    def fails(_self: Path, _target: Path) -> Path:
        raise OSError("no rename")

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(ArtifactError, match=r"cannot be put in place \(no rename\)"):
        write_bundle(replace(small_contents(), popularity=np.ones(12, np.float32)), folder, overwrite=True)
    monkeypatch.undo()
    assert read_bundle(folder).manifest.model_version == first.model_version


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("item_vectors", np.zeros((3, 2), np.float32), r"item_vectors has shape \(3, 2\), needs 2 dimensions and 12"),
        ("popularity", np.zeros((12, 1), np.float32), r"popularity has shape \(12, 1\), needs 1 dimensions"),
        ("items", pl.DataFrame({c.ITEM_ID: ["a", "a"]}), "holds an item_id twice"),
        ("items", pl.DataFrame({c.ITEM_ID: ["a", None]}), "without an item_id"),
        ("items", pl.DataFrame({c.ITEM_ID: []}, schema={c.ITEM_ID: pl.String()}), "items is empty"),
        ("histories", pl.DataFrame({c.USER_ID: ["ann"]}), "histories lacks the columns"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, part: str, value: object, message: str) -> None:
    contents = replace(small_contents(), **{part: value})  # type: ignore[arg-type]  # the name comes as text
    with pytest.raises(ArtifactError, match=message):
        write_bundle(contents, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
