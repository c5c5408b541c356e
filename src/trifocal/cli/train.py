"""`trifocal train`: data set -> run folder with one bundle a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trifocal.train.config import TrainConfig

__all__ = ["train"]


def train(
    dataset: Annotated[Path, typer.Argument(help="Data set folder, from `data import` or `shop generate`.")],
    run: Annotated[Path, typer.Argument(help="Run folder; made, or gone on with after a kill.")],
    models: Annotated[str, typer.Option(help="Models to train, of trifocal, text, image, ids.")] = "trifocal",
    split: Annotated[str, typer.Option(help="Name of the split; see docs/guides/evaluate.md.")] = "time",
    parts: Annotated[Path | None, typer.Option(help="File that prescribes the split; else TRIFOCAL_DATA.")] = None,
    events: Annotated[
        str | None, typer.Option(help="Event store: its events and items join, without forgotten users.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Pictures of live items, where the store is a server.")] = None,
    refit: Annotated[bool, typer.Option(help="Train again on train + validation, for the best epochs.")] = False,
    exclude: Annotated[
        Path | None, typer.Option(help="audit.parquet, or a file of item ids: their pictures are left out.")
    ] = None,
    exclude_kinds: Annotated[
        str | None, typer.Option(help="Findings of the audit that count; default: train.exclude_kinds.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML over the defaults; see configs/default.toml.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Token features; default: RUN/../features.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 = all.")] = 0,
) -> None:
    """Encode the catalogue, train, and write a bundle for each model, with a page about it beside: `report.html`.

    Examples:

        trifocal train shop runs/shop

        trifocal train shop runs/shop --models trifocal,text,image --config configs/shop.toml

        trifocal train hm runs/hm --split hm-random --parts data/hm-week/hm-random.parquet --refit

        trifocal train shop runs/shop --exclude runs/audit/audit.parquet
    """
    import time

    import torch
    from rich.console import Console

    from trifocal import columns as c
    from trifocal.cli.live import with_live
    from trifocal.cli.training_report import write_training_report
    from trifocal.data.cases import build_cases
    from trifocal.data.named_splits import named_split
    from trifocal.data.pictures import without_pictures
    from trifocal.data.splits import restrict
    from trifocal.evaluate.protocol import CasesValidator
    from trifocal.settings import load_settings
    from trifocal.train.pipeline import Job, train_bundle, variant_config
    from trifocal.train.prepare import prepare_training
    from trifocal.train.processes import first_then_others, training_processes
    from trifocal.train.run import require_masked_text

    settings = load_settings(config)
    names = [name.strip() for name in models.split(",")]
    for name in names:
        require_masked_text(variant_config(name, settings.model), settings.train)
    if threads:
        torch.set_num_threads(threads)
    excluded = _excluded(exclude, exclude_kinds, settings.train)
    whole = with_live(dataset, events, pictures).dataset
    if exclude is not None:
        excluded &= frozenset(whole.items[c.ITEM_ID].to_list())
        typer.echo(f"{len(excluded):,} pictures are left out, as {exclude} says", err=True)
        whole = without_pictures(whole, excluded)
    chosen = named_split(whole, split, parts)
    data_set = restrict(whole, chosen)
    job = Job(
        data_set,
        chosen,
        settings.features,
        settings.model,
        settings.train,
        run,
        cache or run.parent / "features",
        refit,
        tuple(sorted(excluded)),
    )
    layers = settings.model.text_trainable_layers
    console, started = Console(), time.perf_counter()
    with training_processes(settings.train.device) as place:
        data = first_then_others(
            lambda: prepare_training(data_set, chosen, settings.features, job.cache_folder, trainable_layers=layers)
        )
        prepared = {"data, tokens and features": time.perf_counter() - started}
        cases = build_cases(chosen, "validation", data_set.vocabulary(), data.state.context)
        validator = CasesValidator(cases.sample(settings.train.validation_users))
        for name in names:
            manifest = train_bundle(job, name, data, validator)
            if place.first:
                figures, page = manifest.metrics, write_training_report(job, name, manifest, prepared)
                console.print(
                    f"[bold]{name}[/]: validation {settings.train.metric} {figures['validation']:.4f} after epoch "
                    f"{figures['best_epoch']}, {figures['train_seconds']:.0f} s -> {run / name / 'bundle'}"
                    f"; {page}"
                )


def _excluded(path: Path | None, kinds: str | None, config: TrainConfig) -> frozenset[str]:
    """Return the ids of the items whose picture is left out."""
    if path is None:
        return frozenset()
    from trifocal.audit.exclude import excluded_items
    from trifocal.audit.finding import kinds_named

    return excluded_items(path, config.exclude_kinds if kinds is None else kinds_named(kinds))
