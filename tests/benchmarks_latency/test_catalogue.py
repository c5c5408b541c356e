"""The benchmark catalogue: what it holds, and that both services answer from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.latency.als_service import create_app as create_als
from benchmarks.latency.catalogue import make_bundle
from benchmarks.latency.catalogue import measure as make_catalogue
from benchmarks.latency.generated import draw_interactions, item_table, unit_vectors
from benchmarks.latency.plan import QUICK, Setting
from fastapi.testclient import TestClient

from trifocal.bundle import read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.dataset import read_dataset
from trifocal.errors import DataError
from trifocal.feedback import MemoryEventStore
from trifocal.model import TwoStageRecommender
from trifocal.serve import Ask, build_service
from trifocal.serve.config import ServeConfig


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    setting = Setting(tmp_path_factory.mktemp("latency"), QUICK)
    make_catalogue(setting)
    return setting.catalogue


def test_histories_are_of_5_to_60_events_clustered_and_unequal() -> None:
    found = draw_interactions(5_000, 2_000, np.random.default_rng(3))
    lengths = np.bincount(found.user_rows)
    assert (lengths.min(), lengths.max()) == (5, 60)
    counts = np.sort(np.bincount(found.item_rows, minlength=5_000))[::-1]
    # A tenth of the items has more than a quarter of the events.
    assert counts[:500].sum() > 0.25 * counts.sum()
    # 20 clusters, three favourites with four fifths of the events: far fewer clusters a user than by chance.
    largest = [np.bincount(found.clusters[found.item_rows[found.user_rows == user]]).max() for user in range(50)]
    assert np.mean(np.array(largest) / lengths[:50]) > 0.3
    rising = np.diff(found.timestamps_s)[np.diff(found.user_rows) == 0]
    assert (rising >= 0).all()


def test_equal_seeds_draw_equal_catalogues() -> None:
    first, second = (item_table(50, None, np.random.default_rng(1)) for _ in range(2))
    assert first.equals(second)
    assert np.linalg.norm(unit_vectors(np.array([0, 1, 1]), 8, np.random.default_rng(0)), axis=1) == pytest.approx(1)


def test_texts_come_from_the_data_where_it_is_given(tmp_path: Path) -> None:
    names = ("product_type_name", "graphical_appearance_name", "colour_group_name", "garment_group_name")
    columns = ("item_id", "title", "description", "category", "image", *names)
    (tmp_path / "hm-week" / "images").mkdir(parents=True)
    (tmp_path / "hm-week" / "images" / "image 1").touch()
    table = pl.DataFrame({name: [f"{name} 0", f"{name} 1"] for name in columns})
    table.write_parquet(tmp_path / "hm-week" / "catalogue_all_105542_text.parquet")
    items = item_table(2, tmp_path, np.random.default_rng(0))
    assert items["title"].to_list() == ["title 0", "title 1"]
    assert items["image"].to_list() == [None, "image 1"]
    assert "attribute.colour_group" in items.columns
    with pytest.raises(DataError, match="holds 2 items, the benchmark needs 3"):
        item_table(3, tmp_path, np.random.default_rng(0))
    with pytest.raises(DataError, match="there is no"):
        item_table(3, tmp_path / "elsewhere", np.random.default_rng(0))


def test_the_bundle_has_the_whole_network(folder: Path) -> None:
    bundle = read_bundle(folder / "bundle")
    recommender = load_recommender(bundle)
    assert isinstance(recommender, TwoStageRecommender)
    memory = recommender.knowledge.memory
    assert memory is not None
    assert len(memory.items) == QUICK.memory_items * QUICK.memory_links
    assert not (memory.items == np.repeat(np.arange(QUICK.items), np.diff(memory.starts))).any()
    assert len(recommender.knowledge.evidence.pairs) > 1_000
    assert recommender.item_vectors.shape == (QUICK.items, 128)
    assert recommender.blend.ranker


def test_both_services_answer_the_same_users_without_what_they_took(folder: Path) -> None:
    events = read_dataset(folder / "dataset").events
    service = build_service(read_bundle(folder / "bundle"), MemoryEventStore(), config=ServeConfig(limit_ms=60_000))
    with TestClient(create_als(folder / "als", threads=2)) as rival:
        for user_id in ("user-000000", "user-000399"):
            taken = set(events.filter(user_id=user_id)["item_id"])
            answer = service.gateway.recommend(Ask(user_id=user_id, k=10))
            theirs = rival.post("/recommend", json={"user_id": user_id, "k": 10}).json()["items"]
            assert (len(answer.items), len(theirs)) == (10, 10)
            assert answer.rung in ("full", "model")
            assert not taken & {item.card.item_id for item in answer.items}
            assert not taken & {item["item_id"] for item in theirs}
            scores = [item["score"] for item in theirs]
            assert scores == sorted(scores, reverse=True)
        assert rival.post("/recommend", json={"user_id": "nobody"}).status_code == 404


def test_a_bundle_that_is_there_is_not_made_again(folder: Path) -> None:
    manifest = folder / "bundle" / "manifest.json"
    before = manifest.stat().st_mtime_ns
    assert len(make_bundle(QUICK, folder, force=False)) == QUICK.users
    assert manifest.stat().st_mtime_ns == before
