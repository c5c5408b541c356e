from __future__ import annotations

import numpy as np
import optuna
import pytest

from trifocal.baselines.popularity import PopularityRecommender
from trifocal.baselines.tuning import Budget, Setting, tune
from trifocal.errors import ConfigError
from trifocal.ports import Recommender


def suggest(trial: optuna.Trial) -> dict[str, Setting]:
    return {"x": trial.suggest_float("x", -10.0, 10.0)}


def fit(settings: dict[str, Setting]) -> Recommender:
    return PopularityRecommender(np.array([float(settings["x"])], np.float32))


def hill(recommender: Recommender) -> dict[str, float]:
    assert isinstance(recommender, PopularityRecommender)
    return {"ndcg@10": -((float(recommender.scores[0]) - 3.0) ** 2)}


def test_it_finds_the_top_of_a_hill_within_the_budget() -> None:
    found = tune("hill", suggest, fit, hill, budget=Budget(trials=40))
    assert abs(float(found.settings["x"]) - 3.0) < 1.0
    assert found.figure == pytest.approx(-((float(found.settings["x"]) - 3.0) ** 2), abs=1e-6)
    assert found.trials == 40
    assert found.spent.startswith("40 trials, ")


def test_the_same_seed_tries_the_same_settings() -> None:
    first, again, other = (tune("hill", suggest, fit, hill, budget=Budget(trials=5), seed=s) for s in (1, 1, 2))
    assert first.settings == again.settings
    assert first.settings != other.settings


def test_the_first_settings_are_tried_first() -> None:
    found = tune("hill", suggest, fit, hill, budget=Budget(trials=1), first={"x": 2.5})
    assert found.settings == {"x": 2.5}


def test_time_ends_the_search_after_the_trial_that_reached_it() -> None:
    assert tune("hill", suggest, fit, hill, budget=Budget(trials=50, core_seconds=1e-9)).trials == 1


def test_a_figure_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="gives no 'recall@7'; choose one of ndcg@10"):
        tune("hill", suggest, fit, hill, metric="recall@7")
    with pytest.raises(ConfigError, match="hill was to be tuned in 0 trials"):
        tune("hill", suggest, fit, hill, budget=Budget(trials=0))
    with pytest.raises(ConfigError, match=r"trials=-1.* is no budget"):
        Budget(trials=-1)
