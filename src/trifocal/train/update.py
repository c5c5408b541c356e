"""A served bundle and what came back since -> the bundle that may follow it. Writes into its own folder alone.

```
serving bundle ─► warm start ─► few epochs ─► ranker on ─► compared on the newest slice ─► memory and counts from all
   weights by id                events up to the slice                                     events, then written
```

How both are compared is the caller's business: training knows no metric.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from trifocal import columns as c
from trifocal.bundle import Bundle, BundleContents
from trifocal.bundle.network import load_recommender
from trifocal.data.dataset import Dataset
from trifocal.data.histories import user_histories
from trifocal.data.pictures import without_pictures
from trifocal.data.splits import Split, cut_split, restrict
from trifocal.errors import ArtifactError, DataError
from trifocal.features.config import FeaturesConfig
from trifocal.features.items import FeatureState
from trifocal.model import ModelConfig, TwoStageRecommender
from trifocal.model.two_stage import Knowledge
from trifocal.train.config import TrainConfig
from trifocal.train.data import TrainingData
from trifocal.train.excluded import excluded_pictures
from trifocal.train.export import bundle_contents
from trifocal.train.knowledge import evidence_tables, item_precision
from trifocal.train.loop import TrainedModel, train_model
from trifocal.train.prepare import item_counts, prepare_training
from trifocal.train.update_config import UpdateConfig
from trifocal.train.warm import WarmStart, warm_start
from trifocal.types import Vocabulary

__all__ = [
    "Update",
    "Updated",
    "judged_split",
    "learned_until",
    "served_recommender",
    "train_update",
    "update_split",
    "updated_contents",
]


@dataclass(frozen=True)
class Update:
    """What learns on, from what.

    Attributes:
        bundle: the one that serves.
        dataset: all items and events up to now; items are more than those of the bundle, or as many.
        train: losses and step sizes.
        config: what an update does otherwise.
        folder: of the checkpoints.
        cache_folder: token features, shared between runs.
        recommended: user id, item id and time of what a recommendation led to; None = of no event is that known.
    """

    bundle: Bundle
    dataset: Dataset
    train: TrainConfig
    config: UpdateConfig
    folder: Path
    cache_folder: Path
    recommended: pl.DataFrame | None = None

    @property
    def features(self) -> FeaturesConfig:
        """The encoders, those of the bundle."""
        return FeaturesConfig.model_validate(self.bundle.contents.config["features"])

    @property
    def model(self) -> ModelConfig:
        """The sizes of the network, those of the bundle."""
        return ModelConfig.model_validate(self.bundle.contents.config["model"])


@dataclass(frozen=True)
class Updated:
    """A trained update that has not seen the newest slice.

    Attributes:
        trained: towers, ranker, memory.
        data: what it learned from.
        dataset: with the items that exist by now.
        split: train = what it learned from, validation = the newest slice.
    """

    trained: TrainedModel
    data: TrainingData
    dataset: Dataset
    split: Split


def learned_until(bundle: Bundle) -> datetime:
    """Return the moment of the newest event that `bundle` has learned from.

    A bundle of an earlier version does not say so; then that of the newest event in its histories.

    Raises:
        ArtifactError: when it knows no event with a time.
    """
    contents = bundle.contents
    stamp = contents.metrics.get("learned_until_s")
    newest = contents.histories[c.TIMESTAMP].dt.epoch("s").max() if stamp is None else stamp
    if not newest:
        raise ArtifactError(
            f"{bundle.folder} knows no event with a time, so that nothing can be said to be new to it; train anew"
        )
    return datetime.fromtimestamp(float(str(newest)), UTC)


def update_split(dataset: Dataset, bundle: Bundle, config: UpdateConfig) -> Split:
    """Return the split of an update: the newest slice is held out as its validation part, the test part is empty.

    The slice begins after what `bundle` has learned from, so that it is new to both.

    Raises:
        DataError: when there is no event after that.
    """
    newest = dataset.events[c.TIMESTAMP].max()
    until = learned_until(bundle)
    if not isinstance(newest, datetime):
        raise DataError(f"no event of {dataset.name} has a time, so that none can be said to be new; add timestamps")
    if newest <= until:
        raise DataError(
            f"the newest event of {dataset.name} is of {newest:%Y-%m-%d %H:%M:%S} UTC, and {bundle.folder} has "
            f"learned up to {until:%Y-%m-%d %H:%M:%S} UTC; give newer events, in the data set or with --events"
        )
    # The bundle tells its newest event in whole seconds.
    first = max(newest - timedelta(days=config.held_out_days), until + timedelta(seconds=1))
    return cut_split(dataset, "update", min(first, newest), newest + timedelta(microseconds=1))


def judged_split(update: Update, split: Split) -> Split:
    """Return `split` with the part of its held out events that both bundles can be judged by.

    What a recommendation led to is left out: a list decides what is clicked, so that the bundle which was shown would
    always win on it.

    Raises:
        DataError: when nothing is left.
    """
    if update.recommended is None or update.config.count_recommended:
        return split
    keys = [c.USER_ID, c.ITEM_ID, c.TIMESTAMP]
    left = split.validation.join(update.recommended, on=keys, how="anti", maintain_order="left")
    if not len(left):
        raise DataError(
            f"all {len(split.validation)} events of the newest {update.config.held_out_days:g} days came of "
            "recommendations, which speak for the bundle that was shown; log what is found by search and by browsing "
            "too, raise update.held_out_days, or set update.count_recommended"
        )
    return replace(split, validation=left)


def served_recommender(bundle: Bundle) -> TwoStageRecommender:
    """Return the network of `bundle` behind the `Recommender` port.

    Raises:
        ArtifactError: when it holds none.
    """
    recommender = load_recommender(bundle)
    if not isinstance(recommender, TwoStageRecommender):
        raise ArtifactError(f"{bundle.folder} holds no network that could learn on; train one with `trifocal train`")
    return recommender


def train_update(update: Update, split: Split) -> Updated:
    """Return the bundle's model, learned on from `split.train`; a killed update goes on where it was.

    Raises:
        ArtifactError: when the bundle holds no network.
    """
    dataset = without_pictures(restrict(update.dataset, split), excluded_pictures(update.bundle))
    dataset = replace(dataset, items=existing(dataset.items, split))
    data = prepare_training(
        dataset,
        split,
        update.features,
        update.cache_folder,
        trainable_layers=update.model.text_trainable_layers,
        text_encoder=update.bundle.contents.text_encoder,
    )
    served = served_recommender(update.bundle)
    trained = train_model(
        data,
        name=served.name,
        model_config=update.model,
        config=learning_on(update.train, update.config),
        compact_size=update.features.compact_size,
        folder=update.folder,
        validate=None,
        blend=served.blend,
        warm=_warm(update, served, data, dataset.vocabulary()),
    )
    return Updated(trained, data, dataset, split)


def existing(items: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Return those of `items` that exist by the end of the newest slice."""
    return items if split.items is None else items.filter(pl.col(c.ITEM_ID).is_in(list(split.items)))


