"""Settings of the model stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ContextField", "Modality", "ModelConfig"]

Modality = Literal["text", "image", "ids"]
ContextField = Literal["gap", "device", "country", "hour", "weekday", "price"]


class ModelConfig(BaseModel):
    """Sizes and switches of the item tower, the user tower and the ranker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modalities: tuple[Modality, ...] = ("text", "image", "ids")
    """What the item tower may use beside attributes; `("text", "ids")` is the text-only baseline."""
    embedding_size: int = Field(default=128, ge=8, le=1024)
    """D, the size of item and user vectors."""
    pooled_size: int = Field(default=96, ge=4, le=512)
    """Principal components of the mean text token, and as many of the image's, in the item tower's linear shortcut."""
    text_trainable_layers: int = Field(default=0, ge=0, le=48)
    """Upper layers of the text backbone that are trained with everything else; 0 = all frozen, at most all of them."""
    text_adaptation: Literal["full", "lora"] = "full"
    """How those layers are trained: every weight, or low-rank maps beside their queries and values."""
    text_rank: int = Field(default=8, ge=1, le=256)
    """Rank of the low-rank maps."""
    fusion_width: int = Field(default=128, ge=16, le=1024)
    """Width of the joint Transformer layers."""
    fusion_layers: int = Field(default=1, ge=1, le=12)
    """Joint layers over text, image and attribute tokens."""
    fusion_heads: int = Field(default=4, ge=1, le=16)
    """Attention heads of the joint layers and the gated cross-attention."""
    context: tuple[ContextField, ...] = ("gap", "device", "country", "hour", "weekday", "price")
    """Circumstances that the user tower reads: those of what comes next, and the price bucket of each event's item."""
    user_layers: int = Field(default=2, ge=1, le=12)
    """Causal layers of the user tower."""
    user_heads: int = Field(default=2, ge=1, le=16)
    """Attention heads of the user tower."""
    history_length: int = Field(default=50, ge=1, le=1000)
    """L, the newest events of a user that are read."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Dropout in the user tower."""
    fusion_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout in the item tower, beside id and modality dropout."""
    id_dropout: float = Field(default=0.5, ge=0, lt=1)
    """Share of items whose id embedding is hidden in a training step, so that a new item is nothing unusual."""
    id_prior: float = Field(default=10.0, ge=0)
    """Events at which an item's id is trusted by half, n / (n + this) for n events; 0 = whole from the first."""
    modality_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of items whose text, and as many whose picture, is hidden in a training step."""
    ranker_width: int = Field(default=64, ge=8, le=1024)
    """Hidden units of the ranker."""
    ranker_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout in the ranker."""
    rank_candidates: int = Field(default=200, ge=1)
    """K, the retrieved items that the ranker scores; the rest keep their retrieval order behind them."""
    memory_items: int = Field(default=12_500, ge=0)
    """Most popular items that the linear memory covers; 0 = no memory. Takes items^2 memory and items^3 time."""
    memory_links: int = Field(default=200, ge=1)
    """Strongest links kept of an item."""
    memory_regularization: float = Field(default=100.0, gt=0)
    """Lambda of the memory: the greater, the less a link that few users made counts."""
    memory_text: float = Field(default=5.0, ge=0)
    """Weight of likeness in words beside what was taken together."""
    memory_image: float = Field(default=5.0, ge=0)
    """Weight of likeness in looks beside what was taken together."""
