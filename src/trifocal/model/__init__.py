"""Batch -> vectors and scores: item tower, user tower, ranker, losses. Knows no file, event or network."""

from trifocal.model.build import ModelShapes, TrifocalModel, build_model
from trifocal.model.config import ModelConfig
from trifocal.model.two_stage import TwoStageRecommender

__all__ = ["ModelConfig", "ModelShapes", "TrifocalModel", "TwoStageRecommender", "build_model"]
