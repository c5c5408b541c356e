"""Quality against the interactions of an item, from none to many: the curve of new items. Goes on where it was stopped.

    python -m benchmarks.quality.cold_items --split hm-cold --data ./data

Items drawn by seed lose all but 0, 1, 2, 5, 10 or 50 of their interactions (see `trifocal.data.thinning`); one training
a model and seed gives all points. `cold` is the sample shop, which is made here; `hm-cold` reads `hm-week` under
`--data` or `TRIFOCAL_DATA`. All models learn from train + validation at last. Writes into `--out` (resumable, model by
model) and publishes `<split>-items.{json,md,svg}` in `--publish`. Prints the tables, and one JSON object on the last
line.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from benchmarks.quality.steps import dataset_folder, train_missing, trifocal

from trifocal import columns as c
from trifocal.baselines.tuning import Budget
from trifocal.bundle import read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.dataset import read_dataset
from trifocal.data.named_splits import COLD_SPLITS, cold_split
from trifocal.data.thinning import Thinned
from trifocal.errors import ArtifactError
from trifocal.evaluate.contest import Contest, prepare_contest, run_contest, scored, stored_or
from trifocal.evaluate.contestants import contestants_named
from trifocal.evaluate.item_curve import ItemCurve, Pairs, item_curve
from trifocal.evaluate.item_curve_page import item_curve_json, item_curve_markdown
from trifocal.evaluate.item_curve_plot import item_curve_plot
from trifocal.settings import Settings, load_settings
from trifocal.types import IntArray

__all__ = ["PLANS", "ColdPlan", "main"]


@dataclass(frozen=True)
class ColdPlan:
    """How the curve of one split is made.

    Attributes:
        dataset: folder of the data set under the data folder; None = the sample shop.
        config: settings of the trainings.
        models: what `trifocal train` trains, the one that the others are compared with first.
        baselines: asked besides.
        seeds: of the trainings.
        trials: settings tried of each baseline.
    """

    dataset: str | None
    config: str
    models: str = "trifocal,text,image,ids"
    baselines: str = "ease-content,als"
    seeds: tuple[int, ...] = (0, 1, 2)
    trials: int = 20


PLANS: dict[str, ColdPlan] = {
    "cold": ColdPlan(None, "configs/shop.toml", seeds=(0,)),
    "hm-cold": ColdPlan("hm-week", "configs/hm.toml"),
}


def main() -> None:
    """Train, ask and publish the curve of a split."""
    options = _options()
    plan = PLANS[options.split]
    seeds = plan.seeds if options.seeds is None else tuple(int(seed) for seed in options.seeds.split(","))
    models = (options.models or plan.models).split(",")
    if options.data is not None:
        # A named split looks for the file that prescribes it there, and so do the commands that are started here.
        os.environ["TRIFOCAL_DATA"] = str(options.data)
    if options.threads:
        torch.set_num_threads(options.threads)
    dataset = options.dataset or dataset_folder(plan.dataset, options.data, options.out)
    shared = ["--split", options.split, "--config", plan.config, "--cache", str(options.out / "features")]
    print("\n".join(trifocal("data", "split", str(dataset), "--split", options.split)), flush=True)
    runs = [options.out / options.split / f"seed-{seed}" for seed in seeds]
    for seed, run in zip(seeds, runs, strict=True):
        told = [*shared, "--refit", "--threads", str(options.threads)]
        train_missing(run, models, dataset, told, {"TRIFOCAL_TRAIN__SEED": str(seed)})
    contest, thinned = _contest(dataset, options.split, load_settings(Path(plan.config)), plan.trials, options.out)
    lists = _trained_lists(runs, models, contest) | _baseline_lists(plan.baselines, contest)
    _publish(_curve(contest, thinned, lists), options.publish / f"{options.split}-items.md")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=COLD_SPLITS, default="hm-cold")
    parser.add_argument("--data", type=Path, default=os.environ.get("TRIFOCAL_DATA"), help="folder of the data sets")
    parser.add_argument("--dataset", type=Path, help="an imported data set; default: that of the split, made in --out")
    parser.add_argument("--out", type=Path, default=Path("runs/quality"), help="work in progress; default runs/quality")
    parser.add_argument("--publish", type=Path, default=Path("docs/results"), help="default docs/results")
    parser.add_argument("--seeds", help="training seeds, as 0,1,2; default: those of the plan")
    parser.add_argument("--models", help="what is trained, the first compared with the others")
    parser.add_argument("--threads", type=int, default=0, help="of a training; 0 = all cores")
    return parser.parse_args()


def _contest(dataset: Path, split: str, settings: Settings, trials: int, out: Path) -> tuple[Contest, Thinned]:
    whole = read_dataset(dataset)
    thinned = cold_split(whole, split)
    contest = prepare_contest(
        whole,
        thinned.split,
        refit=True,
        budget=Budget(trials),
        seeds=(0,),
        root=out / split / "results",
        features=settings.features,
        cache=out / "features",
        config=settings.evaluate,
    )
    return contest, thinned


def _trained_lists(runs: list[Path], models: list[str], contest: Contest) -> dict[str, list[IntArray]]:
    return {name: [_bundle_lists(run / name / "bundle", contest) for run in runs] for name in models}


def _bundle_lists(folder: Path, contest: Contest) -> IntArray:
    bundle = read_bundle(folder)
    if tuple(bundle.contents.items[c.ITEM_ID]) != contest.vocabulary.ids:
        raise ArtifactError(f"{folder} was trained on other items than this split has; name another --out")
    stored = contest.folder / f"{bundle.contents.model_name}@{bundle.manifest.model_version}"
    return stored_or(stored, lambda: scored(load_recommender(bundle), contest.cases, contest.config)).item_rows


def _baseline_lists(names: str, contest: Contest) -> dict[str, list[IntArray]]:
    return {result.name: [result.item_rows] for result in run_contest(contestants_named(names.split(",")), contest)}


def _curve(contest: Contest, thinned: Thinned, lists: dict[str, list[IntArray]]) -> ItemCurve:
    pairs = Pairs.of(contest.cases, thinned.levels, contest.vocabulary)
    config = contest.config
    return ItemCurve(
        dataset=contest.dataset.name,
        split=contest.split.name,
        note=contest.split.note,
        fingerprint=contest.split.fingerprint,
        candidates=len(contest.split.items or contest.vocabulary.ids),
        seeds={name: len(seeds) for name, seeds in lists.items()},
        levels=item_curve(lists, pairs, samples=config.bootstrap_samples, seed=config.seed),
    )


def _publish(curve: ItemCurve, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    picture = f"![Recall@20 and nDCG@10 against the interactions left of an item]({place.stem}.svg)"
    place.write_text(f"{picture}\n\n{item_curve_markdown(curve)}", encoding="utf-8")
    place.with_suffix(".svg").write_text(item_curve_plot(curve), encoding="utf-8")
    place.with_suffix(".json").write_text(json.dumps(item_curve_json(curve), indent=1) + "\n", encoding="utf-8")
    print(item_curve_markdown(curve))
    print(json.dumps(item_curve_json(curve)))


if __name__ == "__main__":
    main()
