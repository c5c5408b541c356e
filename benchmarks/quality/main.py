"""The whole table of a named split: data, encoding, trainings, baselines, rivals, report. Goes on where it was stopped.

    python -m benchmarks.quality.main --split hm-random --data ./data

Reads the folders `hm-week`, `ml100k-posters`, `ml1m-posters` under `--data` or `TRIFOCAL_DATA`; `time` is the sample
shop, which is made here. Writes into `--out` (resumable, model by model) and publishes `<split>.json` and `<split>.md`
in `--publish`. Prints the table, and one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["PLANS", "Plan", "main"]

_ALL = "all"
_CONTENT = "popularity,content-knn-text,content-knn-image,content-knn,ease-content"


@dataclass(frozen=True)
class Plan:
    """How the table of one split is made.

    Attributes:
        dataset: folder of the data set under the data folder; None = the sample shop.
        splits: what is compared, in turn; trainings are shared between splits that differ in their questions alone.
        config: settings of the trainings.
        refit: the asked models learn from train + validation.
        seeds: of the trainings and of the baselines that draw.
        trials: settings tried of each baseline; 0 = the published ones are taken.
        baselines: names, or all.
        rivals: rivals in their own code are asked as well.
        models: what `trifocal train` trains.
    """

    dataset: str | None
    splits: tuple[str, ...]
    config: str
    refit: bool = True
    seeds: tuple[int, ...] = (0, 1, 2)
    trials: int = 20
    baselines: str = _ALL
    rivals: bool = False
    models: str = "trifocal,text,image"


_UNSEEN = tuple(f"hm-unseen-{rotation}{scope}" for rotation in (1, 2, 3) for scope in ("", "-all"))

PLANS: dict[str, Plan] = {
    "time": Plan(None, ("time",), "configs/shop.toml"),
    "hm-random": Plan("hm-week", ("hm-random",), "configs/hm.toml", rivals=True),
    "hm-time": Plan("hm-week", ("hm-time",), "configs/hm.toml"),
    "hm-next-day": Plan("hm-week", ("hm-next-day",), "configs/hm.toml"),
    "hm-unseen": Plan("hm-week", _UNSEEN, "configs/hm.toml", baselines=_CONTENT),
    "ml100k-time": Plan("ml100k-posters", ("ml100k-time",), "configs/films.toml"),
    # Long trainings: published settings, one seed, no refit, as the published figures were taken.
    "ml1m-loo": Plan("ml1m-posters", ("ml1m-loo",), "configs/films.toml", refit=False, seeds=(0,), trials=0),
}


def main() -> None:
    """Run the plan of a split."""
    options = _options()
    plan = PLANS[options.split]
    if options.models:
        plan = replace(plan, models="" if options.models == "none" else options.models)
    seeds = plan.seeds if options.seeds is None else tuple(int(seed) for seed in options.seeds.split(","))
    out: Path = options.out
    dataset = _dataset(plan, options.data, out)
    features = out / "features"
    _trifocal("data", "encode", str(dataset), str(features), "--config", plan.config)
    printed = []
    for split in plan.splits:
        print("\n".join(_trifocal("data", "split", str(dataset), "--split", split)), flush=True)
        shared = ["--split", split, "--config", plan.config, "--cache", str(features)]
        shared += ["--refit"] if plan.refit else []
        runs = [_trained(plan, split, seed, dataset, shared, out, options.threads) for seed in seeds if plan.models]
        rankings = _rivals(split, dataset, features, out, options) if plan.rivals and not options.no_rivals else []
        printed.append(_compared(plan, split, runs, rankings, dataset, shared, seeds, out))
        _publish(split, out / "results", options.publish)
    if plan.dataset is None:
        # The shop alone knows how satisfied its shoppers really were.
        subprocess.run([sys.executable, "benchmarks/quality/satisfaction.py", str(dataset)], check=True)
    print(json.dumps(printed[0] if len(printed) == 1 else {"split": options.split, "splits": printed}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=PLANS, default="hm-random")
    parser.add_argument("--data", type=Path, default=os.environ.get("TRIFOCAL_DATA"), help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=Path("runs/quality"), help="work in progress; default runs/quality")
    parser.add_argument("--publish", type=Path, default=Path("docs/results"), help="default docs/results")
    parser.add_argument("--seeds", help="training seeds, as 0,1,2; default: those of the plan")
    parser.add_argument("--models", help="what is trained, as trifocal,text; `none` = baselines alone")
    parser.add_argument("--threads", type=int, default=0, help="of a training; 0 = all cores")
    parser.add_argument("--no-rivals", action="store_true", help="leave out rivals in their own code")
    return parser.parse_args()


def _dataset(plan: Plan, data: Path | None, out: Path) -> Path:
    folder = out / "data" / (plan.dataset or "shop")
    if (folder / "dataset.json").is_file():
        return folder
    if plan.dataset is None:
        _trifocal("shop", "generate", str(folder), "--force")
    elif data is None or not (Path(data) / plan.dataset).is_dir():
        sys.exit(f"error: there is no folder {plan.dataset} under {data}; name its parent with --data or TRIFOCAL_DATA")
    else:
        _trifocal("data", "import", str(Path(data) / plan.dataset), str(folder))
    return folder


def _trained(plan: Plan, split: str, seed: int, dataset: Path, shared: list[str], out: Path, threads: int) -> Path:
    # What is learned does not depend on whether the group is ranked by itself.
    run = out / split.removesuffix("-all") / f"seed-{seed}"
    names = plan.models.split(",")
    missing = [name for name in names if not (run / name / "bundle" / "manifest.json").is_file()]
    if missing:
        os.environ["TRIFOCAL_TRAIN__SEED"] = str(seed)
        options = ["--models", ",".join(missing), "--threads", str(threads), *shared]
        _trifocal("train", str(dataset), str(run), *options)
    return run


def _rivals(split: str, dataset: Path, features: Path, out: Path, options: argparse.Namespace) -> list[str]:
    folder = out / split / "rivals"
    command = [sys.executable, "-m", "benchmarks.peers.main", "--dataset", str(dataset), "--split", split]
    # Its exit code speaks of rivals that failed; their errors stand in the folder and in the report.
    subprocess.run([*command, "--features", str(features), "--out", str(folder)], check=False)
    return ["--rankings", str(folder)]


def _compared(
    plan: Plan,
    split: str,
    runs: list[Path],
    rankings: list[str],
    dataset: Path,
    shared: list[str],
    seeds: tuple[int, ...],
    out: Path,
) -> object:
    trained = [word for run in runs for word in ("--run", str(run))]
    told = ["--baselines", plan.baselines, "--trials", str(plan.trials), "--seeds", ",".join(map(str, seeds))]
    told += ["--knockout"] if "trifocal" in plan.models else []
    lines = _trifocal("compare", str(dataset), str(out / "results"), *trained, *rankings, *told, *shared)
    print("\n".join(lines[:-1]))
    return json.loads(lines[-1])


def _publish(split: str, results: Path, publish: Path) -> None:
    publish.mkdir(parents=True, exist_ok=True)
    for kind in ("json", "md"):
        shutil.copy(results / f"{split}.{kind}", publish / f"{split}.{kind}")


def _trifocal(*words: str) -> list[str]:
    """Run the command of this environment; return the lines that it printed."""
    command = [str(Path(sys.executable).with_name("trifocal")), *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: `trifocal {' '.join(words)}` ended with exit code {done.returncode}")
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()
