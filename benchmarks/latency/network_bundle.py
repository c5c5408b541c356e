"""A bundle with the whole architecture and made-up values: speed and memory do not depend on what a weight says.

Vectors are drawn in clusters; towers and ranker have seeded weights; memory and evidence have the sizes of a trained
model. Letters: N items, D embedding, S compact size, A attributes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from benchmarks.latency.generated import Interactions, unit_vectors
from benchmarks.latency.plan import ROOT, Sizes
from scipy.sparse import coo_matrix, csr_matrix

from trifocal import columns as c
from trifocal.bundle import BundleContents, Manifest, write_bundle
from trifocal.bundle.network import network_config, network_weights
from trifocal.data.dataset import Dataset
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.config import FeaturesConfig
from trifocal.features.context import ContextVocabulary
from trifocal.features.items import FeatureState
from trifocal.model import ModelConfig, ModelShapes, TrifocalModel, build_model
from trifocal.model.evidence import EvidenceTables
from trifocal.model.memory import ItemMemory
from trifocal.model.two_stage import Blend, Knowledge
from trifocal.settings import load_settings
from trifocal.types import FloatArray, IntArray

__all__ = ["interaction_matrix", "write_network_bundle"]

_CONFIG = ROOT / "configs" / "hm.toml"
_BLEND = Blend(retrieval=0.02, ranker=True, ranking=0.5)
# As training keeps at most, see trifocal.train.knowledge.
_MOST_PAIRS = 4_000_000
_IMAGE_WIDTH = 1280
_NEWEST_SHARE = 0.2


def write_network_bundle(
    dataset: Dataset, found: Interactions, sizes: Sizes, folder: Path, rng: np.random.Generator
) -> Manifest:
    """Write the bundle of `dataset` to `folder`, over whatever is there; sizes of the network are those of hm.toml."""
    settings = load_settings(_CONFIG)
    chosen = {name: getattr(sizes, name) for name in ("rank_candidates", "memory_items", "memory_links")}
    config, features = settings.model.model_copy(update=chosen), settings.features
    state = _state(dataset, features, sizes.text_width)
    codes = state.attributes.encode(dataset.items)
    shapes = ModelShapes.of(state, dataset.items.height, features.image_grid**2)
    vectors = unit_vectors(found.clusters, config.embedding_size, rng)
    evidence = _evidence(found, codes, state, features.compact_size, rng)
    knowledge = Knowledge(vectors, evidence, _memory(evidence.counts, found.clusters, config, rng))
    contents = BundleContents(
        items=dataset.items,
        image_root=str(dataset.image_root),
        config=network_config(config, shapes, features, _BLEND),
        weights=network_weights(_network(config, shapes, codes), knowledge),
        item_vectors=vectors,
        text_vectors=_text_vectors(found.clusters, sizes.text_width, rng),
        feature_state=state.to_json(),
        popularity=evidence.counts,
        # All events: the rival leaves out everything that was taken, and so must we.
        histories=dataset.events,
        metrics={"split": "made up for timing"},
        data_fingerprint="0" * 16,
    )
    return write_bundle(contents, folder, overwrite=True)


def interaction_matrix(found: Interactions) -> csr_matrix:
    """Return the binary (U, N) float32 matrix."""
    shape = (int(found.user_rows.max()) + 1, len(found.clusters))
    matrix = csr_matrix((np.ones(len(found.user_rows), np.float32), (found.user_rows, found.item_rows)), shape=shape)
    matrix.data[:] = 1.0
    matrix.sort_indices()
    return matrix


def _state(dataset: Dataset, features: FeaturesConfig, text_width: int) -> FeatureState:
    attributes = AttributeEncoder.fit(
        dataset.items, price_buckets=features.price_buckets, max_values=features.max_attribute_values
    )
    context = ContextVocabulary.fit(dataset.events[c.DEVICE].unique(), dataset.events[c.COUNTRY].unique())
    return FeatureState(attributes, context, text_width, _IMAGE_WIDTH)


def _network(config: ModelConfig, shapes: ModelShapes, codes: IntArray) -> TrifocalModel:
    torch.manual_seed(0)
    model = build_model(config, shapes)
    # An untrained ranker finds all candidates equal, and ties are not what a sort meets.
    for layer in (model.ranker.out, model.ranker.linear, model.user_tower.out):
        torch.nn.init.normal_(layer.weight, std=0.1)
    model.user_tower.set_prices(torch.from_numpy(codes[:, -1]))
    return model


def _evidence(
    found: Interactions, codes: IntArray, state: FeatureState, size: int, rng: np.random.Generator
) -> EvidenceTables:
    matrix = interaction_matrix(found)
    counts = np.asarray(matrix.sum(axis=0), dtype=np.float32).ravel()
    devices = len(state.context.devices)
    share = rng.dirichlet(np.ones(devices), len(counts)).astype(np.float32)
    pairs, pair_counts = _pairs(matrix)
    return EvidenceTables(
        text=unit_vectors(found.clusters, size, rng),
        image=unit_vectors(found.clusters, size, rng),
        attributes=codes,
        counts=counts,
        device_counts=np.concatenate([np.zeros((len(counts), 1), np.float32), share * counts[:, None]], axis=1),
        newest_counts=np.floor(counts * np.float32(_NEWEST_SHARE)),
        pairs=pairs,
        pair_counts=pair_counts,
        newest_from_s=np.array([np.quantile(found.timestamps_s, 1 - _NEWEST_SHARE)], dtype=np.int64),
    )


def _pairs(matrix: csr_matrix) -> tuple[IntArray, FloatArray]:
    together = coo_matrix(matrix.T @ matrix)
    different = together.row != together.col
    rows, columns, counts = (part[different] for part in (together.row, together.col, together.data))
    kept = np.argsort(-counts, kind="stable")[:_MOST_PAIRS]
    keys = rows[kept].astype(np.int64) * matrix.shape[1] + columns[kept]
    order = np.argsort(keys)
    return keys[order], counts[kept][order].astype(np.float32)


def _memory(counts: FloatArray, clusters: IntArray, config: ModelConfig, rng: np.random.Generator) -> ItemMemory:
    """Return links of the most popular items to others of these, most of them in the same cluster."""
    covered = np.sort(np.argsort(-counts, kind="stable")[: config.memory_items])
    links = min(config.memory_links, len(covered) - 1)
    by_cluster = covered[np.argsort(clusters[covered], kind="stable")]
    # Neighbours in the order of clusters; a stride apart, so that each is linked once.
    places = (np.arange(len(by_cluster))[:, None] + np.arange(1, links + 1)) % len(by_cluster)
    linked = np.sort(by_cluster[places], axis=1)[np.argsort(by_cluster)]
    lengths = np.zeros(len(counts), dtype=np.int64)
    lengths[covered] = links
    strengths = rng.exponential(0.01, linked.size).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return ItemMemory(starts, linked.ravel().astype(np.int64), strengths)


def _text_vectors(
    clusters: IntArray, width: int, rng: np.random.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
    vectors = np.empty((len(clusters), width), dtype=np.float16)
    step = 100_000
    # In parts: a million vectors of 384 numbers are 1.5 GB in float32.
    for start in range(0, len(clusters), step):
        vectors[start : start + step] = unit_vectors(clusters[start : start + step], width, rng)
    return vectors
