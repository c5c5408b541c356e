"""All stages' settings in one value: defaults, then a TOML file, then the environment; every fault in one error.

A variable `TRIFOCAL_<STAGE>__<KEY>` sets a key: `TRIFOCAL_TRAIN__EPOCHS=5`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from trifocal.audit.config import AuditConfig
from trifocal.errors import ConfigError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.explain.config import ExplainConfig
from trifocal.features.config import FeaturesConfig
from trifocal.feedback.config import SatisfactionConfig
from trifocal.model.config import ModelConfig
from trifocal.serve.config import ServeConfig
from trifocal.train.config import TrainConfig
from trifocal.train.distill_config import DistillConfig
from trifocal.train.update_config import UpdateConfig

__all__ = ["Settings", "load_settings"]

_PREFIX = "TRIFOCAL_"
_SECRET = {"keys", "shared_url"}


class Settings(BaseSettings):
    """One section a stage; `configs/default.toml` shows every key. Stability: full."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=_PREFIX, env_nested_delimiter="__", use_attribute_docstrings=True
    )

    features: FeaturesConfig = FeaturesConfig()
    """Frozen encoders and coded attributes."""
    model: ModelConfig = ModelConfig()
    """Towers and ranker."""
    train: TrainConfig = TrainConfig()
    """Losses, optimiser, schedule."""
    distill: DistillConfig = DistillConfig()
    """What a student is made of, and how it listens to its teacher."""
    update: UpdateConfig = UpdateConfig()
    """How a served bundle learns on."""
    evaluate: EvaluateConfig = EvaluateConfig()
    """Metrics and report."""
    audit: AuditConfig = AuditConfig()
    """When something about a product is a finding."""
    satisfaction: SatisfactionConfig = SatisfactionConfig()
    """How the satisfaction of a session is put together."""
    explain: ExplainConfig = ExplainConfig()
    """How closely a score is taken apart."""
    serve: ServeConfig = ServeConfig()
    """Limits, batches, index and caches of the service."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment stands above the file, which comes in as the initial values."""
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of the TOML file at `path` over the defaults, and the environment over both.

    Raises:
        ConfigError: naming every unknown key and every value out of bounds.
    """
    try:
        return Settings(**_sections(path))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}{_met(f)}" for f in error.errors())
        raise ConfigError(f"{path or 'the environment'} holds settings that cannot be used: {faults}") from error


def _met(fault: ErrorDetails) -> str:
    # What stands in the place of a secret may be one.
    return "" if _SECRET & {str(part) for part in fault["loc"]} else f" (got {fault['input']!r})"


def _sections(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no settings file {path}; see configs/default.toml for every key") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
