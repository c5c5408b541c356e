"""`trifocal distill`: a trained bundle -> a student that is cheap to encode, and what both are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from trifocal.data.dataset import Dataset
    from trifocal.evaluate.config import EvaluateConfig
    from trifocal.evaluate.protocol import Result
    from trifocal.train.distill import Pair
    from trifocal.train.distill_report import Agreement, Distillation
    from trifocal.train.distill_speed import EncodingSpeed

__all__ = ["distill"]

_METRICS = ("ndcg@10", "recall@20", "map@20")


def distill(
    teacher: Annotated[Path, typer.Argument(help="Bundle of the teacher, or the run that its trifocal/bundle is in.")],
    dataset: Annotated[Path, typer.Argument(help="Data set folder that the teacher was trained on.")],
    run: Annotated[Path, typer.Argument(help="Run folder; the student goes to RUN/student, beside what is there.")],
    split: Annotated[str, typer.Option(help="Name of the split; the teacher's.")] = "time",
    parts: Annotated[Path | None, typer.Option(help="File that prescribes the split; else TRIFOCAL_DATA.")] = None,
    refit: Annotated[
        bool, typer.Option(help="Train on train + validation, as the teacher was; compare on test.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="TOML over the defaults: the teacher's, with [distill].")] = None,
    cache: Annotated[Path | None, typer.Option(help="Token features; default: RUN/../features.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 = all.")] = 0,
) -> None:
    """Train a student on the teacher's vectors and rankings; print quality and encoding speed of both, JSON last.

    `report.html` beside the student shows the same with agreement, learning curve and some users.

    Examples:

        trifocal distill runs/models shop runs/models --config configs/shop.toml

        trifocal distill runs/hm/trifocal/bundle hm runs/hm --split hm-random --refit --config configs/hm.toml
    """
    import json

    import torch
    from rich.console import Console

    from trifocal.bundle import read_bundle
    from trifocal.cli.origin import origin
    from trifocal.data.dataset import read_dataset
    from trifocal.data.named_splits import named_split
    from trifocal.data.splits import restrict
    from trifocal.evaluate.protocol import CasesValidator, evaluate
    from trifocal.report import write_report
    from trifocal.settings import load_settings
    from trifocal.train.distill import STUDENT, Lesson, bundle_folder, distill_bundle
    from trifocal.train.distill_report import agreement, distillation_page
    from trifocal.train.distill_speed import encoding_speeds, whole_items

    settings = load_settings(config)
    if threads:
        torch.set_num_threads(threads)
    bundle = read_bundle(bundle_folder(teacher))
    whole = read_dataset(dataset)
    chosen = named_split(whole, split, parts)
    data_set = restrict(whole, chosen)
    lesson = Lesson(
        bundle, data_set, chosen, settings.train, settings.distill, run, cache or run.parent / "features", refit
    )
    pair = distill_bundle(lesson, CasesValidator)
    speeds = encoding_speeds(pair.encoders, whole_items(data_set, settings.distill.speed_items))
    k, batch = settings.evaluate.k, settings.evaluate.batch
    student, taught = (evaluate(recommender, pair.cases, k, batch) for recommender in pair.recommenders)
    found = {
        "split": chosen.name,
        "part": "test" if refit else "validation",
        "users": len(pair.cases),
        **_quality(student, taught, settings.evaluate),
        **_speed(speeds),
    }
    told = _told(found, pair, data_set, agreement(student.item_rows, taught.item_rows))
    page = run / STUDENT / "report.html"
    write_report(page, distillation_page(told, origin()))
    console = Console(soft_wrap=True, highlight=False)
    console.print(_table(found))
    console.print(f"student: {pair.bundle.folder}\nreport: {page}")
    typer.echo(json.dumps(found))


def _told(found: dict[str, Any], pair: Pair, dataset: Dataset, alike: Agreement) -> Distillation:
    """What the page says: the printed figures, and a few users' lists of both."""
    from trifocal.train.distill_report import Distillation
    from trifocal.train.report_values import user_rows

    named = dict(zip(("student", "teacher"), pair.recommenders, strict=True))
    return Distillation(
        manifest=pair.bundle.manifest,
        dataset=dataset.name,
        split=found["split"],
        part=found["part"],
        users=found["users"],
        figures={metric: (found["student"][metric], found["teacher"][metric]) for metric in _METRICS},
        ratios={metric: (found["ratio"][metric], *found["interval"][metric]) for metric in _METRICS},
        items_per_s=(found["student_items_per_s"], found["teacher_items_per_s"]),
        items=found["items_encoded"],
        agreement=alike,
        shown=user_rows(named, pair.cases, dataset),
    )


def _quality(own: Result, other: Result, config: EvaluateConfig) -> dict[str, Any]:
    """Figures of student and teacher on the same cases, and how the first stands to the second."""
    from trifocal.evaluate.ratio import mean_ratio

    student, teacher = own.metrics, other.metrics
    found: dict[str, Any] = {"student": {}, "teacher": {}, "ratio": {}, "interval": {}}
    for metric in _METRICS:
        ratio = mean_ratio(student[metric], teacher[metric], samples=config.bootstrap_samples, seed=config.seed)
        found["student"][metric] = round(float(student[metric].mean()), 6)
        found["teacher"][metric] = round(float(teacher[metric].mean()), 6)
        found["ratio"][metric] = round(ratio.mean, 4)
        found["interval"][metric] = [round(ratio.low, 4), round(ratio.high, 4)]
    return found


def _speed(speeds: Sequence[EncodingSpeed]) -> dict[str, Any]:
    student, teacher = speeds
    return {
        "items_encoded": student.items,
        "student_items_per_s": round(student.items_per_s, 2),
        "teacher_items_per_s": round(teacher.items_per_s, 2),
        "speed_ratio": round(student.items_per_s / teacher.items_per_s, 3),
    }


def _table(found: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title=f"{found['split']} · {found['part']} · {found['users']:,} users")
    for name in ("", "student", "teacher", "student / teacher"):
        table.add_column(name, justify="right" if name else "left")
    for metric in _METRICS:
        low, high = found["interval"][metric]
        own, other = (f"{found[name][metric]:.4f}" for name in ("student", "teacher"))
        table.add_row(metric, own, other, f"{found['ratio'][metric]:.3f} ({low:.3f} to {high:.3f})")
    own, other = (f"{found[f'{name}_items_per_s']:.1f}" for name in ("student", "teacher"))
    table.add_row("items encoded / s of a core", own, other, f"{found['speed_ratio']:.2f}")
    return table
