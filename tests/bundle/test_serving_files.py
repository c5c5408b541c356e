from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tests.model.test_two_stage import asked, recommender

from trifocal.bundle.onnx_export import RANKER_FILE, TOWER_FILE
from trifocal.bundle.serving_files import (
    SERVING_FILE,
    ServingFiles,
    load_serving_files,
    prepare_serving_files,
)
from trifocal.errors import ArtifactError
from trifocal.serve.online import OnlineEngine, OnnxScorer, OnnxUsers, online_engine

REQUESTS = [asked(1, 4, 7), asked(0), asked(), asked(2, 3, query=True), asked(1, 2, 3, 4, 5, 6, 7)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bundle") / ".serving"
    prepare_serving_files(recommender(), place, model_version="v1", precision="float32")
    return place


def by_onnx(files: ServingFiles) -> OnlineEngine:
    model = recommender()
    users = OnnxUsers(
        files.tower,
        history_length=model.history_length,
        text_width=model.text_width,
        prices=model.model.user_tower.price_codes.numpy(),
    )
    return online_engine(model, index=files.index, encoding=users, scorer=OnnxScorer(files.ranker))


def test_what_was_exported_answers_as_the_model_does(folder: Path) -> None:
    files = load_serving_files(recommender(), folder, model_version="v1")
    found, expected = by_onnx(files).recommend(REQUESTS, 5), recommender().recommend(REQUESTS, 5)
    assert found.item_rows.tolist() == expected.item_rows.tolist()
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-3, atol=1e-4)


def test_the_facts_say_what_was_measured(folder: Path) -> None:
    facts = json.loads((folder / SERVING_FILE).read_text())
    assert facts["index"]["recall"] == 1.0
    for network in facts["networks"].values():
        assert network["precision"] == "float32"
        assert network["float32_ms"] > 0
        assert network["int8_ms"] > 0
        assert network["int8_error"] >= 0
    assert {TOWER_FILE, RANKER_FILE} < set(facts["files"])
    assert {path.name for path in folder.iterdir()} == {SERVING_FILE, *facts["files"]}


def test_int8_stays_near_the_model(tmp_path: Path) -> None:
    files = prepare_serving_files(recommender(), tmp_path / "s", model_version="v1", precision="int8")
    assert {network["precision"] for network in files.facts["networks"].values()} == {"int8"}
    found, expected = by_onnx(files).recommend(REQUESTS, 5), recommender().recommend(REQUESTS, 5)
    # Sets, not orders: near ties change places.
    shared = [len(set(a) & set(b)) for a, b in zip(found.item_rows.tolist(), expected.item_rows.tolist(), strict=True)]
    assert np.mean(shared) >= 4


@pytest.mark.parametrize("name", [TOWER_FILE, RANKER_FILE, "index.json"])
def test_a_file_cut_short_is_named(folder: Path, name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / name).write_bytes((copy / name).read_bytes()[:20])
    with pytest.raises(ArtifactError, match=re.escape(f"{name} is missing or damaged; prepare it anew")):
        load_serving_files(recommender(), copy, model_version="v1")


def test_files_of_another_model_are_refused(folder: Path) -> None:
    with pytest.raises(ArtifactError, match="is of model v1, v2 is served"):
        load_serving_files(recommender(), folder, model_version="v2")


def test_other_wishes_are_not_met_by_what_is_there(folder: Path) -> None:
    with pytest.raises(ArtifactError, match="other settings"):
        load_serving_files(recommender(), folder, model_version="v1", precision="int8")


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_serving_files(recommender(), tmp_path, model_version="v1")
