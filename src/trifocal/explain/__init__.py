"""Why this item for this user: words, cells of the picture, the nearest item of the history, shares, one sentence."""

from trifocal.explain.config import ExplainConfig
from trifocal.explain.content import (
    CachedSource,
    CachedTexts,
    Described,
    EncodedContent,
    Encoders,
    ItemContent,
    described_items,
)
from trifocal.explain.explainer import IntegratedGradientsExplainer
from trifocal.explain.explanation import Explainer, Explanation, Nearest, Shares, Word
from trifocal.explain.gated_tower import attention_weights
from trifocal.explain.likeness import recovered_projection
from trifocal.explain.score import Projections, ScoreFunction, Scorer

__all__ = [
    "CachedSource",
    "CachedTexts",
    "Described",
    "EncodedContent",
    "Encoders",
    "ExplainConfig",
    "Explainer",
    "Explanation",
    "IntegratedGradientsExplainer",
    "ItemContent",
    "Nearest",
    "Projections",
    "ScoreFunction",
    "Scorer",
    "Shares",
    "Word",
    "attention_weights",
    "described_items",
    "recovered_projection",
]
