"""Text -> token features of a frozen pre-trained Transformer: MiniLM from its package, or any `AutoModel` folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from trifocal.errors import ConfigError
from trifocal.features.backbones import folder_sha256, packaged_text_folder
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
        try:
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging
        except ImportError as error:
            raise ConfigError("transformers is not installed; `pip install 'trifocal[encoders]'`") from error
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar for reading 90 MB says nothing
        self.name = f"text-{name}"
        self._device = torch.device(device)
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if self._tokenizer.pad_token is None:  # GPT-2 has none; padding is masked, so any token will do
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._network = AutoModel.from_pretrained(folder, local_files_only=True).eval().to(self._device)
        # CLIP and SigLIP hold both towers; only the text half reads tokens.
        self._network = getattr(self._network, "text_model", self._network)
        self._max_tokens = max_tokens
        self.width = int(self._network.config.hidden_size)
        self.fingerprint = f"{folder_sha256(folder)}-{max_tokens}"

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        """Return for each text the features (tokens, width) of its last layer, special tokens included."""
        tokens = self._tokenizer(
            list(contents), padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = self._network(
                input_ids=tokens["input_ids"].to(self._device),
                attention_mask=tokens["attention_mask"].to(self._device),
            ).last_hidden_state
        lengths = tokens["attention_mask"].sum(dim=1).tolist()
        features = hidden.float().cpu().numpy()
        return [features[row, :length] for row, length in enumerate(lengths)]

    def pooled(self, contents: Sequence[str]) -> FloatArray:
        """Return the (len(contents), width) means of the token features: what a search query is."""
        return np.stack([tokens.mean(axis=0) for tokens in self.encode(contents)]).astype(np.float32)
