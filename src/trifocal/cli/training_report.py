"""The page beside a trained bundle: `RUN/<model>/report.html`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trifocal.bundle import Manifest, read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.cli.origin import origin
from trifocal.data.cases import build_cases
from trifocal.features.items import FeatureState
from trifocal.report import write_report
from trifocal.train.pipeline import Job, variant_config
from trifocal.train.report import Training, training_page
from trifocal.train.report_values import changed_settings, log_rows, user_rows

__all__ = ["write_training_report"]


def write_training_report(job: Job, name: str, manifest: Manifest, seconds: Mapping[str, float]) -> Path:
    """Write the page of the training of `name` and return where it lies.

    Args:
        job: what was trained.
        name: of the variant.
        manifest: of the bundle that came of it.
        seconds: stage -> seconds of the clock, of what was done before the training.
    """
    folder = job.folder / name
    bundle = read_bundle(folder / "bundle")
    context = FeatureState.from_json(bundle.contents.feature_state).context
    # Users are shown on events that the model has not learned from.
    cases = build_cases(job.split, "test" if job.refit else "validation", job.dataset.vocabulary(), context)
    model = variant_config(name, job.model)
    training = Training(
        manifest=manifest,
        dataset=job.dataset.name,
        config=job.train,
        text_layers=model.text_trainable_layers,
        alignment=log_rows(folder / "checkpoints" / "align.jsonl"),
        seconds=seconds,
        changed=changed_settings({"features": job.features, "model": model, "train": job.train}),
        users=user_rows({name: load_recommender(bundle)}, cases, job.dataset),
    )
    page = folder / "report.html"
    write_report(page, training_page(training, origin()))
    return page
