"""What an experiment in the running server may be told. Imports nothing of this stage."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ExperimentConfig", "ExplorationConfig", "GuardRailConfig", "VariantConfig"]

_SHARE_SUM_TOLERANCE = 1e-6


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ExplorationConfig(_Section):
    """One place of the list that is left to chance now and then. Stability: full."""

    share: float = Field(default=0.0, ge=0, le=1)
    """Share of the answers whose slot holds an item drawn from those behind the list; 0 = none."""
    slot: int = Field(default=5, ge=1, le=100)
    """Place of the slot, 1 = first; a shorter list has none."""
    among: int = Field(default=20, ge=1, le=200)
    """Items behind the list that are drawn from, each with the same chance."""


class VariantConfig(_Section):
    """One of the things that are compared. Stability: full."""

    name: str = Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """As answers and events say it."""
    share: float = Field(gt=0, le=1)
    """Share of the shoppers that get it; all shares sum to 1."""
    model: Literal["bundle", "als", "popular"] = "bundle"
    """bundle = a trained model; als = matrix factorisation, fitted at the start; popular = the same for everybody."""
    bundle: str = ""
    """Folder of another bundle; empty = the one that serves."""
    diversity: float | None = Field(default=None, ge=0, le=1)
    """Of answers to requests that ask for none; missing = none."""
    exploration: ExplorationConfig | None = None
    """Of this variant; missing = as `serve.exploration`."""

    @model_validator(mode="after")
    def _only_a_bundle_has_a_folder(self) -> VariantConfig:
        if self.bundle and self.model != "bundle":
            raise ValueError(
                f"variant {self.name!r} of model {self.model!r} names the bundle {self.bundle!r}; drop one"
            )
        return self


class GuardRailConfig(_Section):
    """How much worse than the control a variant may be before it is stopped. Stability: full."""

    metric: Literal["ctr", "conversion"] = "ctr"
    """ctr = clicks an impression; conversion = share of the shoppers who bought."""
    tolerated: float = Field(default=0.1, ge=0, lt=1)
    """Share of the control's figure that may be lost: .1 = a variant goes once it surely loses more than a tenth."""
    alpha: float = Field(default=0.01, gt=0, lt=1)
    """Chance that a variant which loses just that is ever stopped, however often one looks."""


class ExperimentConfig(_Section):
    """Variants that are compared on live shoppers; without any there is no experiment. Stability: full."""

    name: str = Field(default="", max_length=100)
    """Of the experiment; another name begins another one, with nobody stopped."""
    salt: str = Field(default="", max_length=100)
    """Another salt assigns every shopper anew."""
    variants: tuple[VariantConfig, ...] = Field(default=(), max_length=10)
    """What is compared; the first is the control, which the others are measured against."""
    guard_rails: tuple[GuardRailConfig, ...] = (GuardRailConfig(),)
    """Each stops a variant by itself."""
    planned_shoppers: int = Field(default=2000, ge=1)
    """Shoppers of two variants together at which the intervals are to be tightest; they hold at any number."""
    notes_file: str = ""
    """Keeps who was stopped over a restart; empty = beside the SQLite file of --events, else in memory."""
    check_s: float = Field(default=10.0, gt=0)
    """How often the guard rails look."""

    @model_validator(mode="after")
    def _variants_fit(self) -> ExperimentConfig:
        if not self.variants:
            return self
        names = [variant.name for variant in self.variants]
        if not self.name:
            raise ValueError(f"an experiment of the variants {', '.join(names)} has no name; give it one")
        if len(names) < 2 or len(set(names)) < len(names):
            raise ValueError(f"the variants {', '.join(names)} must be two or more with different names")
        total = math.fsum(variant.share for variant in self.variants)
        if abs(total - 1) > _SHARE_SUM_TOLERANCE:
            raise ValueError(f"the shares of {', '.join(names)} sum to {total:g}, they must sum to 1")
        return self
