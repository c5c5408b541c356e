from __future__ import annotations

from pathlib import Path

import pytest

from trifocal.errors import ArtifactError
from trifocal.serve.experiment.notes import Notes, NotesFile, Stop

NOTES = Notes(7.5, 3).with_stop("als", Stop(9.0, "hand", "too slow"))


@pytest.mark.parametrize("name", [None, "notes.json"])
def test_experiments_do_not_know_of_each_other(tmp_path: Path, name: str | None) -> None:
    file = NotesFile(None if name is None else tmp_path / name)
    assert file.read("spring") is None
    file.write("spring", NOTES)
    file.write("autumn", Notes(1.0, 0))
    assert (file.read("spring"), file.read("autumn"), file.read("winter")) == (NOTES, Notes(1.0, 0), None)
    file.write("spring", NOTES.without_stop("als"))
    assert file.read("spring") == Notes(7.5, 3)


def test_another_process_reads_it(tmp_path: Path) -> None:
    NotesFile(tmp_path / "notes.json").write("spring", NOTES)
    assert NotesFile(tmp_path / "notes.json").read("spring") == NOTES
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"spring": {"since_s": 1}}', '{"spring": {"since_s": 1, "after": "x"}}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "notes.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"holds no notes of experiments .* move it away to begin anew"):
        NotesFile(tmp_path / "notes.json").read("spring")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"cannot be kept in .*serve\.experiment\.notes_file"):
        NotesFile(tmp_path / "nowhere" / "notes.json").write("spring", NOTES)
