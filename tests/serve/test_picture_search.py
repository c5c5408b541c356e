"""Search by picture on the small shop: a picture's vector is its mean colour, and so is every item's."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image
from tests.bundle.small_bundle import COLOURS, WordEncoder, small_contents

from trifocal.bundle import read_bundle, write_bundle
from trifocal.bundle.network import compact_weights
from trifocal.errors import ConfigError, ServingError
from trifocal.features.compact import CompactProjection
from trifocal.feedback import MemoryEventStore
from trifocal.ports import TokenSource
from trifocal.serve import Filters, ServeConfig, Service, build_service
from trifocal.serve.app import create_app
from trifocal.serve.picture_search import SearchAsk, check_picture
from trifocal.types import FloatArray

RGB = {"red": (255, 0, 0), "blue": (0, 0, 255), "green": (0, 128, 0), "black": (0, 0, 0)}


class MeanColour:
    """Looks at a picture and sees one colour; every second token is as the first."""

    name, width, fingerprint = "mean-colour", 3, "-"

    def encode(self, contents: Sequence[str]) -> list[FloatArray]:
        return [np.stack([_colour(path)] * 2) for path in contents]


def _colour(path: str) -> FloatArray:
    with Image.open(path) as picture:
        colour: FloatArray = np.asarray(picture.convert("RGB"), dtype=np.float32).mean(axis=(0, 1))
    return colour


def picture(colour: str | tuple[int, int, int], form: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, RGB[colour] if isinstance(colour, str) else colour).save(file, form)
    return file.getvalue()


def service_of(
    folder: Path, load: object = MeanColour, *, compact: bool = True, config: ServeConfig | None = None
) -> Service:
    """Items of a colour have that colour's picture; the lamps have none."""
    projection = CompactProjection(np.full(3, 90, np.float32), np.eye(3, dtype=np.float32))
    looks = projection.vectors(np.array([RGB[colour] for colour in COLOURS for _ in range(3)], np.float32) + 1e-3)
    looks[2::3] = 0
    weights = {"evidence.image": torch.from_numpy(looks)} | (compact_weights({"image": projection}) if compact else {})
    write_bundle(replace(small_contents(), weights=weights), folder / "bundle")
    loader: type[TokenSource] = load  # type: ignore[assignment]  # a class, or a function that raises
    return build_service(
        read_bundle(folder / "bundle"),
        MemoryEventStore(),
        encoder=WordEncoder,
        image_encoder=lambda: loader(),
        config=config,
    )


def ids(service: Service, ask: SearchAsk) -> list[str]:
    return [item.card.item_id for item in service.picture_search.search(ask).items]


def test_a_picture_finds_what_looks_like_it(tmp_path: Path) -> None:
    service = service_of(tmp_path)
    answer = service.picture_search.search(SearchAsk(picture=picture("red"), k=2))
    assert answer.rung == "picture"
    assert sorted(item.card.item_id for item in answer.items) == ["red-boot", "red-dress"]
    assert [item.score for item in answer.items] == pytest.approx([1, 1], abs=1e-4)
    everything = ids(service, SearchAsk(picture=picture("red"), k=12))
    assert not [name for name in everything if name.endswith("lamp")]


def test_words_and_a_picture_add_up(tmp_path: Path) -> None:
    service = service_of(tmp_path)
    both = SearchAsk("boot", picture("green"), k=1)
    assert ids(service, both) == ["green-boot"]
    # Words alone decide, where the picture weighs nothing: all boots are as good.
    found = ids(service, replace(both, k=4, picture_weight=0.0))
    assert sorted(found) == ["black-boot", "blue-boot", "green-boot", "red-boot"]
    assert sorted(ids(service, replace(both, k=2, picture_weight=1.0))) == ["green-boot", "green-dress"]


def test_filters_hold_for_pictures(tmp_path: Path) -> None:
    service = service_of(tmp_path)
    # Red dress 10, red boot 20.
    ask = SearchAsk(picture=picture("red"), k=1, filters=Filters(category="Fashion", price_min=15))
    assert ids(service, ask) == ["red-boot"]


