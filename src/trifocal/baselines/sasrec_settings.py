"""What SASRec is told; bounds are checked when the settings are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trifocal.errors import ConfigError

__all__ = ["SasrecSettings"]


@dataclass(frozen=True)
class SasrecSettings:
    """Sizes of the network and how it is trained.

    Attributes:
        embedding_size: D, numbers an item or a state has.
        layers: causal Transformer layers.
        heads: attention heads a layer; they share out D.
        history_length: L, the newest events that are read; older ones train in windows of their own.
        dropout: share of the activations that is hidden in training, 0 up to below 1.
        learning_rate: of Adam, after the warm-up.
        warmup_steps: steps in which the learning rate rises from 0; then it falls along a cosine to a tenth.
        batch_size: windows of L events a step; of shorter ones as many more as have the same number of positions.
        epochs: the most passes over all windows.
        validate_every: epochs between two validations; the last epoch is always validated.
        patience: epochs without a better validation figure after which training stops.
        negatives: items a step compares with where the catalogue is larger than 20,000; below, all are compared with.
        shuffle_ties: events of the same moment (a basket) come in a new order each epoch: their order means nothing.
        precision: of the matrix products in training; answers are always computed in float32.
    """

    embedding_size: int = 128
    layers: int = 2
    heads: int = 2
    history_length: int = 200
    dropout: float = 0.2
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    batch_size: int = 64
    epochs: int = 60
    validate_every: int = 1
    patience: int = 15
    negatives: int = 4096
    shuffle_ties: bool = False
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        positive = ("embedding_size", "layers", "heads", "history_length", "learning_rate", "batch_size", "epochs")
        for name in (*positive, "validate_every", "patience", "negatives"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be above 0")
        if self.patience < self.validate_every:
            raise ConfigError(
                f"patience is {self.patience}; training would stop before the validation after epoch "
                f"{self.validate_every}: raise it, or lower validate_every"
            )
        if self.warmup_steps < 0:
            raise ConfigError(f"warmup_steps is {self.warmup_steps}; it must be 0 or more")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout is {self.dropout}; it must be 0 or more and below 1")
        if self.embedding_size % self.heads:
            raise ConfigError(f"embedding_size {self.embedding_size} is no multiple of heads {self.heads}; change one")
        if self.precision not in ("float32", "bfloat16"):
            raise ConfigError(f"precision is {self.precision!r}; choose float32 or bfloat16")
