"""A split of a data set -> what the rivals are asked, written as an export into the folder of the results."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.export import export_cases

from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import Dataset, read_dataset
from trifocal.data.named_splits import named_split
from trifocal.data.splits import Part, Split, restrict
from trifocal.errors import ConfigError
from trifocal.features.config import FeaturesConfig
from trifocal.features.context import ContextVocabulary
from trifocal.train.prepare import prepare_training
from trifocal.types import FloatArray, Vocabulary

__all__ = ["Question", "add_options", "ask"]


@dataclass(frozen=True)
class Question:
    """What the rivals are asked: the items, the cases, and the fingerprint of the split."""

    vocabulary: Vocabulary
    cases: Cases
    fingerprint: str


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `ask` reads, all but `part`."""
    parser.add_argument("--dataset", type=Path, required=True, help="data set folder")
    parser.add_argument("--split", default="time", help="a name of trifocal.data.named_splits")
    parser.add_argument("--parts", type=Path, help="the file that prescribes the split")
    parser.add_argument("--features", type=Path, help="feature cache; items it lacks are encoded; none = ids alone")
    parser.add_argument("--out", type=Path, required=True, help="gets export/ and a folder for each model")


def ask(options: argparse.Namespace) -> Question:
    """Write OUT/export and return what was asked: test after train + validation, or validation after train.

    Raises:
        ConfigError: when the folder holds the answers to another question.
    """
    whole = read_dataset(options.dataset)
    chosen = named_split(whole, options.split, options.parts)
    dataset = restrict(whole, chosen)
    part: Part = options.part
    learned = chosen.refit() if part == "test" else chosen
    vocabulary = dataset.vocabulary()
    # Rivals know neither device nor country; empty vocabularies code both as unknown.
    cases = build_cases(chosen, part, vocabulary, ContextVocabulary.fit([], []))
    text, image = _content(dataset, learned, options.features)
    folder = options.out / "export"
    _claim(options.out, chosen, part)
    export_cases(folder, vocabulary=vocabulary, train=learned.train, cases=cases, text=text, image=image)
    return Question(vocabulary, cases, chosen.fingerprint)


def _content(dataset: Dataset, split: Split, features: Path | None) -> tuple[FloatArray | None, FloatArray | None]:
    if features is None:
        return None, None
    catalogue = prepare_training(dataset, split, FeaturesConfig(), features).features
    return catalogue.pooled_text(), catalogue.pooled_image()


def _claim(out: Path, split: Split, part: Part) -> None:
    """Keep rankings of one question from being taken for another's.

    Raises:
        ConfigError: when the folder holds another split or part.
    """
    file = out / "question.json"
    asked = {"split": split.name, "fingerprint": split.fingerprint, "part": part}
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) != asked:
        raise ConfigError(
            f"{out} holds rankings for {file.read_text(encoding='utf-8')}, asked is {asked}; name another"
        )
    out.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asked), encoding="utf-8")
