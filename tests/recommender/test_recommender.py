"""The Python API from end to end, on a shop that is trained once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import trifocal
from trifocal.data.shop import ShopConfig, generate_shop
from trifocal.errors import ConfigError, DataError, NotFoundError
from trifocal.recommender import Recommender
from trifocal.serve import Ask

SETTINGS = {
    "features": {"image_backbone": "efficientnet-lite0"},
    "model": {"embedding_size": 16, "fusion_width": 16, "pooled_size": 8, "history_length": 10},
    "train": {
        "epochs": 1, "live_items": 4, "contrastive_items": 2, "max_search_examples": 16, "max_shown_lists": 16,
        "second_stage": {"epochs": 1, "max_questions": 100},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    generate_shop(folder, ShopConfig(products=60, shoppers=60, days=30, sessions_mean=3))
    return folder


@pytest.fixture(scope="module")
def recommender(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    items = pl.read_parquet(shop / "items.parquet").rename({"item_id": "sku"})
    events = pl.read_parquet(shop / "events.parquet")
    broken = events.head(1).with_columns(item_id=pl.lit("nothing"))
    return Recommender.train(
        items,
        pl.concat([events, broken]),
        columns={"item_id": "sku"},
        image_root=shop / "images",
        settings=SETTINGS,
        out=tmp_path_factory.mktemp("out"),
        split="time",
        progress=False,
    )


def test_it_is_what_the_package_gives_and_is_not_loaded_before() -> None:
    assert trifocal.Recommender is Recommender
    assert {"Recommender", "__version__"} <= set(dir(trifocal))
    with pytest.raises(AttributeError, match="module 'trifocal' has no attribute 'Recomender'; it has: Recommender"):
        trifocal.Recomender  # type: ignore[attr-defined]  # noqa: B018
    asked = "import sys, trifocal; print(sorted({'torch', 'polars', 'trifocal.recommender'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_bad_row_is_kept_with_its_reason(recommender: Recommender) -> None:
    assert recommender.rejects.select("reason", "value").rows() == [("unknown_item", "nothing")]


def test_each_user_gets_k_new_items_best_first(recommender: Recommender) -> None:
    users = recommender.user_ids[:5]
    frame = recommender.recommend(users, k=4)
    assert frame.columns[:5] == ["user_id", "rank", "item_id", "score", "title"]
    assert frame["user_id"].to_list() == [user for user in users for _ in range(4)]
    assert frame["rank"].to_list() == [1, 2, 3, 4] * 5
    for user, part in frame.group_by("user_id"):
        assert (np.diff(part["score"].to_numpy()) <= 0).all()
        taken = recommender._bundle.contents.histories.filter(pl.col("user_id") == user[0])
        assert not set(part["item_id"]) & set(taken["item_id"])
    assert set(frame["reason"]) == {"history"}
    assert frame["reason_title"].null_count() == 0


def test_many_at_once_get_what_the_server_would_give_each(recommender: Recommender) -> None:
    frame = recommender.recommend(recommender.user_ids[:3], k=5)
    for (user,), part in frame.partition_by("user_id", as_dict=True).items():
        answer = recommender._service.gateway.recommend(Ask(str(user), k=5))
        assert answer.rung == "full"
        assert part["item_id"].to_list() == [item.card.item_id for item in answer.items]
        assert part["reason_item_id"].to_list() == [item.reason and item.reason.item_id for item in answer.items]


def test_a_stranger_is_served_by_the_session_and_else_by_what_is_popular(recommender: Recommender) -> None:
    assert set(recommender.recommend("nobody", k=3)["reason"]) == {"popular"}
    item = recommender.items["item_id"][7]
    visit = pl.DataFrame({"user_id": ["guest", "guest"], "item_id": [item, "gone"]})
    with pytest.warns(UserWarning, match="does not know were ignored: gone"):
        frame = recommender.recommend(sessions=visit, k=3)
    assert set(frame["reason_item_id"]) == {item}
    assert item not in frame["item_id"]


def test_filters_bar_items(recommender: Recommender) -> None:
    frame = recommender.recommend(recommender.user_ids[0], k=60, filters={"price_max": 40})
    assert 0 < len(frame) < 60
    assert (frame["price"] <= 40).all()


def test_similar_items_and_search_by_words_and_picture(recommender: Recommender, shop: Path) -> None:
    first, second = recommender.items["item_id"][:2]
    similar = recommender.similar([first, second], k=3)
    assert similar["of_item_id"].to_list() == [first] * 3 + [second] * 3
    assert first not in similar.head(3)["item_id"]
    title = recommender.items["title"][0]
    assert recommender.search(title, k=1)["item_id"].to_list() == [first]
    picture = shop / "images" / recommender.items["image"][1]
    assert recommender.search(picture=picture, k=1)["item_id"].to_list() == [second]


def test_an_answer_is_shown_with_its_pictures(recommender: Recommender) -> None:
    frame = recommender.recommend(recommender.user_ids[:2], k=3)
    html = recommender.show(frame)._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 6
    assert f"for {recommender.user_ids[1]}" in html
    assert f"like {frame['reason_title'][0]}" in html.replace("&#x27;", "'")
    assert "trifocal" in recommender._repr_html_()
    assert repr(recommender).endswith(": 60 items>")
    with pytest.raises(DataError, match="the frame has no column item_id; it has: a"):
        recommender.show(pl.DataFrame({"a": [1]}))


def test_it_is_explained_why(recommender: Recommender) -> None:
    user = recommender.user_ids[0]
    frame = recommender.recommend(user, k=2, explain=True)
    assert all(frame["why"])
    told = recommender.explain(user, frame["item_id"])
    assert [one.item_id for one in told] == frame["item_id"].to_list()
    assert [one.sentence for one in told] == frame["why"].to_list()
    assert told[0].words
    assert len(told[0].cells) == 3
    assert told[0].nearest_item_id in recommender._bundle.contents.histories["item_id"]
    assert "data:image/jpeg;base64," in told[0]._repr_html_()
    with pytest.raises(NotFoundError, match="item 'gone' is not among"):
        recommender.explain(user, "gone")


def test_figures_are_of_what_was_held_out_or_is_given(recommender: Recommender) -> None:
    held = recommender.evaluate()
    assert held.keys() >= {"recall@20", "ndcg@10", "mrr"}
    user = recommender.user_ids[0]
    best = recommender.recommend(user, k=1)["item_id"][0]
    given = recommender.evaluate(pd.DataFrame({"user_id": [user], "item_id": [best]}))
    assert given["recall@10"] == 1.0
    with pytest.raises(DataError, match="events lacks the column user_id; it has: item_id"):
        recommender.evaluate(pl.DataFrame({"item_id": [best]}))


def test_what_is_saved_answers_the_same_as_pandas_too(recommender: Recommender, tmp_path: Path) -> None:
    again = Recommender.load(recommender.save(tmp_path / "saved"), as_pandas=True)
    users = recommender.user_ids[:3]
    frame = again.recommend(users, k=3)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["item_id"]) == recommender.recommend(users, k=3)["item_id"].to_list()
    assert len(again.rejects) == 0
    with pytest.raises(ConfigError, match="saved is not empty; name a new folder"):
        recommender.save(tmp_path / "saved")
    with pytest.raises(
        ConfigError, match="nothing is held out to evaluate on; give events, or train with split='time'"
    ):
        again.evaluate()


def test_what_cannot_be_asked_is_named(recommender: Recommender) -> None:
    with pytest.raises(ConfigError, match="k is 61, it must be between 1 and the 60 items"):
        recommender.recommend("a", k=61)
    with pytest.raises(DataError, match="nobody is asked for"):
        recommender.recommend([])
    with pytest.raises(DataError, match="no item is asked about"):
        recommender.similar([])
