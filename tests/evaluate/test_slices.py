from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluate.toy import N_ITEMS, cases, falling, rising

from trifocal.errors import DataError
from trifocal.evaluate.facts import ItemFacts
from trifocal.evaluate.metrics import user_metrics
from trifocal.evaluate.protocol import Result, evaluate
from trifocal.evaluate.slices import Slice, Targets, history_slices, item_slices


def facts() -> ItemFacts:
    """What is wanted are items 0 and 20, which nobody took in training, and 2, 1 and 3 with 2, 5 and 9 users."""
    counts = np.ones(N_ITEMS, dtype=np.int64)
    counts[[0, 1, 2, 3, 20]] = 0, 5, 2, 9, 0
    categories = ["C"] * N_ITEMS
    categories[0:4] = "A", "A", "B", "A"
    categories[20] = ""
    has_text, has_image = np.ones(N_ITEMS, dtype=np.bool_), np.ones(N_ITEMS, dtype=np.bool_)
    has_text[1], has_image[[3, 20]] = False, False
    return ItemFacts(counts, 10, tuple(categories), has_text, has_image)


def results() -> list[Result]:
    return [evaluate(rising(), cases()), evaluate(falling(), cases())]


def of_group(slices: list[Slice], group: str) -> list[tuple[str, int, tuple[float, ...]]]:
    return [(found.label, found.users, found.means) for found in slices if found.group == group]


def test_history_slices_take_the_figures_of_their_users() -> None:
    found = of_group(history_slices(results(), cases(), "recall@20"), "history")
    assert found == [
        ("0", 1, (1.0, 0.0)), ("1–2", 1, (1.0, 0.0)), ("3–5", 1, (1.0, 0.0)), ("11+", 1, (0.5, 0.5))
    ]  # fmt: skip


def test_item_slices_count_only_targets_of_their_class() -> None:
    found = item_slices(results(), cases(), facts(), ["recall@20", "ndcg@10"])["recall@20"]
    # u3 wants item 3, warm, and item 20, cold: half of its recall either way, the whole of it in each slice.
    assert of_group(found, "warmth") == [
        ("warm user, warm item", 3, (1.0, 0.0)),
        ("warm user, cold item", 1, (0.0, 1.0)),
        ("cold user, cold item", 1, (1.0, 0.0)),
    ]
    # Targets by training users: 0, 0, 2, 5, 9.
    assert of_group(found, "popularity") == [
        ("rare (0 users)", 2, (0.5, 0.5)),
        ("middle (1–2 users)", 1, (1.0, 0.0)),
        ("popular (3+ users)", 2, (1.0, 0.0)),
    ]
    assert of_group(found, "category") == [("A", 3, (1.0, 0.0)), ("B", 1, (1.0, 0.0))]
    assert of_group(found, "content") == [
        ("text missing", 1, (1.0, 0.0)), ("picture missing", 1, (0.5, 0.5)), ("both there", 2, (1.0, 0.0))
    ]  # fmt: skip


def test_places_count_in_a_slice_as_in_the_whole() -> None:
    found = item_slices(results(), cases(), facts(), ["ndcg@10"])["ndcg@10"]
    # The cold item 20 of u3 stands at place 5 of the falling list; it is the only target of the slice.
    assert of_group(found, "warmth")[1][2] == pytest.approx((0.0, 1 / math.log2(6)))


def test_without_anything_missing_there_is_no_slice_of_content() -> None:
    whole = ItemFacts(
        facts().train_counts, 10, facts().categories, np.ones(N_ITEMS, np.bool_), np.ones(N_ITEMS, np.bool_)
    )
    assert of_group(item_slices(results(), cases(), whole, ["recall@20"])["recall@20"], "content") == []


def test_what_the_kept_places_cannot_tell_is_refused() -> None:
    for metric in ("recall@50", "mrr"):
        with pytest.raises(DataError, match=f"{metric} cannot be sliced by item: 20 places"):
            item_slices(results(), cases(), facts(), [metric])


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_a_slice_is_what_an_evaluation_of_these_targets_alone_gives(seed: int) -> None:
    items = np.random.default_rng(seed).random(N_ITEMS) < 0.5
    targets = Targets.of(results(), cases())
    inside, relevant = targets.within(items, np.ones(4, dtype=np.bool_))
    kept = [truth[items[truth]] for truth in cases().truths]
    assert inside.tolist() == [len(truth) > 0 for truth in kept]
    if inside.any():
        for metric in ("recall@20", "ndcg@10", "map@20"):
            expected = [user_metrics(result.item_rows, kept)[metric][inside].mean() for result in results()]
            assert targets.means(metric, items, inside, relevant) == pytest.approx(expected)
