from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tests.explain.small_explained import BARE, CELLS, N, asked, explained, projections

from trifocal.explain import Explainer, Explanation, IntegratedGradientsExplainer
from trifocal.types import Request


def explainer(steps: int = 24) -> IntegratedGradientsExplainer:
    recommender, content = explained()
    return IntegratedGradientsExplainer(recommender, content, projections=projections(content), steps=steps)


def total(found: Explanation) -> float:
    return sum(abs(word.weight) for word in found.words) + sum(abs(cell) for line in found.cells for cell in line)


@pytest.mark.parametrize("request_", [asked(1, 4, 7), asked(), asked(2, query=True)])
def test_what_is_added_adds_up_to_the_score(request_: Request) -> None:
    rows = np.arange(N)
    used: Explainer = explainer()
    found = used.explain(request_, rows)
    assert [one.item_row for one in found] == rows.tolist()
    # A score that hardly differs from that of nothing has no relative error worth the name.
    assert np.median([one.completeness_error for one in found]) < 0.01
    for one in found:
        assert total(one) <= 1 + 1e-6
        shares = one.shares
        assert sum((shares.text, shares.picture, shares.attributes, shares.identity, shares.context)) == pytest.approx(
            1
        )


def test_gates_answer_for_what_stands_behind_them() -> None:
    used, rows = explainer(), np.array([2, 5])
    gates = used.attributions(asked(1, 4), rows).gates
    scores = used.scorer.of(asked(1, 4), rows).gated(explained()[1].batch(rows))
    # Around half-way opened, the slopes have the signs of what is added where a gate adds much.
    half = torch.full(gates.shape, 0.5, requires_grad=True)
    (slope,) = torch.autograd.grad(scores(half).sum(), half)
    much = np.abs(gates) > 0.2 * np.abs(gates).max()
    assert (np.sign(slope.numpy())[much] == np.sign(gates)[much]).mean() >= 0.75


def test_tokens_are_merged_into_words_and_cells_into_a_grid() -> None:
    (found,) = explainer().explain(asked(1, 4), np.array([7]))
    gates = explainer().attributions(asked(1, 4), np.array([7])).gates[0]
    tokens = gates[:-3]
    unit = tokens / np.abs(tokens).sum()
    assert [word.text for word in found.words] == ["blue", "shirt", "cotton"]
    assert [word.part for word in found.words] == ["title", "title", "category"]
    np.testing.assert_allclose([w.weight for w in found.words], [unit[1] + unit[2], unit[3], unit[4]], rtol=1e-5)
    np.testing.assert_allclose(np.ravel(found.cells), unit[-CELLS:], rtol=1e-5)


def test_an_item_without_text_and_picture_is_explained_by_the_rest() -> None:
    (found,) = explainer().explain(asked(1, 4), np.array([BARE]))
    assert found.words == ()
    assert found.cells == ()
    assert found.shares.text == found.shares.picture == 0
    assert found.completeness_error < 0.01


def test_a_stranger_has_no_nearest_item() -> None:
    (found,) = explainer().explain(asked(), np.array([5]))
    assert found.nearest is None
    assert found.sentence.startswith("You are new here; ")


def test_a_search_is_explained_by_the_towers_alone() -> None:
    found = explainer().explain(asked(query=True), np.array([5, 6]), "blue shirt")
    assert all(one.sentence.startswith("For «blue shirt»: ") for one in found)
    assert explainer().explain(asked(query=True), np.array([5]))[0].sentence.startswith("For this search: ")


def test_nothing_asked_nothing_said() -> None:
    assert explainer().explain(asked(1), np.zeros(0, np.int64)) == []


def test_threads_and_neighbours_change_nothing() -> None:
    used = explainer(steps=4)
    requests = [asked(1, 4), asked(), asked(0, 5, 6), asked(2, query=True)] * 4
    alone = [used.explain(request, np.array([7])) for request in requests]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda request: used.explain(request, np.array([7])), requests))
    assert together == alone
    (first, *_) = used.explain(asked(1, 4), np.array([7, 11]))
    assert first.score == pytest.approx(alone[0][0].score, rel=1e-5)
    # Serving threads go on without gradients.
    assert not torch.is_inference_mode_enabled()
    assert all(weight.grad is None for weight in used.scorer.model.parameters())
