"""Recommenders to be compared with, behind the same `Recommender` port, and the tuner that all of them share."""

from trifocal.baselines.als import AlsRecommender, AlsSettings, tune_als
from trifocal.baselines.bpr import BprRecommender, BprSettings
from trifocal.baselines.item_item import ItemItemRecommender, fit_content_knn, fit_ease, fit_item_knn
from trifocal.baselines.late_fusion import LateFusionRecommender
from trifocal.baselines.popularity import PopularityRecommender
from trifocal.baselines.sasrec import SasrecRecommender, SasrecSettings
from trifocal.baselines.tuning import Budget, Tuned, tune

__all__ = [
    "AlsRecommender",
    "AlsSettings",
    "BprRecommender",
    "BprSettings",
    "Budget",
    "ItemItemRecommender",
    "LateFusionRecommender",
    "PopularityRecommender",
    "SasrecRecommender",
    "SasrecSettings",
    "Tuned",
    "fit_content_knn",
    "fit_ease",
    "fit_item_knn",
    "tune",
    "tune_als",
]
