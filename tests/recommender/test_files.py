from __future__ import annotations

from pathlib import Path

import pytest
from tests.bundle.small_bundle import small_contents

from trifocal.bundle import read_bundle, write_bundle
from trifocal.errors import ConfigError
from trifocal.recommender.files import copied, removed_with


class Owner:
    """Somebody."""


def test_a_copy_is_a_whole_bundle_without_what_is_hidden(tmp_path: Path) -> None:
    manifest = write_bundle(small_contents(tmp_path), tmp_path / "bundle")
    (tmp_path / "bundle" / ".serving").mkdir()
    target = copied(tmp_path / "bundle", tmp_path / "copy")
    assert read_bundle(target).manifest.model_version == manifest.model_version
    assert not (target / ".serving").exists()
    with pytest.raises(ConfigError, match="copy is not empty; name a new folder to save to"):
        copied(tmp_path / "bundle", target)


def test_a_folder_goes_with_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    owner = removed_with(Owner(), folder)
    assert folder.exists()
    del owner
    assert not folder.exists()
