"""Settings of serving. Imports nothing of this stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trifocal.index.config import IndexConfig
from trifocal.serve.access_config import AccessConfig
from trifocal.serve.caches.config import CacheConfig
from trifocal.serve.experiment.config import ExperimentConfig, ExplorationConfig
from trifocal.serve.live.config import LiveConfig
from trifocal.serve.storefront.config import StorefrontConfig
from trifocal.serve.watch.config import WatchConfig

__all__ = ["ServeConfig"]


class ServeConfig(BaseModel):
    """How requests are answered. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: str = Field(default="main", min_length=1, max_length=50)
    """Name that answers carry, to tell served variants apart."""
    precision: Literal["auto", "float32", "int8"] = "auto"
    """Of user tower and ranker; auto = int8 where it is faster on this machine."""
    limit_ms: float = Field(default=250.0, gt=0)
    """Time of a question, after which a cheaper rung of the ladder answers."""
    batch_size: int = Field(default=16, ge=1, le=1024)
    """Questions that are answered in one go at most."""
    batch_wait_us: int = Field(default=500, ge=0)
    """Longest wait for a batch to fill, and only where the one before held several; 0 = never."""
    queue: int = Field(default=128, ge=1)
    """Questions that may wait or run; a further one is refused with 429 at once."""
    queue_ms: float = Field(default=250.0, gt=0)
    """Expected wait above which a question is refused with 429 at once, by what questions took lately."""
    overloaded_queue_ms: float = Field(default=4.0, gt=0)
    """Likewise while too much comes, which is for a second after each refusal: as many are answered, and sooner."""
    drain_s: float = Field(default=1.0, ge=0, le=60)
    """From the stop signal on: how long the service still answers, no longer ready, before it takes nothing new."""
    threads: int = Field(default=2, ge=1)
    """Threads for everything else: searches, events, pages."""
    retention_days: float = Field(default=0.0, ge=0)
    """Live events that are older are deleted, at the start and daily; 0 = all are kept."""
    explain: bool = True
    """Whether answers can be explained where it is asked for; nothing of it is loaded before."""
    explain_ms: float = Field(default=2000.0, gt=0)
    """Time of the explanations of an answer, after which it is given without them."""
    explain_threads: int = Field(default=1, ge=1)
    """Answers that are explained at a time, each in a thread of its own."""
    explain_queue: int = Field(default=8, ge=1)
    """Answers whose explanations may run or wait; a further one is given without."""
    explain_warm: bool = False
    """Load what explains right after the service is ready, not at the first question."""
    explain_bytes: int = Field(default=16 * 1024 * 1024, ge=0)
    """Memory for explanations that were given; 0 = none is kept."""
    explain_token_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    """Memory for texts and pictures that were encoded to be explained."""
    explain_features: str = ""
    """Folder of encoded texts and pictures, as `trifocal train` leaves it (`--cache`); empty = encoded when asked."""
    access: AccessConfig = AccessConfig()
    """Who may ask, and how much."""
    index: IndexConfig = IndexConfig()
    """The index over item vectors."""
    live: LiveConfig = LiveConfig()
    """What changes while the service runs."""
    caches: CacheConfig = CacheConfig()
    """What is kept between requests."""
    watch: WatchConfig = WatchConfig()
    """How the service watches itself."""
    exploration: ExplorationConfig = ExplorationConfig()
    """The place of a list that is left to chance."""
    experiment: ExperimentConfig = ExperimentConfig()
    """Variants that are compared on live shoppers."""
    storefront: StorefrontConfig = StorefrontConfig()
    """What the pages show."""
