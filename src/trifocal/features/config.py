"""Settings of the features stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FeaturesConfig"]


class FeaturesConfig(BaseModel):
    """Which frozen encoders read and look, and how much of what they see is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_backbone: str = "minilm"
    """`minilm` (from its package) or the path of a folder that `AutoModel` and `AutoTokenizer` can load."""
    image_backbone: str = "efficientnet-lite2"
    """`efficientnet-lite0`, `efficientnet-lite2` (from their packages) or the path of an `AutoModel` vision folder."""
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
