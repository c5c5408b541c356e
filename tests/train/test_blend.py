from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.model import test_two_stage

from trifocal.model.two_stage import Blend, TwoStageRecommender
from trifocal.ports import Recommender, Validator
from trifocal.train.blend import choose_blend


def validator(figure: Callable[[Blend], float], asked: list[Blend] | None = None) -> Validator:
    """Judges the blend instead of lists."""

    def validate(recommender: Recommender) -> dict[str, float]:
        assert isinstance(recommender, TwoStageRecommender)
        blend = recommender.blend
        if asked is not None:
            asked.append(blend)
        return {"ndcg@10": figure(blend)}

    return validate


def chosen(figure: Callable[[Blend], float], *, ranker: bool = True) -> tuple[Blend, float]:
    return choose_blend(test_two_stage.recommender(), validator(figure), "ndcg@10", ranker=ranker)


def test_what_only_harms_leaves_the_memory_alone() -> None:
    assert chosen(lambda blend: 0.5 - blend.retrieval - 0.2 * blend.ranker) == (Blend(), 0.5)


def test_of_equals_the_one_that_finds_new_items_is_chosen() -> None:
    assert chosen(lambda _: 0.25, ranker=False) == (Blend(retrieval=10.0), 0.25)


def test_half_a_percent_is_as_good_and_more_is_not() -> None:
    figures = {0.0: 1.0, 0.01: 0.996, 0.02: 0.994}
    found = chosen(lambda blend: figures.get(blend.retrieval, 0.5), ranker=False)
    assert found == (Blend(retrieval=0.01), 0.996)


def test_each_factor_is_chosen_by_its_figure() -> None:
    def figure(blend: Blend) -> float:
        return 0.5 - abs(blend.retrieval - 0.05) + blend.ranker * (0.2 - abs(blend.ranking - 0.4))

    assert chosen(figure) == (Blend(0.05, ranker=True, ranking=0.4), 0.7)


def test_the_ranker_may_prefer_what_the_memory_alone_retrieved() -> None:
    def figure(blend: Blend) -> float:
        return 0.3 + blend.retrieval / 100 if not blend.ranker else 0.5 - blend.retrieval - blend.ranking / 10

    assert chosen(figure) == (Blend(ranker=True), 0.5)


def test_an_untrained_ranker_is_not_asked() -> None:
    asked: list[Blend] = []
    found, figure = choose_blend(
        test_two_stage.recommender(), validator(lambda b: float(b.ranker), asked), "ndcg@10", ranker=False
    )
    assert (found, figure) == (Blend(retrieval=10.0), 0.0)
    assert not any(blend.ranker for blend in asked)


def test_without_a_memory_there_is_nothing_to_choose() -> None:
    asked: list[Blend] = []
    bare = test_two_stage.recommender().with_items("bare", replace(test_two_stage.recommender().knowledge, memory=None))
    found = choose_blend(bare, validator(lambda _: 0.4, asked), "ndcg@10", ranker=True)
    assert found == (Blend(), 0.4)
    assert asked == [Blend()]
