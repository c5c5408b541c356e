"""An encoder that was trained on the catalogue is nowhere else: it travels inside the bundle."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.bundle.small_bundle import small_contents

from trifocal import columns as c
from trifocal.bundle import BundleContents, read_bundle, write_bundle
from trifocal.bundle.files import ENCODER_FILE_NAMES, FILE_NAMES
from trifocal.bundle.network import load_encoder
from trifocal.errors import ArtifactError
from trifocal.features.config import FeaturesConfig, ScratchConfig
from trifocal.features.scratch import catalogue_text_source
from trifocal.feedback import MemoryEventStore
from trifocal.serve import build_service

SCRATCH = ScratchConfig(width=32, layers=1, max_steps=1)
CONFIG = FeaturesConfig(text_backbone="scratch", max_tokens=16, device="cuda", scratch=SCRATCH)


def contents_with_encoder(cache: Path) -> BundleContents:
    """The small shop with vectors of lower-case titles by an encoder trained on them."""
    contents = small_contents()
    titles = [title.lower() for title in contents.items[c.TITLE]]
    # Trained where there is a GPU, and served where there is none.
    source = catalogue_text_source(titles, CONFIG.model_copy(update={"device": "cpu"}), cache)
    return replace(
        contents,
        config={"features": CONFIG.model_dump(mode="json")},
        text_vectors=source.pooled(titles).astype(np.float16),
        text_encoder=source.folder,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(contents_with_encoder(tmp_path / "cache"), tmp_path / "made")
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "made").rename(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_queries_are_read_as_the_texts_were_after_cache_and_place_are_gone(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert set(bundle.manifest.files) == {*FILE_NAMES, *ENCODER_FILE_NAMES}
    titles = [title.lower() for title in bundle.contents.items[c.TITLE]]
    found = load_encoder(bundle).pooled(titles)
    np.testing.assert_allclose(found, bundle.contents.text_vectors.astype(np.float32), atol=2e-3)


def test_search_goes_by_the_encoder(folder: Path) -> None:
    service = build_service(read_bundle(folder), MemoryEventStore())
    for query in ("green boot", "Red Dress"):
        answer = service.text_search.search(query, 1)
        assert (answer.rung, answer.items[0].card.item_id) == ("hybrid", query.lower().replace(" ", "-"))


def test_what_was_read_can_be_written_again_over_itself(folder: Path) -> None:
    first = read_bundle(folder)
    second = write_bundle(first.contents, folder, overwrite=True)
    assert second.model_version == first.manifest.model_version
    read_bundle(folder)


@pytest.mark.parametrize("name", ENCODER_FILE_NAMES)
def test_a_changed_or_missing_encoder_file_is_found(folder: Path, name: str) -> None:
    kept = (folder / name).read_bytes()
    (folder / name).write_bytes(kept + b" ")
    with pytest.raises(ArtifactError, match=rf"{name} is damaged"):
        read_bundle(folder)
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing"):
        read_bundle(folder)


def test_a_file_too_much_beside_the_encoder_is_found_unless_hidden(folder: Path) -> None:
    (folder / "text_encoder" / ".hidden").write_text("")
    read_bundle(folder)
    (folder / "text_encoder" / "code.py").write_text("")
    with pytest.raises(ArtifactError, match=r"'text_encoder/code\.py', which its manifest does not name"):
        read_bundle(folder)


def test_a_bundle_without_an_encoder_has_none(tmp_path: Path) -> None:
    write_bundle(small_contents(), tmp_path / "bundle")
    assert read_bundle(tmp_path / "bundle").contents.text_encoder is None
    assert not (tmp_path / "bundle" / "text_encoder").exists()
