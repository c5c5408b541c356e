"""The verb itself: what it refuses, one round on a small shop, and rounds by the clock or by alarms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console
from tests.train.small_world import MODEL, trained, without_weights, world
from typer.testing import CliRunner

from trifocal.bundle import read_bundle
from trifocal.cli import update as verb
from trifocal.cli.app import app
from trifocal.data.dataset import write_dataset
from trifocal.errors import ConfigError, DataError, ServingError

SETTINGS = """
[train]
batch_size = 16
live_items = 8
contrastive_items = 4
gradient_every = 0
[update]
ranker_questions = 20
margin = {margin}
[evaluate]
bootstrap_samples = 100
"""


class StopError(Exception):
    """Ends the endless loop."""


def plan(folder: Path, **changes: object) -> verb._Plan:
    told: dict[str, object] = {
        "dataset": folder / "shop",
        "bundle": folder / "bundle",
        "out": folder / "out",
        "events": None,
        "pictures": None,
        "config": None,
        "cache": folder / "features",
        "place": None,
        "server": None,
        "path": "",
        "key": None,
    }
    return verb._Plan(**{**told, **changes})  # type: ignore[arg-type]  # told by name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--server", "http://shop"], "--server was given without --promote-to"),
        (["--on-drift"], "--on-drift was given without --server"),
    ],
)
def test_options_that_lack_another_are_refused(options: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CliRunner().invoke(app, ["update", "shop", "runs/shop", "out", *options], catch_exceptions=False)


@pytest.mark.parametrize(("margin", "promoted"), [(1.0, True), (0.0, False)])
def test_a_round_writes_bundle_and_report_and_promotes_what_is_not_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, margin: float, *, promoted: bool
) -> None:
    without_weights(monkeypatch)
    bundle = trained(tmp_path / "old", world(days=28))
    # On the items of the bundle alone: both then find what there is to find, or not.
    write_dataset(world(days=30), tmp_path / "shop")
    (tmp_path / "settings.toml").write_text(SETTINGS.format(margin=margin))
    if not promoted:
        monkeypatch.setattr("trifocal.evaluate.gate.Verdict.promoted", property(lambda _: False))
    words = [str(tmp_path / "shop"), str(bundle.folder), str(tmp_path / "out"), "--promote-to", str(tmp_path / "place")]
    found = CliRunner().invoke(
        app,
        ["update", *words, "--config", str(tmp_path / "settings.toml"), "--cache", str(tmp_path / "old" / "features")],
        catch_exceptions=False,
    )
    report = json.loads((tmp_path / "out" / "update.json").read_text())
    updated = read_bundle(tmp_path / "out" / "bundle").manifest
    assert report["serving"] == bundle.manifest.model_version
    assert report["updated"] == updated.model_version
    assert report["promoted"] is promoted
    assert (tmp_path / "place").is_dir() is promoted
    assert ("promoted: ndcg@10" in found.stdout) is promoted
    assert updated.counts["embedding_size"] == MODEL.embedding_size


def test_what_was_promoted_is_where_the_next_round_begins(tmp_path: Path) -> None:
    told = plan(tmp_path, place=tmp_path / "place")
    assert told.serving == tmp_path / "bundle"
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "manifest.json").write_text("{}")
    assert told.serving == tmp_path / "place"


def rounds(
    told: verb._Plan,
    monkeypatch: pytest.MonkeyPatch,
    *,
    every_s: float | None = None,
    alarms: Sequence[float] = (),
    until_s: float,
) -> list[float]:
    """The moments at which rounds began, with a clock that sleeping moves; the second round finds nothing new."""
    now, begun = [1000.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if now[0] > until_s:
            raise StopError

    def one(*_: object) -> None:
        begun.append(now[0])
        if len(begun) == 2:
            raise DataError("nothing new")

    def health(*_: object) -> dict[str, object]:
        return {"alarms": [{"signal": "ctr", "at_s": moment} for moment in alarms if moment <= now[0]]}

    monkeypatch.setattr("trifocal.cli.promotion.read_health", health)
    monkeypatch.setattr(verb, "_round", one)
    with pytest.raises(StopError):
        verb._again_and_again(
            told, Console(quiet=True), every_s=every_s, on_drift=every_s is None, clock=lambda: now[0], sleep=sleep
        )
    return begun


def test_rounds_come_by_the_clock_also_after_one_that_found_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rounds(plan(tmp_path), monkeypatch, every_s=100, until_s=1350) == [1100, 1200, 1300]


def test_rounds_come_with_alarms_since_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server is asked every 60 seconds; two alarms between make one round.
    told = plan(tmp_path, server="http://shop")
    assert rounds(told, monkeypatch, alarms=(1000, 1100, 1101, 1200), until_s=1400) == [1120, 1240]


def test_a_server_that_is_away_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> dict[str, object]:
        raise ServingError("http://shop does not answer")

    monkeypatch.setattr("trifocal.cli.promotion.read_health", away)
    assert not verb._drifts(plan(tmp_path, server="http://shop"), Console(quiet=True), 0.0)
