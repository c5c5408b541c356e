from __future__ import annotations

from pathlib import Path

import pytest

from trifocal.cli.serve import _with_notes
from trifocal.errors import ConfigError
from trifocal.settings import load_settings

TWO = """
[serve.experiment]
name = "spring"
variants = [
  { name = "trifocal", share = 0.5 },
  { name = "als", share = 0.5, model = "als", exploration = { share = 0.1 } },
]
guard_rails = [{ metric = "conversion", tolerated = 0.2 }]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_experiment_is_read_from_a_file(tmp_path: Path) -> None:
    found = load_settings(written(tmp_path, TWO)).serve.experiment
    assert [(variant.name, variant.model) for variant in found.variants] == [("trifocal", "bundle"), ("als", "als")]
    assert found.variants[0].exploration is None
    assert found.variants[1].exploration is not None
    assert (found.guard_rails[0].tolerated, found.guard_rails[0].alpha) == (0.2, 0.01)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('name = "spring"', "", "an experiment of the variants trifocal, als has no name; give it one"),
        ("share = 0.5, model", "share = 0.4, model", r"the shares of trifocal, als sum to 0\.9, they must sum to 1"),
        ('name = "als"', 'name = "trifocal"', "must be two or more with different names"),
        ('name = "als"', 'name = "forced:als"', "String should match pattern"),
        ('model = "als"', 'model = "als", bundle = "b"', "of model 'als' names the bundle 'b'; drop one"),
        ("tolerated = 0.2", "tolerated = 1.0", "less than 1"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, before: str, after: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        load_settings(written(tmp_path, TWO.replace(before, after)))


def test_notes_stand_beside_the_file_of_the_events(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, TWO)).serve
    events = str(tmp_path / "events.sqlite")
    assert _with_notes(settings, events).experiment.notes_file == f"{events}.experiments.json"
    for store in (None, "postgresql://shop@db/shop"):
        assert _with_notes(settings, store).experiment.notes_file == ""
    named = settings.experiment.model_copy(update={"notes_file": "mine.json"})
    chosen = settings.model_copy(update={"experiment": named})
    assert _with_notes(chosen, events).experiment.notes_file == "mine.json"
    found = _with_notes(load_settings().serve, events)
    assert found.experiment.notes_file == ""
    assert found.live.history_file == f"{events}.bundles.json"
    assert _with_notes(found, None) is found
