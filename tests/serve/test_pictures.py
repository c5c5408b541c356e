from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from trifocal.serve.pictures import picture_file, placeholder

JPEG, PNG, WEBP = b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.JPG").write_bytes(JPEG)
    (folder / "b.jpg").write_bytes(WEBP)
    (folder / "c").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "broken.png").write_text("x")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    return folder.resolve()


@pytest.mark.parametrize(
    ("name", "media_type"), [("sub/a.JPG", "image/jpeg"), ("b.jpg", "image/webp"), ("c", "image/png")]
)
def test_a_picture_is_found_with_its_type(root: Path, name: str, media_type: str) -> None:
    assert picture_file(root, name) == (root / name, media_type)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "gone.png",
        "../secret.png",
        "sub/../../secret.png",
        "/etc/passwd",
        "link.png",
        "broken.png",
        "sub",
        "a\0.png",
    ],
)
def test_nothing_else_is_sent(root: Path, name: str | None) -> None:
    assert picture_file(root, name) is None


def test_an_absolute_path_outside_is_not_sent(root: Path) -> None:
    assert picture_file(root, str(root.parent / "secret.png")) is None


def test_the_placeholder_is_a_drawing_whatever_the_title() -> None:
    for title, letter in (("dress", "D"), ("<script>", "<"), ("", "?"), ("  ärmel", "Ä")):
        drawing = ElementTree.fromstring(placeholder(title))  # noqa: S314 - our own text
        assert drawing[-1].text == letter
