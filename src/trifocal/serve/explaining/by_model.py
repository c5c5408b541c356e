"""What explains the answers of a bundle's own network, over the items as they are now. Loaded at the first question.

```
bundle ─► network, encoders, content ─ once ─┐
engine, catalogue ─► knowledge of the items ─┴─► integrated gradients ─► explanations in the rows of the service
```

A variant of another bundle counts items in its own way: requests and rows are translated there and back.
Letters: N items, K items of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np

from trifocal.bundle import Bundle
from trifocal.bundle.network import load_compact, load_recommender
from trifocal.errors import ConfigError, ServingError
from trifocal.explain import Described, EncodedContent, Explanation, IntegratedGradientsExplainer, Projections
from trifocal.explain.likeness import recovered_projection
from trifocal.features.compact import CompactProjection
from trifocal.features.config import FeaturesConfig
from trifocal.model import TwoStageRecommender
from trifocal.ports import TokenSource
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.config import ServeConfig
from trifocal.serve.engines import Engine
from trifocal.serve.experiment.other_items import OtherItemsEngine
from trifocal.serve.explaining.encoders import encoders_of
from trifocal.serve.explaining.why import QueryExplainer
from trifocal.serve.online import OnlineEngine
from trifocal.serve.online.growth import Growth
from trifocal.serve.online.links import memory_of
from trifocal.serve.queries import QueryEncoder
from trifocal.types import IntArray, Request

__all__ = ["ModelSource"]

_Picture = Callable[[int], Path | None]
# Features are kept in half precision.
_FEATURE_BYTES = 2
# Items that a projection is recovered from: many times its numbers.
_RECOVERED_MOST = 50_000


@dataclass(frozen=True)
class _Loaded:
    """What all explainers of a bundle share."""

    recommender: TwoStageRecommender
    projections: Projections
    content: EncodedContent


class ModelSource:
    """Makes explainers of the network in a bundle. Safe to use from several threads. Stability: internal."""

    def __init__(
        self, bundle: Bundle, queries: QueryEncoder, images: Callable[[], TokenSource], config: ServeConfig
    ) -> None:
        """Load nothing yet.

        Args:
            bundle: whose answers are explained.
            queries: has the text encoder.
            images: loads the image encoder.
            config: memory for encoded content, and a folder of what is encoded already.
        """
        self._bundle, self._queries, self._images, self._config = bundle, queries, images, config
        self._known = bundle.contents.items.height
        self._loaded: _Loaded | None = None
        self._described: Callable[[int], Described] | None = None
        self._lock = Lock()

    def over(self, engine: Engine, catalogue: Catalogue, picture: _Picture) -> QueryExplainer:
        """See `ExplainerSource`.

        Raises:
            ConfigError: when a package is not installed, or the engine is none of this network's.
        """
        own = engine.engine if isinstance(engine, OtherItemsEngine) else engine
        if not isinstance(own, OnlineEngine) or own.growth is None:
            raise ConfigError(
                f"answers of an engine of the class {type(own).__name__} cannot be explained by a network; "
                "serve a bundle of a trained model"
            )
        with self._lock:
            # Rows keep their number, and content is read anew where it changed: one content for all versions.
            self._described = _describing(own.growth, catalogue, picture, self._known, _served(engine))
            loaded = self._loaded = self._loaded or self._load()
        explainer = IntegratedGradientsExplainer(
            _grown(loaded.recommender, own.growth), loaded.content, projections=loaded.projections
        )
        return _Translated(explainer, engine if isinstance(engine, OtherItemsEngine) else None)

    def _load(self) -> _Loaded:
        bundle, config = self._bundle, self._config
        recommender = load_recommender(bundle)
        if not isinstance(recommender, TwoStageRecommender):
            raise ConfigError(f"{bundle.folder} holds no network; its answers cannot be explained by one")
        state, features = bundle.contents.feature_state, bundle.contents.config["features"]
        widths = int(state["text_width"]), int(state["image_width"])
        encoders = encoders_of(
            recommender,
            self._queries.encoder,
            self._images,
            widths=widths,
            trained_layers=int(bundle.contents.config["model"]["text_trainable_layers"]),
            cache=Path(config.explain_features) if config.explain_features else None,
        )
        tokens = FeaturesConfig.model_validate(features).max_tokens
        an_item = _FEATURE_BYTES * (tokens * widths[0] + encoders.cells * widths[1])
        remembered = max(1, config.explain_token_bytes // an_item)
        content = EncodedContent(self._describe, encoders, remembered=remembered)
        return _Loaded(recommender, _projections(bundle, recommender), content)

    def _describe(self, row: int) -> Described:
        if self._described is None:
            raise ServingError(f"the item in row {row} cannot be described before an explainer was made")
        return self._described(row)


@dataclass(frozen=True)
class _Translated:
    """An explainer in the service's rows; `engine` None = they are its own."""

    explainer: IntegratedGradientsExplainer
    engine: OtherItemsEngine | None

    def explain(self, request: Request, item_rows: IntArray, query: str | None = None) -> Sequence[Explanation]:
        """See `QueryExplainer`."""
        if self.engine is None:
            return self.explainer.explain(request, item_rows, query=query)
        own = self.engine.own[item_rows]
        if (own < 0).any():
            raise ServingError(f"the model does not know the items in rows {item_rows[own < 0].tolist()}")
        found = self.explainer.explain(self.engine.own_request(request), own, query=query)
        return [self._back(explanation) for explanation in found]

    def _back(self, explanation: Explanation) -> Explanation:
        served = _served(self.engine)
        nearest = explanation.nearest
        return replace(
            explanation,
            item_row=int(served(explanation.item_row)),
            nearest=None if nearest is None else replace(nearest, item_row=int(served(nearest.item_row))),
        )


def _served(engine: Engine | None) -> Callable[[int], int]:
    """Return the engine's row -> the service's."""
    if not isinstance(engine, OtherItemsEngine):
        return lambda row: row
    served = engine.served
    return lambda row: int(served[row])


def _describing(
    growth: Growth, catalogue: Catalogue, picture: _Picture, known: int, served: Callable[[int], int]
) -> Callable[[int], Described]:
    attributes = growth.ranking.tables.attributes

    def described(row: int) -> Described:
        place = served(row)
        item = catalogue.item(place)
        code = row + 1 if row < known else 0
        return Described(item.title, item.category, item.description, picture(place), attributes[row], code)

    return described


def _grown(recommender: TwoStageRecommender, growth: Growth) -> TwoStageRecommender:
    """Return `recommender` over the items as they are now: itself, until one has joined or changed."""
    tables = growth.ranking.tables
    if isinstance(growth.vectors, np.ndarray):
        return recommender
    vectors = growth.vectors[np.arange(len(growth.vectors))]
    memory = None if growth.links is None else memory_of(growth.links, len(vectors))
    knowledge = replace(recommender.knowledge, vectors=vectors, evidence=tables, memory=memory)
    return recommender.with_items(recommender.name, knowledge)


def _projections(bundle: Bundle, recommender: TwoStageRecommender) -> Projections:
    text, image = (load_compact(bundle, modality) for modality in ("text", "image"))
    return Projections(text or _recovered(bundle, recommender), image)


def _recovered(bundle: Bundle, recommender: TwoStageRecommender) -> CompactProjection | None:
    """For bundles that were written before projections were kept."""
    table, pooled = np.asarray(recommender.knowledge.evidence.text), bundle.contents.text_vectors
    if not recommender.model.item_tower.uses_text or not table.any():
        return None
    some = slice(None, None, -(-len(table) // _RECOVERED_MOST))
    return recovered_projection(pooled[some], table[some])
