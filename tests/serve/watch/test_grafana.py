"""The dashboard file of docs: every metric that it names is one that the server shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fastapi.testclient import TestClient
from tests.serve.small_service import small_service

from trifocal.serve.app import create_app

DASHBOARD = json.loads((Path(__file__).parents[3] / "docs/grafana/trifocal.json").read_text(encoding="utf-8"))


def test_every_metric_of_the_dashboard_is_shown(tmp_path: Path) -> None:
    expressions = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    named = {name for expression in expressions for name in re.findall(r"trifocal_\w+", expression)}
    text = TestClient(create_app(small_service(tmp_path))).get("/metrics").text
    families = set(re.findall(r"^# TYPE (\w+) ", text, flags=re.MULTILINE))
    assert len(named) > 15
    assert named - families - {name.removesuffix("_total") for name in families} == set()


def test_panels_are_told_apart_and_do_not_cover_one_another() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (column, row)
        for panel in panels
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(column for column, _ in places) == 23