def learning_on(train: TrainConfig, config: UpdateConfig) -> TrainConfig:
    """Return `train` with the passes and step sizes of an update."""
    second = train.second_stage.model_copy(
        update={
            "epochs": config.ranker_epochs if config.ranker_questions else 0,
            "max_questions": max(config.ranker_questions, 1),
            "learning_rate": train.second_stage.learning_rate * config.rate,
        }
    )
    rates = {
        name: getattr(train, name) * config.rate for name in ("learning_rate", "id_learning_rate", "text_learning_rate")
    }
    told = {"epochs": config.epochs, "patience": config.epochs, "align_epochs": 0, "second_stage": second, **rates}
    return train.model_copy(update=told)


def updated_contents(updated: Updated, update: Update, *, validation: float) -> BundleContents:
    """Return what serves: towers and ranker as they were compared; memory, evidence and counts from all events.

    What is solved in closed form learns from the newest slice too, for which there was nothing to be compared on.

    Args:
        updated: as it was trained.
        update: what it came from.
        validation: the figure that it reached on the newest slice.
    """
    split = updated.split.refit()
    data = _with_newest(updated, split)
    trained = updated.trained
    knowledge = _knowledge(trained.knowledge, data, update)
    contents = bundle_contents(
        replace(trained, knowledge=knowledge),
        data,
        updated.dataset,
        model_config=update.model,
        features_config=update.features,
        validation=validation,
        split_name=f"update of {update.bundle.manifest.model_version}",
        excluded=excluded_pictures(update.bundle),
    )
    about: dict[str, Any] = {"updated_from": update.bundle.manifest.model_version}
    return replace(contents, metrics=contents.metrics | about)


def _warm(update: Update, served: TwoStageRecommender, data: TrainingData, items: Vocabulary) -> WarmStart:
    contents = update.bundle.contents
    return warm_start(
        served.model,
        (FeatureState.from_json(contents.feature_state), Vocabulary.of(contents.items[c.ITEM_ID].to_list())),
        (data.state, items),
        since_s=int(learned_until(update.bundle).timestamp()),
        replay=update.config.replay,
        version=update.bundle.manifest.model_version,
    )


def _with_newest(updated: Updated, split: Split) -> TrainingData:
    """The data with histories and counts of `split.train`; judged lists stay, no closed form reads them."""
    vocabulary = updated.dataset.vocabulary()
    found = user_histories(split.train, vocabulary, updated.data.state.context)
    histories = {str(user): history for user, history in found.items()}
    return replace(updated.data, histories=histories, counts=item_counts(histories, len(vocabulary)))


def _knowledge(known: Knowledge, data: TrainingData, update: Update) -> Knowledge:
    tables = evidence_tables(data, data.features, update.model.modalities, update.features.compact_size)
    precision = item_precision(data, update.model)
    memory = None if precision is None else precision.memory(update.model.memory_links)
    return Knowledge(known.vectors, tables, memory)
