from __future__ import annotations

import torch

from trifocal.model.ranker import ITEM_EVIDENCE, PAIR_EVIDENCE, ItemEvidence, Ranker, pair_evidence


def test_an_untrained_ranker_corrects_nothing() -> None:
    ranker = Ranker(embedding_size=4, width=8, dropout=0.0).eval()
    evidence = torch.randn(2, 3, len(PAIR_EVIDENCE) + len(ITEM_EVIDENCE))
    corrections = ranker(torch.randn(2, 4), torch.randn(2, 3, 4), evidence)
    assert corrections.abs().max() == 0


def test_evidence_by_hand() -> None:
    half = 0.5**0.5
    text = torch.tensor([[1.0, 0.0], [0.0, 1.0], [half, half], [0.0, 0.0]])
    tables = ItemEvidence(text, -text, torch.tensor([[0.0], [1.0], [2.0], [3.0]]))
    history, mask = torch.tensor([[0, 1, 3]]), torch.tensor([[True, True, False]])
    evidence = pair_evidence(torch.tensor([[0.5, 0.25]]), torch.tensor([[2, 0]]), history, mask, tables)
    row = dict(zip((*PAIR_EVIDENCE, *ITEM_EVIDENCE), evidence[0, 0].tolist(), strict=True))
    # Item 2 has cosine 0.7071 to both known events; squared 0.5 each, mean 0.5; popularity table says 2.
    assert row["retrieval_score"] == 0.5
    assert abs(row["text_nearest"] - half) < 1e-6
    assert abs(row["text_mean"] - 0.5) < 1e-6
    assert abs(row["text_last"] - half) < 1e-6
    assert row["log_popularity"] == 2.0
    other = dict(zip((*PAIR_EVIDENCE, *ITEM_EVIDENCE), evidence[0, 1].tolist(), strict=True))
    # Item 0 is item 0 of the history (cosine 1), and has nothing in common with the newest, item 1.
    assert (other["text_nearest"], other["text_mean"], other["text_last"]) == (1.0, 0.5, 0.0)
    assert row["image_nearest"] > 0


def test_a_stranger_has_no_likeness() -> None:
    table = torch.eye(3)
    tables = ItemEvidence(table, table, torch.zeros(3, 1))
    nothing = torch.zeros(1, 0, dtype=torch.int64)
    evidence = pair_evidence(torch.ones(1, 2), torch.tensor([[0, 1]]), nothing, nothing.bool(), tables)
    assert evidence[..., 1:].abs().max() == 0
