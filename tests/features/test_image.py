"""Vision backbones by path, each a tiny random one of its family."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.features.tiny_backbones import PATCH, SIDE, WIDTH, drawn, image_folder
from transformers import AutoModel

from trifocal.errors import ConfigError
from trifocal.features.image import image_source
from trifocal.ports import TokenSource

# Tokens that stand before the patches.
LEADING = {"vit": 1, "dinov2": 1, "dinov2-registers": 5, "clip": 1, "clip-vision": 1, "siglip": 0}
CALM, LOUD = ("#404040",) * 4, ("#404040", "#404040", "#404040", "#ff2000")


@pytest.fixture(scope="module", params=sorted(LEADING))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folder(request.param, tmp_path_factory.mktemp("image") / request.param)


@pytest.fixture
def source(folder: Path) -> TokenSource:
    return image_source(str(folder), grid=2)


def test_the_grid_is_the_mean_of_its_patches(source: TokenSource, folder: Path, tmp_path: Path) -> None:
    path = drawn(tmp_path / "p.png", ("red", "white", "#202080", "black"))
    network = AutoModel.from_pretrained(folder).eval()
    network = getattr(network, "vision_model", network)
    pixels = (np.asarray(Image.open(path), dtype=np.float32) / 255 - 0.5) / 0.25
    with torch.inference_mode():
        hidden = network(pixel_values=torch.from_numpy(pixels).permute(2, 0, 1)[None]).last_hidden_state[0].numpy()
    side = SIDE // PATCH
    assert len(hidden) == LEADING[folder.name] + side * side
    patches = hidden[LEADING[folder.name] :].reshape(side, side, WIDTH)
    quarters = [patches[rows, columns] for rows in (slice(0, 2), slice(2, 4)) for columns in (slice(0, 2), slice(2, 4))]
    (found,) = source.encode([path])
    assert (source.width, source.name, found.shape) == (WIDTH, f"image-{folder.name}", (4, WIDTH))
    np.testing.assert_allclose(found, [quarter.mean(axis=(0, 1)) for quarter in quarters], atol=1e-4)


def test_a_picture_has_the_same_features_alone_and_beside_others(source: TokenSource, tmp_path: Path) -> None:
    paths = [drawn(tmp_path / "a.png", CALM), drawn(tmp_path / "b.png", LOUD, side=50)]
    for path, beside in zip(paths, source.encode(paths), strict=True):
        np.testing.assert_allclose(source.encode([path])[0], beside, atol=1e-4)


def test_a_cell_is_what_is_in_its_place(folder: Path, tmp_path: Path) -> None:
    # Without layers no patch knows of another, so that only the cell of the changed quarter may change.
    local = image_source(str(image_folder(folder.name, tmp_path / folder.name, layers=0)), grid=2)
    calm, loud = local.encode([drawn(tmp_path / "a.png", CALM), drawn(tmp_path / "b.png", LOUD)])
    np.testing.assert_allclose(loud[:3], calm[:3], atol=1e-5)
    assert np.abs(loud[3] - calm[3]).max() > 0.01


def test_the_border_is_not_cropped_away(tmp_path: Path) -> None:
    # The published processor of DINOv2 scales up and cuts the middle out; a product fills its picture.
    local = image_source(str(image_folder("dinov2", tmp_path / "dinov2", layers=0)), grid=4)
    plain, framed = Image.new("RGB", (SIDE, SIDE), "#404040"), Image.new("RGB", (SIDE, SIDE), "#ff2000")
    framed.paste(plain.crop((2, 2, SIDE - 2, SIDE - 2)), (2, 2))
    plain.save(tmp_path / "plain.png")
    framed.save(tmp_path / "framed.png")
    before, after = local.encode([str(tmp_path / "plain.png"), str(tmp_path / "framed.png")])
    changed = (np.abs(after - before).max(axis=1) > 1e-3).reshape(4, 4)
    assert changed.tolist() == [[True] * 4, [True, False, False, True], [True, False, False, True], [True] * 4]


def test_the_grid_is_part_of_the_fingerprint(folder: Path) -> None:
    assert image_source(str(folder), grid=2).fingerprint != image_source(str(folder), grid=3).fingerprint


def test_a_folder_without_a_processor_is_refused(tmp_path: Path) -> None:
    folder = image_folder("vit", tmp_path / "vit")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ConfigError, match=r"AutoImageProcessor cannot read the folder .*vit .*image processor into it"):
        image_source(str(folder))


def test_a_processor_of_oblong_pictures_is_refused(tmp_path: Path) -> None:
    folder = image_folder("vit", tmp_path / "vit")
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "size": {"height": 32, "width": 16}}))
    with pytest.raises(
        ConfigError, match=r"makes pictures of .*'width': 16.*no square; give .* equal height and width"
    ):
        image_source(str(folder))


def test_another_size_than_the_folders_own_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"image_size = 160, but the network in .* sees pictures of one size only"):
        image_source(str(folder), size=160)


def test_a_picture_too_small_for_the_grid_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"image_size = 64 leaves less .* 3 x 3 image tokens; set it to 96 or more"):
        image_source("efficientnet-lite0", size=64)


def test_a_smaller_picture_has_other_features_of_the_same_shape(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.linear_gradient("L").save(path)
    own, small = image_source("efficientnet-lite0"), image_source("efficientnet-lite0", size=96)
    assert own.fingerprint != small.fingerprint
    assert image_source("efficientnet-lite0", size=224).fingerprint == own.fingerprint
    wanted, found = own.encode([str(path)])[0], small.encode([str(path)])[0]
    assert wanted.shape == found.shape == (9, 1280)
    assert not np.allclose(wanted, found)
