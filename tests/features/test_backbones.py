from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from trifocal.errors import ArtifactError, ConfigError
from trifocal.features import backbones
from trifocal.features.efficientnet_lite import IMAGE_SIZES, _SameConv, fused, load_efficientnet_lite
from trifocal.features.image import EfficientNetLiteSource, image_source, load_picture
from trifocal.features.text import text_source


def test_weights_with_another_hash_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbones, "_MINILM_SHA256", "0" * 64)
    with pytest.raises(ArtifactError, match=r"model\.safetensors has SHA-256 53aa5.*expected 000.*install the pinned"):
        backbones.packaged_text_folder()


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"no_such_package is not installed.*trifocal\[encoders\]"):
        backbones._package_folder("no_such_package")


@pytest.mark.parametrize("make", [text_source, image_source])
def test_an_unknown_backbone_is_refused(make: type) -> None:
    with pytest.raises(ConfigError, match=r"backbone 'nowhere' .*config\.json"):
        make("nowhere")


def test_same_padding_puts_the_odd_pixel_last() -> None:
    conv = _SameConv(1, 1, 3, 2, bias=False)
    torch.nn.init.ones_(conv.weight)
    # Four columns, stride 2: one column of padding is needed, and TensorFlow puts it at the end.
    sums = conv(torch.ones(1, 1, 4, 4))[0, 0]
    assert sums.tolist() == [[9, 6], [6, 4]]


@pytest.mark.parametrize("name", sorted(IMAGE_SIZES))
def test_packaged_weights_fit_and_know_a_daisy_from_a_tile(name: str) -> None:
    network = load_efficientnet_lite(name, backbones.packaged_image_weights(name))
    size = IMAGE_SIZES[name]
    picture = Image.new("RGB", (size, size), (235, 240, 245))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((size * 0.2, size * 0.2, size * 0.8, size * 0.8), fill=(245, 140, 20))
    pixels = torch.from_numpy((np.asarray(picture, np.float32) - 127) / 128).permute(2, 0, 1)[None]
    with torch.inference_mode():
        best = network(pixels)[0].topk(10).indices.tolist()
    # An orange disc: ImageNet 950 orange, 951 lemon, 722 ping-pong ball, 852 tennis ball, 574 golf ball, 417 balloon.
    assert set(best) & {950, 951, 722, 852, 574, 417}


def test_folding_the_norms_changes_no_feature() -> None:
    weights = backbones.packaged_image_weights("efficientnet-lite0")
    plain, folded = (load_efficientnet_lite("efficientnet-lite0", weights) for _ in range(2))
    pixels = torch.rand(1, 3, 224, 224) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(fused(folded).feature_map(pixels), plain.feature_map(pixels), atol=1e-3, rtol=1e-3)


def test_a_narrow_picture_is_padded_with_white(tmp_path: Path) -> None:
    Image.new("RGB", (50, 100), (0, 0, 0)).save(tmp_path / "p.png")
    picture = load_picture(str(tmp_path / "p.png"), 40)
    assert picture.size == (40, 40)
    assert picture.getpixel((0, 20)) == (255, 255, 255)
    assert picture.getpixel((20, 20)) == (0, 0, 0)


def test_a_transparent_ground_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "p.png")
    assert load_picture(str(tmp_path / "p.png"), 20).getpixel((5, 5)) == (255, 255, 255)


def test_image_tokens_are_a_grid(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (200, 30, 30)).save(tmp_path / "p.png")
    source = EfficientNetLiteSource("efficientnet-lite0", grid=2)
    (tokens,) = source.encode([str(tmp_path / "p.png")])
    assert tokens.shape == (4, 1280)
    assert source.fingerprint != EfficientNetLiteSource("efficientnet-lite0", grid=3).fingerprint


def test_like_texts_are_near_in_minilm() -> None:
    source = text_source("minilm")
    vectors = source.pooled(["black leather boots", "dark boots made of leather", "a garden lamp"])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.7 > 0.4 > unit[0] @ unit[2]


def test_padding_changes_no_token() -> None:
    source = text_source("minilm")
    alone = source.encode(["boots"])[0]
    beside = source.encode(["boots", "a much longer text about black leather boots"])[0]
    np.testing.assert_allclose(alone, beside, atol=1e-4)


def test_long_texts_are_cut() -> None:
    assert len(text_source("minilm", max_tokens=8).encode(["one two three four five six seven eight nine ten"])[0]) == 8
