"""Vectors -> top K: the exact index, which is the reference, faster ones, and the recommender that is vectors alone.

`build_index` chooses among them; `LiveIndex` takes changes over any of them.
"""

from trifocal.index.build import BuiltIndex, Trial, build_index
from trifocal.index.coded import SearchPlan
from trifocal.index.config import IndexConfig, IndexKind
from trifocal.index.exact import ExactIndex
from trifocal.index.flat4 import Flat4Index
from trifocal.index.flat8 import Flat8Index
from trifocal.index.growing import GrowingRows
from trifocal.index.hnsw import HnswIndex
from trifocal.index.ivf_pq import IvfPqIndex
from trifocal.index.live import LiveIndex
from trifocal.index.nearest import NearestRecommender, normalised
from trifocal.index.recall import recall_at_k
from trifocal.index.stored import load_index, save_index

__all__ = [
    "BuiltIndex",
    "ExactIndex",
    "Flat4Index",
    "Flat8Index",
    "GrowingRows",
    "HnswIndex",
    "IndexConfig",
    "IndexKind",
    "IvfPqIndex",
    "LiveIndex",
    "NearestRecommender",
    "SearchPlan",
    "Trial",
    "build_index",
    "load_index",
    "normalised",
    "recall_at_k",
    "save_index",
]
