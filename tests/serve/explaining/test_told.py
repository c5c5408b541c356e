from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from trifocal.errors import ArtifactError, ServingError
from trifocal.explain.explanation import Explanation, Nearest, Shares, Word
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.explain_wire import ExplanationAnswer
from trifocal.serve.explaining.told import decode_told, encode_told, told

CATALOGUE = Catalogue(pl.DataFrame({"item_id": ["a/1", "b"], "title": ["A hat", None]}))
PLAIN = Explanation(
    item_row=1,
    score=0.5,
    words=(Word("hat", 0.25, "description"),),
    cells=((0.5, -0.25), (0.0, 0.0)),
    shares=Shares(0.25, 0.75, 0.0, 0.0, 0.0),
    nearest=Nearest(0, 0.5, ("hat",), ("dark red",), "Hats"),
    sentence="So it is.",
    completeness_error=0.02,
)


@pytest.mark.parametrize("explanation", [PLAIN, replace(PLAIN, nearest=None, words=(), cells=())])
def test_bytes_and_back(explanation: Explanation) -> None:
    found = told(explanation, CATALOGUE)
    assert decode_told(encode_told(found)) == found


def test_the_wire_form_has_ids_titles_and_addresses() -> None:
    body = ExplanationAnswer.of(told(PLAIN, CATALOGUE)).model_dump(mode="json")
    assert body["nearest"] == {
        "item_id": "a/1",
        "title": "A hat",
        "image": "/images/a%2F1",
        "similarity": 0.5,
        "words": ["hat"],
        "colours": ["dark red"],
        "category": "Hats",
    }
    assert body["words"] == [{"text": "hat", "weight": 0.25, "part": "description"}]
    assert body["cells"] == [[0.5, -0.25], [0.0, 0.0]]
    assert body["shares"]["picture"] == 0.75


def test_what_is_no_number_or_no_explanation_is_refused() -> None:
    with pytest.raises(ServingError, match="row 1 holds a figure that is no number"):
        told(replace(PLAIN, cells=((float("nan"),),)), CATALOGUE)
    with pytest.raises(ArtifactError, match="are no explanation"):
        decode_told(b"{}")
