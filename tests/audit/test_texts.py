from __future__ import annotations

import polars as pl

from trifocal import columns as c
from trifocal.audit.config import AuditConfig
from trifocal.audit.texts import text_findings


def items(rows: list[tuple[str | None, str | None, str | None]]) -> pl.DataFrame:
    columns = zip(*rows, strict=True)
    titles, descriptions, categories = (pl.Series(list(column), dtype=pl.String) for column in columns)
    ids = [f"i{number}" for number in range(len(rows))]
    return pl.DataFrame({c.ITEM_ID: ids, c.TITLE: titles, c.DESCRIPTION: descriptions, c.CATEGORY: categories})


def test_texts_that_say_nothing_are_found() -> None:
    table = items(
        [
            ("Wool hat", "A warm hat.", "Hats"),
            (None, " ", "Hats"),
            ("N/A", None, "Hats"),
            ("Lorem ipsum", "dolor sit amet, consectetur", "Hats"),
            ("Hat", None, "Hats"),
        ]
    )
    found = text_findings(table, AuditConfig())
    assert [(one.item_id, one.severity) for one in found] == [
        ("i1", "error"), ("i2", "error"), ("i3", "error"), ("i4", "warning"),
    ]  # fmt: skip
    # Three of ten characters: .7 of the 1 - 3/10 that are missing.
    assert round(found[-1].score, 9) == 0.49


def test_one_text_for_many_categories_is_a_placeholder_and_for_variants_is_none() -> None:
    same = [("Our new product", "See picture.", f"Category {number}") for number in range(3)]
    variants = [("Wool hat", "A warm hat.", "Hats")] * 8
    found = text_findings(items([*same, *variants]), AuditConfig(repeated_items=3))
    assert [one.item_id for one in found] == ["i0", "i1", "i2"]
    assert found[0].detail.startswith("3 products of different categories")
