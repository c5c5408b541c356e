"""The only bridge from batch to online: a folder that says what it is, proves that it is whole, and holds no pickle."""

from trifocal.bundle.contents import Bundle, BundleContents
from trifocal.bundle.manifest import FORMAT_VERSION, Manifest
from trifocal.bundle.read import read_bundle, read_manifest
from trifocal.bundle.write import write_bundle

__all__ = [
    "FORMAT_VERSION",
    "Bundle",
    "BundleContents",
    "Manifest",
    "read_bundle",
    "read_manifest",
    "write_bundle",
]
