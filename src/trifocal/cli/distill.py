"""`trifocal distill`: a trained bundle -> a student that is cheap to encode, and what both are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from trifocal.data.cases import Cases
    from trifocal.evaluate.config import EvaluateConfig
    from trifocal.ports import Recommender
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

    Examples:

        trifocal distill runs/models shop runs/models --config configs/shop.toml

        trifocal distill runs/hm/trifocal/bundle hm runs/hm --split hm-random --refit --config configs/hm.toml
    """
    import json

    import torch
    from rich.console import Console

    from trifocal.bundle import read_bundle
    from trifocal.data.dataset import read_dataset
    from trifocal.data.named_splits import named_split
    from trifocal.data.splits import restrict
    from trifocal.evaluate.protocol import CasesValidator
    from trifocal.settings import load_settings
    from trifocal.train.distill import Lesson, bundle_folder, distill_bundle
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
    found = {
        "split": chosen.name,
        "part": "test" if refit else "validation",
        "users": len(pair.cases),
        **_quality(pair.recommenders, pair.cases, settings.evaluate),
        **_speed(speeds),
    }
    console = Console(soft_wrap=True, highlight=False)
    console.print(_table(found))
    console.print(f"student: {pair.bundle.folder}")
    typer.echo(json.dumps(found))


def _quality(pair: Sequence[Recommender], cases: Cases, config: EvaluateConfig) -> dict[str, Any]:
    """Figures of student and teacher on the same cases, and how the first stands to the second."""
    from trifocal.evaluate.protocol import evaluate
    from trifocal.evaluate.ratio import mean_ratio

    student, teacher = (evaluate(recommender, cases, config.k, config.batch).metrics for recommender in pair)
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
