"""The whole loop by the command line, on a small shop: generate, train, evaluate, recommend."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

SETTINGS = """
[features]
image_backbone = "efficientnet-lite0"
[model]
embedding_size = 32
fusion_width = 32
pooled_size = 16
history_length = 10
[train]
epochs = 2
max_search_examples = 100
[evaluate]
bootstrap_samples = 100
latency_requests = 10
"""


def trifocal(*arguments: str | Path) -> str:
    command = [str(Path(sys.executable).with_name("trifocal")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "settings.toml").write_text(SETTINGS)
    trifocal("shop", "generate", folder / "shop", "--products", "100", "--shoppers", "300")
    encoded = trifocal("data", "encode", folder / "shop", folder / "features", "--config", folder / "settings.toml")
    assert "100 pictures of 100 items" in encoded
    trifocal(
        "train", folder / "shop", folder / "run", "--models", "trifocal,text", "--config", folder / "settings.toml"
    )
    return folder


@pytest.mark.slow
def test_evaluate_compares_all_models_and_ends_with_json(run: Path) -> None:
    printed = trifocal("evaluate", run / "shop", run / "run", "--config", run / "settings.toml")
    figures = json.loads(printed.splitlines()[-1])
    assert list(figures["models"]) == ["trifocal", "text", "als", "popularity"]
    for model in figures["models"].values():
        assert {"recall@20", "ndcg@10", "map@20", "latency_ms"} <= set(model)
        assert 0 <= model["ndcg@10"] <= 1
    page = (run / "run" / "report.html").read_text()
    assert "data:image/jpeg;base64," in page
    # Names of XML vocabularies are no requests; nothing is fetched from anywhere.
    assert not re.search(r"""(src|href)=["']?(https?:)?//|url\(["']?https?:|@import""", page)


@pytest.mark.slow
def test_recommend_answers_in_the_users_own_ids(run: Path) -> None:
    events = pl.read_parquet(run / "shop" / "events.parquet").filter(pl.col("event") == "purchase")
    user = events["user_id"][0]
    bundle = run / "run" / "trifocal" / "bundle"
    answer = json.loads(trifocal("recommend", bundle, "--user", user, "-k", "5", "--json"))
    known = set(pl.read_parquet(run / "shop" / "items.parquet")["item_id"])
    assert len(answer["items"]) == 5
    assert {item["item_id"] for item in answer["items"]} <= known


@pytest.mark.slow
def test_a_second_training_finds_its_work_done(run: Path) -> None:
    checkpoint = run / "run" / "trifocal" / "checkpoints" / "checkpoint.safetensors"
    before = checkpoint.stat().st_mtime_ns
    trifocal("train", run / "shop", run / "run", "--config", run / "settings.toml")
    assert checkpoint.stat().st_mtime_ns == before


@pytest.mark.slow
def test_compare_tunes_baselines_beside_the_run_and_goes_on_where_it_was(run: Path) -> None:
    arguments: list[str | Path] = [
        "compare",
        run / "shop",
        run / "compare",
        "--run",
        run / "run",
        "--knockout",
        "--trials",
        "1",
    ]
    arguments += ["--seeds", "0", "--cache", run / "features", "--config", run / "settings.toml"]
    printed = trifocal(*arguments, "--baselines", "popularity,ease-content")
    names = ["trifocal", "text", "popularity", "ease-content"]
    assert list(json.loads(printed.splitlines()[-1])["models"]) == names
    figures = json.loads((run / "compare" / "time.json").read_text())
    assert list(figures["models"]) == names
    assert set(figures["differences"]["ndcg@10"]) == set(names[1:])
    without = {f"trifocal, {what}" for what in ("texts shuffled", "pictures shuffled", "ids off")}
    assert set(figures["knockout"]["differences"]["recall@20"]) == without
    assert {found["name"] for found in figures["satisfaction"]} == {"all sessions", *names}
    assert "What trifocal loses" in (run / "compare" / "time.html").read_text()
    stored = next((run / "compare").glob("*/ease-content/result.json"))
    before = stored.stat().st_mtime_ns
    trifocal(*arguments, "--baselines", "popularity,ease-content")
    assert stored.stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_student_is_a_bundle_like_any_other(run: Path) -> None:
    with (run / "student.toml").open("w") as file:
        file.write(SETTINGS + "[distill]\nimage_size = 96\ncatalogue_passes = 2\nspeed_items = 16\n")
    arguments: list[str | Path] = ["distill", run / "run", run / "shop", run / "students"]
    arguments += ["--cache", run / "features", "--config", run / "student.toml"]
    printed = trifocal(*arguments)
    figures = json.loads(printed.splitlines()[-1])
    low, high = figures["interval"]["ndcg@10"]
    assert 0 < low <= figures["ratio"]["ndcg@10"] <= high
    assert figures["student_items_per_s"] > figures["teacher_items_per_s"] > 0
    bundle = run / "students" / "student" / "bundle"
    assert str(bundle) in printed
    events = pl.read_parquet(run / "shop" / "events.parquet").filter(pl.col("event") == "purchase")
    user = events["user_id"][0]
    answer = json.loads(trifocal("recommend", bundle, "--user", user, "-k", "3", "--json"))
    assert len(answer["items"]) == 3
    table = json.loads(
        trifocal("evaluate", run / "shop", run / "students", "--config", run / "student.toml").splitlines()[-1]
    )
    assert "student" in table["models"]
