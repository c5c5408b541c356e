from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from trifocal.serve.pictures import picture_file, placeholder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.JPG").write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    return folder.resolve()


def test_a_picture_is_found_with_its_type(root: Path) -> None:
    assert picture_file(root, "sub/a.JPG") == (root / "sub" / "a.JPG", "image/jpeg")


@pytest.mark.parametrize(
    "name",
    [
        None,
        "gone.png",
        "../secret.png",
        "sub/../../secret.png",
        "/etc/passwd",
        "link.png",
        "notes.txt",
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
