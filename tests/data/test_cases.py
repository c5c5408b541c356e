from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from trifocal.data.cases import build_cases
from trifocal.data.dataset import EVENT_SCHEMA, conform
from trifocal.data.splits import Split
from trifocal.errors import DataError
from trifocal.features.context import ContextVocabulary
from trifocal.types import Vocabulary

VOCABULARY = Vocabulary.of(["a", "b", "c", "d"])
CONTEXT = ContextVocabulary.fit(["phone", "desktop"], ["SE", "NO"])


def events(*rows: tuple[str, str, str, int, str]) -> pl.DataFrame:
    """Events of (user, item, event, seconds, device)."""
    names = {"user_id": pl.String, "item_id": pl.String, "event": pl.String, "timestamp": pl.Int64, "device": pl.String}
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return conform(frame.with_columns(pl.from_epoch("timestamp", "s").dt.replace_time_zone("UTC")), EVENT_SCHEMA)


SPLIT = Split(
    "toy",
    train=events(("u", "a", "click", 1, "phone"), ("u", "b", "purchase", 2, "phone"), ("w", "a", "click", 3, "phone")),
    validation=events(("u", "c", "click", 10, "phone"), ("w", "a", "click", 11, "phone")),
    test=events(
        ("u", "a", "impression", 20, "desktop"),
        ("u", "d", "click", 21, "phone"),
        ("u", "a", "click", 22, "phone"),
        ("u", "d", "purchase", 23, "phone"),
        ("new", "b", "click", 24, "phone"),
        ("new", "zz", "click", 25, "phone"),
        ("new", "a", "click", 26, "phone"),
        ("looks", "b", "impression", 27, "phone"),
    ),
    fingerprint="f",
)


def test_validation_cases_know_train_alone() -> None:
    cases = build_cases(SPLIT, "validation", VOCABULARY, CONTEXT)
    # w took nothing new, so w is not asked about.
    assert cases.user_ids == ("u",)
    assert cases.requests[0].history.item_rows.tolist() == [0, 1]
    assert cases.truths[0].tolist() == [2]


def test_test_cases_know_train_and_validation_and_the_first_circumstances() -> None:
    cases = build_cases(SPLIT, "test", VOCABULARY, CONTEXT)
    assert cases.user_ids == ("new", "u")
    cold, warm = cases.requests
    assert len(cold.history) == 0
    assert cold.exclude.tolist() == []
    assert cases.truths[0].tolist() == [1, 0]
    assert warm.user_id == "u"
    assert warm.history.item_rows.tolist() == [0, 1, 2]
    assert warm.exclude.tolist() == [0, 1, 2]
    assert cases.truths[1].tolist() == [3]
    assert warm.context.timestamp_s == 20
    assert warm.context.device_code == CONTEXT.device_code("desktop")


def test_seen_items_may_stay_in() -> None:
    cases = build_cases(SPLIT, "test", VOCABULARY, CONTEXT, exclude_seen=False)
    assert cases.requests[1].exclude.tolist() == []
    assert cases.truths[1].tolist() == [3, 0]


def test_items_that_are_no_candidates_are_neither_proposed_nor_wanted() -> None:
    cases = build_cases(replace(SPLIT, items=("a", "b", "d")), "test", VOCABULARY, CONTEXT)
    assert [request.exclude.tolist() for request in cases.requests] == [[2], [0, 1, 2]]
    none_left = replace(SPLIT, items=("c",))
    with pytest.raises(DataError, match="asked about test: it has 6 positive events"):
        build_cases(none_left, "test", VOCABULARY, CONTEXT)


def test_refit_asks_the_same_test_questions() -> None:
    before, after = (build_cases(s, "test", VOCABULARY, CONTEXT) for s in (SPLIT, SPLIT.refit()))
    assert [r.history.item_rows.tolist() for r in before.requests] == [
        r.history.item_rows.tolist() for r in after.requests
    ]
    assert [t.tolist() for t in before.truths] == [t.tolist() for t in after.truths]


def test_a_sample_is_seeded_and_never_too_large() -> None:
    cases = build_cases(SPLIT, "test", VOCABULARY, CONTEXT)
    assert cases.sample(1, seed=3).user_ids == cases.sample(1, seed=3).user_ids
    assert len(cases.sample(1)) == 1
    assert cases.sample(9).user_ids == cases.user_ids
