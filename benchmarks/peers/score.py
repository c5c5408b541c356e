"""Our metrics beside those of ir-measures, on the same rankings: a second hand that counts the same.

    python -m benchmarks.peers.score MODEL_FOLDER TRUTHS.parquet

TRUTHS has the columns user_id and item_id, a row for each relevant item. Exit code 1 where a figure of any user differs
by more than 1e-9.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ir_measures
import numpy as np
import numpy.typing as npt
import polars as pl
from ir_measures import AP, RR, Qrel, R, ScoredDoc, nDCG

from trifocal.evaluate.foreign import ranked_rows
from trifocal.evaluate.metrics import user_metrics
from trifocal.types import IntArray, Vocabulary

Values = npt.NDArray[np.float64]

__all__ = ["TOLERANCE", "Agreement", "agreements", "main", "print_agreements"]

TOLERANCE = 1e-9

_THEIRS = {
    "recall@10": R @ 10,
    "recall@20": R @ 20,
    "recall@50": R @ 50,
    "ndcg@10": nDCG @ 10,
    "ndcg@20": nDCG @ 20,
    "map@20": AP @ 20,
    "mrr": RR,
}


@dataclass(frozen=True)
class Agreement:
    """One metric by two hands.

    Attributes:
        metric: as in `trifocal.evaluate.metrics.METRICS`.
        ours, theirs: means over users.
        difference: greatest absolute difference of any user.
    """

    metric: str
    ours: float
    theirs: float
    difference: float


def agreements(item_rows: IntArray, truths: Sequence[IntArray], user_ids: Sequence[str]) -> list[Agreement]:
    """Return each metric by `user_metrics` and by ir-measures.

    Args:
        item_rows: (B, K) rankings; -1 fills.
        truths: B arrays of relevant rows.
        user_ids: the B users, all different.
    """
    ours = user_metrics(item_rows, truths)
    theirs = _theirs(item_rows, truths, user_ids)
    return [
        Agreement(
            name, float(ours[name].mean()), float(theirs[name].mean()), float(np.abs(ours[name] - theirs[name]).max())
        )
        for name in ours
    ]


def _theirs(item_rows: IntArray, truths: Sequence[IntArray], user_ids: Sequence[str]) -> dict[str, Values]:
    place = {user: row for row, user in enumerate(user_ids)}
    names = {str(measure): name for name, measure in _THEIRS.items()}
    # A user without a ranking is missing from their answer, and has 0.
    values = {name: np.zeros(len(user_ids)) for name in _THEIRS}
    qrels = [Qrel(u, str(item), 1) for u, truth in zip(user_ids, truths, strict=True) for item in np.unique(truth)]
    found = ir_measures.iter_calc(list(_THEIRS.values()), qrels, _scored(item_rows, user_ids))
    for metric in found:
        values[names[str(metric.measure)]][place[metric.query_id]] = metric.value
    values["map@20"] *= _map_denominators(truths, 20)
    return values


def _scored(item_rows: IntArray, user_ids: Sequence[str]) -> list[ScoredDoc]:
    return [
        ScoredDoc(user, str(item), float(-place))
        for user, items in zip(user_ids, item_rows.tolist(), strict=True)
        for place, item in enumerate(items)
        if item >= 0
    ]


def _map_denominators(truths: Sequence[IntArray], k: int) -> Values:
    """Return (B,) what turns trec's AP@k, divided by all relevant items, into ours, divided by at most k of them."""
    relevant = np.array([len(np.unique(truth)) for truth in truths])
    ratio: Values = relevant / np.maximum(np.minimum(relevant, k), 1)
    return ratio


def print_agreements(name: str, checked: Sequence[Agreement]) -> None:
    """Print the figures side by side."""
    print(f"\n{name:<18}{'trifocal':>14}{'ir-measures':>14}{'max difference':>16}")
    for one in checked:
        print(f"{one.metric:<18}{one.ours:>14.10f}{one.theirs:>14.10f}{one.difference:>16.1e}")


def main() -> int:
    """Check one model's rankings; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of a model; holds rankings.parquet")
    parser.add_argument("truths", type=Path, help="Parquet with user_id and item_id")
    options = parser.parse_args()
    taken = pl.read_parquet(options.truths)
    ranked = pl.read_parquet(options.folder / "rankings.parquet")["item_id"].unique().to_list()
    vocabulary = Vocabulary.of([*ranked, *taken["item_id"].unique().to_list()])
    groups = taken.group_by("user_id", maintain_order=True).agg("item_id")
    users = groups["user_id"].to_list()
    truths = [vocabulary.rows(items) for items in groups["item_id"].to_list()]
    checked = agreements(ranked_rows(options.folder, vocabulary, users, 50), truths, users)
    print_agreements(options.folder.name, checked)
    return 0 if all(one.difference <= TOLERANCE for one in checked) else 1


if __name__ == "__main__":
    sys.exit(main())
