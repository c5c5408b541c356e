"""Batches + model -> checkpoint -> bundle: preparation, losses of a step, the loop, the blend."""

from trifocal.train.config import TrainConfig
from trifocal.train.loop import TrainedModel, train_model
from trifocal.train.pipeline import Job, train_bundle
from trifocal.train.prepare import prepare_training

__all__ = ["Job", "TrainConfig", "TrainedModel", "prepare_training", "train_bundle", "train_model"]
