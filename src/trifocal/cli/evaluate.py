"""`trifocal evaluate`: the models of a run and the baselines, side by side on one split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from trifocal.data.splits import Split
    from trifocal.ports import Recommender, Validator
    from trifocal.report.learning_curve import LearningCurve
    from trifocal.types import Vocabulary

__all__ = ["evaluate"]

# Columns of the table where there is no terminal to fit it to.
_FILE_COLUMNS = 120


def evaluate(
    dataset: Annotated[Path, typer.Argument(help="Data set folder.")],
    run: Annotated[Path, typer.Argument(help="Run folder, from `trifocal train`; every bundle in it is scored.")],
    split: Annotated[str, typer.Option(help="Name of the split; see docs/guides/evaluate.md.")] = "time",
    parts: Annotated[Path | None, typer.Option(help="File that prescribes the split; else TRIFOCAL_DATA.")] = None,
    refit: Annotated[bool, typer.Option(help="Baselines learn from train + validation, as the run did.")] = False,
    report: Annotated[Path | None, typer.Option(help="HTML report; default: RUN/report.html.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML over the defaults; see configs/default.toml.")] = None,
) -> None:
    """Score the run's models, popularity and a tuned ALS by full ranking; table, HTML report, JSON on the last line.

    Examples:

        trifocal evaluate shop runs/shop

        trifocal evaluate hm runs/hm --split hm-random --parts data/hm-week/hm-random.parquet --refit
    """
    import json

    from rich.console import Console

    from trifocal.cli.origin import origin
    from trifocal.data.cases import build_cases
    from trifocal.data.dataset import read_dataset
    from trifocal.data.named_splits import named_split
    from trifocal.data.splits import restrict
    from trifocal.evaluate import comparison, facts, pictures
    from trifocal.evaluate import report as figures
    from trifocal.evaluate.protocol import CasesValidator
    from trifocal.evaluate.report_page import write_report
    from trifocal.features.items import FeatureState
    from trifocal.settings import load_settings

    settings = load_settings(config).evaluate
    whole = read_dataset(dataset)
    chosen = named_split(whole, split, parts)
    data_set = restrict(whole, chosen)
    vocabulary = data_set.vocabulary()
    trained, state, seconds, curves = _trained_models(run, vocabulary)
    context = FeatureState.from_json(state).context
    validator = CasesValidator(build_cases(chosen, "validation", vocabulary, context).sample(2000))
    baselines, baseline_seconds = _baselines(chosen, vocabulary, validator, refit)
    cases = build_cases(chosen, "test", vocabulary, context)
    results = comparison.evaluate_all([*trained, *baselines], cases, settings, {**seconds, **baseline_seconds})
    learned = chosen.refit() if refit else chosen
    compared = comparison.compare(
        results,
        cases,
        dataset=data_set.name,
        split=learned,
        part="test",
        candidates=len(chosen.items or vocabulary.ids),
        config=settings,
        facts=facts.item_facts(data_set, learned),
    )
    page = report or run / "report.html"
    samples = pictures.sample_users(cases, results, data_set, size=settings.sample_users, seed=settings.seed)
    write_report(page, compared, samples, curves, origin())
    console = Console()
    if not console.is_terminal:
        console = Console(width=_FILE_COLUMNS)
    console.print(figures.report_table(compared))
    console.print(f"{figures.verdict(compared)}\nreport: {page}")
    typer.echo(json.dumps(figures.report_json(compared)))


def _trained_models(
    run: Path, vocabulary: Vocabulary
) -> tuple[list[Recommender], dict[str, object], dict[str, float], list[LearningCurve]]:
    """The bundles of the run, `trifocal` first; all were fitted to the same training events."""
    from trifocal import columns as c
    from trifocal.bundle import read_bundle
    from trifocal.bundle.network import load_recommender
    from trifocal.errors import ArtifactError
    from trifocal.report.learning_curve import learning_curve

    folders = sorted(run.glob("*/bundle"), key=lambda folder: (folder.parent.name != "trifocal", folder.parent.name))
    if not folders:
        raise ArtifactError(f"{run} holds no bundle; train one with `trifocal train`")
    bundles = [read_bundle(folder) for folder in folders]
    for bundle in bundles:
        if tuple(bundle.contents.items[c.ITEM_ID]) != vocabulary.ids:
            raise ArtifactError(f"{bundle.folder} was trained on other items than this split has; train again")
    seconds = {b.contents.model_name: float(b.manifest.metrics["train_seconds"]) for b in bundles}
    told = [learning_curve(bundle.contents.model_name, bundle.contents.metrics) for bundle in bundles]
    curves = [curve for curve in told if curve is not None]
    return [load_recommender(bundle) for bundle in bundles], bundles[0].contents.feature_state, seconds, curves


def _baselines(
    split: Split, vocabulary: Vocabulary, validator: Validator, refit: bool
) -> tuple[list[Recommender], dict[str, float]]:
    """ALS tuned on validation, and popularity; both learn from what the run's models learned from."""
    import time

    from trifocal.baselines import AlsRecommender, PopularityRecommender, tune_als
    from trifocal.data.histories import interaction_matrix

    matrix: csr_matrix = interaction_matrix(split.train, vocabulary)[0]
    started = time.perf_counter()
    als = tune_als(matrix, validator)
    if refit:
        matrix = interaction_matrix(split.refit().train, vocabulary)[0]
        als = AlsRecommender.fit(matrix, als.settings)
    tuned = time.perf_counter()
    popularity = PopularityRecommender.fit(matrix)
    return [als, popularity], {"als": tuned - started, "popularity": time.perf_counter() - tuned}
