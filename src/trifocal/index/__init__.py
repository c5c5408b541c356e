"""Vectors -> top K: the exact index, which is the reference, and the recommender that needs nothing but vectors."""

from trifocal.index.exact import ExactIndex
from trifocal.index.nearest import NearestRecommender, normalised

__all__ = ["ExactIndex", "NearestRecommender", "normalised"]
