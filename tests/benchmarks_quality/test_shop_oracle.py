from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from benchmarks.quality import shop_oracle
from benchmarks.quality.shop_oracle import EVERYBODY, history_groups, main, measured, share_interval
from benchmarks.quality.shop_truth import (
    POPULARITY_DECAY,
    POPULARITY_PRIOR,
    ExposureOracle,
    Truth,
    UtilityOracle,
    known_shelf,
)

from trifocal import columns as c
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import read_dataset
from trifocal.data.named_splits import named_split
from trifocal.data.shop import ShopConfig, behaviour, generate_shop, true_utility
from trifocal.data.splits import Split, restrict
from trifocal.errors import ArtifactError, DataError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import Result
from trifocal.features.context import ContextVocabulary
from trifocal.ranking import top_k
from trifocal.types import History, Rankings, Request, Vocabulary


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    generate_shop(folder, ShopConfig(products=60, shoppers=150, days=42, seed=3))
    return folder


@pytest.fixture(scope="module")
def asked(shop: Path) -> tuple[Truth, Split, Cases]:
    dataset = read_dataset(shop)
    split = named_split(dataset, "time")
    vocabulary = restrict(dataset, split).vocabulary()
    context = ContextVocabulary.fit(split.train[c.DEVICE], split.train[c.COUNTRY])
    return Truth.read(shop / "truth", vocabulary), split, build_cases(split, "test", vocabulary, context)


def test_the_oracle_ranks_by_the_utility_at_the_time_of_the_request(
    shop: Path, asked: tuple[Truth, Split, Cases]
) -> None:
    truth, split, cases = asked
    request = cases.requests[0]
    moment = split.test.filter(pl.col(c.USER_ID) == cases.user_ids[0])[c.TIMESTAMP].to_list()[0]
    values = true_utility(shop / "truth", [cases.user_ids[0]], moment)[0][truth.columns]
    expected = [row for row in np.argsort(-values).tolist() if row not in request.exclude][:10]
    assert UtilityOracle(truth).recommend([request], 10).item_rows.tolist() == [expected]


def test_the_shelf_is_that_of_the_shop(asked: tuple[Truth, Split, Cases]) -> None:
    truth, _, _ = asked
    assert getattr(behaviour, "_POPULARITY_DECAY") == POPULARITY_DECAY  # noqa: B009
    assert getattr(behaviour, "_POPULARITY_PRIOR") == POPULARITY_PRIOR  # noqa: B009
    user, other = truth.shoppers.ids[:2]
    first, second = truth.products.ids[:2]
    events = pl.DataFrame(
        {
            c.USER_ID: [user, other, other, user],
            c.ITEM_ID: [first, first, second, second],
            c.EVENT: ["click", "click", "click", "impression"],
            c.TIMESTAMP: pl.Series(["2026-01-06", "2026-01-14", "2026-01-14", "2026-01-14"]).str.to_datetime(
                time_zone="UTC"
            ),
        }
    )
    shelf = known_shelf(truth, events, Vocabulary.of([user]))
    prior = 2.0 * np.exp(0.5 * truth.utility.products.quality)
    # The first click is a week older: .75.
    np.testing.assert_allclose((shelf.popularity - prior)[:3], [1.75, 1.0, 0.0], atol=1e-6)
    assert np.argwhere(shelf.clicked).tolist() == [[0, 0]]


def test_exposure_is_played_without_the_events_of_the_test(asked: tuple[Truth, Split, Cases]) -> None:
    truth, split, cases = asked
    users = Vocabulary.of(cases.user_ids)
    oracle = ExposureOracle.of(truth, split, users, replays=2)
    first = split.test[c.TIMESTAMP].min()
    other_test = split.test.with_columns(pl.lit(truth.products.ids[0]).alias(c.ITEM_ID))
    assert (other_test[c.TIMESTAMP].min(), len(oracle.scores)) == (first, len(users))
    same = ExposureOracle.of(truth, replace(split, test=other_test), users, replays=2)
    np.testing.assert_array_equal(oracle.scores, same.scores)
    assert (oracle.scores >= 0).all()
    assert oracle.scores.any(axis=1).all()
    lists = oracle.recommend(cases.requests[:5], 10).item_rows
    assert not any(np.isin(row, request.exclude).any() for row, request in zip(lists, cases.requests, strict=False))


