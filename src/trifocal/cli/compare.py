"""`trifocal compare`: every baseline, tuned with an equal budget, beside trained models and rivals' rankings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trifocal.bundle import Bundle
    from trifocal.evaluate.comparison import Comparison
    from trifocal.evaluate.contest import Contest
    from trifocal.evaluate.protocol import Result
    from trifocal.features.config import FeaturesConfig
    from trifocal.report.learning_curve import LearningCurve

__all__ = ["compare"]

# Columns of the table where there is no terminal to fit it to.
_FILE_COLUMNS = 120


def compare(
    dataset: Annotated[Path, typer.Argument(help="Data set folder.")],
    out: Annotated[Path, typer.Argument(help="Folder of results; what lies there is not fitted again.")],
    run: Annotated[list[Path] | None, typer.Option(help="Run folder of `trifocal train`; one a training seed.")] = None,
    rankings: Annotated[Path | None, typer.Option(help="Folder of folders with rivals' rankings.parquet.")] = None,
    baselines: Annotated[str, typer.Option(help="Baselines, or `all`.")] = "all",
    split: Annotated[str, typer.Option(help="Name of the split; see docs/guides/evaluate.md.")] = "time",
    parts: Annotated[Path | None, typer.Option(help="File that prescribes the split; else TRIFOCAL_DATA.")] = None,
    refit: Annotated[bool, typer.Option(help="Learn from train + validation at last, as the runs did.")] = False,
    trials: Annotated[int, typer.Option(help="Settings tried of each baseline.")] = 20,
    core_minutes: Annotated[float, typer.Option(help="Minutes of one core after which no further one is tried.")] = 20,
    seeds: Annotated[str, typer.Option(help="Seeds of the baselines that draw at random.")] = "0,1,2",
    knockout: Annotated[
        bool, typer.Option(help="Score the first run's model with parts of it taken away, too.")
    ] = False,
    cache: Annotated[Path | None, typer.Option(help="Token features; default: OUT/features.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML over the defaults; see configs/default.toml.")] = None,
) -> None:
    """Tune, fit and score every baseline; compare models, baselines and rivals; table, HTML, JSON and Markdown.

    Examples:

        trifocal compare shop runs/compare --run runs/shop

        trifocal compare hm runs/compare --run runs/seed-0 --run runs/seed-1 --split hm-random --refit

        trifocal compare hm runs/compare --baselines popularity,ease,als --split hm-time
    """
    from trifocal.baselines.tuning import Budget
    from trifocal.data.dataset import read_dataset
    from trifocal.data.named_splits import named_split
    from trifocal.evaluate import contest as contests
    from trifocal.evaluate.contestants import contestants_named, every_name
    from trifocal.evaluate.foreign import foreign_failures, foreign_results
    from trifocal.settings import load_settings

    settings = load_settings(config)
    names = every_name() if baselines == "all" else [name.strip() for name in baselines.split(",")]
    contestants = contestants_named(names)
    whole = read_dataset(dataset)
    contest = contests.prepare_contest(
        whole,
        named_split(whole, split, parts),
        refit=refit,
        budget=Budget(trials, core_minutes * 60),
        seeds=tuple(int(seed) for seed in seeds.split(",")),
        root=out,
        features=settings.features,
        cache=cache or out / "features",
        config=settings.evaluate,
    )
    found = _trained(run or [], contest) + contests.run_contest(contestants, contest)
    failures: tuple[tuple[str, str], ...] = ()
    if rankings is not None:
        found += foreign_results(rankings, contest.cases, contest.vocabulary, contest.config.k)
        failures = foreign_failures(rankings)
    compared = contests.compared(found, contest, failures=failures, satisfaction=settings.satisfaction)
    if knockout:
        without = _knocked_out((run or [])[:1], contest, settings.features, cache or out / "features")
        compared = replace(compared, knockout=contests.compared(without, contest))
    _publish(compared, found, contest, out / split, _curves((run or [])[:1]))


def _trained(runs: list[Path], contest: Contest) -> list[Result]:
    """The bundles of the runs, `trifocal` first, each pooled over the runs: one run a training seed."""
    from trifocal import columns as c
    from trifocal.bundle import read_bundle
    from trifocal.bundle.network import load_recommender
    from trifocal.errors import ArtifactError
    from trifocal.evaluate.contest import scored, stored_or
    from trifocal.evaluate.protocol import pool_seeds

    by_name: dict[str, list[Result]] = {}
    for folder in runs:
        places = sorted(folder.glob("*/bundle"), key=lambda place: (place.parent.name != "trifocal", place))
        if not places:
            raise ArtifactError(f"{folder} holds no bundle; train one with `trifocal train`")
        for place in places:
            bundle = read_bundle(place)
            if tuple(bundle.contents.items[c.ITEM_ID]) != contest.vocabulary.ids:
                raise ArtifactError(f"{place} was trained on other items than this split has; train again")

            def make(bundle: Bundle = bundle) -> Result:
                result = scored(load_recommender(bundle), contest.cases, contest.config)
                metrics = bundle.contents.metrics
                spent = f"1 training, epochs and blend by validation; {metrics['train_seconds']:.0f} s"
                chosen = {"best_epoch": metrics["best_epoch"], **metrics["blend"]}
                return replace(result, train_seconds=float(metrics["train_seconds"]), tuning=spent, settings=chosen)

            stored = contest.folder / f"{bundle.contents.model_name}@{bundle.manifest.model_version}"
            by_name.setdefault(bundle.contents.model_name, []).append(stored_or(stored, make))
    return [pool_seeds(results) for results in by_name.values()]


def _knocked_out(runs: list[Path], contest: Contest, features: FeaturesConfig, cache: Path) -> list[Result]:
    """The run's `trifocal`, then the same with shuffled texts, with shuffled pictures, and without ids."""
    from trifocal.bundle import read_bundle
    from trifocal.bundle.network import load_recommender
    from trifocal.errors import ConfigError
    from trifocal.evaluate.contest import scored, stored_or
    from trifocal.model import ModelConfig, TwoStageRecommender
    from trifocal.train import prepare_training
    from trifocal.train.knockout import KNOCKOUTS, knocked_out

    if not runs:
        raise ConfigError("--knockout was given without a run; name a folder of `trifocal train` with --run")
    bundle = read_bundle(runs[0] / "trifocal" / "bundle")
    recommender = load_recommender(bundle)
    if not isinstance(recommender, TwoStageRecommender):
        raise ConfigError(
            f"{bundle.folder} holds no network, so nothing can be taken away; train one with `trifocal train`"
        )
    config = ModelConfig.model_validate(bundle.contents.config["model"])
    layers = config.text_trainable_layers
    data = prepare_training(contest.dataset, contest.split, features, cache, trainable_layers=layers)
    version = f"trifocal@{bundle.manifest.model_version}"
    results = [stored_or(contest.folder / version, lambda: scored(recommender, contest.cases, contest.config))]
    for what in KNOCKOUTS:
        changed = knocked_out(recommender, data, config, what=what, compact_size=features.compact_size)
        make = partial(scored, changed, contest.cases, contest.config)
        results.append(stored_or(contest.folder / f"{version}, {what}", make))
    return results


