"""How much memory and ranker add to the deep score: a small grid, scored on validation."""

from __future__ import annotations

from itertools import product

from trifocal.model.two_stage import Blend, TwoStageRecommender
from trifocal.ports import Validator
from trifocal.progress import progress_bar

__all__ = ["choose_blend"]

# Links are about a hundredth of a logit; the factors bring both to one scale.
_MEMORY_FACTORS = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0)
_RANKER_FACTORS = (0.0, 0.5, 1.0)


def choose_blend(recommender: TwoStageRecommender, validate: Validator, metric: str) -> tuple[Blend, float]:
    """Return the blend with the best validation `metric`, and that figure; of equals the simplest.

    The factor of the memory is chosen first, without the ranker; then the ranker's, beside the memory.
    """
    memories = _MEMORY_FACTORS if recommender.memory is not None else (0.0,)
    with progress_bar(f"blend {recommender.name}", len(memories) + len(_RANKER_FACTORS) - 1) as bar:

        def figure(blend: Blend) -> float:
            bar.advance()
            return validate(recommender.with_blend(blend))[metric]

        first = {blend: figure(blend) for blend in (Blend(memory, 0.0) for memory in memories)}
        best = max(first, key=lambda blend: first[blend])
        second = {b: figure(b) for b in (Blend(m, r) for m, r in product((best.memory,), _RANKER_FACTORS[1:]))}
    every = {best: first[best], **second}
    chosen = max(every, key=lambda blend: every[blend])
    return chosen, every[chosen]
