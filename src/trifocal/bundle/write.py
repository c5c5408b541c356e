"""Contents -> a bundle folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from trifocal import __version__
from trifocal import columns as c
from trifocal.bundle.contents import BundleContents
from trifocal.bundle.files import file_names, write_files
from trifocal.bundle.manifest import FORMAT_VERSION, MANIFEST_FILE, Manifest, file_entry, version_of
from trifocal.errors import ArtifactError

__all__ = ["write_bundle"]


def write_bundle(contents: BundleContents, folder: Path, *, overwrite: bool = False) -> Manifest:
    """Write `contents` to `folder` and return its manifest.

    Everything is written beside `folder`, brought to the disk and then renamed, so that a crash leaves no half
    bundle. With `overwrite` the old folder is moved away first and comes back if the rename fails.

    Raises:
        ArtifactError: when `folder` exists and `overwrite` is not set, or the contents do not fit together.
    """
    contents.validate()
    if folder.exists() and not overwrite:
        raise ArtifactError(f"{folder} exists; name a new folder, or say that it may be overwritten")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # One folder holds both the new and the old bundle, so that whatever happens one removal cleans up.
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as workshop:
        new = Path(workshop) / "new"
        new.mkdir()
        write_files(contents, new)
        manifest = _manifest(contents, new)
        (new / MANIFEST_FILE).write_text(manifest.to_text(), encoding="utf-8")
        _to_disk(new)
        _move_in(new, folder, Path(workshop) / "old")
    return manifest


def _manifest(contents: BundleContents, folder: Path) -> Manifest:
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        model_version="",
        model_name=contents.model_name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        trifocal_version=__version__,
        data_fingerprint=contents.data_fingerprint,
        image_root=contents.image_root,
        counts={
            "items": contents.items.height,
            "users": contents.histories[c.USER_ID].n_unique(),
            "events": contents.histories.height,
            "parameters": sum(tensor.numel() for tensor in contents.weights.values()),
            "embedding_size": contents.item_vectors.shape[1],
        },
        metrics=contents.metrics,
        files={name: file_entry(folder / name) for name in sorted(file_names(contents))},
    )
    return manifest.model_copy(update={"model_version": version_of(manifest)})


def _to_disk(folder: Path) -> None:
    for path in (*sorted(folder.rglob("*")), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move_in(new: Path, folder: Path, aside: Path) -> None:
    if folder.exists():
        shutil.move(folder, aside)
    try:
        new.rename(folder)
    except OSError as error:
        if aside.exists():
            shutil.move(aside, folder)
        raise ArtifactError(
            f"{folder} cannot be put in place ({error}); the folder beside it must be writable"
        ) from error
    descriptor = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
