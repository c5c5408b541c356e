"""`text_backbone = "static"`: a learned vector and weight for each word piece; no Transformer reads an item.

```
CACHE/static-<hash of texts and settings>/config.json, model.safetensors, tokenizer.json, tokenizer_config.json
```

The files have the names of any text encoder's, so that a bundle carries them alike.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from trifocal.errors import ConfigError
from trifocal.features.backbones import folder_sha256, load_pretrained, quiet_transformers
from trifocal.features.config import FeaturesConfig
from trifocal.features.static_training import fit_word_vectors
from trifocal.features.text import TransformerTextSource, text_source
from trifocal.features.token_cache import TokenCache, text_key
from trifocal.types import FloatArray

__all__ = ["STATIC", "StaticTextSource", "static_folder"]

STATIC = "static"

_WEIGHTS = "model.safetensors"
_FILES = ("config.json", _WEIGHTS, "tokenizer.json", "tokenizer_config.json")
# Raised when the recipe changes, so that vectors of the old one are not taken for those of the new.
_RECIPE = 1


class StaticTextSource:
    """Word-piece vectors as a `TokenSource`: one token a piece, scaled so that their mean is the weighted mean.

    Stability: caller.
    """

    name = "text-static"

    def __init__(self, folder: Path, *, max_tokens: int) -> None:
        self.folder, self._max_tokens = folder, max_tokens
        self._tokenizer = load_pretrained("AutoTokenizer", folder)
        try:
            stored = load_file(folder / _WEIGHTS)
            vectors, weights = stored["vectors"], stored["weights"]
        except (OSError, SafetensorError, KeyError) as error:
            raise ConfigError(f"{folder} holds no word-piece vectors ({error}); export the bundle again") from error
        self._vectors, self._weights = vectors.float().numpy(), weights.float().numpy()
        self.width = self._vectors.shape[1]
        self.fingerprint = f"{folder_sha256(folder)}-{max_tokens}"
        # The tokenizer takes its limits over at the first call; later, two threads that do so at once would fail.
        self.token_ids([""])

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        """Return for each text the ids of its word pieces, at least one and at most `max_tokens`."""
        return _token_ids(self._tokenizer, contents, self._max_tokens)

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """Return for each text its (word pieces, width) features."""
        return [self._tokens(np.asarray(ids)) for ids in self.token_ids(contents)]

    def pooled(self, contents: Sequence[str]) -> FloatArray:
        """Return the (len(contents), width) means of the token features: what a search query is."""
        return np.stack([tokens.mean(axis=0) for tokens in self.encode(contents)]).astype(np.float32)

    def _tokens(self, ids: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> FloatArray:
        weights = self._weights[ids]
        tokens: FloatArray = self._vectors[ids] * (weights * (len(ids) / weights.sum()))[:, None]
        return tokens


def static_folder(texts: Iterable[str | None], config: FeaturesConfig, cache_folder: Path) -> Path:
    """Return the folder of the word-piece vectors taught with `texts`, teaching them where it is not there.

    MiniLM reads the texts for it, and what it says is kept in the cache like anywhere else. The order of the texts does
    not matter, nor how often one occurs. The folder appears whole or not at all.

    Raises:
        ConfigError: when no item has a text, or the encoders extra is not installed.
    """
    known = _drawn(sorted({text for text in texts if text}), config)
    if not known:
        raise ConfigError(
            "features.text_backbone is 'static', but none of the items has a text to learn from; "
            "import titles or descriptions, or choose 'minilm'"
        )
    folder = cache_folder / f"{STATIC}-{_key(known, config)}"
    if not folder.is_dir():
        cache_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{STATIC}-", dir=cache_folder) as workshop:
            new = Path(workshop) / "encoder"
            new.mkdir()
            _teach(known, config, cache_folder, new)
            _move_in(new, folder)
    return folder


def _drawn(texts: Sequence[str], config: FeaturesConfig) -> list[str]:
    generator = np.random.default_rng(config.static.seed)
    rows = np.sort(generator.permutation(len(texts))[: config.static.max_texts])
    return [texts[row] for row in rows]


def _key(texts: Sequence[str], config: FeaturesConfig) -> str:
    about = {"recipe": _RECIPE, "max_tokens": config.max_tokens, **config.static.model_dump()}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for text in texts:
        # Hashes are of one length, so that no two lists of texts look alike.
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()[:16]


def _teach(texts: Sequence[str], config: FeaturesConfig, cache_folder: Path, folder: Path) -> None:
    teacher = text_source("minilm", max_tokens=config.max_tokens, device=config.device)
    vectors, weights = fit_word_vectors(
        _token_ids(load_pretrained("AutoTokenizer", teacher.folder), texts, config.max_tokens),
        _said(teacher, texts, config, cache_folder),
        teacher.word_vectors(),
        config.static,
    )
    quiet_transformers()
    load_pretrained("AutoTokenizer", teacher.folder).save_pretrained(folder)
    for path in folder.iterdir():
        if path.name not in _FILES:
            path.unlink()
    stored = {"vectors": torch.from_numpy(vectors).half(), "weights": torch.from_numpy(weights)}
    save_file(stored, folder / _WEIGHTS)
    # The family of the tokenizer, by which it is found; there is no network of it here.
    about = {"model_type": "bert", "hidden_size": vectors.shape[1]}
    (folder / "config.json").write_text(json.dumps(about), encoding="utf-8")


def _said(teacher: TransformerTextSource, texts: Sequence[str], config: FeaturesConfig, folder: Path) -> FloatArray:
    """(texts, width): the mean token of what the teacher says."""
    cache, keys = TokenCache(folder, teacher, batch_size=config.batch_size), [text_key(text) for text in texts]
    cache.add(texts, keys)
    return np.stack([cache.tokens(key).astype(np.float32).mean(axis=0) for key in keys])


def _token_ids(tokenizer: object, contents: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Word pieces without the special tokens, which say nothing here; an empty text is one unknown piece."""
    limits = {"truncation": True, "max_length": max_tokens, "add_special_tokens": False}
    ids = tokenizer(list(contents), **limits)["input_ids"]  # type: ignore[operator]  # of transformers
    return [row or [tokenizer.unk_token_id] for row in ids]  # type: ignore[attr-defined]


def _move_in(new: Path, folder: Path) -> None:
    try:
        new.rename(folder)
    except OSError:
        # Another process was faster; its vectors are the same.
        if not folder.is_dir():
            raise
