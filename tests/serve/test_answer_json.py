from __future__ import annotations

import json
from dataclasses import replace

import pytest

from trifocal.serve import Answer, ItemCard, Reason, ScoredItem
from trifocal.serve.answer_json import answer_json
from trifocal.serve.wire import ItemsAnswer

CARD = ItemCard("ring/1 ü", 'A "golden" ring\n', "never shown", "Jewels > Rings", 12.5, available=True, has_image=True)
ANSWER = Answer(
    (
        ScoredItem(CARD, 1.25, Reason("history", "hat", "A hat")),
        ScoredItem(replace(CARD, item_id="hat", price=None, category=None), -3e-07, Reason("popular")),
        ScoredItem(CARD, 0.1, propensity=0.25),
    ),
    "full",
    "v1",
    {"state": 0.125, "rank": 1.5},
    ("a note",),
    "main",
)


@pytest.mark.parametrize("timings", [True, False])
@pytest.mark.parametrize("answer", [ANSWER, replace(ANSWER, items=(), notes=(), rung="popular")])
def test_it_is_what_the_schema_writes(answer: Answer, timings: bool) -> None:
    expected = json.loads(ItemsAnswer.of(answer, timings=timings).model_dump_json())
    found = answer_json(answer, timings=timings)
    again = json.loads(found)
    ids = {told.pop("answer_id") for told in (expected, again)}
    assert again == expected
    assert len(ids) == 2, "every answer has an id of its own"
    ItemsAnswer.model_validate_json(found)


def test_a_card_that_changed_is_written_anew() -> None:
    cheaper = replace(ANSWER, items=(ScoredItem(replace(CARD, price=1.0), 0.0),))
    assert json.loads(answer_json(ANSWER, timings=False))["items"][0]["price"] == 12.5
    assert json.loads(answer_json(cheaper, timings=False))["items"][0]["price"] == 1.0
