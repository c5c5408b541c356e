"""Explanations by integrated gradients: request and items -> words, cells, nearest item, shares, one sentence.

Letters: K items, T text tokens, G image cells, R x C = G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trifocal.explain.content import ItemContent
from trifocal.explain.explanation import Explanation, Nearest, Shares, Word
from trifocal.explain.gates import SOURCES
from trifocal.explain.integrated import Attributions, integrated_gradients
from trifocal.explain.nearest import nearest_item
from trifocal.explain.score import Projections, Scorer
from trifocal.explain.sentence import sentence
from trifocal.explain.words import word_sums
from trifocal.model import TwoStageRecommender
from trifocal.types import FloatArray, IntArray, Request

__all__ = ["IntegratedGradientsExplainer"]


class IntegratedGradientsExplainer:
    """An `Explainer` of the score that ranks. Safe to use from several threads. Stability: caller.

    Args:
        recommender: whose answers are explained.
        content: what its items say and show.
        projections: what made the compact vectors; see there.
        steps: points on the way from nothing to the item.
    """

    def __init__(
        self,
        recommender: TwoStageRecommender,
        content: ItemContent,
        *,
        projections: Projections | None = None,
        steps: int = 5,
    ) -> None:
        self._content, self._steps = content, steps
        self.scorer = Scorer(recommender, projections)

    def explain(self, request: Request, item_rows: IntArray, query: str | None = None) -> Sequence[Explanation]:
        """See `Explainer`.

        Args:
            request: as it was answered.
            item_rows: (K,).
            query: the words that were searched for, where the request holds their vector.

        Raises:
            DataError: when a row is past the catalogue, or a picture cannot be read.
            ConfigError: when Captum is not installed.
        """
        if not len(item_rows):
            return []
        found, tokens, has_picture = self._attributions(request, item_rows)
        if request.context.query_vector is not None:
            query = query or ""
        return [
            self._explanation(request, int(row), found, place, tokens, query, has_picture=bool(has_picture[place]))
            for place, row in enumerate(item_rows)
        ]

    def attributions(self, request: Request, item_rows: IntArray) -> Attributions:
        """Return what each token, cell and source adds to the scores; padding and what is missing add 0."""
        return self._attributions(request, item_rows)[0]

    def _attributions(self, request: Request, item_rows: IntArray) -> tuple[Attributions, int, Sequence[bool]]:
        """Beside them T, and which items have a picture that the model sees."""
        items = self._content.batch(item_rows)
        tokens, cells = items.text.shape[1], items.image.shape[1]
        scores = self.scorer.of(request, item_rows).gated(items)
        gates = tokens + cells + len(SOURCES)
        return integrated_gradients(scores, len(items), gates, steps=self._steps), tokens, items.image_mask.tolist()

    def _explanation(
        self,
        request: Request,
        row: int,
        found: Attributions,
        place: int,
        tokens: int,
        query: str | None,
        *,
        has_picture: bool,
    ) -> Explanation:
        weights = found.gates[place]
        words, cells = self._shown(row, weights[: -len(SOURCES)], tokens, has_picture=has_picture)
        shares, nearest = _shares(weights, tokens), self._nearest(request, row)
        title = None if nearest is None else self._content.title(nearest.item_row)
        said = sentence(words=words, cells=cells, shares=shares, nearest=nearest, title=title, query=query)
        error = float(found.completeness_errors[place])
        return Explanation(row, float(found.scores[place]), words, cells, shares, nearest, said, error)

    def _shown(
        self, row: int, weights: FloatArray, tokens: int, *, has_picture: bool
    ) -> tuple[tuple[Word, ...], tuple[tuple[float, ...], ...]]:
        """Words and cells with `weights` (T + G,), which are brought to an absolute sum of 1."""
        unit = weights / max(float(np.abs(weights).sum()), 1e-12)
        text = self._content.text(row)
        words: tuple[Word, ...] = ()
        if text is not None:
            sums = word_sums(text, unit[:tokens]).tolist()
            words = tuple(Word(*word) for word in zip(text.words, sums, text.parts, strict=True))
        side = math.isqrt(len(unit) - tokens)
        cells = unit[tokens:].reshape(-1, side).tolist() if has_picture else []
        return words, tuple(tuple(line) for line in cells)

    def _nearest(self, request: Request, row: int) -> Nearest | None:
        recommender = self.scorer.recommender
        history = request.history.last(recommender.history_length).item_rows
        return nearest_item(row, history, recommender.item_vectors, self._content)


def _shares(weights: FloatArray, tokens: int) -> Shares:
    """What the sources add, each summed with its signs and then taken absolute; (T + G + 3) `weights`."""
    attributes, identity, context = weights[-len(SOURCES) :].tolist()
    cells = weights[tokens : -len(SOURCES)]
    added = np.abs([float(weights[:tokens].sum()), float(cells.sum()), attributes, identity, context])
    text, picture, *others = (added / max(float(added.sum()), 1e-12)).tolist()
    return Shares(text, picture, *others)
