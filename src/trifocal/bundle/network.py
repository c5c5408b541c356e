"""The trained network <-> the plain parts of a bundle. The only place that knows both the model and the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trifocal.bundle.contents import Bundle
from trifocal.errors import ArtifactError
from trifocal.features.compact import CompactProjection
from trifocal.features.config import FeaturesConfig
from trifocal.features.scratch import TextSource, stored_text_source
from trifocal.features.text_backbone import TextLayerShape
from trifocal.index import NearestRecommender
from trifocal.model import ModelConfig, ModelShapes, TrifocalModel, TwoStageRecommender, build_model
from trifocal.model.evidence import EvidenceTables
from trifocal.model.memory import ItemMemory
from trifocal.model.two_stage import Blend, Knowledge
from trifocal.ports import TokenSource
from trifocal.types import FloatArray

__all__ = [
    "colour_weights",
    "compact_weights",
    "load_colours",
    "load_compact",
    "load_encoder",
    "load_image_encoder",
    "load_looks",
    "load_recommender",
    "network_config",
    "network_weights",
]

_MODEL, _EVIDENCE, _MEMORY, _COMPACT = "model.", "evidence.", "memory.", "compact."
_COLOURS = "search.colours"
_TRAINING_ONLY = "masked_text."


def network_config(
    model: ModelConfig, shapes: ModelShapes, features: FeaturesConfig, blend: Blend | None = None
) -> dict[str, Any]:
    """Return the `BundleContents.config` from which `load_recommender` builds the network again."""
    return {
        "model": model.model_dump(mode="json"),
        "shapes": asdict(shapes),
        "features": features.model_dump(mode="json"),
        "blend": asdict(blend or Blend()),
    }


def network_weights(model: TrifocalModel, knowledge: Knowledge) -> dict[str, Tensor]:
    """Return the `BundleContents.weights` of the network, of its evidence, and of the memory; vectors lie beside them.

    The head of masked language modelling stays out: it only served training.
    """
    weights = {
        f"{_MODEL}{name}": tensor for name, tensor in model.state_dict().items() if not name.startswith(_TRAINING_ONLY)
    }
    parts = ((_EVIDENCE, knowledge.evidence), (_MEMORY, knowledge.memory))
    for prefix, part in parts:
        if part is not None:
            weights |= {f"{prefix}{f.name}": torch.from_numpy(getattr(part, f.name)) for f in fields(part)}
    return weights


def compact_weights(projections: Mapping[str, CompactProjection]) -> dict[str, Tensor]:
    """Return the `BundleContents.weights` of the projections that evidence was compacted with, by modality."""
    return {
        f"{_COMPACT}{modality}.{f.name}": torch.from_numpy(np.ascontiguousarray(getattr(projection, f.name)))
        for modality, projection in projections.items()
        for f in fields(projection)
    }


def colour_weights(colours: npt.NDArray[np.float16] | None) -> dict[str, Tensor]:
    """Return the `BundleContents.weights` of the colours of the items' pictures, (N, K, 4); none where not known."""
    return {} if colours is None else {_COLOURS: torch.from_numpy(colours)}


def load_colours(bundle: Bundle) -> npt.NDArray[np.float16] | None:
    """Return (N, K, 4) CIELAB and share of the colours of each item's picture; None where the bundle is older."""
    found = bundle.contents.weights.get(_COLOURS)
    return None if found is None else found.numpy()


def load_compact(bundle: Bundle, modality: str) -> CompactProjection | None:
    """Return the projection of `text` or `image`; None where the model does not use it, or the bundle is older."""
    found = {name: tensor.numpy() for name, tensor in _under(f"{_COMPACT}{modality}.", bundle.contents.weights).items()}
    return CompactProjection(**found) if found else None


def load_recommender(bundle: Bundle) -> TwoStageRecommender | NearestRecommender:
    """Return the recommender of `bundle`; without weights, the one that needs only the vectors.

    Raises:
        ArtifactError: when config and weights do not fit together.
    """
    contents = bundle.contents
    if "model" not in contents.config:
        return NearestRecommender(contents.item_vectors, contents.text_vectors.astype(np.float32))
    try:
        config = ModelConfig.model_validate(contents.config["model"])
        shapes = _shapes(contents.config["shapes"])
        model = build_model(config, shapes)
        # Taken as they are: a copy of the id table, which serving never reads, would be the largest thing in memory.
        model.load_state_dict(_under(_MODEL, contents.weights), assign=True)
        tables, links = (
            {name: tensor.numpy() for name, tensor in _under(prefix, contents.weights).items()}
            for prefix in (_EVIDENCE, _MEMORY)
        )
        knowledge = Knowledge(contents.item_vectors, EvidenceTables(**tables), ItemMemory(**links) if links else None)
        blend = Blend(**contents.config["blend"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        # Torch names every tensor that does not fit; the first one is enough.
        fault = " ".join(" ".join(str(error).splitlines()[:2]).split())
        raise ArtifactError(
            f"{bundle.folder} holds weights that this version cannot load ({fault}); train and export again"
        ) from error
    return TwoStageRecommender(
        name=contents.model_name,
        model=model,
        knowledge=knowledge,
        blend=blend,
        history_length=config.history_length,
        text_width=shapes.text_width,
        rank_candidates=config.rank_candidates,
    )


def load_encoder(bundle: Bundle) -> TextSource:
    """Return the text encoder that `text_vectors` were made with.

    Raises:
        ConfigError: when its packages are not installed.
    """
    features = FeaturesConfig.model_validate(bundle.contents.config.get("features", {}))
    # The machine that serves is seldom the one that trained.
    return stored_text_source(features.model_copy(update={"device": "cpu"}), bundle.contents.text_encoder)


def load_image_encoder(bundle: Bundle) -> TokenSource:
    """Return the image encoder that the model was trained with.

    Raises:
        ConfigError: when its package is not installed.
    """
    # Here, because it needs packages that a service without search by picture does not.
    from trifocal.features.image import image_source

    features = FeaturesConfig.model_validate(bundle.contents.config.get("features", {}))
    return image_source(features.image_backbone, grid=features.image_grid, size=features.image_size)


def load_looks(bundle: Bundle) -> FloatArray:
    """Return (N, S) compact unit vectors of the items' pictures; zero = no picture, or the bundle holds none."""
    found = bundle.contents.weights.get(f"{_EVIDENCE}image")
    return np.zeros((bundle.contents.items.height, 1), np.float32) if found is None else found.numpy()


def _shapes(raw: dict[str, Any]) -> ModelShapes:
    layer = raw.get("text_layer")
    lists = {"attribute_sizes": tuple(raw["attribute_sizes"]), "text_layer": layer and TextLayerShape(**layer)}
    return ModelShapes(**{**raw, **lists})


def _under(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