def test_words_answer_where_pictures_cannot_be_compared(tmp_path: Path) -> None:
    def missing() -> TokenSource:
        raise ConfigError("the package is missing: pip install 'trifocal[encoders]'")

    service = service_of(tmp_path, missing)
    answer = service.picture_search.search(SearchAsk("red boot", picture("blue"), k=1))
    assert (answer.rung, answer.items[0].card.item_id) == ("hybrid", "red-boot")
    assert answer.notes == ("the picture was ignored: the package is missing: pip install 'trifocal[encoders]'",)
    with pytest.raises(ConfigError, match="the package is missing"):
        service.picture_search.search(SearchAsk(picture=picture("blue")))


def test_an_older_bundle_says_so(tmp_path: Path) -> None:
    service = service_of(tmp_path, compact=False)
    with pytest.raises(ConfigError, match="this bundle does not compare pictures"):
        service.picture_search.search(SearchAsk(picture=picture("blue")))


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\nbroken", b"<svg/>"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ServingError, match="bytes are no picture that can be read"):
        check_picture(content)


def test_a_small_file_with_too_many_pixels_is_refused() -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 5_000)).save(file, "PNG")
    with pytest.raises(ServingError, match="the picture has 20,000 x 5,000 pixels, the limit is 50,000,000 in all"):
        check_picture(file.getvalue())


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    with pytest.raises(ServingError, match="the picture cannot be read"):
        service_of(tmp_path).picture_search.search(SearchAsk("boot", file.getvalue()[:2000]))


def test_an_empty_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="the search is empty; send words, a picture, or both"):
        service_of(tmp_path).picture_search.search(SearchAsk(" "))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_over_http_as_bytes(tmp_path: Path, form: str) -> None:
    client = TestClient(create_app(service_of(tmp_path)))
    headers = {"content-type": f"image/{form.lower()}"}
    answer = client.post("/v1/search?k=1&category=Fashion > Shoes", content=picture("blue", form), headers=headers)
    assert answer.json()["rung"] == "picture"
    assert [item["item_id"] for item in answer.json()["items"]] == ["blue-boot"]
    assert answer.json()["items"][0]["reason"] == {"kind": "query", "item_id": None, "title": None}


def test_over_http_as_json(tmp_path: Path) -> None:
    client = TestClient(create_app(service_of(tmp_path)))
    body = {"picture": base64.b64encode(picture("green")).decode(), "q": "boot", "k": 1, "timings": True}
    answer = client.post("/v1/search", json=body).json()
    assert (answer["rung"], answer["items"][0]["item_id"]) == ("picture", "green-boot")
    assert set(answer["stages_ms"]) == {"encode", "exclude", "rank", "answer"}
    words = client.post("/v1/search", json={"q": "lamp", "k": 1, "filters": {"price_max": 35}}).json()
    assert (words["rung"], words["items"][0]["item_id"]) == ("hybrid", "red-lamp")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"picture": "a"}, 422, "body.picture: "),
        ({"picture": base64.b64encode(b"no").decode()}, 400, "2 bytes are no picture"),
        ({}, 400, "the search is empty"),
        ({"q": "lamp", "filters": {"attributes": {"shape": ["round"]}}}, 400, "the items have no attribute 'shape'"),
    ],
)
def test_what_cannot_be_searched_by_is_told(tmp_path: Path, body: dict[str, str], status: int, message: str) -> None:
    client = TestClient(create_app(service_of(tmp_path)))
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == status
    assert message in answer.json()["message"]


def test_other_bodies_are_told_too(tmp_path: Path) -> None:
    client = TestClient(create_app(service_of(tmp_path)))
    answer = client.post("/v1/search", content=b"a", headers={"content-type": "text/plain"})
    assert (answer.status_code, "send JSON, or a picture" in answer.json()["message"]) == (415, True)
    broken = client.post("/v1/search", content=b'{"q": ', headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["message"][:24]) == (422, "the body is no JSON: EOF")
    assert client.get("/v1/search?q=lamp&attribute=colour").status_code == 400
