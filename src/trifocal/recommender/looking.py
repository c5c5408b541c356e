"""Answers -> what a notebook shows of them: galleries, explanations, a summary. Finds pictures; draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.bundle import Manifest
from trifocal.errors import ArtifactError, DataError
from trifocal.recommender.asking import OF_ITEM, RANK, REASON, REASON_ITEM, REASON_TITLE, SCORE, WHY
from trifocal.recommender.showing import Card, Explained, Gallery
from trifocal.serve import Ask, Service
from trifocal.serve.asks import ItemExplanation
from trifocal.serve.explaining.why import Why

__all__ = ["explained", "gallery", "line", "summary", "with_why"]

# What stands in the heading, in the title, or in words below the picture.
_NOT_LINES = {c.USER_ID, c.ITEM_ID, c.TITLE, OF_ITEM, RANK, SCORE, REASON, REASON_ITEM, REASON_TITLE}
_MOST_CARDS = 24


def gallery(service: Service, frame: pl.DataFrame, rows: int) -> Gallery:
    """Return the items of `frame` with pictures: a row a user, a row an item that was asked about, or one row.

    Raises:
        DataError: when `frame` has no column `item_id`.
    """
    if c.ITEM_ID not in frame.columns:
        raise DataError(f"the frame has no column {c.ITEM_ID}; it has: {', '.join(frame.columns) or 'none'}")
    by = next((name for name in (c.USER_ID, OF_ITEM) if name in frame.columns), None)
    if by is None:
        return Gallery((("", _cards(service, frame)),))
    parts = frame.partition_by(by, maintain_order=True)[:rows]
    return Gallery(tuple((_heading(service, by, part[by][0]), _cards(service, part)) for part in parts))


def _heading(service: Service, by: str, value: str) -> str:
    if by == c.USER_ID:
        return f"for {value}"
    row = service.catalogue.vocabulary.row(value)
    return f"like {value if row is None else service.catalogue.title(row)}"


def _cards(service: Service, frame: pl.DataFrame) -> tuple[Card, ...]:
    return tuple(_card(service, line) for line in frame.head(_MOST_CARDS).iter_rows(named=True))


def _card(service: Service, told: dict[str, object]) -> Card:
    item_id = str(told[c.ITEM_ID])
    row = service.catalogue.vocabulary.row(item_id)
    lines = [_text(value) for name, value in told.items() if name not in _NOT_LINES and value is not None]
    if told.get(REASON_TITLE) is not None:
        lines.append(f"like {told[REASON_TITLE]}")
    title = str(told.get(c.TITLE) or (item_id if row is None else service.catalogue.title(row)))
    return Card(item_id, title, tuple(lines), None if row is None else _picture(service, row))


def _text(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _picture(service: Service, row: int) -> Path | None:
    found = service.picture(row)
    return None if found is None else found[0]


def explained(service: Service, ask: Ask, item_ids: Sequence[str]) -> list[Explained]:
    """Return why each of `item_ids` fits what is known of who asks.

    Raises:
        NotFoundError: when the catalogue does not hold an item.
        ConfigError: when the extra `explain` is not installed, or the model cannot be explained.
        ArtifactError: when an explanation failed.
    """
    rows = [service.catalogue.row(item_id) for item_id in item_ids]
    found = service.explain(Why(ask), item_ids).explanations
    return [_explained(service, row, explanation) for row, explanation in zip(rows, found, strict=True)]


def with_why(service: Service, frame: pl.DataFrame, asks: Sequence[Ask]) -> pl.DataFrame:
    """Return `frame` with the column `why`: one sentence an item.

    Args:
        service: explains.
        frame: recommendations, users in the order of `asks`.
        asks: what each user asked.
    """
    of_user = {user: part[c.ITEM_ID].to_list() for (user,), part in frame.partition_by(c.USER_ID, as_dict=True).items()}
    told = [explained(service, ask, of_user[ask.user_id]) for ask in asks if ask.user_id in of_user]
    sentences = [one.sentence for several in told for one in several]
    return frame.with_columns(pl.Series(WHY, sentences, dtype=pl.String))


def _explained(service: Service, row: int, told: ItemExplanation | None) -> Explained:
    card = service.catalogue.card(row)
    if told is None:
        raise ArtifactError(f"item {card.item_id!r} could not be explained; the log says why")
    nearest = told.nearest
    return Explained(
        item_id=card.item_id,
        title=card.title,
        sentence=told.sentence,
        score=told.score,
        words=told.words,
        cells=told.cells,
        shares=told.shares,
        nearest_item_id=None if nearest is None else nearest.item_id,
        nearest_title=None if nearest is None else nearest.title,
        completeness_error=told.completeness_error,
        picture=_picture(service, row),
        nearest_picture=None if nearest is None else _picture(service, service.catalogue.row(nearest.item_id)),
    )


def line(manifest: Manifest) -> str:
    """Return a recommender in one line of text."""
    return f"<Recommender {manifest.model_name} {manifest.model_version}: {manifest.counts['items']:,} items>"


def summary(manifest: Manifest) -> str:
    """Return what a notebook shows of a recommender: a small table."""
    counts = [(name, f"{count:,}") for name, count in manifest.counts.items()]
    lines = [("model", f"{manifest.model_name} {manifest.model_version}"), ("made", manifest.created_at), *counts]
    rows = "".join(f"<tr><th style='text-align:left'>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in lines)
    return f"<table>{rows}</table>"
