"""Part `catalogue`: the data set, Trifocal's bundle and the rival's matrices that the other parts serve.

```
FOLDER/dataset/            items.parquet, events.parquet: as `trifocal data import` writes
      /bundle/             what `trifocal serve` reads
      /als/                what benchmarks.latency.als_service reads
```
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from benchmarks.latency.generated import Interactions, draw_interactions, event_table, item_table
from benchmarks.latency.network_bundle import interaction_matrix, write_network_bundle
from benchmarks.latency.plan import Setting, Sizes
from benchmarks.table.figures import Goal, Measured
from scipy.sparse import save_npz

from trifocal import columns as c
from trifocal.data.dataset import Dataset, write_dataset

__all__ = ["FACTORS", "GOALS", "make_bundle", "measure", "user_ids"]

GOALS: tuple[Goal, ...] = ()
FACTORS = 128
_DATA_SEED, _BUNDLE_SEED, _ALS_SEED = 0, 1, 2


def measure(setting: Setting) -> Measured:
    """Make the catalogue anew and say how large it is."""
    started = time.perf_counter()
    folder = setting.catalogue
    dataset, found = _dataset(setting.sizes, setting.data, folder / "dataset")
    manifest = write_network_bundle(
        dataset, found, setting.sizes, folder / "bundle", np.random.default_rng(_BUNDLE_SEED)
    )
    _write_als(dataset, found, setting.sizes, folder / "als")
    values = {
        "items": float(dataset.items.height),
        "users": float(setting.sizes.users),
        "events": float(dataset.events.height),
        "bundle on disk": sum(entry.bytes for entry in manifest.files.values()) / 2**20,
        "time to make it": time.perf_counter() - started,
    }
    notes = {"items": "texts of hm-week" if setting.data else "generated texts; weights and vectors are made up"}
    return Measured(values, notes, {"bundle on disk": "MiB", "time to make it": "s"})


def make_bundle(sizes: Sizes, folder: Path, *, force: bool) -> list[str]:
    """Write a bundle of generated items to `folder`/bundle, unless it is there or with `force`; return its users."""
    if force or not (folder / "bundle" / "manifest.json").is_file():
        dataset, found = _dataset(sizes, None, folder / "dataset")
        write_network_bundle(dataset, found, sizes, folder / "bundle", np.random.default_rng(_BUNDLE_SEED))
    return user_ids(sizes.users)


def user_ids(count: int) -> list[str]:
    """Return the ids of the catalogue's users, in the order of their rows."""
    return [f"user-{row:06d}" for row in range(count)]


def _dataset(sizes: Sizes, data: Path | None, folder: Path) -> tuple[Dataset, Interactions]:
    rng = np.random.default_rng(_DATA_SEED)
    items = item_table(sizes.items, data, rng)
    found = draw_interactions(sizes.items, sizes.users, rng)
    events = event_table(found, items[c.ITEM_ID].to_list(), user_ids(sizes.users), rng)
    image_root = folder / "images" if data is None else data / "hm-week" / "images"
    dataset = Dataset(f"latency-{sizes.items}", items, events, image_root)
    write_dataset(dataset, folder)
    return dataset, found


def _write_als(dataset: Dataset, found: Interactions, sizes: Sizes, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(_ALS_SEED)
    for name, rows in (("user_factors", sizes.users), ("item_factors", sizes.items)):
        np.save(folder / f"{name}.npy", rng.standard_normal((rows, FACTORS), dtype=np.float32) * np.float32(0.1))
    save_npz(folder / "user_items.npz", interaction_matrix(found))
    ids = {"items": dataset.items[c.ITEM_ID].to_list(), "users": user_ids(sizes.users)}
    (folder / "ids.json").write_text(json.dumps(ids), encoding="utf-8")
