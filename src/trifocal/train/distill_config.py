"""Settings of a student: what it is made of, and how its teacher is listened to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["DistillConfig"]


class DistillConfig(BaseModel):
    """What `trifocal distill` changes of the teacher, and the weights of what is learned from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_backbone: Literal["static", "scratch"] = "static"
    """What reads the texts: a vector a word piece, or the small encoder trained on the catalogue."""
    image_backbone: Literal["efficientnet-lite0", "efficientnet-lite2"] = "efficientnet-lite0"
    """What looks at the pictures."""
    image_size: int = Field(default=160, ge=32, le=1024)
    """Side in pixels that pictures are scaled to; the work grows with its square."""
    user_layers: int = Field(default=1, ge=1, le=12)
    """Causal layers of the user tower."""
    items: float = Field(default=1.0, ge=0)
    """Weight of the way from the teacher's item vectors, those without ids."""
    rankings: float = Field(default=1.0, ge=0)
    """Weight of the divergence from the teacher's softmax over the candidates."""
    temperature: float = Field(default=1.0, ge=0.1, le=20)
    """Of both softmaxes; above 1 the teacher's lower places say more."""
    catalogue_passes: int = Field(default=5, ge=0)
    """Passes over the catalogue before those over the users, with the teacher's item vectors alone, `train.live_items`
    a step."""
    epochs: int = Field(default=2, ge=1)
    """Passes over the users at most, in place of `train.epochs`: a student starts with its teacher's weights."""
    compare_users: int = Field(default=4000, ge=1)
    """Users that student and teacher are compared on in the end, drawn once."""
    speed_items: int = Field(default=200, ge=8)
    """Items with text and picture that the speed of encoding is measured on."""
