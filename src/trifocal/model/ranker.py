"""The second stage: rescoring a few hundred candidates with evidence that one vector a user can't hold. nn.Module only.

`score = retrieval score + correction(evidence)`; the last layers start at zero: an untrained ranker changes nothing.
Letters: B requests, K candidates, L history length, D embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["ITEM_EVIDENCE", "PAIR_EVIDENCE", "ItemEvidence", "Ranker", "pair_evidence"]

# What is known of an item by itself, and of an item against a history, in the order of the columns.
ITEM_EVIDENCE = ("log_popularity",)
PAIR_EVIDENCE = (
    "retrieval_score",
    "text_nearest",
    "text_mean",
    "text_last",
    "image_nearest",
    "image_mean",
    "image_last",
)


@dataclass(frozen=True)
class ItemEvidence:
    """Tables that the ranker looks items up in.

    Attributes:
        text: (N, S) compact unit text vectors; zero = no text.
        image: (N, S) compact unit image vectors; zero = no picture.
        items: (N, len(ITEM_EVIDENCE)) float.
    """

    text: Tensor
    image: Tensor
    items: Tensor


class Ranker(nn.Module):
    """A small network over user, item and what they share. Stability: caller."""

    def __init__(self, *, embedding_size: int, width: int, dropout: float) -> None:
        super().__init__()
        evidence = len(PAIR_EVIDENCE) + len(ITEM_EVIDENCE)
        self.norm = nn.LayerNorm(embedding_size)
        self.hidden = nn.Linear(3 * embedding_size + evidence, width)
        self.dropout = nn.Dropout(dropout)
        self.middle = nn.Linear(width, width)
        self.linear = nn.Linear(evidence, 1, bias=False)
        self.out = nn.Linear(width, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, users: Tensor, items: Tensor, evidence: Tensor) -> Tensor:
        """Return the (B, K) corrections of the retrieval scores.

        Args:
            users: (B, D).
            items: (B, K, D).
            evidence: (B, K, len(PAIR_EVIDENCE) + len(ITEM_EVIDENCE)), the retrieval score first.
        """
        user = self.norm(users)[:, None].expand(-1, items.shape[1], -1)
        item = self.norm(items)
        hidden = torch.relu(self.hidden(torch.cat([user, item, user * item, evidence], dim=2)))
        hidden = torch.relu(self.middle(self.dropout(hidden)))
        correction: Tensor = (self.out(hidden) + self.linear(evidence)).squeeze(2)
        return correction


def pair_evidence(scores: Tensor, candidates: Tensor, history: Tensor, mask: Tensor, tables: ItemEvidence) -> Tensor:
    """Return the (B, K, columns) evidence of candidates against histories.

    Args:
        scores: (B, K) retrieval scores.
        candidates: (B, K) item rows.
        history: (B, L) item rows, left-aligned.
        mask: (B, L) bool, True = an event.
        tables: where items are looked up.
    """
    columns = [
        scores,
        *_likeness(tables.text, candidates, history, mask),
        *_likeness(tables.image, candidates, history, mask),
    ]
    return torch.cat([torch.stack(columns, dim=2), tables.items[candidates]], dim=2)


def _likeness(table: Tensor, candidates: Tensor, history: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cosine to the most alike, to all on average, and to the newest item of the history; 0 without a history."""
    if history.shape[1] == 0:
        blank = torch.zeros(candidates.shape, device=table.device)
        return blank, blank, blank
    cosines = torch.bmm(table[candidates], table[history].transpose(1, 2))  # (B, K, L)
    cosines = cosines.clamp(min=0) * mask[:, None, :]
    lengths = mask.sum(dim=1)
    mean = cosines.pow(2).sum(dim=2) / lengths.clamp(min=1)[:, None]
    newest = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, cosines.shape[1], 1)
    return cosines.amax(dim=2), mean, cosines.gather(2, newest).squeeze(2)
