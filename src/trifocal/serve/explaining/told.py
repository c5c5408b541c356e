"""An explanation in rows -> one in ids, and that as bytes and back. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

from trifocal.errors import ArtifactError, ServingError
from trifocal.explain.explanation import Explanation, Nearest, Shares, Word
from trifocal.serve.asks import ItemExplanation, NearestItem
from trifocal.serve.catalogue import Catalogue

__all__ = ["decode_told", "encode_told", "told"]


def told(explanation: Explanation, catalogue: Catalogue) -> ItemExplanation:
    """Return `explanation` in ids of the outside world.

    Raises:
        ServingError: when a figure of it is no number.
    """
    figures = [explanation.score, explanation.completeness_error, *(word.weight for word in explanation.words)]
    figures += [weight for line in explanation.cells for weight in line]
    figures += asdict(explanation.shares).values()
    if not all(map(math.isfinite, figures)):
        raise ServingError(
            f"the explanation of the item in row {explanation.item_row} holds a figure that is no number; "
            "train and export the bundle again"
        )
    nearest = explanation.nearest
    return ItemExplanation(
        score=float(explanation.score),
        words=explanation.words,
        cells=explanation.cells,
        shares=explanation.shares,
        nearest=None if nearest is None else _nearest(nearest, catalogue),
        sentence=explanation.sentence,
        completeness_error=float(explanation.completeness_error),
    )


def _nearest(nearest: Nearest, catalogue: Catalogue) -> NearestItem:
    row = nearest.item_row
    return NearestItem(
        catalogue.vocabulary.ids[row],
        catalogue.title(row),
        float(nearest.similarity),
        nearest.words,
        nearest.colours,
        nearest.category,
    )


def encode_told(explanation: ItemExplanation) -> bytes:
    """Return `explanation` as JSON that `decode_told` reads."""
    return json.dumps(asdict(explanation), separators=(",", ":")).encode()


def decode_told(data: bytes) -> ItemExplanation:
    """Return the explanation that `encode_told` wrote.

    Raises:
        ArtifactError: when the bytes are none of this release.
    """
    try:
        values = json.loads(data)
        nearest = values["nearest"]
        pairs = {name: tuple(nearest[name]) for name in ("words", "colours")} if nearest else {}
        return ItemExplanation(
            score=values["score"],
            words=tuple(Word(**word) for word in values["words"]),
            cells=tuple(map(tuple, values["cells"])),
            shares=Shares(**values["shares"]),
            nearest=NearestItem(**{**nearest, **pairs}) if nearest else None,
            sentence=values["sentence"],
            completeness_error=values["completeness_error"],
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            f"{len(data)} bytes starting with {data[:20]!r} are no explanation ({error!r}); drop them from the cache"
        ) from error
