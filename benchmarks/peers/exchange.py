"""What each rival's run.py shares: reading an export, cutting scores into rankings, writing the answer.

Runs inside the rivals' environments: imports numpy and pyarrow alone, and nothing of trifocal.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = [
    "About",
    "Export",
    "FloatArray",
    "IntArray",
    "Options",
    "Settings",
    "Took",
    "by_popularity",
    "parse_options",
    "ranked",
    "read_export",
    "timed",
    "top_rows",
    "write_answer",
]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Settings = dict[str, float | int | str | bool]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Export:
    """What a rival may know; rows are positions in `item_ids` and `user_ids`.

    Attributes:
        item_ids: the N items.
        user_ids: users with an interaction, in the order in which they appear, then askers without one.
        user_rows, item_rows: (E,) the interactions, oldest first.
        askers: (B,) rows of the users who ask.
        histories: B arrays of item rows, oldest first.
        excludes: B arrays of item rows.
        text, image: (N, width) float32, or None.
    """

    item_ids: tuple[str, ...]
    user_ids: tuple[str, ...]
    user_rows: IntArray
    item_rows: IntArray
    askers: IntArray
    histories: tuple[IntArray, ...]
    excludes: tuple[IntArray, ...]
    text: FloatArray | None
    image: FloatArray | None

    def popularity(self) -> FloatArray:
        """Return the (N,) numbers of interactions: the scores for an asker without a history."""
        return np.bincount(self.item_rows, minlength=len(self.item_ids)).astype(np.float32)

    def candidates(self) -> IntArray:
        """Return the item rows that not every request excludes."""
        barred = np.bincount(np.concatenate(self.excludes), minlength=len(self.item_ids))
        return np.flatnonzero(barred < len(self.excludes))

    def trained(self) -> Mask:
        """Return (B,) True where the asker has interactions to learn from: who a model of user ids can answer."""
        return np.isin(self.askers, self.user_rows)

    def with_history(self) -> Mask:
        """Return (B,) True where an item of the history has interactions: who a model of histories can answer."""
        return np.array([np.isin(history, self.item_rows).any() for history in self.histories], dtype=np.bool_)


@dataclass(frozen=True)
class Options:
    """The command line of a run.py."""

    export: Path
    out: Path
    k: int
    seed: int
    settings: Settings


@dataclass(frozen=True)
class Took:
    """How long something took: by the clock, and of one core, which a busy machine does not lengthen."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class About:
    """What stands in about.json beside the ranking.

    Attributes:
        name: of the model, as in the tables.
        package: as pip knows it.
        training, ranking: how long learning, and ranking all requests, took.
        settings: those that were given to the rival.
        parameters: learned numbers; None = the rival does not count them.
    """

    name: str
    package: str
    training: Took
    ranking: Took
    settings: Settings
    parameters: int | None


