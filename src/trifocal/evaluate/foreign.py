"""Rankings that another program made -> a result like any other: what a rival in its own code is compared by.

```
FOLDER/rankings.parquet   user_id, item_id, rank   rank from 1
      /about.json         {"name", "version", "train_seconds", "recommend_seconds", "parameters", "settings"}
```
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.data.cases import Cases
from trifocal.errors import ArtifactError
from trifocal.evaluate.metrics import user_metrics
from trifocal.evaluate.protocol import KEPT, Result
from trifocal.types import IntArray, Vocabulary

__all__ = ["foreign_failures", "foreign_result", "foreign_results", "ranked_rows"]

_RANK = "rank"


def foreign_results(folder: Path, cases: Cases, vocabulary: Vocabulary, k: int) -> list[Result]:
    """Return the result of each folder of rankings under `folder`, by name."""
    return [foreign_result(path.parent, cases, vocabulary, k) for path in sorted(folder.glob("*/rankings.parquet"))]


def foreign_failures(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return name and error of each folder under `folder` that holds an `error.txt` instead of rankings."""
    return tuple(
        (path.parent.name, path.read_text(encoding="utf-8").strip()) for path in sorted(folder.glob("*/error.txt"))
    )


def foreign_result(folder: Path, cases: Cases, vocabulary: Vocabulary, k: int) -> Result:
    """Return the result of the rankings in `folder`, cut to `k` places; a user without one has an empty list.

    Raises:
        ArtifactError: when a file is missing, an item is unknown, or an item is ranked that the request excludes.
    """
    item_rows = ranked_rows(folder, vocabulary, cases.user_ids, k)
    about = json.loads(_file(folder, "about.json").read_text(encoding="utf-8"))
    for user, request, row in zip(cases.user_ids, cases.requests, item_rows, strict=True):
        barred = np.intersect1d(row, request.exclude)
        if len(barred):
            raise ArtifactError(
                f"{folder} ranks {vocabulary.ids[barred[0]]!r} for user {user!r}, whose request excludes it; "
                "leave such items out"
            )
    return Result(
        about["name"],
        user_metrics(item_rows, cases.truths),
        item_rows[:, :KEPT].copy(),
        float(about["recommend_seconds"]),
        train_seconds=float(about["train_seconds"]),
        parameters=about.get("parameters"),
        version=str(about["version"]),
        settings=about.get("settings", {}),
    )


def ranked_rows(folder: Path, vocabulary: Vocabulary, user_ids: Sequence[str], k: int) -> IntArray:
    """Return the (B, k) item rows of the rankings in `folder`, best first, in the order of `user_ids`; -1 fills.

    Args:
        folder: holds rankings.parquet.
        vocabulary: the items.
        user_ids: the B users; one without a ranking gets a list of -1.
        k: places that are kept.

    Raises:
        ArtifactError: when there is no ranking, or it names an unknown item.
    """
    table = pl.read_parquet(_file(folder, "rankings.parquet"))
    users = Vocabulary.of(user_ids)
    kept = table.filter((pl.col(_RANK) <= k) & pl.col(c.USER_ID).is_in(list(users.ids)))
    found = vocabulary.rows(kept[c.ITEM_ID].to_list())
    if (found < 0).any():
        stranger = kept[c.ITEM_ID][int(np.argmin(found))]
        raise ArtifactError(f"{folder} ranks item {stranger!r}, which the catalogue lacks; run the rival again")
    rows = np.full((len(users), k), -1, dtype=np.int64)
    rows[users.rows(kept[c.USER_ID].to_list()), kept[_RANK].to_numpy() - 1] = found
    return rows


def _file(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise ArtifactError(f"{folder} holds no rankings: {name} is missing; run the rival again")
    return folder / name
