"""JSON lines: values become text, lists keep their parts, and a line that is no object is malformed."""

from __future__ import annotations

from pathlib import Path

from trifocal.data.json_lines import LIST_SEPARATOR, read_json_lines
from trifocal.data.rejects import ROW, RejectLog

CONTENT = """{"sku": 7, "name": "Bag", "tags": ["red", "big"], "new": true}
{"sku": "8", "price": 1.5, "name": null}
{"sku": 9,
[1, 2]

{"sku": 10, "size": {"w": 1}}
"""


def test_reads_objects_as_text_and_counts_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(CONTENT, encoding="utf-8")
    log = RejectLog("items")
    frame, count = read_json_lines(path, "utf-8-sig", log)
    assert count == 5
    assert frame.select(ROW, "sku", "name", "price").rows() == [
        (1, "7", "Bag", None),
        (2, "8", None, "1.5"),
        (5, "10", None, None),
    ]
    assert frame["tags"][0] == f"red{LIST_SEPARATOR}big"
    assert frame["new"].to_list() == ["true", None, None]
    assert frame["size"][2] == '{"w": 1}'
    rejects = log.frame(frame)
    assert rejects["row"].to_list() == [3, 4]
    assert rejects["raw"].to_list() == ['{"line": "{\\"sku\\": 9,"}', '{"line": "[1, 2]"}']
