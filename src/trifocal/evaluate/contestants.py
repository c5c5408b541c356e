"""The baselines that stand in every table: what each may be told, and how it is fitted. Reads no file.

All are tuned by one tuner with one budget on validation, then fitted once more to train + validation where the
comparison says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna

from trifocal.baselines.als import AlsRecommender, AlsSettings
from trifocal.baselines.bpr import BprRecommender, BprSettings
from trifocal.baselines.item_item import fit_content_knn, fit_ease, fit_item_knn
from trifocal.baselines.late_fusion import LateFusionRecommender
from trifocal.baselines.popularity import PopularityRecommender
from trifocal.baselines.sasrec import SasrecRecommender, SasrecSettings
from trifocal.errors import ConfigError
from trifocal.evaluate.known import Known, Settings
from trifocal.ports import Recommender

__all__ = ["CONTESTANTS", "Contestant", "contestants_named", "every_name"]

# Least and greatest number of events that the sequence model reads; the greatest is the published one for films.
_READING_LENGTHS = (10, 200)

Fit = Callable[[Settings, Known, int], Recommender]


@dataclass(frozen=True)
class Contestant:
    """A baseline of the table.

    Attributes:
        name: as it stands in tables.
        suggest: an Optuna trial -> settings; None = there is nothing to choose.
        fit: settings, what may be learned from, and a seed -> a recommender.
        first: settings that are tried first, and taken where nothing is tuned.
        needs: names of the contestants whose settings must have been chosen before.
        needs_times: True where events without times give nothing to learn from.
        seeded: True where training draws at random: it is then fitted once a seed.
    """

    name: str
    fit: Fit
    suggest: Callable[[optuna.Trial], Settings] | None = None
    first: Settings | None = None
    needs: tuple[str, ...] = ()
    needs_times: bool = False
    seeded: bool = False


def every_name() -> list[str]:
    """Return the names of all contestants, in the order in which they are fitted."""
    return [contestant.name for contestant in CONTESTANTS]


def contestants_named(names: Sequence[str]) -> list[Contestant]:
    """Return the contestants called `names`, each after those it needs.

    Raises:
        ConfigError: when there is no such contestant, or one needs another that is not named.
    """
    known = {contestant.name: contestant for contestant in CONTESTANTS}
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no baseline {name!r}; choose among {', '.join(known)}")
        missing = set(known[name].needs) - set(names)
        if missing:
            raise ConfigError(f"the baseline {name} is made of {', '.join(sorted(missing))}; name those too")
    return [contestant for contestant in CONTESTANTS if contestant.name in names]


def _popularity(_: Settings, known: Known, seed: int) -> Recommender:
    return PopularityRecommender.fit(known.matrix, seed=seed)


def _recent_popularity(settings: Settings, known: Known, seed: int) -> Recommender:
    half_life = float(settings["half_life_days"])
    return PopularityRecommender.fit_recent(known.histories, known.n_items, half_life_days=half_life, seed=seed)


def _item_knn(settings: Settings, known: Known, seed: int) -> Recommender:
    chosen: Any = settings["closeness"]  # Optuna gives back one of the choices it was given
    return fit_item_knn(known.matrix, closeness=chosen, neighbours=int(settings["neighbours"]), seed=seed)


def _ease(settings: Settings, known: Known, seed: int) -> Recommender:
    return fit_ease(known.matrix, regularization=float(settings["regularization"]), seed=seed)


def _ease_content(settings: Settings, known: Known, seed: int) -> Recommender:
    text, image = known.content.kernels
    weights = float(settings["text_weight"]), float(settings["image_weight"])
    return fit_ease(
        known.matrix,
        regularization=float(settings["regularization"]),
        kernels=[weights[0] * text, weights[1] * image],
        content_weight=1.0,
        seed=seed,
    )


def _als(settings: Settings, known: Known, seed: int) -> Recommender:
    chosen = AlsSettings(
        factors=int(settings["factors"]),
        regularization=float(settings["regularization"]),
        alpha=float(settings["alpha"]),
    )
    return AlsRecommender.fit(known.matrix, chosen, seed=seed)


def _bpr(settings: Settings, known: Known, seed: int) -> Recommender:
    chosen = BprSettings(
        factors=int(settings["factors"]),
        learning_rate=float(settings["learning_rate"]),
        regularization=float(settings["regularization"]),
        iterations=int(settings["iterations"]),
    )
    return BprRecommender.fit(known.matrix, known.users, chosen, seed=seed)


def _text_knn(settings: Settings, known: Known, seed: int) -> Recommender:
    power = float(settings["power"])
    return fit_content_knn([known.content.text], known.matrix, power=power, name="content-knn-text", seed=seed)


def _image_knn(settings: Settings, known: Known, seed: int) -> Recommender:
    power = float(settings["power"])
    return fit_content_knn([known.content.image], known.matrix, power=power, name="content-knn-image", seed=seed)


def _content_knn(settings: Settings, known: Known, seed: int) -> Recommender:
    share, power = float(settings["text_share"]), float(settings["power"])
    contents, weights = [known.content.text, known.content.image], [share, 1 - share]
    return fit_content_knn(contents, known.matrix, weights=weights, power=power, seed=seed)


def _ids(settings: Settings, known: Known, seed: int) -> Recommender:
    chosen = SasrecSettings(
        embedding_size=int(settings["embedding_size"]),
        history_length=_reading_length(known),
        dropout=float(settings["dropout"]),
        learning_rate=float(settings["learning_rate"]),
        batch_size=int(settings["batch_size"]),
        epochs=int(settings["epochs"]),
        patience=int(settings["epochs"]),
        shuffle_ties=True,
        precision="bfloat16",
    )
    return replace(SasrecRecommender.fit(known.histories, known.n_items, chosen, seed=seed), name="ids")


def _late_fusion(settings: Settings, known: Known, seed: int) -> Recommender:
    parts = tuple(_part(name, known, seed) for name in _FUSED)
    weights = tuple(float(settings[name]) for name in _FUSED)
    return LateFusionRecommender(parts, weights, known.n_items, seed=seed)


def _part(name: str, known: Known, seed: int) -> Recommender:
    """Fitted once: while the weights are tuned, the parts stay as they are."""
    key = f"{name} {seed} {known.settings[name]}"
    if key not in known.fitted:
        known.fitted[key] = _FUSED[name](known.settings[name], known, seed)
    return known.fitted[key]


# Text only, image only and matrix factorisation, each as good as its own tuning made it.
_FUSED = {"content-knn-text": _text_knn, "content-knn-image": _image_knn, "als": _als}


def _reading_length(known: Known) -> int:
    """As much as nearly everybody's history: a batch is as many positions as so many full histories have."""
    lengths = [len(history) for history in known.histories]
    return int(np.clip(np.quantile(lengths, 0.99), *_READING_LENGTHS))


