"""How the deep score joins memory and ranker: small grids, scored on validation."""

from __future__ import annotations

from dataclasses import replace

from trifocal.model.two_stage import Blend, TwoStageRecommender
from trifocal.ports import Validator
from trifocal.progress import progress_bar

__all__ = ["choose_blend"]

# The memory alone, memory and towers, and the towers as good as alone.
_RETRIEVAL = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 10.0)
# The ranker's scores are logits like the deep ones.
_RANKING = (0.0, 0.1, 0.2, 0.4, 0.8)
# Half a percent of a figure on some thousand users is far within chance.
_EQUAL = 0.995


def choose_blend(
    recommender: TwoStageRecommender, validate: Validator, metric: str, *, ranker: bool
) -> tuple[Blend, float]:
    """Return the blend with the best validation `metric`, and that figure.

    Of blends that are as good as the best within `_EQUAL`, the one that retrieves most by the deep score is taken: new
    items, whom validation seldom asks for, have no links and are found by it alone. Of the rest the first one.

    The deep score's share in retrieval is chosen first, without the ranker; then whether the ranker reorders, what is
    retrieved by that share and by the memory alone, with each share of the deep score in ranking.
    """
    if recommender.knowledge.memory is None:
        return Blend(), validate(recommender.with_blend(Blend()))[metric]
    first = [Blend(retrieval=factor) for factor in _RETRIEVAL]
    with progress_bar(f"blend {recommender.name}", len(first) + 2 * len(_RANKING) * ranker) as bar:

        def figure(blend: Blend) -> float:
            bar.advance()
            return validate(recommender.with_blend(blend))[metric]

        figures = {blend: figure(blend) for blend in first}
        best = max(figures, key=lambda blend: figures[blend])
        if ranker:
            starts = dict.fromkeys((Blend(), best))
            second = [replace(start, ranker=True, ranking=factor) for start in starts for factor in _RANKING]
            figures |= {blend: figure(blend) for blend in second}
    least = _EQUAL * max(figures.values())
    equal = [blend for blend, value in figures.items() if value >= least]
    chosen = max(equal, key=lambda blend: (blend.retrieval, figures[blend]))
    return chosen, figures[chosen]