def _curves(runs: list[Path]) -> list[LearningCurve]:
    """How the models of the runs were trained, `trifocal` first."""
    from trifocal.bundle import read_bundle
    from trifocal.report.learning_curve import learning_curve

    places = sorted(
        (place for run in runs for place in run.glob("*/bundle")),
        key=lambda place: (place.parent.name != "trifocal", place),
    )
    bundles = [read_bundle(place) for place in places]
    found = [learning_curve(bundle.contents.model_name, bundle.contents.metrics) for bundle in bundles]
    return [curve for curve in found if curve is not None]


def _publish(
    compared: Comparison, found: list[Result], contest: Contest, place: Path, curves: list[LearningCurve]
) -> None:
    """Write PLACE.html, .json and .md; print the table, the verdict, and the figures as JSON on the last line."""
    import json

    from rich.console import Console

    from trifocal.cli.origin import origin
    from trifocal.evaluate import pictures, report, results
    from trifocal.evaluate.report_page import write_report

    config = contest.config
    samples = pictures.sample_users(contest.cases, found, contest.dataset, size=config.sample_users, seed=config.seed)
    write_report(place.with_suffix(".html"), compared, samples, curves, origin())
    place.with_suffix(".json").write_text(json.dumps(results.results_json(compared), indent=1) + "\n", encoding="utf-8")
    place.with_suffix(".md").write_text(results.results_markdown(compared), encoding="utf-8")
    console = Console()
    console = console if console.is_terminal else Console(width=_FILE_COLUMNS)
    console.print(report.report_table(compared))
    console.print(f"{report.verdict(compared)}\nreport: {place.with_suffix('.html')}")
    typer.echo(json.dumps(report.report_json(compared)))
