"""Settings of an update: how a served bundle learns on from what came back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["UpdateConfig"]


class UpdateConfig(BaseModel):
    """What is learned again, from which events, and when the result may serve."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    epochs: int = Field(default=1, ge=1)
    """Passes over the events, in place of train.epochs: the bundle's weights are where they start."""
    rate: float = Field(default=0.3, gt=0, le=1)
    """Share of the step sizes of [train] and of its second stage."""
    replay: float = Field(default=0.25, ge=0, le=1)
    """Share of the histories without a new event that are learned from again, so that nothing is forgotten."""
    ranker_questions: int = Field(default=2000, ge=0)
    """Questions that the ranker learns on from, in place of train.second_stage.max_questions; 0 = it stays."""
    ranker_epochs: int = Field(default=1, ge=1)
    """Passes over them."""
    held_out_days: float = Field(default=3.0, gt=0)
    """Newest days that both bundles are compared on, before the memory learns from them too."""
    compare_users: int = Field(default=4000, ge=1)
    """Users of these days who are asked about at most, drawn once."""
    count_recommended: bool = False
    """Compare both on what a recommendation led to as well, which speaks for the bundle whose lists were shown."""
    margin: float = Field(default=0.02, ge=0)
    """Share of the serving bundle's figure that the lower end of the difference's interval may lie below 0."""
