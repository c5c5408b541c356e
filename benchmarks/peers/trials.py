"""Settings of the rivals, chosen on validation. Prints a table, and one JSON object on the last line.

    python -m benchmarks.peers.trials --dataset runs/hm/data --split hm-random --parts data/hm-week/hm-random.parquet \\
        --features runs/hm/features --out runs/peers/hm-random-trials --rivals cornac

Rivals learn from train and are asked the validation cases. What was best stands in DEFAULTS of each run.py by hand.
A trial whose rankings lie in the folder is not run again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from benchmarks.peers.question import Question, add_options, ask
from benchmarks.peers.rivals import RivalOutcome, run_rivals

from trifocal.evaluate.foreign import ranked_rows
from trifocal.evaluate.metrics import user_metrics

__all__ = ["TRIALS", "main"]

Trial = Mapping[str, float | int | str | bool]

TRIALS: dict[str, list[Trial]] = {
    "rectools": [{}],
    "cornac": [{}, {"vbpr_batch_size": 500}, {"scaled": "standard"}, {"features": "text"}],
    "recbole": [{}, {"lightgcn_learning_rate": 0.005, "ease_reg_weight": 50.0}],
    "lenskit": [{}, {"weight": 40.0}],
}
"""Rival -> what differs from its defaults, a trial each."""


def main() -> None:
    """Run the trials of the chosen rivals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--rivals", default=",".join(TRIALS), help="comma-separated")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.part = "validation"
    question = ask(options)
    rows = [row for rival in options.rivals.split(",") for row in run_trials(rival, question, options)]
    print(json.dumps({"split": options.split, "part": "validation", "seed": options.seed, "trials": rows}))


def run_trials(rival: str, question: Question, options: argparse.Namespace) -> list[dict[str, object]]:
    """Return and print a row for each model of each trial of a rival."""
    rows: list[dict[str, object]] = []
    for trial in TRIALS[rival]:
        folder = options.out / (",".join(f"{key}={value}" for key, value in trial.items()) or "defaults")
        outcomes = run_rivals(options.out / "export", folder, names=[rival], seed=options.seed, settings={rival: trial})
        for outcome in outcomes:
            row = {"model": outcome.name, "trial": dict(trial), **figures(outcome, question)}
            print(row, flush=True)
            rows.append(row)
    return rows


def figures(outcome: RivalOutcome, question: Question) -> dict[str, object]:
    """Return what chooses between trials, or the error."""
    if outcome.folder is None:
        return {"error": outcome.error}
    rows = ranked_rows(outcome.folder, question.vocabulary, [str(u) for u in question.cases.user_ids], 20)
    metrics = user_metrics(rows, question.cases.truths)
    about = json.loads((outcome.folder / "about.json").read_text(encoding="utf-8"))
    means = {name: round(float(metrics[name].mean()), 4) for name in ("recall@20", "ndcg@10")}
    return {**means, "train_cpu_seconds": round(about["train_cpu_seconds"], 1)}


if __name__ == "__main__":
    main()
