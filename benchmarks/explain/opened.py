"""A trained bundle with all that explaining and altering its items needs, and the pairs that are asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.explain.world import World

from trifocal.batch import ItemBatch
from trifocal.bundle import Bundle, read_bundle
from trifocal.bundle.network import load_compact, load_encoder, load_image_encoder, load_recommender
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import read_dataset
from trifocal.data.named_splits import named_split
from trifocal.data.splits import restrict
from trifocal.errors import ConfigError
from trifocal.explain.content import Described, EncodedContent, Encoders, described_items
from trifocal.explain.explainer import IntegratedGradientsExplainer
from trifocal.explain.gated_tower import attention_weights
from trifocal.explain.score import Projections, Scorer
from trifocal.explain.words import ItemText, word_sums
from trifocal.features.items import FeatureState
from trifocal.features.text import TransformerTextSource
from trifocal.model import TwoStageRecommender
from trifocal.types import FloatArray, Request

__all__ = ["Opened", "opened"]

# An item of the answer's head that has all that is altered.
_LOOKED_AT = 5
# Fewer words make no curve.
_LEAST_WORDS = 4


@dataclass(frozen=True)
class Opened:
    """A bundle, opened.

    Attributes:
        explainer: of its answers.
        encoders: of words and pictures.
        content: of its items.
        described: row -> the item as the catalogue holds it.
        pairs: requests, each with the row of an item that it is answered.
        about: what the pairs depend on, as JSON.
    """

    recommender: TwoStageRecommender
    explainer: IntegratedGradientsExplainer
    encoders: Encoders
    content: EncodedContent
    described: dict[int, Described]
    pairs: tuple[tuple[Request, int], ...]
    about: Mapping[str, object]

    @property
    def scorer(self) -> Scorer:
        """Of whole items."""
        return self.explainer.scorer

    def text(self, row: int) -> ItemText:
        """Return the words of an item of `pairs`."""
        found = self.content.text(row)
        if found is None:
            raise ConfigError(f"the item of row {row} has no text; take another")
        return found

    def picture(self, row: int) -> Path:
        """Return the picture of an item of `pairs`."""
        found = self.described[row].picture
        if found is None:
            raise ConfigError(f"the item of row {row} has no picture; take another")
        return found

    def weights(self, request: Request, row: int) -> tuple[dict[str, FloatArray], float]:
        """Return the weights of the words (P,) and cells (G,), apart and together, and the completeness error."""
        (found,) = self.explainer.explain(request, np.array([row]))
        words = np.array([word.weight for word in found.words], np.float32)
        return _by_kind(words, np.array(found.cells, np.float32).reshape(-1)), found.completeness_error

    def attention(self, item: ItemBatch, row: int) -> dict[str, FloatArray]:
        """Return how much the Transformer attends to the words and cells of the one `item`, as `weights` does."""
        found = attention_weights(self.recommender.model.item_tower, item)[0].numpy()
        tokens = item.text.shape[1]
        return _by_kind(word_sums(self.text(row), found[:tokens]), found[tokens:])


def opened(world: World, pairs: int, seed: int) -> Opened:
    """Return the bundle of `world` with at most `pairs` pairs of its test questions, drawn by `seed`.

    Raises:
        ConfigError: when the bundle holds no network of two stages.
    """
    bundle = read_bundle(world.bundle)
    recommender = load_recommender(bundle)
    if not isinstance(recommender, TwoStageRecommender):
        raise ConfigError(f"{bundle.folder} holds no network; remove it and measure again")
    encoders = _encoders(bundle, recommender)
    tables = recommender.knowledge.evidence
    known = len(recommender.model.item_tower.id_trust) - 1
    root = Path(bundle.contents.image_root)
    describe = described_items(bundle.contents.items, root, tables.attributes, known=known)
    content = EncodedContent(describe, encoders)
    projections = Projections(load_compact(bundle, "text"), load_compact(bundle, "image"))
    explainer = IntegratedGradientsExplainer(recommender, content, projections=projections)
    described = {row: describe(row) for row in range(bundle.contents.items.height)}
    found = _pairs(recommender, _cases(world, bundle, seed, pairs), content, described)
    about = {"bundle": bundle.manifest.model_version, "pairs": len(found), "seed": seed}
    return Opened(recommender, explainer, encoders, content, described, tuple(found), about)


def _by_kind(words: FloatArray, cells: FloatArray) -> dict[str, FloatArray]:
    both: FloatArray = np.concatenate([words, cells])
    return {"words": words, "cells": cells, "words and cells": both, "features of cells": cells}


def _encoders(bundle: Bundle, recommender: TwoStageRecommender) -> Encoders:
    state = FeatureState.from_json(bundle.contents.feature_state)
    tower, layers = recommender.model.item_tower, int(bundle.contents.config["model"]["text_trainable_layers"])
    text = load_encoder(bundle)
    lower = text.lower(layers) if layers and isinstance(text, TransformerTextSource) else None
    return Encoders(
        text=text if tower.uses_text else None,
        image=load_image_encoder(bundle) if tower.uses_image else None,
        text_width=state.text_width,
        image_width=state.image_width,
        cells=len(tower.image_place),
        lower=lower,
    )


def _cases(world: World, bundle: Bundle, seed: int, count: int) -> Cases:
    whole = read_dataset(world.ground.dataset)
    split = named_split(whole, world.ground.split)
    context = FeatureState.from_json(bundle.contents.feature_state).context
    cases = build_cases(split, "test", restrict(whole, split).vocabulary(), context)
    return cases.sample(min(2 * count, len(cases)), seed)


def _pairs(
    recommender: TwoStageRecommender, cases: Cases, content: EncodedContent, described: Mapping[int, Described]
) -> list[tuple[Request, int]]:
    requests = cases.requests
    lists = recommender.recommend(requests, _LOOKED_AT).item_rows
    found = []
    for request, rows in zip(requests, lists.tolist(), strict=True):
        whole = [row for row in rows if row >= 0 and _is_whole(row, content, described)]
        if whole:
            found.append((request, whole[0]))
    return found[: len(requests) // 2]


def _is_whole(row: int, content: EncodedContent, described: Mapping[int, Described]) -> bool:
    text = content.text(row)
    return described[row].picture is not None and text is not None and len(text.words) >= _LEAST_WORDS
