"""Texts that say nothing: missing, too short, or one for many different products. Values in, findings out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import polars as pl

from trifocal import columns as c
from trifocal.audit.config import AuditConfig
from trifocal.audit.finding import Finding

__all__ = ["own_texts", "text_findings"]

_PLACEHOLDER = re.compile(
    r"(n/?a|none|null|nan|todo|tbd|test|untitled|no (title|name|description|text)|lorem ipsum.*|description|title"
    r"|product|item|coming soon|[\W_]*)", re.IGNORECASE | re.DOTALL
)  # fmt: skip


def own_texts(items: pl.DataFrame) -> list[str]:
    """Return title and description of each product; "" where it has neither."""
    rows = items.select(c.TITLE, c.DESCRIPTION).iter_rows()
    return [" ".join(part.strip() for part in row if part and part.strip()) for row in rows]


def text_findings(items: pl.DataFrame, config: AuditConfig) -> list[Finding]:
    """Return what is wrong with the texts of the canonical table `items`.

    A text that several products share is a placeholder where they are of as many categories as `repeated_items` says:
    variants of a product share a text rightly, and a category.
    """
    texts, ids = own_texts(items), items[c.ITEM_ID].to_list()
    repeated = _repeated(texts, items[c.CATEGORY].to_list(), config.repeated_items)
    found = []
    for item_id, text in zip(ids, texts, strict=True):
        one = _finding(item_id, text, repeated.get(text), config)
        if one is not None:
            found.append(one)
    return found


def _finding(item_id: str, text: str, repeated: int | None, config: AuditConfig) -> Finding | None:
    if not text:
        return Finding(item_id, "text", "error", 1.0, "it has neither title nor description")
    if _PLACEHOLDER.fullmatch(text):
        return Finding(item_id, "text", "error", 0.9, f"its text is a placeholder: {text[:60]!r}")
    if repeated is not None:
        return Finding(
            item_id, "text", "error", 0.8, f"{repeated} products of different categories share its text: {text[:60]!r}"
        )
    if len(text) < config.short_text:
        share = round(1 - len(text) / config.short_text, 3)
        return Finding(item_id, "text", "warning", 0.7 * share, f"its text has {len(text)} characters: {text!r}")
    return None


def _repeated(texts: Sequence[str], categories: Sequence[str | None], least: int) -> dict[str, int]:
    """Text -> how many products share it, where they are of at least `least` categories."""
    holders: dict[str, list[str | None]] = defaultdict(list)
    for text, category in zip(texts, categories, strict=True):
        holders[text].append(category)
    return {text: len(found) for text, found in holders.items() if text and len(set(found)) >= least}