def two_users() -> Cases:
    requests = tuple(Request(history=History.of_rows(rows)) for rows in ([], [0, 1, 2]))
    return Cases(("a", "b"), requests, (np.array([0]), np.array([1])))  # type: ignore[arg-type]


def result(name: str, ndcg: list[float]) -> Result:
    metrics = {"recall@20": np.array([1.0, 0.0]), "ndcg@10": np.array(ndcg)}
    return Result(name, metrics, np.zeros((2, 20), dtype=np.int64), 0.0)


def test_lengths_of_history_that_nobody_has_are_left_out() -> None:
    groups = {label: inside.tolist() for label, inside in history_groups(two_users()).items()}
    assert groups == {EVERYBODY: [True, True], "0": [True, False], "3-5": [False, True]}


def test_shares_are_of_the_first_result_by_length_of_history() -> None:
    rows = measured([result("oracle", [0.8, 0.4]), result("model", [0.2, 0.4])], two_users(), EvaluateConfig())
    shares = {(row.history, row.name): round(row.share[0], 6) for row in rows}
    assert shares == {
        (EVERYBODY, "oracle"): 1.0,
        (EVERYBODY, "model"): 0.5,
        ("0", "oracle"): 1.0,
        ("0", "model"): 0.25,
        ("3-5", "oracle"): 1.0,
        ("3-5", "model"): 1.0,
    }
    model = next(row for row in rows if (row.history, row.name) == (EVERYBODY, "model"))
    # Resamples of two users: both the first, both the second, or one each.
    assert model.share == pytest.approx((0.5, 0.25, 1.0))
    assert (model.recall[0], model.ndcg[0], model.users) == pytest.approx((0.5, 0.3, 2))


def test_there_is_no_share_of_nothing() -> None:
    assert np.isnan(share_interval(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]), 1)).all()


def test_oracles_are_far_above_popularity(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(shop), "--replays", "2", "--samples", "100"])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    everybody = {row["name"]: row["ndcg@10"][0] for row in told["rows"] if row["history"] == EVERYBODY}
    assert told["oracle"] == "utility"
    assert min(everybody["utility"], everybody["utility + exposure"]) > 2 * everybody["popularity"] > 0
    assert everybody["utility"] > everybody["inferred"] > everybody["popularity"]


def test_a_shop_without_truth_has_no_oracle(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no truth\.json; give the `truth` folder"):
        Truth.read(tmp_path, Vocabulary.of([]))


class StandIn:
    """A bundle and its recommender in one: the first items that are not excluded."""

    def __init__(self, folder: Path, items: tuple[str, ...]) -> None:
        state = {"context": ContextVocabulary.fit(["mobile"], ["DE"]).to_json()}
        self.name, self.folder = "trifocal", folder
        self.contents = SimpleNamespace(items={c.ITEM_ID: items}, feature_state=state)

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        scores = np.zeros((len(requests), len(self.contents.items[c.ITEM_ID])), dtype=np.float32)
        return top_k(scores, k, exclude=[request.exclude for request in requests])


def test_each_bundle_is_named_by_its_folder(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = read_dataset(shop)
    items = restrict(dataset, named_split(dataset, "time")).vocabulary().ids
    monkeypatch.setattr(shop_oracle, "read_bundle", lambda folder: StandIn(folder, items))
    monkeypatch.setattr(shop_oracle, "load_recommender", lambda bundle: bundle)
    monkeypatch.setattr(shop_oracle, "_context", lambda bundles, split: ContextVocabulary.fit(["mobile"], ["DE"]))
    main([str(shop), "--replays", "1", "--samples", "100", "--bundle", "one", "two"])
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    everybody = {row["name"]: row["ndcg@10"] for row in rows if row["history"] == EVERYBODY}
    assert list(everybody) == [
        *("utility", "utility + exposure", "inferred from clicks", "inferred", "inferred + exposure"),
        *("popularity", "one", "two"),
    ]
    assert everybody["one"] == everybody["two"]


def test_a_bundle_of_other_items_is_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_oracle, "read_bundle", lambda folder: StandIn(folder, ("item-x",)))
    with pytest.raises(ArtifactError, match="one was trained on other items than this shop has; train again"):
        main([str(shop), "--bundle", "one"])
