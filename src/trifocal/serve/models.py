"""A bundle -> the engine that answers: prepared files where they fit, else made anew, else the plain model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from trifocal.bundle import Bundle
from trifocal.bundle.network import load_recommender
from trifocal.errors import ArtifactError
from trifocal.index import ExactIndex
from trifocal.model import ModelConfig, TwoStageRecommender
from trifocal.serve.config import ServeConfig
from trifocal.serve.engines import Engine, WholeEngine
from trifocal.serve.online import OnlineEngine, OnnxScorer, OnnxUsers, online_engine

if TYPE_CHECKING:
    from trifocal.bundle.serving_files import ServingFiles

__all__ = ["SERVING_FOLDER", "engine_of", "fast_engine", "plain_engine"]

_LOGGER = logging.getLogger(__name__)
SERVING_FOLDER = ".serving"
"""Hidden, since it is no part of the bundle: it can be made again, and differs from machine to machine."""


def plain_engine(bundle: Bundle) -> Engine:
    """Return the services of the model in `bundle` as it was trained: for a few questions, without preparing files.

    Raises:
        ArtifactError: when the bundle's weights do not fit its config.
    """
    recommender = load_recommender(bundle)
    if not isinstance(recommender, TwoStageRecommender):
        return WholeEngine(recommender)
    return online_engine(recommender, index=ExactIndex(recommender.item_vectors))


def engine_of(bundle: Bundle, config: ServeConfig) -> Engine:
    """Return the services of the model in `bundle`.

    Index and exported networks are kept in the bundle's folder; what is missing, damaged or of other settings is made
    anew, and where the folder cannot be written the plain model serves.

    Raises:
        ArtifactError: when the bundle's weights do not fit its config.
    """
    recommender = load_recommender(bundle)
    if not isinstance(recommender, TwoStageRecommender):
        return WholeEngine(recommender)
    try:
        files = _files(recommender, bundle.folder / SERVING_FOLDER, bundle.manifest.model_version, config)
    except OSError as error:
        _LOGGER.warning("no serving files under %s (%s): the plain model serves, more slowly", bundle.folder, error)
        return online_engine(recommender, config=_model_config(bundle))
    return fast_engine(recommender, files, _model_config(bundle))


def fast_engine(
    recommender: TwoStageRecommender, files: ServingFiles, config: ModelConfig | None = None
) -> OnlineEngine:
    """Return the services of `recommender` by its prepared `files` and the compiled loops: what a server answers with.

    Args:
        recommender: as the bundle holds it.
        files: index and exported networks of it.
        config: of the model, for the links of new items; None = the defaults.
    """
    # Here, because compiling needs a package of the extra `serve`.
    from trifocal.serve.online.compiled import CompiledComparison, CompiledRows

    users = OnnxUsers(
        files.tower,
        history_length=recommender.history_length,
        text_width=recommender.text_width,
        prices=recommender.model.user_tower.price_codes.numpy(),
    )
    return online_engine(
        recommender,
        index=files.index,
        encoding=users,
        scorer=OnnxScorer(files.ranker),
        rows=CompiledRows(),
        compare=CompiledComparison(),
        config=config,
    )


def _model_config(bundle: Bundle) -> ModelConfig:
    return ModelConfig.model_validate(bundle.contents.config["model"])


def _files(recommender: TwoStageRecommender, folder: Path, version: str, config: ServeConfig) -> ServingFiles:
    # Here, because exporting needs packages of the extra `serve`.
    from trifocal.bundle.serving_files import load_serving_files, prepare_serving_files

    precision = None if config.precision == "auto" else config.precision
    try:
        return load_serving_files(recommender, folder, model_version=version, index=config.index, precision=precision)
    except ArtifactError as error:
        if folder.exists():
            _LOGGER.warning("%s", error)
    return prepare_serving_files(recommender, folder, model_version=version, index=config.index, precision=precision)
