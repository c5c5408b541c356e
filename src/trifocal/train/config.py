"""Settings of the training stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LossWeights", "SecondStageConfig", "TrainConfig"]


class LossWeights(BaseModel):
    """Weights of the parts of the one loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    softmax: float = Field(default=1.0, ge=0)
    """Sampled softmax with logQ correction over the catalogue: retrieval."""
    bpr: float = Field(default=0.1, ge=0)
    """BPR against one sampled item: ranking."""
    click: float = Field(default=0.1, ge=0)
    """Cross-entropy of clicks on what was shown, or against one sampled item where the log has no impressions."""
    rating: float = Field(default=0.1, ge=0)
    """Squared error of the expected rating, where the log has ratings."""
    contrastive: float = Field(default=0.1, ge=0)
    """InfoNCE between text and picture of the same item: alignment."""
    mlm: float = Field(default=0.0, ge=0)
    """Masked language modelling on item texts: keeps the domain's words; needs model.text_trainable_layers above 0."""


class SecondStageConfig(BaseModel):
    """How the ranker is trained, after the towers: to find again what was hidden of a history."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=4, ge=0)
    """Passes over the lists; 0 = no second stage."""
    hold_out: Literal["random", "future"] = "future"
    """What is hidden: what came after a moment, or a random share (the rest of a basket, a split at random)."""
    hidden_share: float = Field(default=0.2, gt=0, lt=1)
    """Share of a user's items that `random` hides, one at least."""
    stranger_share: float = Field(default=0.05, ge=0, le=1)
    """Share of the questions that hide the whole history."""
    passes: int = Field(default=2, ge=1)
    """Questions asked of a user."""
    max_questions: int = Field(default=24_000, ge=1)
    """Questions in all; each list that is kept takes K x 4 bytes a column."""
    batch_size: int = Field(default=64, ge=1)
    """Lists a step."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Greatest AdamW step size; rises for a tenth of the steps, then falls."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """AdamW weight decay."""


class TrainConfig(BaseModel):
    """How the model is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=20, ge=1)
    """Passes over all users at most; early stopping may end sooner."""
    align_epochs: int = Field(default=0, ge=0)
    """Passes over the catalogue before those over the users, with the losses on content alone: contrastive, mlm."""
    patience: int = Field(default=3, ge=1)
    """Epochs without a better validation figure before training stops."""
    batch_size: int = Field(default=128, ge=1)
    """Users a step; items a step in the passes over the catalogue."""
    live_items: int = Field(default=32, ge=1)
    """Items whose content is encoded with gradient in a step; all others come from the vector table."""
    contrastive_items: int = Field(default=16, ge=2)
    """Of the live items, how many join the contrastive loss."""
    mlm_items: int = Field(default=16, ge=1)
    """Of the live items, how many have words hidden for the masked language modelling."""
    softmax_candidates: int = Field(default=8192, ge=2)
    """Items that the softmax sees; the whole catalogue where it has no more."""
    spared: Literal["history", "nothing"] = "history"
    """What a target is not told apart from: all else of the window (baskets), or nothing (what comes next matters)."""
    learning_rate: float = Field(default=3e-3, gt=0)
    """AdamW step size of everything but the id table; falls to a tenth by the last epoch."""
    id_learning_rate: float = Field(default=3e-3, gt=0)
    """AdamW step size of the id table, whose rows are seldom touched."""
    text_learning_rate: float = Field(default=5e-5, gt=0)
    """AdamW step size of the text layers that are trained, where there are any."""
    weight_decay: float = Field(default=0.05, ge=0)
    """AdamW weight decay."""
    warmup_steps: int = Field(default=50, ge=0)
    """Steps in which the learning rate rises from 0."""
    gradient_norm: float = Field(default=5.0, gt=0)
    """Gradients are scaled down to at most this norm."""
    shuffle_ties: bool = True
    """Events of the same moment (a basket) come in a new order each epoch: their order means nothing."""
    max_search_examples: int = Field(default=4096, ge=0)
    """Events that followed a search query, drawn as extra examples."""
    max_shown_lists: int = Field(default=2048, ge=0)
    """Shown lists drawn each epoch for the click loss; 0 = only sampled negatives, as in a log without impressions."""
    max_rated_lists: int = Field(default=1024, ge=0)
    """Lists of ratings drawn each epoch for the rating loss; 0 = no rating loss."""
    metric: Literal["recall@10", "recall@20", "recall@50", "ndcg@10", "ndcg@20", "map@20", "mrr"] = "ndcg@10"
    """Validation figure that early stopping and the best checkpoint go by."""
    validation_users: int = Field(default=2000, ge=1)
    """Users of the validation part that each epoch is scored on, drawn once."""
    losses: LossWeights = LossWeights()
    """Weights of the loss parts."""
    second_stage: SecondStageConfig = SecondStageConfig()
    """The ranker's training."""
    gradient_every: int = Field(default=100, ge=0)
    """Steps between measurements of each loss part's gradient norm on the item tower; 0 = never."""
    precision: Literal["float32", "bf16"] = "float32"
    """What the towers compute in while training; losses, weights and serving stay in float32."""
    tensorboard: bool = False
    """Write event files for TensorBoard beside the log; needs the extra `tensorboard`."""
    exclude_kinds: tuple[Literal["mismatch", "broken", "blank", "duplicate", "text", "category"], ...] = (
        "mismatch",
        "broken",
        "blank",
    )
    """Errors of an audit whose pictures `trifocal train --exclude` leaves out."""
    seed: int = 0
    """Of initial weights, order, dropout and sampling."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where training runs."""
