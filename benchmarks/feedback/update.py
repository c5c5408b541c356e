"""Part `update`: a bundle that learns on after a month of new events and new items, against one trained anew.

The shop's last day is T. The old bundle knows what happened before T-37; update and full training have all before T-7;
the questions are those of the week T-7..T, asked of all three with the same histories. Both trainings hold out
their newest days (update.held_out_days). Token features are encoded before, for both; everything else counts, from
reading the data to the written bundle, in processor seconds of one thread: other work on the machine bears less on
them than on the clock.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import torch
from benchmarks.feedback.live_world import shop_folder
from benchmarks.feedback.plan import Setting
from benchmarks.latency.plan import ROOT
from benchmarks.table.figures import Goal, Measured
from benchmarks.table.store import stored_or

from trifocal import columns as c
from trifocal.bundle import Bundle, read_bundle
from trifocal.cli.updating import known_rows, run_update, serving_in
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import Dataset, read_dataset
from trifocal.data.splits import cut_split
from trifocal.errors import DataError
from trifocal.evaluate.gate import Compared, compared_on, of_items
from trifocal.evaluate.protocol import CasesValidator
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.items import FeatureState, encode_catalogue
from trifocal.settings import Settings, load_settings
from trifocal.train.pipeline import Job, train_bundle
from trifocal.train.prepare import prepare_training
from trifocal.train.update import Update

__all__ = ["GOALS", "SIZES", "measure", "update_figures"]

SIZES = ("products", "shoppers", "update_epochs")
_GAIN = "nDCG@10, updated - old, lower end of the interval"
_SHARE = "time of the update / of a full training"
GOALS = (Goal(_GAIN, "", 0.0, "at least"), Goal(_SHARE, "x", 0.25))
_OLD_DAYS, _NEW_DAYS = 37, 7


@dataclass(frozen=True)
class _World:
    """The shop, its settings, and where the work goes."""

    shop: Path
    settings: Settings
    folder: Path
    end: datetime

    @property
    def cache(self) -> Path:
        return self.folder / "features"

    def before(self, days: int) -> Dataset:
        """The shop as it was so many days before its end: later items and events are not there."""
        whole, moment = read_dataset(self.shop), self.end - timedelta(days=days)
        created = pl.col(c.CREATED_AT)
        items = whole.items.filter(created.is_null() | (created < moment))
        known = pl.col(c.ITEM_ID).is_in(items[c.ITEM_ID].implode())
        return replace(whole, items=items, events=whole.events.filter((pl.col(c.TIMESTAMP) < moment) & known))


def measure(setting: Setting) -> Measured:
    """Train the old bundle, update it, train anew, and ask all three about the last week."""
    torch.set_num_threads(1)
    world = _world(setting)
    old = world.folder / "old"
    if not (old / "trifocal" / "bundle" / "manifest.json").is_file():
        _train(world, _OLD_DAYS, old)
    full = _timed(setting, world, "full", lambda folder: _train(world, _NEW_DAYS, folder))
    update = _timed(setting, world, "updated", lambda folder: _update(world, old, folder))
    places = ("updated/bundle", "old/trifocal/bundle", "full/trifocal/bundle")
    updated, before, anew = (read_bundle(world.folder / place) for place in places)
    return update_figures(_compared(world, updated, before, anew), update, full)


def update_figures(compared: dict[str, Compared], update: dict[str, float], full: dict[str, float]) -> Measured:
    """Return the figures of what was `compared` (all, old items, full) and of the seconds that both took."""
    whole, known, anew = compared["all"], compared["old items"], compared["full"]
    values = {
        _GAIN: whole.low,
        _SHARE: update["cpu_s"] / full["cpu_s"],
        "nDCG@10, updated": whole.updated,
        "nDCG@10, old": whole.serving,
        "nDCG@10, full training": anew.serving,
        "nDCG@10, updated - old, old items alone": known.gap,
        "update": update["cpu_s"],
        "full training": full["cpu_s"],
    }
    notes = {
        _GAIN: f"{whole.gap:+.4f} ({whole.low:+.4f} to {whole.high:+.4f}), {whole.cases:,} users; the old bundle "
        "misses every new item",
        _SHARE: "processor seconds of one thread, from data to bundle, features encoded before; "
        f"by the clock {update['wall_s'] / full['wall_s']:.2f}",
        "nDCG@10, full training": f"updated - full {anew.gap:+.4f} ({anew.low:+.4f} to {anew.high:+.4f})",
        "nDCG@10, updated - old, old items alone": f"{known.low:+.4f} to {known.high:+.4f}, {known.cases:,} users",
    }
    units = {"update": "s", "full training": "s"}
    detail: dict[str, object] = {name: one.to_json() for name, one in compared.items()}
    return Measured(values, notes, units, detail | {"update": update, "full training": full})


def _world(setting: Setting) -> _World:
    shop = shop_folder(setting)
    settings = load_settings(ROOT / "configs" / "shop.toml")
    epochs = setting.sizes.update_epochs
    train = settings.train.model_copy(update={"epochs": epochs})
    whole = read_dataset(shop)
    newest = whole.events[c.TIMESTAMP].max()
    if not isinstance(newest, datetime):
        raise DataError(f"{shop} has no event with a time; generate it again")
    world = _World(shop, settings.model_copy(update={"train": train}), setting.out / "update", newest)
    _encode(world, whole)
    return world


def _encode(world: _World, whole: Dataset) -> None:
    """Encode every item, so that neither training has to."""
    features = world.settings.features
    attributes = AttributeEncoder.fit(
        whole.items, price_buckets=features.price_buckets, max_values=features.max_attribute_values
    )
    encode_catalogue(whole.items, whole.image_root, attributes, features, world.cache)


def _timed(setting: Setting, world: _World, name: str, work: Callable[[Path], None]) -> dict[str, float]:
    """Do `work` in one go, or take the seconds that it took before: a training gone on with has no time of its own."""
    folder = world.folder / name

    def measured() -> Measured:
        shutil.rmtree(folder, ignore_errors=True)
        clock, processor = time.perf_counter(), time.process_time()
        work(folder)
        return Measured({"wall_s": time.perf_counter() - clock, "cpu_s": time.process_time() - processor})

    path = world.folder / f"{name}.json"
    found = stored_or(path, setting.key(SIZES), measured, force=setting.force or not folder.is_dir())
    return dict(found.values)


def _train(world: _World, days: int, folder: Path) -> None:
    """Train as `trifocal train` does, the newest days being the validation part."""
    settings, dataset = world.settings, world.before(days)
    end = world.end - timedelta(days=days)
    split = cut_split(dataset, "newest", end - timedelta(days=settings.update.held_out_days), end)
    data = prepare_training(dataset, split, settings.features, world.cache)
    cases = build_cases(split, "validation", dataset.vocabulary(), data.state.context)
    job = Job(dataset, split, settings.features, settings.model, settings.train, folder, world.cache)
    train_bundle(job, "trifocal", data, CasesValidator(cases.sample(settings.train.validation_users)))


def _update(world: _World, old: Path, folder: Path) -> None:
    settings, bundle = world.settings, read_bundle(old / "trifocal" / "bundle")
    dataset = world.before(_NEW_DAYS)
    update = Update(bundle, dataset, settings.train, settings.update, folder / "checkpoints", world.cache)
    run_update(update, settings.evaluate, folder)


def _compared(world: _World, updated: Bundle, old: Bundle, full: Bundle) -> dict[str, Compared]:
    """The updated bundle beside the old one, on all items and on old ones; then beside the one trained anew."""
    items = updated.contents.items
    end = world.end - timedelta(days=_NEW_DAYS)
    whole = read_dataset(world.shop)
    split = cut_split(replace(whole, items=items), "week", end - timedelta(days=1), end)
    vocabulary = replace(whole, items=items).vocabulary()
    state = FeatureState.from_json(updated.contents.feature_state)
    cases = build_cases(split, "test", vocabulary, state.context)
    known = of_items(cases, known_rows(old, vocabulary), len(vocabulary))
    asked: tuple[tuple[str, Bundle, Cases], ...] = (
        ("all", old, cases),
        ("old items", old, known),
        ("full", full, cases),
    )
    config, own = world.settings.evaluate, serving_in(updated, vocabulary, state)
    return {
        name: compared_on(own, serving_in(other, vocabulary, state), questions, config)
        for name, other, questions in asked
    }
