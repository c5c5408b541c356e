"""`text_backbone = "scratch"`: an encoder trained on the catalogue's own texts, once, and then read like any other.

```
CACHE/scratch-<hash of texts and settings>/config.json, model.safetensors, tokenizer.json, tokenizer_config.json
```
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from trifocal.errors import ConfigError
from trifocal.features.backbones import quiet_transformers
from trifocal.features.config import FeaturesConfig, ScratchConfig
from trifocal.features.scratch_tokenizer import train_tokenizer, vocabulary_limit
from trifocal.features.scratch_training import train_encoder
from trifocal.features.static_text import STATIC, StaticTextSource, static_folder
from trifocal.features.text import TransformerTextSource, text_source

__all__ = ["ENCODER_FILES", "SCRATCH", "TextSource", "catalogue_text_source", "scratch_folder", "stored_text_source"]

SCRATCH = "scratch"

TextSource = TransformerTextSource | StaticTextSource

ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
"""What a trained encoder consists of; a bundle carries exactly these."""

# Raised when the recipe changes, so that an encoder of the old one is not taken for one of the new.
_RECIPE = 1


def catalogue_text_source(texts: Iterable[str | None], config: FeaturesConfig, cache_folder: Path) -> TextSource:
    """Return the text encoder of `config`; `scratch` and `static` learn from `texts` what `cache_folder` does not hold.

    Raises:
        ConfigError: when there is no such backbone, its packages are missing, or there is no text to train on.
    """
    folder: Path | None
    match config.text_backbone:
        case "scratch":
            folder = scratch_folder(texts, config, cache_folder)
        case "static":
            folder = static_folder(texts, config, cache_folder)
        case _:
            folder = None
    return stored_text_source(config, folder)


def stored_text_source(config: FeaturesConfig, folder: Path | None) -> TextSource:
    """Return the encoder in `folder`, which was trained before, or where there is none the one that `config` names."""
    if folder is not None and config.text_backbone == STATIC:
        return StaticTextSource(folder, max_tokens=config.max_tokens)
    backbone = config.text_backbone if folder is None else str(folder)
    return text_source(backbone, max_tokens=config.max_tokens, device=config.device)


def scratch_folder(texts: Iterable[str | None], config: FeaturesConfig, cache_folder: Path) -> Path:
    """Return the folder of the encoder trained on `texts`, training it where it is not there.

    The order of the texts does not matter, nor how often one occurs. The folder appears whole or not at all; a
    training that was killed starts again.

    Raises:
        ConfigError: when no item has a text, or the encoders extra is not installed.
    """
    known = sorted({text for text in texts if text})
    if not known:
        raise ConfigError(
            "features.text_backbone is 'scratch', but none of the items has a text to learn from; "
            "import titles or descriptions, or choose 'minilm'"
        )
    folder = cache_folder / f"{SCRATCH}-{_key(known, config)}"
    if not folder.is_dir():
        cache_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{SCRATCH}.", dir=cache_folder) as workshop:
            new = Path(workshop) / "new"
            _train(known, config.scratch, new, max_tokens=config.max_tokens, device=config.device)
            _move_in(new, folder)
    return folder


def _key(texts: Sequence[str], config: FeaturesConfig) -> str:
    told = {"recipe": _RECIPE, "max_tokens": config.max_tokens, **config.scratch.model_dump(), "texts": texts}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _train(texts: Sequence[str], config: ScratchConfig, folder: Path, *, max_tokens: int, device: str) -> None:
    size = vocabulary_limit(texts, config.vocabulary_size)
    tokenizer = train_tokenizer(texts, vocabulary_size=size, max_tokens=max_tokens)
    network, _ = train_encoder(texts, tokenizer, config, max_tokens=max_tokens, device=device)
    quiet_transformers()
    tokenizer.save_pretrained(folder)
    network.save_pretrained(folder)
    # Older versions of transformers write a file more, which repeats what stands in the others.
    for path in folder.iterdir():
        if path.name not in ENCODER_FILES:
            path.unlink()


def _move_in(new: Path, folder: Path) -> None:
    try:
        new.rename(folder)
    except OSError:
        # Another process was faster; its encoder is the same.
        if not folder.is_dir():
            raise
