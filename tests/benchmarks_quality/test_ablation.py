from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.quality.ablation_changes import BASE, Change, read_changes, settings_digest
from benchmarks.quality.ablation_table import Ablation, ablation_json, ablation_markdown, differences

from trifocal.errors import ConfigError
from trifocal.evaluate.protocol import Result


def written(folder: Path, changes: str, config: str = "[train]\nepochs = 3\n") -> tuple[Path, Path]:
    paths = folder / "changes.toml", folder / "config.toml"
    for path, text in zip(paths, (changes, config), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def test_a_line_is_a_change_of_the_environment(tmp_path: Path) -> None:
    paths = written(
        tmp_path,
        '"no bpr" = { train.losses.bpr = 0 }\n'
        '"text only" = { variant = "text" }\n'
        '"other" = { model.dropout = 0.5, train.metric = "mrr", train.shuffle_ties = false }\n',
    )
    base, bpr, text, other = read_changes(*paths)
    assert base == Change(BASE, {})
    assert bpr == Change("no bpr", {"TRIFOCAL_TRAIN__LOSSES__BPR": "0"})
    assert text == Change("text only", {}, "text")
    assert other.environment == {
        "TRIFOCAL_MODEL__DROPOUT": "0.5",
        "TRIFOCAL_TRAIN__METRIC": "mrr",
        "TRIFOCAL_TRAIN__SHUFFLE_TIES": "false",
    }


def test_a_regular_expression_chooses_among_them_but_the_base_stays(tmp_path: Path) -> None:
    paths = written(tmp_path, '"no bpr" = { train.losses.bpr = 0 }\n"no softmax" = { train.losses.softmax = 0 }\n')
    assert [change.name for change in read_changes(*paths, "^no s")] == [BASE, "no softmax"]
    with pytest.raises(ConfigError, match=r"no change of .* is called 'memory'; it has no bpr, no softmax"):
        read_changes(*paths, "memory")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ('"x" = { train.losses.bpm = 0 }', r"'x' of .* cannot be made: .*train\.losses\.bpm: Extra inputs"),
        ('"x" = { train.epochs = 0 }', r"'x' of .* cannot be made: .*train\.epochs: .* greater than or equal to 1"),
        ('"x" = { trian.epochs = 1 }', "'x' of .* sets TRIFOCAL_TRIAN__EPOCHS, which is in no section"),
        ('"x" = { train = 1 }', "'x' of .* sets TRIFOCAL_TRAIN, which is in no section"),
        ('"x" = { variant = "sound" }', "there is no model 'sound'"),
        ('"x" = { train.epochs = 3 }', "'x' of .* alters nothing"),
        ('"x" = {}', "'x' of .* alters nothing"),
        ('"x" = 1', "the change 'x' is 1; give a table"),
        ('"base" = { train.epochs = 1 }', "another name than 'base'"),
        ("x = ", "is no TOML"),
    ],
)
def test_what_cannot_be_made_is_told_before_any_work(tmp_path: Path, changes: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        read_changes(*written(tmp_path, changes))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file of changes .*none\.toml"):
        read_changes(tmp_path / "none.toml", written(tmp_path, "")[1])


def test_a_training_is_known_by_its_settings_and_split_not_by_name_or_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = written(tmp_path, "")[1]
    one, same = (Change(name, {"TRIFOCAL_TRAIN__LOSSES__BPR": "0"}) for name in ("one", "same"))
    digest = settings_digest(one, config, "split")
    assert settings_digest(same, config, "split") == digest
    assert settings_digest(one, config, "other split") != digest
    assert settings_digest(Change(BASE, {}), config, "split") != digest
    monkeypatch.setenv("TRIFOCAL_TRAIN__SEED", "7")
    assert settings_digest(one, config, "split") == digest
    monkeypatch.setenv("TRIFOCAL_TRAIN__EPOCHS", "9")
    assert settings_digest(one, config, "split") != digest


def result(name: str, recall: list[float]) -> Result:
    figures = np.array(recall)
    return Result(name, {"recall@20": figures, "ndcg@10": figures / 2}, np.zeros((len(recall), 20), np.int64), 0.0)


def ablation() -> Ablation:
    """Two seeds, forty users: without memory everybody loses .1 with one seed and .3 with the other."""
    base = [0.4 + 0.01 * (user % 7) for user in range(40)]
    return Ablation(
        "toy",
        "time",
        "0123456789abcdef",
        (0, 1),
        {"no memory": {"TRIFOCAL_MODEL__MEMORY_ITEMS": "0"}, "no change at all": {}},
        {
            BASE: [result("trifocal", base)] * 2,
            "no memory": [result("trifocal", [one - loss for one in base]) for loss in (0.1, 0.3)],
            "no change at all": [result("trifocal", base)] * 2,
        },
    )


def test_a_difference_is_change_minus_base_paired_over_users() -> None:
    found = differences(ablation(), "recall@20")
    lost = found["no memory"]
    # Paired: every user loses .2, so that there is no spread at all.
    assert (lost.mean, lost.low, lost.high) == pytest.approx((-0.2, -0.2, -0.2))
    base = 0.4 + 0.01 * (5 * 21 + 0 + 1 + 2 + 3 + 4) / 40
    assert lost.relative == pytest.approx(-0.2 / base)
    assert lost.significant
    assert not found["no change at all"].significant


def test_the_table_tells_the_difference_whole_and_seed_by_seed() -> None:
    text = ablation_markdown(ablation())
    assert "| Change | Recall@20 | difference | by seed | nDCG@10 |" in text
    row = next(line for line in text.splitlines() if line.startswith("| no memory"))
    assert "| −0.2000\\* (−0.2000 to −0.2000) | −0.1000, −0.3000 |" in row
    assert "**validation**: 40 users" in text


def test_the_json_can_be_read_back() -> None:
    found = json.loads(json.dumps(ablation_json(ablation()), allow_nan=False))
    assert found["part"] == "validation"
    assert found["changes"]["no memory"]["differences"]["recall@20"]["mean"] == -0.2
    assert found["changes"]["no memory"]["seed_differences"]["ndcg@10"] == [-0.05, -0.15]
    assert found["changes"]["no memory"]["environment"] == {"TRIFOCAL_MODEL__MEMORY_ITEMS": "0"}
