"""Part `faithfulness`: do the words and cells that an explanation names move the score more than others would?

For user-item pairs of the test questions, each item the first of the answer that has text and picture: its words are
taken out and its cells painted over, apart and together, in the order of the explanation, in that of the Transformer's
attention, and by chance; each time the item is encoded anew and scored by the whole model. Reported are the differences
of the areas under the curves (`curves`), paired, with 95 % bootstrap intervals over the pairs. Goes on where it was
stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from benchmarks.explain.altered import with_cells, with_features, with_words
from benchmarks.explain.curves import Numbers, area, deleted, inserted, order_of
from benchmarks.explain.opened import Opened, opened
from benchmarks.explain.plan import Setting
from benchmarks.explain.world import world
from benchmarks.table.figures import Goal, Measured

from trifocal.batch import ItemBatch
from trifocal.evaluate.significance import Interval, interval, resampled_means
from trifocal.progress import progress_bar
from trifocal.types import BoolArray, FloatArray, IntArray, Request

__all__ = ["GOALS", "SIZES", "measure", "pair_areas"]

SIZES = ("pairs", "products", "shoppers")
_KINDS = ("words", "cells", "words and cells", "features of cells")
_DELETION, _INSERTION = "{}: deletion, chance - explanation", "{}: insertion, explanation - chance"
# What is shown; what the encoder gave for the cells stands beside in the table.
_JUDGED = ("words and cells", "words", "cells")
GOALS = tuple(
    Goal(f"{name.format(kind)}, lower end", "", 0.0, "at least") for kind in _JUDGED for name in (_DELETION, _INSERTION)
)
_SEED = 20


def measure(setting: Setting) -> Measured:
    """Return the areas' differences; pairs that are done lie in the work folder."""
    found = opened(world(setting), setting.sizes.pairs, _SEED)
    # Networks this small are computed sooner by one thread than shared out; the picture encoder has its own.
    torch.set_num_threads(1)
    lines = list(_stored(setting, found))
    values, notes = dict[str, float](), dict[str, str]()
    for kind in _KINDS:
        for name, difference in _differences(lines, kind).items():
            values[f"{name}, lower end"] = difference.low
            values[name] = difference.mean
            notes[name] = f"[{difference.low:.4f}, {difference.high:.4f}], {len(lines):,} pairs"
    errors = np.array([line["completeness_error"] for line in lines])
    values["completeness error, median"] = float(np.median(errors))
    values["completeness error, 95th percentile"] = float(np.quantile(errors, 0.95))
    return Measured(values, notes, detail={"areas": _means(lines), "about": found.about})


def pair_areas(found: Opened, request: Request, item_row: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the area of each kind, direction and order, by name, and the completeness error."""
    item, text, picture = found.content.batch(np.array([item_row])), found.text(item_row), found.picture(item_row)
    weights, error = found.weights(request, item_row)
    attention = found.attention(item, item_row)
    words, score = len(text.words), _scorer(found, request, item_row)
    neutral = found.scorer.of(request, np.array([item_row])).neutral_cell

    def written(kept: BoolArray) -> ItemBatch:
        return with_words(item, text, kept, found.encoders)

    def painted(kept: BoolArray) -> ItemBatch:
        return with_cells(item, picture, kept, found.encoders)

    def both(kept: BoolArray) -> ItemBatch:
        return replace(written(kept[:, :words]), image=painted(kept[:, words:]).image)

    def hidden(kept: BoolArray) -> ItemBatch:
        return with_features(item, kept, neutral)

    areas = {"completeness_error": error}
    for kind, make in zip(_KINDS, (written, painted, both, hidden), strict=True):
        chance = rng.permutation(len(weights[kind]))
        orders = {"explanation": order_of(weights[kind]), "attention": order_of(attention[kind]), "chance": chance}
        areas |= {f"{kind} {name}": value for name, value in _areas(orders, make, score).items()}
    return areas


def _areas(
    orders: Mapping[str, IntArray], make: Callable[[BoolArray], ItemBatch], score: Callable[[ItemBatch], FloatArray]
) -> dict[str, float]:
    """Areas by direction and order; equal variants are encoded once."""
    wanted = {
        (way, name): masks(order)
        for name, order in orders.items()
        for way, masks in (("deletion", deleted), ("insertion", inserted))
    }
    every = np.concatenate(list(wanted.values()))
    distinct, places = np.unique(every, axis=0, return_inverse=True)
    scores = score(make(distinct))[places.reshape(-1)].reshape(len(wanted), -1).astype(np.float64)
    return {f"{way} {name}": area(line) for (way, name), line in zip(wanted, scores, strict=True)}


def _scorer(found: Opened, request: Request, item_row: int) -> Callable[[ItemBatch], FloatArray]:
    def score(items: ItemBatch) -> FloatArray:
        return found.scorer.of(request, np.full(len(items), item_row)).scores(items)

    return score


def _stored(setting: Setting, found: Opened) -> Iterator[dict[str, float]]:
    """The lines of all pairs, in order; those that an earlier run finished are read."""
    path = setting.out / "faithfulness.jsonl"
    done = _lines(path, found.about) if path.is_file() and not setting.force else []
    yield from done
    rng = np.random.default_rng(_SEED)
    if not done:
        path.write_text(json.dumps(found.about) + "\n")
    with progress_bar("pairs", len(found.pairs)) as bar, path.open("a") as file:
        for place, (request, row) in enumerate(found.pairs):
            chance = np.random.default_rng(rng.integers(2**32))
            if place >= len(done):
                line = pair_areas(found, request, row, chance)
                file.write(json.dumps(line) + "\n")
                file.flush()
                yield line
            bar.advance()


def _lines(path: Path, about: Mapping[str, object]) -> list[dict[str, float]]:
    first, *lines = path.read_text().splitlines()
    return [json.loads(line) for line in lines] if json.loads(first) == about else []


def _differences(lines: list[dict[str, float]], kind: str) -> dict[str, Interval]:
    def values(way: str, name: str) -> Numbers:
        return np.array([line[f"{kind} {way} {name}"] for line in lines])

    found = {
        _DELETION.format(kind): values("deletion", "chance") - values("deletion", "explanation"),
        _INSERTION.format(kind): values("insertion", "explanation") - values("insertion", "chance"),
        f"{kind}: deletion, attention - explanation": values("deletion", "attention")
        - values("deletion", "explanation"),
        f"{kind}: insertion, explanation - attention": values("insertion", "explanation")
        - values("insertion", "attention"),
    }
    return {name: _interval(difference) for name, difference in found.items()}


def _interval(values: Numbers) -> Interval:
    return interval(values, resampled_means(values[:, None])[:, 0])


def _means(lines: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([line[name] for line in lines])) for name in lines[0]}
