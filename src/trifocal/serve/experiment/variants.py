"""The variants of an experiment as gateways beside the one that serves: same state, same items, another engine.

A batch may hold questions of several variants: each is answered by its own gateway, in the order of the questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from scipy.sparse import csr_matrix

from trifocal import columns as c
from trifocal.baselines import AlsSettings
from trifocal.bundle import Bundle, read_bundle
from trifocal.bundle.network import load_encoder, load_image_encoder
from trifocal.errors import TrifocalError
from trifocal.features.context import ContextVocabulary
from trifocal.serve.asks import Answer, Ask
from trifocal.serve.caches import config_hash
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.config import ServeConfig
from trifocal.serve.engines import Engine
from trifocal.serve.experiment.config import VariantConfig
from trifocal.serve.experiment.other_items import ContextCodes, OtherItemsEngine, same_items, translated
from trifocal.serve.experiment.plain_models import als_engine, popular_engine
from trifocal.serve.explaining.by_model import ModelSource
from trifocal.serve.explaining.why import ExplainerSource
from trifocal.serve.gateway import Gateway
from trifocal.serve.models import engine_of
from trifocal.serve.queries import QueryEncoder
from trifocal.types import Vocabulary

__all__ = ["Made", "answered", "build_variants", "grown", "marked"]

_Answer = TypeVar("_Answer", bound=Answer | TrifocalError)


@dataclass(frozen=True)
class Made:
    """What the answers of a gateway come from.

    Attributes:
        model_version: as answers say it.
        engine: retrieves and ranks.
        queries: words -> vectors that the engine can read.
        personal: whether the engine reads histories.
        explaining: of the model; None = it has no network to be explained.
    """

    model_version: str
    engine: Engine
    queries: QueryEncoder
    personal: bool = True
    explaining: ExplainerSource | None = None


def build_variants(
    bundle: Bundle, config: ServeConfig, served: Made, taken: Callable[[], csr_matrix]
) -> list[tuple[VariantConfig, Made]]:
    """Return what the answers of each variant of `config` come from; empty without an experiment.

    Args:
        bundle: the one that serves.
        config: with the experiment.
        served: what answers of that bundle come from.
        taken: gives (users x items) what the shoppers of the bundle took.

    Raises:
        ArtifactError: when the bundle of a variant cannot be read.
        DataError: when a variant is to be fitted and nobody took anything.
    """
    return [(variant, _made(variant, bundle, config, served, taken)) for variant in config.experiment.variants]


def _made(
    variant: VariantConfig, bundle: Bundle, config: ServeConfig, served: Made, taken: Callable[[], csr_matrix]
) -> Made:
    contents, items = bundle.contents, bundle.contents.items.height
    match variant.model:
        case "als":
            settings = AlsSettings()
            version = f"als-{config_hash(served.model_version, repr(settings))}"
            engine = same_items(als_engine(taken(), settings), items)
            return replace(served, model_version=version, engine=engine, explaining=None)
        case "popular":
            engine = same_items(popular_engine(contents.popularity, contents.item_vectors), items)
            version = f"popular-{served.model_version}"
            return replace(served, model_version=version, engine=engine, personal=False, explaining=None)
    return _of_other_bundle(read_bundle(Path(variant.bundle)), bundle, config) if variant.bundle else served


def _of_other_bundle(other: Bundle, bundle: Bundle, config: ServeConfig) -> Made:
    codes = ContextCodes.between(_contexts(bundle), _contexts(other))
    engine = translated(engine_of(other, config), _vocabulary(other), _vocabulary(bundle), codes)
    light = replace(other, contents=replace(other.contents, histories=other.contents.histories.head(0)))
    queries = QueryEncoder(lambda: load_encoder(light))
    source = ModelSource(light, queries, lambda: load_image_encoder(light), config)
    has_network = "model" in other.contents.config
    return Made(other.manifest.model_version, engine, queries, explaining=source if has_network else None)


def _contexts(bundle: Bundle) -> ContextVocabulary:
    return ContextVocabulary.from_json(bundle.contents.feature_state["context"])


def _vocabulary(bundle: Bundle) -> Vocabulary:
    return Vocabulary.of(bundle.contents.items[c.ITEM_ID].to_list())


def grown(
    variants: Mapping[str, Gateway], catalogue: Catalogue, before: Engine, after: Engine, catalogue_version: int
) -> dict[str, Gateway]:
    """Return the variants over other items: who answered by the engine `before` does so by the one `after`."""

    def engine(gateway: Gateway) -> Engine:
        kept = gateway.engine
        if kept is before or not isinstance(kept, OtherItemsEngine):
            return after
        return kept.over(len(catalogue))

    return {name: gateway.grown(catalogue, engine(gateway), catalogue_version) for name, gateway in variants.items()}


def answered(asks: Sequence[Ask], gateway: Gateway, variants: Mapping[str, Gateway]) -> list[Answer | TrifocalError]:
    """Return an answer to each of `asks`, in their order, each by the gateway of its variant.

    Args:
        asks: any number; one without a variant is answered by `gateway`.
        gateway: the one that serves.
        variants: by name.
    """
    places: dict[str | None, list[int]] = defaultdict(list)
    for place, ask in enumerate(asks):
        places[ask.variant].append(place)
    found: dict[int, Answer | TrifocalError] = {}
    for name, mine in places.items():
        chosen = gateway if name is None else variants[name]
        answers = chosen.recommend_many([asks[place] for place in mine])
        found |= {place: marked(asks[place], answer) for place, answer in zip(mine, answers, strict=True)}
    return [found[place] for place in range(len(asks))]


def marked(ask: Ask, answer: _Answer) -> _Answer:
    """Return `answer` under the name that the question gives it."""
    if ask.answered_as is None or not isinstance(answer, Answer):
        return answer
    return replace(answer, variant=ask.answered_as)
