"""README and docs say what is true: the file tree, the commands with their options, the links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from trifocal.cli.app import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")

_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ONE_LINE = re.compile(r"`(trifocal [^`]+)`")
# A command of a block may be told settings first.
_COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ +)*(trifocal .*)$")


class WrongCommandError(Exception):
    """A shown command that the command line would refuse."""


@dataclass(frozen=True)
class Shown:
    """A command as a document shows it; `whole` when it stands in a block, with all its arguments."""

    place: str
    text: str
    whole: bool


def shown_commands(name: str, text: str) -> Iterator[Shown]:
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if found := _COMMAND.match(line.strip()):
                yield Shown(name, found[1], whole=True)
    for command in _ONE_LINE.findall(_FENCE.sub("", text)):
        # `trifocal shop | data | ...` lists verbs.
        if "|" not in command and "..." not in command:
            yield Shown(name, command, whole=False)


def check(text: str, *, whole: bool) -> None:
    """Refuse what the command line would refuse: an unknown verb or option, too many or too few arguments."""
    words = shlex.split(text, comments=True)[1:]
    command: Any = get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        if words[0] not in command.commands:
            raise WrongCommandError(f"{text}: there is no verb {words[0]}")
        command = command.commands[words.pop(0)]
    options = {name: option for option in command.params for name in option.opts if name.startswith("-")}
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    given, used = 0, set()
    while words:
        word, _, value = words.pop(0).partition("=")
        if not word.startswith("-"):
            given += 1
        elif word == "--help":
            continue
        elif word not in options:
            raise WrongCommandError(f"{text}: there is no option {word}")
        else:
            used.add(options[word].name)
            if not options[word].is_flag and not value and (whole or words):
                words.pop(0)
    if given > len(arguments):
        raise WrongCommandError(f"{text}: {given} arguments, it takes {len(arguments)}")
    required = {option.name for option in options.values() if option.required}
    if whole and (given < sum(a.required for a in arguments) or required - used):
        raise WrongCommandError(f"{text}: something that it needs is missing")


SHOWN = [shown for path in DOCUMENTS for shown in shown_commands(path.name, path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown.place}: {shown.text}")
def test_every_command_that_is_shown_exists(shown: Shown) -> None:
    check(shown.text, whole=shown.whole)


def test_the_tour_goes_through_every_verb() -> None:
    in_readme = {tuple(shown.text.split()[1:2]) for shown in SHOWN if shown.place == "README.md"}
    verbs = {("shop",), ("data",), ("train",), ("evaluate",), ("bundle",), ("serve",), ("recommend",)}
    assert verbs <= in_readme


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("trifocal trane a b", "there is no verb trane"),
        ("trifocal data improt a b", "there is no verb improt"),
        ("trifocal train a b --epoks 3", "there is no option --epoks"),
        ("trifocal train a b c", "3 arguments, it takes 2"),
        ("trifocal train a", "something that it needs is missing"),
        ("trifocal recommend bundle", "something that it needs is missing"),
    ],
)
def test_a_wrong_command_would_be_found(command: str, fault: str) -> None:
    with pytest.raises(WrongCommandError, match=fault):
        check(command, whole=True)


def test_the_file_tree_names_exactly_the_folders_and_leaves() -> None:
    tree = README.split("<!-- tree -->")[1].split("<!-- /tree -->")[0]
    package = ROOT / "src" / "trifocal"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    leaves = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    named_folders, named_leaves = re.findall(r"^  (\w+)/ ", tree, re.MULTILINE), re.findall(r"\b\w+\.py\b", tree)
    assert sorted(named_folders) == sorted(folders)
    assert sorted(named_leaves) == sorted(leaves)


@pytest.mark.parametrize("name", ["shop", "hm-random"])
def test_the_readme_has_one_place_for_each_result(name: str) -> None:
    assert README.count(f"<!-- results:{name} -->") == 1
    assert "<!-- /results -->" in README.split(f"<!-- results:{name} -->")[1]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"(?<!!)\[[^\]]+\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_decisions_are_numbered_without_gaps_and_have_four_parts() -> None:
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in paths] == [f"{number:04d}" for number in range(1, len(paths) + 1)]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} ")
        for part in ("Context.", "Decision.", "Consequence.", "What would change it."):
            assert f"**{part}**" in text, path.name


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "results").glob("*.md")), ids=lambda path: path.stem)
def test_a_published_table_that_stands_in_the_readme_is_the_published_one(path: Path) -> None:
    if f"<!-- results:{path.stem} -->" in README:
        shown = README.split(f"<!-- results:{path.stem} -->")[1].split("<!-- /results -->")[0]
        assert shown.strip() == path.read_text(encoding="utf-8").strip()