def _suggest_recent(trial: optuna.Trial) -> Settings:
    return {"half_life_days": trial.suggest_float("half_life_days", 0.1, 100.0, log=True)}


def _suggest_item_knn(trial: optuna.Trial) -> Settings:
    return {
        "closeness": trial.suggest_categorical("closeness", ["cosine", "tfidf", "bm25"]),
        "neighbours": trial.suggest_int("neighbours", 10, 2000, log=True),
    }


def _suggest_ease(trial: optuna.Trial) -> Settings:
    return {"regularization": trial.suggest_float("regularization", 1.0, 2000.0, log=True)}


def _suggest_ease_content(trial: optuna.Trial) -> Settings:
    return {
        "regularization": trial.suggest_float("regularization", 1.0, 2000.0, log=True),
        "text_weight": trial.suggest_float("text_weight", 0.1, 100.0, log=True),
        "image_weight": trial.suggest_float("image_weight", 0.1, 100.0, log=True),
    }


def _suggest_als(trial: optuna.Trial) -> Settings:
    return {
        "factors": trial.suggest_categorical("factors", [64, 128, 192]),
        "regularization": trial.suggest_float("regularization", 1.0, 500.0, log=True),
        "alpha": trial.suggest_float("alpha", 1.0, 200.0, log=True),
    }


def _suggest_bpr(trial: optuna.Trial) -> Settings:
    return {
        "factors": trial.suggest_categorical("factors", [64, 128, 192]),
        "learning_rate": trial.suggest_float("learning_rate", 0.005, 0.2, log=True),
        "regularization": trial.suggest_float("regularization", 1e-4, 0.2, log=True),
        "iterations": trial.suggest_int("iterations", 30, 300, log=True),
    }


def _suggest_ids(trial: optuna.Trial) -> Settings:
    return {
        "embedding_size": trial.suggest_categorical("embedding_size", [64, 128]),
        "dropout": trial.suggest_float("dropout", 0.1, 0.6),
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 3e-3, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [32, 128]),
        "epochs": trial.suggest_int("epochs", 3, 30, log=True),
    }


def _suggest_power(trial: optuna.Trial) -> Settings:
    return {"power": trial.suggest_float("power", 1.0, 16.0, log=True)}


def _suggest_content_knn(trial: optuna.Trial) -> Settings:
    return {"text_share": trial.suggest_float("text_share", 0.0, 1.0), **_suggest_power(trial)}


def _suggest_fusion(trial: optuna.Trial) -> Settings:
    return {name: trial.suggest_float(name, 0.01, 1.0) for name in _FUSED}


_DEFAULT_BPR: Settings = {"factors": 128, "learning_rate": 0.05, "regularization": 0.01, "iterations": 100}
# Near the published settings of SASRec with a softmax; after so many epochs validation on ml1m-loo stops to gain.
_PUBLISHED_IDS: Settings = {
    "embedding_size": 128,
    "dropout": 0.2,
    "learning_rate": 1e-3,
    "batch_size": 32,
    "epochs": 16,
}

CONTESTANTS: tuple[Contestant, ...] = (
    Contestant("popularity", _popularity),
    Contestant("recent-popularity", _recent_popularity, _suggest_recent, {"half_life_days": 7.0}, needs_times=True),
    Contestant("itemknn", _item_knn, _suggest_item_knn, {"closeness": "cosine", "neighbours": 100}),
    Contestant("ease", _ease, _suggest_ease, {"regularization": 100.0}),
    Contestant("als", _als, _suggest_als, {"factors": 128, "regularization": 100.0, "alpha": 50.0}, seeded=True),
    Contestant("bpr", _bpr, _suggest_bpr, _DEFAULT_BPR, seeded=True),
    Contestant("ids", _ids, _suggest_ids, _PUBLISHED_IDS, seeded=True),
    Contestant("content-knn-text", _text_knn, _suggest_power, {"power": 4.0}),
    Contestant("content-knn-image", _image_knn, _suggest_power, {"power": 4.0}),
    Contestant("content-knn", _content_knn, _suggest_content_knn, {"text_share": 0.5, "power": 4.0}),
    Contestant(
        "ease-content",
        _ease_content,
        _suggest_ease_content,
        {"regularization": 100.0, "text_weight": 5.0, "image_weight": 5.0},
    ),
    Contestant("late-fusion", _late_fusion, _suggest_fusion, dict.fromkeys(_FUSED, 1.0), needs=tuple(_FUSED)),
)
"""In the order in which they are fitted."""
