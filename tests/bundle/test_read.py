"""Every way in which a folder can be no bundle ends with one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.bundle.small_bundle import small_contents

from trifocal.bundle import read_bundle, read_manifest, write_bundle
from trifocal.bundle.files import FILE_NAMES
from trifocal.bundle.manifest import file_entry, version_of
from trifocal.errors import ArtifactError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(small_contents(), tmp_path / "bundle")
    return tmp_path / "bundle"


def change_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("name", FILE_NAMES)
def test_one_flipped_bit_is_found(folder: Path, name: str) -> None:
    damaged = bytearray((folder / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / name).write_bytes(damaged)
    with pytest.raises(ArtifactError, match=rf"{name} is damaged: expected SHA-256 [0-9a-f]{{12}} .* copy the bundle"):
        read_bundle(folder)


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_missing_file_is_found(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing, expected [0-9,]+ bytes"):
        read_bundle(folder)


def test_a_file_too_much_is_found_unless_hidden(folder: Path) -> None:
    (folder / ".DS_Store").write_text("")
    read_bundle(folder)
    (folder / "model.pkl").write_text("")
    with pytest.raises(ArtifactError, match=r"'model.pkl', which its manifest does not name"):
        read_bundle(folder)


def test_another_format_is_refused(folder: Path) -> None:
    change_manifest(folder, format_version=2, surprise=True)
    with pytest.raises(ArtifactError, match="has bundle format 2, this version reads 1"):
        read_manifest(folder)


def test_a_changed_metric_is_found(folder: Path) -> None:
    change_manifest(folder, metrics={"recall@20": 0.99})
    with pytest.raises(ArtifactError, match=r"was changed: it names model version [0-9a-f]{12}"):
        read_manifest(folder)


def test_pictures_may_move(folder: Path) -> None:
    change_manifest(folder, image_root="/elsewhere")
    assert read_bundle(folder).contents.image_root == "/elsewhere"


def test_damaged_manifests_are_refused(folder: Path) -> None:
    change_manifest(folder, counts="many")
    with pytest.raises(ArtifactError, match=r"damaged at 'counts'"):
        read_manifest(folder)
    (folder / "manifest.json").write_text('{"format')
    with pytest.raises(ArtifactError, match=r"manifest.json cannot be read"):
        read_manifest(folder)
    (folder / "manifest.json").write_text("[1]")
    with pytest.raises(ArtifactError, match="bundle format None"):
        read_manifest(folder)


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"is no bundle: manifest.json is missing"):
        read_bundle(tmp_path)


def test_the_manifest_cannot_point_outside(folder: Path) -> None:
    manifest = read_manifest(folder)
    files = {**manifest.files, "../secret": manifest.files["items.parquet"]}
    forged = manifest.model_copy(update={"files": files})
    forged = forged.model_copy(update={"model_version": version_of(forged)})
    (folder / "manifest.json").write_text(forged.to_text())
    with pytest.raises(ArtifactError, match=r"names other files than this version reads: \['../secret'\]"):
        read_bundle(folder)


def test_a_pickle_is_never_opened(folder: Path) -> None:
    # Written by somebody who also made the manifest agree.
    np.save(folder / "popularity.npy", np.array([{"a": 1}] * 12, dtype=object), allow_pickle=True)
    manifest = read_manifest(folder)
    files = {**manifest.files, "popularity.npy": file_entry(folder / "popularity.npy")}
    forged = manifest.model_copy(update={"files": files})
    forged = forged.model_copy(update={"model_version": version_of(forged)})
    (folder / "manifest.json").write_text(forged.to_text())
    with pytest.raises(ArtifactError, match="allow_pickle=False"):
        read_bundle(folder)
