"""Picture checks: good, missing, broken in each way, and never outside the picture folder."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from trifocal.data.pictures import PictureState, check_pictures


def picture(kind: str) -> bytes:
    """Return a noisy picture: noise makes the file long, so that a cut hits its data."""
    random_source = random.Random(0)
    image = Image.frombytes("RGB", (64, 64), random_source.randbytes(64 * 64 * 3))
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_tells_good_from_cut_off(tmp_path: Path, kind: str) -> None:
    content = picture(kind)
    (tmp_path / "good").write_bytes(content)
    (tmp_path / "cut").write_bytes(content[: len(content) // 2])
    (tmp_path / "head").write_bytes(content[:20])
    assert check_pictures(tmp_path, ["good", "cut", "head"]) == [
        PictureState.GOOD,
        PictureState.BROKEN,
        PictureState.BROKEN,
    ]


def test_missing_foreign_and_empty_files(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (tmp_path / "secret.jpg").write_bytes(picture("JPEG"))
    (folder / "page.jpg").write_text("<html>not found</html>")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "drawing.gif").write_bytes(picture("GIF"))
    files = ["none.jpg", "../secret.jpg", str(tmp_path / "secret.jpg"), "", "http://a/b.jpg", "nul\0.jpg"]
    assert set(check_pictures(folder, files)) == {PictureState.MISSING}
    assert set(check_pictures(folder, ["page.jpg", "empty.jpg", "drawing.gif"])) == {PictureState.BROKEN}


def test_a_picture_of_absurd_size_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "huge.png").write_bytes(picture("PNG"))
    assert check_pictures(tmp_path, ["huge.png"]) == [PictureState.GOOD]
    # 64 x 64 = 4,096 pixels: above the limit, below twice the limit, where Pillow only warns.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    assert check_pictures(tmp_path, ["huge.png"]) == [PictureState.BROKEN]
