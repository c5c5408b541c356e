"""`trifocal shop simulate`."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.data.shop.live.small_server import CONFIG, SmallServer
from typer.testing import CliRunner

from trifocal.cli.app import app
from trifocal.data.shop import generate_shop
from trifocal.data.shop.live import read_world
from trifocal.errors import DataError


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulate") / "shop"
    generate_shop(folder, CONFIG)
    return folder


def test_simulate_visits_and_prints_the_figures(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = SmallServer(read_world(shop))

    def opened(address: str, *, key: str | None, connections: int) -> httpx.Client:
        assert (address, key, connections) == ("http://shop.test", "k" * 16, 2)
        return httpx.Client(transport=httpx.MockTransport(server.answer), base_url=address)

    monkeypatch.setattr("trifocal.data.shop.live.open_http", opened)
    options = ["--shoppers", "5", "--visits-per-shopper", "2", "--concurrency", "2", "--key", "k" * 16]
    out = tmp_path / "figures" / "live.json"
    result = CliRunner().invoke(app, ["shop", "simulate", str(shop), "http://shop.test", *options, "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert "10 of 10 visits" in result.stdout
    assert "main / full" in result.stdout
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["events_stored"] == len(server.events) == figures["events_told"]
    assert figures["rows"][0]["ctr"]["low"] <= figures["rows"][0]["ctr"]["value"]


def test_a_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no truth"):
        CliRunner().invoke(app, ["shop", "simulate", str(tmp_path), "http://shop.test"], catch_exceptions=False)
