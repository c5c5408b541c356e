from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.evaluate.small_contest import small_contest, small_dataset

from trifocal.baselines.tuning import Budget
from trifocal.data.splits import time_split
from trifocal.errors import ConfigError
from trifocal.evaluate.contest import compared, results_folder, run_contest
from trifocal.evaluate.contestants import CONTESTANTS, Contestant, contestants_named, every_name
from trifocal.evaluate.known import Known, Settings
from trifocal.features.config import FeaturesConfig
from trifocal.ports import Recommender


def test_every_baseline_is_tuned_fitted_scored_and_compared(tmp_path: Path) -> None:
    contest = small_contest(tmp_path)
    results = run_contest(contestants_named(every_name()), contest)
    assert [result.name for result in results] == every_name()
    for result in results:
        assert result.train_seconds is not None
        assert result.latency is not None
        assert result.parameters is not None
        assert result.parameters > 0
        assert bool(result.settings) == (result.name != "popularity")
        assert result.tuning.startswith("2 trials, ") == (result.name != "popularity")
    found = compared(results, contest)
    assert {model.name for model in found.models} == set(every_name())
    assert found.models[0].diversity_text is not None
    assert found.notes == (
        "each baseline was tuned on validation: 2 trials, or 20 minutes of one core, whichever ends first",
    )
    # Whoever reads or remembers knows the two halves; who looks at everybody's favourites does not.
    means = {result.name: result.means["ndcg@10"] for result in results}
    for name in ("ease", "itemknn", "als", "content-knn-text", "ease-content", "late-fusion"):
        assert means[name] > means["popularity"] + 0.1, name


def test_what_was_stored_is_not_fitted_again(tmp_path: Path) -> None:
    contest = small_contest(tmp_path)
    names = ["popularity", "als", "content-knn-text", "content-knn-image", "late-fusion"]
    first = run_contest(contestants_named(names), contest)

    def broken(_: Settings, __: Known, ___: int) -> Recommender:
        raise AssertionError("fitted again")

    again = run_contest([replace(c, fit=broken) for c in contestants_named(names)], contest)
    for one, other in zip(first, again, strict=True):
        assert one.settings == other.settings
        np.testing.assert_array_equal(one.item_rows, other.item_rows)


def test_a_contestant_that_draws_is_fitted_once_a_seed(tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def watched(contestant: Contestant) -> Contestant:
        def fit(settings: Settings, known: Known, seed: int) -> Recommender:
            asked.append((contestant.name, seed))
            return contestant.fit(settings, known, seed)

        return replace(contestant, fit=fit)

    contest = small_contest(tmp_path, trials=0, seeds=(3, 5))
    results = run_contest([watched(c) for c in contestants_named(["ease", "als"])], contest)
    assert asked == [("ease", 3), ("als", 3), ("als", 5)]
    assert [len(result.seed_means) for result in results] == [1, 2]
    # Without a budget the first settings are taken as they are.
    assert results[0].settings == {"regularization": 100.0}
    assert results[0].tuning == ""


def test_without_times_recent_popularity_is_left_out(tmp_path: Path) -> None:
    contest = small_contest(tmp_path, trials=0)
    histories = [replace(h, timestamps_s=np.zeros_like(h.timestamps_s)) for h in contest.tuning.histories]
    timeless = replace(contest, tuning=replace(contest.tuning, histories=histories))
    names = [result.name for result in run_contest(contestants_named(["popularity", "recent-popularity"]), timeless)]
    assert names == ["popularity"]


def test_results_of_other_questions_lie_elsewhere(tmp_path: Path) -> None:
    split, features = time_split(small_dataset()), FeaturesConfig()

    def place(**changed: object) -> Path:
        told = {"refit": True, "budget": Budget(), "seeds": (0, 1)} | changed
        return results_folder(tmp_path, split, features, **told)  # type: ignore[arg-type]  # values of three types

    places = [place(), place(refit=False), place(budget=Budget(3)), place(seeds=(0,))]
    assert len(set(places)) == 4
    assert place() == places[0]
    assert (
        results_folder(tmp_path, replace(split, items=("i1",)), features, refit=True, budget=Budget(), seeds=(0, 1))
        != (places[0])
    )


def test_contestants_come_in_the_order_in_which_they_need_each_other() -> None:
    found = contestants_named(["late-fusion", "content-knn-image", "als", "content-knn-text"])
    assert [c.name for c in found] == ["als", "content-knn-text", "content-knn-image", "late-fusion"]
    with pytest.raises(ConfigError, match="there is no baseline 'eas'; choose among popularity, "):
        contestants_named(["eas"])
    with pytest.raises(ConfigError, match="late-fusion is made of als, content-knn-image; name those too"):
        contestants_named(["late-fusion", "content-knn-text"])


def test_whatever_is_tuned_has_first_settings() -> None:
    for contestant in CONTESTANTS:
        assert (contestant.suggest is None) == (contestant.first is None)
