from __future__ import annotations

import numpy as np
import torch
from tests.explain.small_explained import N, explained, pooled, projections

from trifocal.explain import recovered_projection
from trifocal.explain.likeness import CompactParts, likeness_columns
from trifocal.features.compact import fit_compact
from trifocal.model.evidence import evidence_of
from trifocal.types import Context, History


def test_parts_add_up_to_the_compact_vector() -> None:
    content = explained()[1]
    items, projection = content.batch(np.arange(N)), projections(content).text
    assert projection is not None
    parts = CompactParts.of(items.text, items.text_mask, projection)
    whole = projection.vectors(pooled(items)[0].numpy())
    np.testing.assert_allclose(parts.at(torch.ones(N, 5)).numpy(), whole, atol=1e-5)
    np.testing.assert_allclose(parts.at(torch.full((2 * N, 5), 0.25))[N:].numpy(), whole / 4, atol=1e-5)
    assert not parts.at(torch.zeros(N, 5)).any()


def test_even_parts_are_a_share_a_token() -> None:
    vectors, mask = torch.tensor([[0.6, 0.8]]), torch.tensor([[True, True, False]])
    parts = CompactParts.even(vectors, mask)
    torch.testing.assert_close(parts.at(torch.tensor([[1.0, 0.0, 1.0]])), vectors / 2)


def test_columns_are_those_of_the_evidence() -> None:
    tables = explained()[0].knowledge.evidence
    rows, history = np.array([2, 5, 8]), History.of_rows([1, 4, 7])
    nothing = np.zeros(3, np.float32)
    actual = evidence_of(tables, rows, history, Context(), nothing, nothing)
    vectors, taken = (torch.from_numpy(np.asarray(tables.text[at])) for at in (rows, history.item_rows))
    np.testing.assert_allclose(likeness_columns(vectors, taken).numpy(), actual[:, 6:10], rtol=1e-5)


def test_a_projection_is_recovered_from_what_it_made() -> None:
    generator = np.random.default_rng(0)
    pooled_features = generator.normal(size=(200, 12)).astype(np.float32) + 1
    pooled_features[3] = 0
    made = fit_compact(pooled_features, 6).vectors(pooled_features)
    found = recovered_projection(pooled_features, made).vectors(pooled_features)
    cosines = (found * made).sum(axis=1)
    assert np.median(cosines) > 0.98
    assert not found[3].any()


def test_of_nothing_nothing_is_recovered() -> None:
    for features in (np.zeros((4, 3), np.float32), np.ones((4, 3), np.float32)):
        found = recovered_projection(features, np.ones((4, 2), np.float32))
        assert found.components.shape == (3, 2)
        assert not found.components.any()
