"""What each part of the model is worth: named changes of its settings, each trained anew, against the base.

    python -m benchmarks.quality.ablation --split hm-random --data ./data

A change is a line of `benchmarks/quality/ablations/<split>.toml`. Everything is scored on VALIDATION, all its users;
epochs and blend were chosen on `train.validation_users` of them, for base and changes alike. Test is never read. Goes
on where it was stopped: a training is known by its resolved settings, so a changed default trains again; after a change
of the code name another `--out`. Publishes `ablation-<split>.{json,md}` in `--publish`; prints the table, and one JSON
object on the last line.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from benchmarks.quality.ablation_changes import BASE, Change, read_changes, settings_digest
from benchmarks.quality.ablation_table import Ablation, ablation_json, ablation_markdown
from benchmarks.quality.steps import dataset_folder, train_missing

from trifocal.bundle import read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.cases import Cases, build_cases
from trifocal.data.dataset import read_dataset
from trifocal.data.named_splits import named_split
from trifocal.data.splits import restrict
from trifocal.evaluate.contest import stored_or
from trifocal.evaluate.protocol import Result, evaluate
from trifocal.features.items import FeatureState
from trifocal.settings import load_settings

__all__ = ["PLANS", "AblationPlan", "main"]


@dataclass(frozen=True)
class AblationPlan:
    """Where the changes of one split are made.

    Attributes:
        dataset: folder of the data set under the data folder; None = the sample shop.
        config: settings of the base.
    """

    dataset: str | None
    config: str


PLANS: dict[str, AblationPlan] = {
    "time": AblationPlan(None, "configs/shop.toml"),
    "hm-random": AblationPlan("hm-week", "configs/hm.toml"),
}
_CHANGES = Path(__file__).parent / "ablations"


def main() -> None:
    """Train, score and publish every change of a split."""
    options = _options()
    plan = PLANS[options.split]
    seeds = tuple(int(seed) for seed in options.seeds.split(","))
    changes = read_changes(_CHANGES / f"{options.split}.toml", Path(plan.config), options.only)
    if options.data is not None:
        # A named split looks for the file that prescribes it there, and so do the commands that are started here.
        os.environ["TRIFOCAL_DATA"] = str(options.data)
    if options.threads:
        torch.set_num_threads(options.threads)
    dataset = options.dataset or dataset_folder(plan.dataset, options.data, options.out)
    question = _Question(options.split, dataset, plan.config, options.out, options.threads)
    found = {change.name: [question.answered(change, seed) for seed in seeds] for change in changes}
    _publish(question, changes, found, seeds, options.publish / f"ablation-{options.split}.md")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=PLANS, default="hm-random")
    parser.add_argument("--data", type=Path, default=os.environ.get("TRIFOCAL_DATA"), help="folder of the data sets")
    parser.add_argument("--dataset", type=Path, help="an imported data set; default: that of the split, made in --out")
    parser.add_argument("--out", type=Path, default=Path("runs/quality"), help="work in progress; default runs/quality")
    parser.add_argument("--publish", type=Path, default=Path("docs/results"), help="default docs/results")
    parser.add_argument("--seeds", default="0,1,2", help="training seeds of base and changes; default 0,1,2")
    parser.add_argument("--only", help="regular expression: names of the changes that are made; default all")
    parser.add_argument("--threads", type=int, default=0, help="of a training; 0 = all cores")
    return parser.parse_args()


class _Question:
    """The validation users of a split, asked of one training after the other."""

    def __init__(self, split: str, dataset: Path, config: str, out: Path, threads: int) -> None:
        whole = read_dataset(dataset)
        self.split = named_split(whole, split)
        self.dataset = restrict(whole, self.split)
        self._folder, self._config, self._cache = dataset, Path(config), out / "features"
        self._runs = out / "ablation" / split
        self._options = ["--split", split, "--config", config, "--cache", str(self._cache), "--threads", str(threads)]
        self._cases: dict[str, Cases] = {}

    def answered(self, change: Change, seed: int) -> Result:
        """Return what the model with `change`, trained with `seed`, reaches; trained only where it is not there."""
        digest = settings_digest(change, self._config, self.split.fingerprint)
        run = self._runs / f"{digest}-{change.variant}" / f"seed-{seed}"
        environment = {**change.environment, "TRIFOCAL_TRAIN__SEED": str(seed)}
        train_missing(run, [change.variant], self._folder, self._options, environment)
        return stored_or(run / "validation", lambda: self._asked(run / change.variant / "bundle"))

    def _asked(self, folder: Path) -> Result:
        bundle = read_bundle(folder)
        state = bundle.contents.feature_state
        key = json.dumps(state, sort_keys=True)
        if key not in self._cases:
            context = FeatureState.from_json(state).context
            self._cases[key] = build_cases(self.split, "validation", self.dataset.vocabulary(), context)
        config = load_settings(self._config).evaluate
        return evaluate(load_recommender(bundle), self._cases[key], config.k, config.batch)


def _publish(
    question: _Question, changes: list[Change], found: dict[str, list[Result]], seeds: tuple[int, ...], place: Path
) -> None:
    ablation = Ablation(
        dataset=question.dataset.name,
        split=question.split.name,
        fingerprint=question.split.fingerprint,
        seeds=seeds,
        changes={change.name: change.environment for change in changes if change.name != BASE},
        results=found,
    )
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(ablation_markdown(ablation), encoding="utf-8")
    place.with_suffix(".json").write_text(json.dumps(ablation_json(ablation), indent=1) + "\n", encoding="utf-8")
    print(ablation_markdown(ablation))
    print(json.dumps(ablation_json(ablation)))


if __name__ == "__main__":
    main()
