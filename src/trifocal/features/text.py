"""Text -> token features of a frozen pre-trained Transformer: MiniLM from its package, or any `AutoModel` folder."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trifocal.errors import ConfigError
from trifocal.features.backbones import folder_sha256, load_pretrained, packaged_text_folder
from trifocal.features.text_backbone import TextBackbone, TextLayerShape, require_trainable, upper_states
from trifocal.types import FloatArray

__all__ = ["TransformerTextSource", "text_source"]


def text_source(backbone: str, *, max_tokens: int = 64, device: str = "cpu") -> TransformerTextSource:
    """Return the text encoder named `backbone`: `minilm`, or the path of an `AutoModel` folder.

    Raises:
        ConfigError: when it is neither, or the encoders extra is not installed.
        ArtifactError: when the packaged weights are damaged.
    """
    if backbone == "minilm":
        return TransformerTextSource("minilm", packaged_text_folder(), max_tokens=max_tokens, device=device)
    folder = Path(backbone)
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"text backbone {backbone!r} is neither 'minilm' nor a folder with a config.json; "
            "give the path of a folder written by `save_pretrained`"
        )
    return TransformerTextSource(folder.name, folder, max_tokens=max_tokens, device=device)


class TransformerTextSource:
    """A frozen text Transformer as a `TokenSource`. Stability: caller."""

    def __init__(self, name: str, folder: Path, *, max_tokens: int, device: str = "cpu") -> None:
        self.name, self.folder = f"text-{name}", folder
        self._device = torch.device(device)
        self._max_tokens = max_tokens
        self._tokenizer = load_pretrained("AutoTokenizer", folder)
        network = load_pretrained("AutoModel", folder)
        # CLIP and SigLIP hold both towers; only the text half reads tokens.
        self._network = getattr(network, "text_model", network).float().eval().to(self._device)
        _check_words(folder, self._tokenizer)
        _check_positions(folder, max_tokens, self._tokenizer, self._network.config)
        self.width = int(self._network.config.hidden_size)
        self.fingerprint = f"{folder_sha256(folder)}-{max_tokens}"
        # The tokenizer takes its limits over at the first call; later, two threads that do so at once would fail.
        self.token_ids([""])

    def token_ids(self, contents: Sequence[str]) -> list[list[int]]:
        """Return for each text the ids of its tokens, at least one and at most `max_tokens`."""
        ids = self._tokenizer(list(contents), truncation=True, max_length=self._max_tokens)["input_ids"]
        # GPT-2 adds no token of its own, so that an empty text would have none.
        return [row or [self._padding_id] for row in ids]

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """Return for each text the features (tokens, width) of its last layer, special tokens included."""
        rows = self.token_ids(contents)
        ids, mask = _padded(rows, self._padding_id)
        features = self.hidden(ids, mask).numpy()
        return [features[place, : len(row)] for place, row in enumerate(rows)]

    def pooled(self, contents: Sequence[str]) -> FloatArray:
        """Return the (len(contents), width) means of the token features: what a search query is."""
        return np.stack([tokens.mean(axis=0) for tokens in self.encode(contents)]).astype(np.float32)

    def hidden(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Return the (M, T, width) features of the last layer, on the device of `token_ids` (M, T)."""
        with torch.no_grad():
            found: Tensor = self._network(
                input_ids=token_ids.to(self._device), attention_mask=mask.to(self._device, torch.int64)
            ).last_hidden_state
        return found.to(token_ids.device)

    def word_vectors(self) -> FloatArray:
        """Return the (vocabulary, width) vectors that the network looks its tokens up in, before any layer."""
        vectors: FloatArray = self._network.get_input_embeddings().weight.detach().float().cpu().numpy()
        return vectors

    def lower(self, trainable_layers: int) -> TransformerTextSource:
        """Return the same encoder without its upper `trainable_layers`; weights are shared.

        Raises:
            ConfigError: when the layers of this backbone cannot be trained, or it has fewer.
        """
        config = self._network.config
        require_trainable(
            trainable_layers,
            family=config.model_type,
            activation=getattr(config, "hidden_act", "an activation of its own"),
            available=config.num_hidden_layers,
        )
        source = copy.copy(self)
        weights = itertools.chain(self._network.parameters(), self._network.buffers())
        source._network = copy.deepcopy(self._network, {id(tensor): tensor for tensor in weights})
        frozen = config.num_hidden_layers - trainable_layers
        source._network.encoder.layer = source._network.encoder.layer[:frozen]
        source.name = f"{self.name}-layer{frozen}"
        source.fingerprint = f"{self.fingerprint}-layer{frozen}"
        return source

    def backbone(self, trainable_layers: int) -> TextBackbone:
        """Return what training needs of this encoder where its upper `trainable_layers` are trained."""
        lower, config = self.lower(trainable_layers), self._network.config
        words = self._network.get_input_embeddings().weight.detach().float().cpu()
        return TextBackbone(
            shape=TextLayerShape(
                heads=int(config.num_attention_heads),
                feed_forward=int(config.intermediate_size),
                epsilon=float(config.layer_norm_eps),
                vocabulary=len(words),
            ),
            states=upper_states(self._network, trainable_layers),
            word_embeddings=words,
            special_ids=tuple(sorted(self._tokenizer.all_special_ids)),
            mask_id=self._tokenizer.mask_token_id,
            # A plain function, so that a copy of the model does not copy the encoder too.
            lower=lambda token_ids, mask: lower.hidden(token_ids, mask),
        )

    @property
    def _padding_id(self) -> int:
        """GPT-2 has no padding token; padding is masked, so any will do."""
        padding, end = self._tokenizer.pad_token_id, self._tokenizer.eos_token_id
        return int(next((token for token in (padding, end) if token is not None), 0))


def _padded(rows: Sequence[Sequence[int]], padding_id: int) -> tuple[Tensor, Tensor]:
    """Return ids and mask, both (B, T) int64; padding stands behind the tokens whatever the tokenizer prefers."""
    ids = torch.full((len(rows), max(map(len, rows))), padding_id)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = torch.tensor(row), 1
    return ids, mask


def _check_words(folder: Path, tokenizer: Any) -> None:
    # Where its files are missing, transformers makes an empty tokenizer of the network's family, and says nothing.
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ConfigError(
            f"the tokenizer in {folder} knows {len(tokenizer)} tokens and no word; "
            "write the tokenizer that belongs to the network beside it by `save_pretrained`"
        )


def _check_positions(folder: Path, max_tokens: int, tokenizer: Any, config: Any) -> None:
    limit = min(tokenizer.model_max_length, getattr(config, "max_position_embeddings", None) or max_tokens)
    if max_tokens > limit:
        raise ConfigError(
            f"the text backbone in {folder} reads at most {limit} tokens, features.max_tokens is {max_tokens}; "
            f"set it to {limit} or less"
        )
