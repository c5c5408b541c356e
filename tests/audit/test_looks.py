from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trifocal.audit import looks
from trifocal.audit.looks import Look, look_at, look_at_all


def draw(path: Path, seed: int, size: int = 80) -> None:
    small = np.random.default_rng(seed).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC).save(path)


def test_broken_cut_missing_and_blank_pictures(tmp_path: Path) -> None:
    draw(tmp_path / "good.jpg", 0)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "good.jpg").read_bytes()[:-400])
    (tmp_path / "text.jpg").write_text("no picture")
    Image.new("RGB", (40, 30), (200, 200, 200)).save(tmp_path / "blank.png")
    good, cut, text, missing, blank = (
        look_at(tmp_path, name) for name in ("good.jpg", "cut.jpg", "text.jpg", "gone.jpg", "blank.png")
    )
    assert (good.fault, good.pixels) == ("", 80)
    assert good.one_colour < 0.5
    assert "cannot be decoded" in cut.fault
    assert "cannot be decoded" in text.fault
    assert str(tmp_path) not in text.fault
    assert missing.fault == "there is no such file"
    assert (blank.one_colour, blank.pixels) == (1.0, 30)


def test_a_smaller_copy_has_nearly_the_same_hash(tmp_path: Path) -> None:
    draw(tmp_path / "a.jpg", 0)
    Image.open(tmp_path / "a.jpg").resize((60, 60)).save(tmp_path / "b.jpg")
    draw(tmp_path / "c.jpg", 1)
    a, b, other = (int(look_at(tmp_path, name).hashes[0], 16) for name in ("a.jpg", "b.jpg", "c.jpg"))
    assert (a ^ b).bit_count() <= 3
    assert (a ^ other).bit_count() > 10


def test_only_new_and_changed_pictures_are_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        draw(tmp_path / f"{number}.jpg", number)
    names = [f"{number}.jpg" for number in range(3)]
    seen: list[str] = []
    first = look_at_all(tmp_path, names[:2], tmp_path / "looks")

    def noted(root: Path, file: str) -> Look:
        seen.append(file)
        return look_at(root, file)

    monkeypatch.setattr(looks, "look_at", noted)
    draw(tmp_path / "0.jpg", 9, size=90)
    second = look_at_all(tmp_path, names, tmp_path / "looks")
    assert sorted(seen) == ["0.jpg", "2.jpg"]
    assert second["1.jpg"] == first["1.jpg"]
    assert second["0.jpg"] != first["0.jpg"]
    assert look_at_all(tmp_path, names, tmp_path / "looks") == second
