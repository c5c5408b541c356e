"""A trained model and its data set -> the contents of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.bundle import BundleContents
from trifocal.bundle.network import colour_weights, compact_weights, network_config, network_weights
from trifocal.data.dataset import Dataset
from trifocal.data.histories import positives
from trifocal.features.compact import CompactProjection, fit_compact
from trifocal.features.config import FeaturesConfig
from trifocal.model import ModelConfig, ModelShapes
from trifocal.train.data import TrainingData
from trifocal.train.excluded import with_excluded
from trifocal.train.loop import TrainedModel

__all__ = ["bundle_contents"]


def bundle_contents(
    trained: TrainedModel,
    data: TrainingData,
    dataset: Dataset,
    *,
    model_config: ModelConfig,
    features_config: FeaturesConfig,
    validation: float,
    split_name: str,
    excluded: Sequence[str] = (),
) -> BundleContents:
    """Return what is served: the model as trained, and every known user's newest positive events.

    The pictures of `excluded` items are missing in `dataset` already; that this is on purpose is kept, so that what
    learns on from the bundle leaves them out too.

    The histories are those of the whole data set, later events than training saw included: they are what a user did
    up to now. Evaluation does not read them, it brings its own.
    """
    shapes = ModelShapes.of(data.state, len(data.features), data.features.grid_cells)
    progress = trained.progress
    weights = network_weights(trained.model, trained.knowledge) | compact_weights(
        _projections(data, model_config.modalities, features_config.compact_size)
    )
    if "image" in model_config.modalities:
        weights |= colour_weights(data.features.product_colours())
    return BundleContents(
        items=dataset.items,
        image_root=str(dataset.image_root),
        config=with_excluded(network_config(model_config, shapes, features_config, trained.blend), excluded),
        weights={name: tensor.contiguous() for name, tensor in weights.items()},
        item_vectors=trained.recommender.item_vectors,
        text_vectors=data.features.pooled_text().astype(np.float16),
        feature_state=data.state.to_json(),
        text_encoder=data.features.text_encoder,
        popularity=data.counts,
        histories=_newest(positives(dataset.events), model_config.history_length),
        metrics={
            "split": split_name,
            "validation": round(validation, 6),
            "blend": asdict(trained.blend),
            "learned_until_s": _newest_s(data),
            "best_epoch": progress.best_epoch,
            "train_seconds": round(progress.seconds, 1),
            "parameters": sum(p.numel() for p in trained.model.parameters()),
            "curve": progress.curve or [],
            "second_stage": progress.second_stage or {},
        },
        data_fingerprint=data.fingerprint,
        model_name=trained.recommender.name,
    )


def _projections(data: TrainingData, modalities: Sequence[str], size: int) -> dict[str, CompactProjection]:
    """The projections that the evidence tables were made with: fitted again, which gives the same."""
    pooled = {"text": data.features.pooled_text, "image": data.features.pooled_image}
    return {name: fit_compact(features(), size) for name, features in pooled.items() if name in modalities}


def _newest_s(data: TrainingData) -> int:
    """Seconds since 1970 of the newest event that was learned from; 0 = none has a time."""
    return max((int(history.timestamps_s.max(initial=0)) for history in data.histories.values()), default=0)


def _newest(events: pl.DataFrame, length: int) -> pl.DataFrame:
    return events.filter(pl.int_range(pl.len()).reverse().over(c.USER_ID) < length)
