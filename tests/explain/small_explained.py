"""A small recommender by chance, and content by chance for its items: for tests of explanations."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from tests.model.small_knowledge import small_knowledge
from tests.model.small_model import SMALL

from trifocal.batch import ItemBatch
from trifocal.explain import Projections
from trifocal.explain.words import ItemText
from trifocal.features.compact import fit_compact
from trifocal.model import ModelShapes, build_model
from trifocal.model.two_stage import Blend, Knowledge, TwoStageRecommender
from trifocal.types import Context, History, IntArray, Request

N, TEXT, IMAGE, CELLS, TOKENS, COMPACT = 14, 6, 6, 4, 5, 5
BARE = 3
"""The row of an item without text and picture."""
SHAPES = ModelShapes(
    n_items=N, text_width=TEXT, image_width=IMAGE, grid_cells=CELLS, attribute_sizes=(3, 4), devices=3, countries=3
)
BLEND = Blend(retrieval=0.02, ranker=True, ranking=0.3)
QUERY = np.ones(TEXT, np.float32)


class ChanceContent:
    """Tokens and cells by chance: item n has 2 + n % 4 tokens, and `BARE` has neither text nor picture."""

    def __init__(self, attributes: IntArray) -> None:
        generator = torch.Generator().manual_seed(7)
        self._text = torch.randn(N, TOKENS, TEXT, generator=generator) + 0.5
        self._image = torch.randn(N, CELLS, IMAGE, generator=generator) + 0.5
        self._attributes = torch.from_numpy(attributes)
        lengths = torch.tensor([0 if row == BARE else 2 + row % 4 for row in range(N)])
        self._mask = torch.arange(TOKENS) < lengths[:, None]

    def batch(self, item_rows: IntArray) -> ItemBatch:
        rows = torch.from_numpy(item_rows)
        mask, present = self._mask[rows], rows != BARE
        return ItemBatch(
            self._text[rows] * mask[..., None],
            mask,
            self._image[rows] * present[:, None, None],
            present,
            self._attributes[rows],
            rows + 1,
        )

    def text(self, item_row: int) -> ItemText | None:
        if item_row == BARE:
            return None
        # The first token is a special one, the second and third are one word.
        return ItemText(("blue", "shirt", "cotton"), ("title", "title", "category"), np.array([-1, 0, 0, 1, 2]))

    def title(self, item_row: int) -> str | None:
        return f"thing {item_row}"

    def category(self, item_row: int) -> str | None:
        return "Fashion > Shirt" if item_row % 2 else None

    def colours(self, item_row: int) -> tuple[str, ...]:
        return ("blue",) if item_row % 2 else ("red", "blue")


@cache
def explained(blend: Blend = BLEND, *, remembers: bool = True) -> tuple[TwoStageRecommender, ChanceContent]:
    """A recommender whose vectors and compact vectors are those of its content, as in training."""
    torch.manual_seed(1)
    model = build_model(SMALL, SHAPES).eval()
    torch.nn.init.normal_(model.ranker.out.weight)
    torch.nn.init.normal_(model.ranker.linear.weight)
    torch.nn.init.normal_(model.user_tower.out.weight, std=0.2)
    torch.nn.init.normal_(model.item_tower.look_gate)
    torch.nn.init.normal_(model.user_tower.query_gate)
    torch.nn.init.normal_(model.item_tower.id_table.weight[1:])
    knowledge = small_knowledge(N, SMALL.embedding_size, SHAPES.attribute_sizes)
    tables = knowledge.evidence
    content = ChanceContent(tables.attributes)
    items = content.batch(np.arange(N))
    text, image = pooled(items)
    model.item_tower.text_components.fit(text)
    model.item_tower.image_components.fit(image)
    found = projections(content)
    assert found.text is not None
    assert found.image is not None
    grown = tables.grown(
        text=found.text.vectors(text.numpy()),
        image=found.image.vectors(image.numpy()),
        attributes=tables.attributes,
        counts=tables.counts,
        device_counts=tables.device_counts,
        newest_counts=tables.newest_counts,
    )
    with torch.no_grad():
        vectors = model.item_tower(items).numpy()
    recommender = TwoStageRecommender(
        name="trifocal",
        model=model,
        knowledge=Knowledge(vectors, grown, knowledge.memory if remembers else None),
        blend=blend,
        history_length=SMALL.history_length,
        text_width=TEXT,
        rank_candidates=N,
    )
    return recommender, content


def projections(content: ChanceContent) -> Projections:
    text, image = (features.numpy() for features in pooled(content.batch(np.arange(N))))
    return Projections(fit_compact(text, COMPACT), fit_compact(image, COMPACT))


def pooled(items: ItemBatch) -> tuple[torch.Tensor, torch.Tensor]:
    return items.text.sum(dim=1) / items.text_mask.sum(dim=1).clamp(min=1)[:, None], items.image.mean(dim=1)


def asked(*rows: int, query: bool = False) -> Request:
    history = History.of_rows(rows)
    return Request(history, Context(10**9, 1, 1, QUERY if query else None), exclude=history.item_rows)
