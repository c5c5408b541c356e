"""The small shop with an experiment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.serve.small_service import small_service

from trifocal.ports import EventStore
from trifocal.serve import ServeConfig, Service
from trifocal.serve.experiment.config import ExperimentConfig, GuardRailConfig, VariantConfig

CONTROL = VariantConfig(name="control", share=0.5)
ALS = VariantConfig(name="als", share=0.5, model="als")
POPULAR = VariantConfig(name="popular", share=0.5, model="popular")


def experiment(*variants: VariantConfig, **changes: Any) -> ExperimentConfig:
    """Return an experiment of `variants`, by default model against popularity, that looks seldom by itself."""
    values = {"guard_rails": (GuardRailConfig(),), "check_s": 600.0, **changes}
    return ExperimentConfig(name="spring", variants=variants or (CONTROL, POPULAR), **values)


def service_of(folder: Path, config: ExperimentConfig, *, store: EventStore | None = None, **changes: Any) -> Service:
    """Return the small service with the experiment; other settings of `serve` as given."""
    return small_service(folder, store=store, config=ServeConfig(experiment=config, limit_ms=60_000, **changes))


def names(count: int) -> list[str]:
    """Return ids of shoppers that nobody knows."""
    return [f"shopper-{number}" for number in range(count)]


def shoppers_of(variant: Callable[[str], str], wanted: str, among: Sequence[str]) -> list[str]:
    """Return those of `among` who get the variant `wanted`."""
    return [shopper for shopper in among if variant(shopper) == wanted]
