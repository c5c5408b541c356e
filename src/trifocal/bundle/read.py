"""A bundle folder -> its contents, after every file was found and matched its SHA-256."""

from __future__ import annotations

from pathlib import Path

from trifocal.bundle.contents import Bundle
from trifocal.bundle.files import ENCODER_FILE_NAMES, FILE_NAMES, read_files
from trifocal.bundle.manifest import MANIFEST_FILE, Manifest, file_entry, parse_manifest
from trifocal.errors import ArtifactError

__all__ = ["read_bundle", "read_manifest", "verify_files"]


def read_bundle(folder: Path) -> Bundle:
    """Return the bundle in `folder`, verified; vectors are memory-mapped.

    Raises:
        ArtifactError: when the format version is unknown, a file is missing, damaged or too much, or unreadable.
    """
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    return Bundle(folder, manifest, read_files(folder, manifest))


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest alone; the other files are not looked at.

    Raises:
        ArtifactError: when it is missing, damaged or of another format version.
    """
    return parse_manifest(folder / MANIFEST_FILE)


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Check that `folder` holds exactly the files of `manifest`, byte for byte; hidden files are let alone.

    Raises:
        ArtifactError: naming the file, what was expected, what was found and the repair.
    """
    named = set(manifest.files)
    if named not in (set(FILE_NAMES), {*FILE_NAMES, *ENCODER_FILE_NAMES}):
        odd = sorted(named ^ set(FILE_NAMES))
        raise ArtifactError(f"{folder}/{MANIFEST_FILE} names other files than this version reads: {odd}; export again")
    inside = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    found = {path.as_posix() for path in inside if not any(part.startswith(".") for part in path.parts)}
    extra = sorted(found - named - {MANIFEST_FILE})
    if extra:
        raise ArtifactError(f"{folder} holds {extra[0]!r}, which its manifest does not name; move it away")
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{path} is missing, expected {expected.bytes:,} bytes; copy the bundle again")
        actual = file_entry(path)
        if actual != expected:
            raise ArtifactError(
                f"{path} is damaged: expected SHA-256 {expected.sha256[:12]} with {expected.bytes:,} bytes, "
                f"found {actual.sha256[:12]} with {actual.bytes:,} bytes; copy the bundle again"
            )
