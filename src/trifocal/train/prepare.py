"""Data set + split -> what training reads. Everything fitted here sees the training part alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.dataset import Dataset
from trifocal.data.histories import positives, user_histories
from trifocal.data.splits import Split
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.config import FeaturesConfig
from trifocal.features.context import ContextVocabulary
from trifocal.features.items import FeatureState, encode_catalogue
from trifocal.features.scratch import stored_text_source
from trifocal.train.data import TrainingData
from trifocal.train.examples import SearchEvent
from trifocal.train.judgements import rated_lists, shown_lists
from trifocal.types import FloatArray, History, IntArray, Vocabulary

__all__ = ["item_counts", "prepare_training"]


def prepare_training(
    dataset: Dataset,
    split: Split,
    config: FeaturesConfig,
    cache_folder: Path,
    *,
    min_rating: float = 4.0,
    trainable_layers: int = 0,
    text_encoder: Path | None = None,
) -> TrainingData:
    """Return the training data of `split.train`, encoding the catalogue where `cache_folder` does not hold it.

    Args:
        dataset: already restricted to the split's items where the split says so.
        split: whose `train` part is learned from.
        config: encoders and sizes.
        cache_folder: where token features are kept between runs.
        min_rating: least rating that counts as liked.
        trainable_layers: upper text layers that the model trains.
        text_encoder: see `encode_catalogue`.
    """
    vocabulary = dataset.vocabulary()
    context = ContextVocabulary.fit(split.train[c.DEVICE].unique(), split.train[c.COUNTRY].unique())
    attributes = AttributeEncoder.fit(
        dataset.items, price_buckets=config.price_buckets, max_values=config.max_attribute_values
    )
    features = encode_catalogue(
        dataset.items,
        dataset.image_root,
        attributes,
        config,
        cache_folder,
        trainable_layers=trainable_layers,
        text_encoder=text_encoder,
    )
    layer = features.trained.backbone.shape if features.trained else None
    found = user_histories(split.train, vocabulary, context, min_rating=min_rating)
    histories = {str(user): history for user, history in found.items()}
    return TrainingData(
        features=features,
        state=FeatureState(attributes, context, features.text.width, features.image.width, layer),
        histories=histories,
        searches=_searches(positives(split.train, min_rating), vocabulary, config, features.text_encoder),
        counts=item_counts(histories, len(vocabulary)),
        created_s=_created_s(dataset.items),
        fingerprint=_fingerprint(dataset.items, split, config),
        shown=shown_lists(
            split.train,
            vocabulary,
            context,
            lambda queries: _query_vectors(queries, config, features.text_encoder),
            min_rating=min_rating,
        ),
        rated=rated_lists(split.train, vocabulary, context, min_rating=min_rating),
    )


def item_counts(histories: Mapping[str, History], n_items: int) -> FloatArray:
    """Return (N,) float32, the events of each of `n_items` items in `histories`."""
    rows = [history.item_rows for history in (*histories.values(), History())]
    return np.bincount(np.concatenate(rows), minlength=n_items).astype(np.float32)


def _searches(
    liked: pl.DataFrame, vocabulary: Vocabulary, config: FeaturesConfig, text_encoder: Path | None
) -> list[SearchEvent]:
    asked = liked.filter(pl.col(c.QUERY).is_not_null() & pl.col(c.ITEM_ID).is_in(list(vocabulary.ids)))
    queries = asked[c.QUERY].unique(maintain_order=True).to_list()
    vectors = _query_vectors(queries, config, text_encoder)
    rows = vocabulary.rows(asked[c.ITEM_ID].to_list())
    times = asked[c.TIMESTAMP].dt.epoch("s").fill_null(0)
    columns = zip(asked[c.USER_ID], rows.tolist(), times, asked[c.QUERY], strict=True)
    return [SearchEvent(user, row, time, vectors[query]) for user, row, time, query in columns]


def _query_vectors(queries: list[str], config: FeaturesConfig, text_encoder: Path | None) -> dict[str, FloatArray]:
    if not queries:
        return {}
    source = stored_text_source(config, text_encoder)
    vectors: dict[str, FloatArray] = {}
    for start in range(0, len(queries), config.batch_size):
        chunk = queries[start : start + config.batch_size]
        vectors |= dict(zip(chunk, source.pooled(chunk), strict=True))
    return vectors


def _created_s(items: pl.DataFrame) -> IntArray:
    return items[c.CREATED_AT].dt.epoch("s").fill_null(0).to_numpy().astype(np.int64)


def _fingerprint(items: pl.DataFrame, split: Split, config: FeaturesConfig) -> str:
    digest = hashlib.sha256(split.fingerprint.encode())
    digest.update(str(split.train.height).encode())
    digest.update(items.write_ndjson().encode())
    digest.update(config.encoders_json().encode())
    return digest.hexdigest()
