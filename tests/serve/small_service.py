"""The service of the small bundle, with fakes where they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.bundle.small_bundle import WordEncoder, small_contents

from trifocal.bundle import Bundle, read_bundle, write_bundle
from trifocal.feedback import MemoryEventStore
from trifocal.ports import EventStore
from trifocal.serve import Engine, ServeConfig, Service, build_service
from trifocal.serve.queries import PooledEncoder

NOW_S = 1_000.0


def small_bundle(folder: Path, image_root: Path | None = None) -> Bundle:
    """Write the small bundle under `folder` and read it back."""
    write_bundle(small_contents(image_root or folder / "pictures"), folder / "bundle")
    return read_bundle(folder / "bundle")


def small_service(
    folder: Path,
    *,
    store: EventStore | None = None,
    engine: Engine | None = None,
    encoder: Callable[[], PooledEncoder] = WordEncoder,
    config: ServeConfig | None = None,
) -> Service:
    """Return the service of the small bundle; its clock stands at `NOW_S`."""
    return build_service(
        small_bundle(folder),
        store or MemoryEventStore(),
        engine=engine,
        encoder=encoder,
        config=config,
        clock=lambda: NOW_S,
    )
