"""`manifest.json`: what a bundle is, and the SHA-256 of every file in it. Reads and writes no other file.

The model version is the hash of everything that bears on an answer: file hashes, counts, metrics, data. Where and
when the bundle was written does not enter, so equal contents have equal versions, and a changed line is noticed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trifocal.errors import ArtifactError

__all__ = ["FORMAT_VERSION", "MANIFEST_FILE", "FileEntry", "Manifest", "file_entry", "parse_manifest", "version_of"]

FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"

_VERSION_DIGITS = 12
_NOT_HASHED = {"model_version", "created_at", "trifocal_version", "image_root"}


class FileEntry(BaseModel):
    """Hash and size of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Hexadecimal SHA-256 of the whole file."""
    bytes: int = Field(ge=0)
    """Size of the file."""


class Manifest(BaseModel):
    """The first file that is read and the last that is written. Stability: caller."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int
    """Layout of the folder; another number is refused."""
    model_version: str
    """Short hash of the contents; every answer carries it."""
    model_name: str
    """As it stands in tables and answers."""
    created_at: str
    """When the bundle was written, ISO 8601, UTC."""
    trifocal_version: str
    """The package that wrote it."""
    data_fingerprint: str
    """Hash of the data that the model has seen."""
    image_root: str
    """The folder of the pictures, which are not copied."""
    counts: dict[str, int]
    """Items, users, events, parameters, embedding_size."""
    metrics: dict[str, Any]
    """Figures of the evaluation, for people."""
    files: dict[str, FileEntry]
    """File name -> hash and size; no other file may lie in the folder."""

    def to_text(self) -> str:
        """Return the text of `manifest.json`."""
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False) + "\n"


def version_of(manifest: Manifest) -> str:
    """Return the model version that these entries make."""
    hashed = json.dumps(manifest.model_dump(exclude=_NOT_HASHED), sort_keys=True)
    return hashlib.sha256(hashed.encode()).hexdigest()[:_VERSION_DIGITS]


def file_entry(path: Path) -> FileEntry:
    """Return the hash and size of the file at `path`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, bytes=path.stat().st_size)


def parse_manifest(path: Path) -> Manifest:
    """Return the manifest at `path`.

    Raises:
        ArtifactError: when it is missing, unreadable, of another format version, or was changed.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(
            f"{path.parent} is no bundle: {MANIFEST_FILE} is missing; write one with `trifocal train`"
        ) from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read ({error}); export the bundle again") from None
    version = raw.get("format_version") if isinstance(raw, dict) else None
    if version != FORMAT_VERSION:
        raise ArtifactError(
            f"{path.parent} has bundle format {version}, this version reads {FORMAT_VERSION}; "
            "export it again, or use the version of trifocal that wrote it"
        )
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise ArtifactError(f"{path} is damaged at {place!r}: {fault['msg']}; export the bundle again") from None
    if manifest.model_version != version_of(manifest):
        raise ArtifactError(
            f"{path} was changed: it names model version {manifest.model_version}, "
            f"its entries make {version_of(manifest)}; export the bundle again"
        )
    return manifest
