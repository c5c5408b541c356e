"""The metrics are those of `ir-measures` and of plain loops, and do not depend on how the catalogue is numbered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, R, nDCG

from trifocal.evaluate.diversity import intra_list_diversity
from trifocal.evaluate.metrics import METRICS, coverage, gini, list_novelty, ndcg, recall, user_metrics
from trifocal.ranking import top_k
from trifocal.types import FloatArray, IntArray

LENGTH = 50
# Our name -> the measure of ir-measures. MRR has no cut: the run holds no more than the list.
PEERS = {
    "recall@10": R @ 10,
    "recall@20": R @ 20,
    "recall@50": R @ 50,
    "ndcg@10": nDCG @ 10,
    "ndcg@20": nDCG @ 20,
    "map@20": AP @ 20,
    "mrr": RR,
}


@dataclass(frozen=True)
class Drawn:
    """Scores (B, N), what is left out, and what is relevant."""

    scores: FloatArray
    exclude: list[IntArray]
    truths: list[IntArray]

    def lists(self) -> IntArray:
        return top_k(self.scores, LENGTH, exclude=self.exclude).item_rows


@st.composite
def drawings(draw: st.DrawFn, *, ties: bool = True) -> Drawn:
    """Few different scores, so that ties are the rule; truths may be empty, lists shorter than any k."""
    n_users, n_items = draw(st.integers(1, 4)), draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (n_users, n_items)
    scores = rng.integers(0, 4, shape) if ties else rng.permuted(np.tile(np.arange(n_items), (n_users, 1)), axis=1)
    share_left_out, share_relevant = (
        draw(st.sampled_from([0.0, 0.2, 0.9])),
        draw(st.sampled_from([0.0, 0.05, 0.5, 1.0])),
    )
    exclude = [np.flatnonzero(line) for line in rng.random(shape) < share_left_out]
    truths = [np.flatnonzero(line) for line in rng.random(shape) < share_relevant]
    return Drawn(scores.astype(np.float32), exclude, truths)


def peer(lists: IntArray, truths: Sequence[IntArray]) -> dict[str, list[float]]:
    """Ask ir-measures. Scores that strictly fall with the place leave it no tie of its own to break."""
    qrels = {str(user): {str(row): 1 for row in truth} for user, truth in enumerate(truths)}
    run = {
        str(user): {str(row): float(LENGTH - place) for place, row in enumerate(rows) if row >= 0}
        for user, rows in enumerate(lists.tolist())
    }
    found = {(str(m.measure), m.query_id): m.value for m in ir_measures.iter_calc(PEERS.values(), qrels, run)}
    # It leaves out a user without relevant items; ours has 0.
    values = {
        name: [found.get((str(measure), str(user)), 0.0) for user in range(len(truths))]
        for name, measure in PEERS.items()
    }
    # AP@20 divides by all relevant items, ours by min(20, relevant).
    relevant = [max(len(truth), 1) for truth in truths]
    values["map@20"] = [value * n / min(20, n) for value, n in zip(values["map@20"], relevant, strict=True)]
    return values


def brute_force(rows: list[int], truth: set[int], name: str, k: int) -> float:
    """The definitions, one user and one place at a time."""
    if not truth:
        return 0.0
    hits = [row in truth for row in rows[:k]]
    if name.startswith("recall"):
        return sum(hits) / len(truth)
    if name.startswith("ndcg"):
        gain = sum(1 / math.log2(place + 1) for place, hit in enumerate(hits, 1) if hit)
        return gain / sum(1 / math.log2(place + 1) for place in range(1, min(k, len(truth)) + 1))
    if name.startswith("map"):
        total = sum(sum(hits[:place]) / place for place, hit in enumerate(hits, 1) if hit)
        return total / min(k, len(truth))
    return next((1 / place for place, hit in enumerate(hits, 1) if hit), 0.0)


@settings(max_examples=60)
@given(drawn=drawings())
def test_metrics_are_those_of_ir_measures(drawn: Drawn) -> None:
    lists = drawn.lists()
    found, wanted = user_metrics(lists, drawn.truths), peer(lists, drawn.truths)
    assert set(found) == set(METRICS) == set(wanted)
    for name in METRICS:
        np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=1e-9, err_msg=name)


def test_map_and_recall_differ_from_ir_measures_where_many_are_relevant() -> None:
    # 40 relevant, the first 20 all hit: AP@20 is 20 / 40 there and 20 / 20 here; Recall@20 is 20 / 40 in both.
    lists, truths = np.arange(50)[None], [np.arange(40)]
    qrels = {"0": {str(row): 1 for row in range(40)}}
    run = {"0": {str(row): float(50 - row) for row in range(50)}}
    there = {str(m.measure): m.value for m in ir_measures.iter_calc([AP @ 20, R @ 20], qrels, run)}
    here = user_metrics(lists, truths)
    assert there == {"AP@20": pytest.approx(0.5), "R@20": pytest.approx(0.5)}
    assert here["map@20"].tolist() == [1.0]
    assert here["recall@20"].tolist() == [0.5]


@settings(max_examples=60)
@given(drawn=drawings())
def test_metrics_are_their_brute_force_twin(drawn: Drawn) -> None:
    lists = drawn.lists()
    found = user_metrics(lists, drawn.truths)
    for name, (_, k) in METRICS.items():
        wanted = [
            brute_force(rows, set(truth.tolist()), name, k or LENGTH)
            for rows, truth in zip(lists.tolist(), drawn.truths, strict=True)
        ]
        np.testing.assert_allclose(found[name], wanted, rtol=0, atol=1e-12, err_msg=name)


@settings(max_examples=60)
@given(drawn=drawings(ties=False), seed=st.integers(0, 2**32 - 1))
def test_numbering_the_catalogue_otherwise_changes_no_metric(drawn: Drawn, seed: int) -> None:
    # No two scores of a user are equal: among ties the key, which belongs to the number, would decide.
    new_row = np.random.default_rng(seed).permutation(drawn.scores.shape[1])
    scores = np.empty_like(drawn.scores)
    scores[:, new_row] = drawn.scores
    renamed = Drawn(scores, [new_row[rows] for rows in drawn.exclude], [new_row[rows] for rows in drawn.truths])
    before, after = drawn.lists(), renamed.lists()
    assert after.tolist() == np.where(before < 0, -1, new_row[before]).tolist()
    for name, values in user_metrics(before, drawn.truths).items():
        assert user_metrics(after, renamed.truths)[name].tolist() == values.tolist()
    candidates = len(new_row)
    assert coverage(after, candidates) == coverage(before, candidates)
    np.testing.assert_equal(gini(after, candidates), gini(before, candidates))


@settings(max_examples=40)
@given(drawn=drawings())
def test_a_hit_one_place_higher_is_never_worse(drawn: Drawn) -> None:
    lists = drawn.lists()
    relevant = np.array([len(truth) for truth in drawn.truths])
    hits = np.array([np.isin(rows, truth) & (rows >= 0) for rows, truth in zip(lists, drawn.truths, strict=True)])
    for place in range(1, min(LENGTH, 12)):
        better = hits.copy()
        better[:, place - 1 : place + 1] = np.sort(hits[:, place - 1 : place + 1], axis=1)[:, ::-1]
        for metric, k in METRICS.values():
            k = k or LENGTH
            assert (metric(better, relevant, k) >= metric(hits, relevant, k) - 1e-12).all()


@settings(max_examples=40)
@given(drawn=drawings())
def test_every_figure_is_between_0_and_1_and_recall_grows_with_k(drawn: Drawn) -> None:
    lists = drawn.lists()
    for values in user_metrics(lists, drawn.truths).values():
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
    hits = np.array([np.isin(rows, truth) & (rows >= 0) for rows, truth in zip(lists, drawn.truths, strict=True)])
    relevant = np.array([len(truth) for truth in drawn.truths])
    reached = np.stack([recall(hits, relevant, k) for k in range(1, LENGTH + 1)])
    assert (np.diff(reached, axis=0) >= 0).all()
    # The best list there is has nDCG 1.
    ideal = np.arange(LENGTH) < relevant[:, None]
    assert ndcg(ideal, relevant, 10).tolist() == pytest.approx((relevant > 0).astype(float).tolist())


@settings(max_examples=60)
@given(drawn=drawings())
def test_gini_is_half_the_relative_mean_difference_over_other_items(drawn: Drawn) -> None:
    lists, candidates = drawn.lists(), drawn.scores.shape[1]
    shown = [int((lists == row).sum()) for row in range(candidates)]
    differences = sum(abs(one - other) for one in shown for other in shown)
    if not sum(shown):
        assert math.isnan(gini(lists, candidates))
    else:
        wanted = differences / (2 * max(candidates - 1, 1) * sum(shown))
        assert gini(lists, candidates) == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=60)
@given(drawn=drawings(), seed=st.integers(0, 2**32 - 1))
def test_novelty_is_its_brute_force_twin(drawn: Drawn, seed: int) -> None:
    lists, users = drawn.lists(), 30
    counts = np.random.default_rng(seed).integers(0, users + 1, (drawn.scores.shape[1],))
    for value, rows in zip(list_novelty(lists, counts, users), lists.tolist(), strict=True):
        bits = [-math.log2(max(int(counts[row]), 1) / users) for row in rows if row >= 0]
        np.testing.assert_allclose(value, sum(bits) / len(bits) if bits else math.nan, atol=1e-12)


@settings(max_examples=40)
@given(drawn=drawings(), seed=st.integers(0, 2**32 - 1))
def test_diversity_is_its_brute_force_twin(drawn: Drawn, seed: int) -> None:
    lists = drawn.lists()
    vectors = np.random.default_rng(seed).integers(-2, 3, (drawn.scores.shape[1], 3)).astype(np.float32)
    for value, rows in zip(intra_list_diversity(lists, vectors), lists.tolist(), strict=True):
        kept = [vectors[row].astype(float) for row in rows[:20] if row >= 0 and vectors[row].any()]
        distances = [
            1 - one @ other / math.sqrt((one @ one) * (other @ other))
            for place, one in enumerate(kept)
            for other in kept[:place]
        ]
        wanted = sum(distances) / len(distances) if distances else math.nan
        np.testing.assert_allclose(value, wanted, atol=1e-9)