def parse_options(description: str | None, defaults: Settings) -> Options:
    """Return the parsed command line; `--settings` overrides some of `defaults`, and its keys must be among them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("export", type=Path, help="folder that export_cases wrote")
    parser.add_argument("out", type=Path, help="gets a folder for each model")
    parser.add_argument("--k", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON object over the default settings")
    given = parser.parse_args()
    unknown = sorted(set(given.settings) - set(defaults))
    if unknown:
        parser.error(f"there is no setting {', '.join(unknown)}; choose among {', '.join(defaults)}")
    seed_all(given.seed)
    return Options(given.export, given.out, given.k, given.seed, {**defaults, **given.settings})


def seed_all(seed: int) -> None:
    """Seed Python and numpy; a rival on torch seeds that itself."""
    random.seed(seed)
    # The rivals draw from numpy's global generator.
    np.random.seed(seed)


def read_export(folder: Path) -> Export:
    """Return the export in `folder`."""
    item_ids = tuple(pq.read_table(folder / "items.parquet")["item_id"].to_pylist())
    interactions = pq.read_table(folder / "interactions.parquet").sort_by("order")
    requests = pq.read_table(folder / "requests.parquet")
    askers = requests["user_id"].to_pylist()
    takers = interactions["user_id"].to_pylist()
    item_row = {item: row for row, item in enumerate(item_ids)}
    user_row = {user: row for row, user in enumerate(dict.fromkeys([*takers, *askers]))}
    return Export(
        item_ids,
        tuple(user_row),
        _rows(takers, user_row),
        _rows(interactions["item_id"].to_pylist(), item_row),
        _rows(askers, user_row),
        tuple(_rows(items, item_row) for items in requests["history"].to_pylist()),
        tuple(_rows(items, item_row) for items in requests["exclude"].to_pylist()),
        _features(folder / "text.npy"),
        _features(folder / "image.npy"),
    )


def _rows(ids: Sequence[str], rows: dict[str, int]) -> IntArray:
    return np.fromiter((rows[one] for one in ids), dtype=np.int64, count=len(ids))


def _features(file: Path) -> FloatArray | None:
    return np.load(file, allow_pickle=False) if file.is_file() else None


def _pieces(rows: IntArray, size: int = 512) -> Iterator[IntArray]:
    """Return `rows` in pieces of at most `size`, so that their scores of all items fit in memory."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def top_rows(scores: FloatArray, excludes: Sequence[IntArray], k: int, seed: int) -> IntArray:
    """Return the (B, k) item rows of the greatest scores without the excluded, best first; -1 fills.

    Args:
        scores: (B, N); NaN and -inf are never ranked.
        excludes: B arrays of item rows.
        k: length of the lists.
        seed: of the random order of equal scores, one order for all users.
    """
    shuffled = np.random.default_rng(seed).permutation(scores.shape[1])
    kept = np.where(np.isnan(scores), -np.inf, scores)
    for row, exclude in enumerate(excludes):
        kept[row, exclude] = -np.inf
    kept = kept[:, shuffled]
    places = np.argsort(-kept, axis=1, kind="stable")[:, :k]
    rows = np.where(np.isneginf(np.take_along_axis(kept, places, axis=1)), -1, shuffled[places])
    return np.pad(rows, ((0, 0), (0, k - rows.shape[1])), constant_values=-1)


def ranked(score: Callable[[IntArray], FloatArray], export: Export, options: Options, answerable: Mask) -> IntArray:
    """Return (B, k) item rows by `score`, and by popularity for requests that the rival cannot answer.

    Args:
        score: request rows (b,) -> scores (b, N).
        export: what was asked.
        options: k and seed.
        answerable: (B,) which requests `score` can answer.
    """
    item_rows = by_popularity(export, options)
    for piece in _pieces(np.flatnonzero(answerable)):
        item_rows[piece] = top_rows(score(piece), [export.excludes[row] for row in piece], options.k, options.seed)
    return item_rows


def by_popularity(export: Export, options: Options) -> IntArray:
    """Return (B, k) item rows by number of interactions: what a request gets that a rival cannot answer."""
    item_rows = np.full((len(export.askers), options.k), -1, dtype=np.int64)
    for piece in _pieces(np.arange(len(export.askers))):
        scores = np.tile(export.popularity(), (len(piece), 1))
        item_rows[piece] = top_rows(scores, [export.excludes[row] for row in piece], options.k, options.seed)
    return item_rows


def timed(work: Callable[[], Answer]) -> tuple[Took, Answer]:
    """Return how long `work` took, and its answer."""
    started, started_cpu = time.perf_counter(), time.process_time()
    answer = work()
    return Took(time.perf_counter() - started, time.process_time() - started_cpu), answer


def write_answer(out: Path, export: Export, item_rows: IntArray, about: About) -> None:
    """Write about.json and then rankings.parquet, whose presence says that the model is done, to OUT/<name>.

    Args:
        out: the folder of all models.
        export: what was asked.
        item_rows: (B, k) in the order of the requests; -1 is left out.
        about: what is said of the model.
    """
    folder = out / about.name
    folder.mkdir(parents=True, exist_ok=True)
    said = {
        "name": about.name,
        "package": about.package,
        "version": version(about.package),
        "train_seconds": about.training.seconds,
        "train_cpu_seconds": about.training.cpu_seconds,
        "recommend_seconds": about.ranking.seconds,
        "recommend_cpu_seconds": about.ranking.cpu_seconds,
        "settings": about.settings,
        "parameters": about.parameters,
    }
    (folder / "about.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    who, place = np.nonzero(item_rows >= 0)
    table = pa.table(
        {
            "user_id": pa.array([export.user_ids[export.askers[row]] for row in who], pa.string()),
            "item_id": pa.array([export.item_ids[row] for row in item_rows[who, place]], pa.string()),
            "rank": pa.array(place + 1, pa.int64()),
        }
    )
    partial = folder / "rankings.partial"
    pq.write_table(table, partial)
    partial.replace(folder / "rankings.parquet")
