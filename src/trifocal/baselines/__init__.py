"""Simple recommenders behind the same `Recommender` port: popularity and ALS."""

from trifocal.baselines.als import AlsRecommender, AlsSettings, tune_als
from trifocal.baselines.popularity import PopularityRecommender

__all__ = ["AlsRecommender", "AlsSettings", "PopularityRecommender", "tune_als"]
