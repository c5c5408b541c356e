"""Settings of the features stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FeaturesConfig", "ScratchConfig", "StaticConfig"]


class ScratchConfig(BaseModel):
    """The text encoder that `text_backbone = "scratch"` trains on the catalogue's own texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary_size: int = Field(default=8000, ge=512, le=100_000)
    """Tokens of the byte-level byte-pair tokenizer at most; a small catalogue gets fewer."""
    width: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    """Features a token."""
    layers: int = Field(default=3, ge=1, le=12)
    """Transformer layers."""
    epochs: int = Field(default=10, ge=1)
    """Passes over the texts, each with other tokens hidden."""
    min_steps: int = Field(default=300, ge=1)
    """Steps of 32 texts at least, where that many passes are fewer: a small catalogue."""
    max_steps: int = Field(default=3000, ge=1)
    """Steps after which training ends even if passes are left: a large catalogue."""
    seed: int = Field(default=0, ge=0)
    """Of initial weights, order, dropout and hidden tokens."""


class StaticConfig(BaseModel):
    """The word-piece vectors that `text_backbone = "static"` learns from what MiniLM says of the catalogue's texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_texts: int = Field(default=20_000, ge=1)
    """Texts that MiniLM reads for it, drawn at random where there are more: about 20 ms each, once."""
    epochs: int = Field(default=20, ge=0)
    """Passes over them; 0 = only what a linear map of MiniLM's own word-piece vectors gives."""
    seed: int = Field(default=0, ge=0)
    """Of the texts that are drawn, and of order and dropout."""


class FeaturesConfig(BaseModel):
    """Which frozen encoders read and look, and how much of what they see is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_backbone: str = "minilm"
    """`minilm` (from its package), `scratch` (trained on the catalogue), `static` (a vector a word-piece, taught by
    MiniLM), or the path of a folder that `AutoModel` and `AutoTokenizer` can load."""
    image_backbone: str = "efficientnet-lite2"
    """`efficientnet-lite0`, `efficientnet-lite2` (from their packages) or the path of an `AutoModel` vision folder."""
    image_size: int = Field(default=0, ge=0, le=1024)
    """Side in pixels that pictures are scaled to; 0 = what the network was trained at, and the only choice of an
    `AutoModel` folder. The work grows with its square."""
    max_tokens: int = Field(default=64, ge=8, le=512)
    """Text tokens kept of an item, special tokens included."""
    image_grid: int = Field(default=3, ge=1, le=8)
    """The feature map is pooled to image_grid x image_grid image tokens."""
    price_buckets: int = Field(default=20, ge=2, le=200)
    """Quantile buckets that a price is coded in."""
    max_attribute_values: int = Field(default=2000, ge=2)
    """An attribute with more distinct values than this is left out (it is an id, not an attribute)."""
    compact_size: int = Field(default=128, ge=8, le=512)
    """Size of the compact text and image vectors that the ranker compares with a user's history."""
    batch_size: int = Field(default=4, ge=1)
    """Items that a worker encodes at once; small ones fit a CPU's cache, a GPU wants 64 or more."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the frozen encoders run."""
    scratch: ScratchConfig = ScratchConfig()
    """How `scratch` is trained; nothing else reads it."""
    static: StaticConfig = StaticConfig()
    """How `static` is taught; nothing else reads it."""

    def encoders_json(self) -> str:
        """Return what bears on the features, as JSON; where and how fast they are computed does not enter."""
        unused = {"device", "batch_size"} | ({"scratch", "static"} - {self.text_backbone})
        if not self.image_size:
            unused.add("image_size")
        return self.model_dump_json(exclude=unused)
