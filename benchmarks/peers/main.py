"""Rivals in their own code on one split: export, run, score. Prints a table, and one JSON object on the last line.

    python -m benchmarks.peers.main --dataset runs/hm/data --split hm-random --parts data/hm-week/hm-random.parquet \\
        --features runs/hm/features --out runs/peers/hm-random

Rivals learn from train + validation and are asked the test cases; `--part validation` is for choosing their settings:
they learn from train alone. A rival whose rankings lie in the folder is not run again. Exit code 1 where our metrics
and ir-measures disagree.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass

from benchmarks.peers.question import Question, add_options, ask
from benchmarks.peers.rivals import RivalOutcome, run_rivals
from benchmarks.peers.score import TOLERANCE, Agreement, agreements, print_agreements

from trifocal.errors import TrifocalError
from trifocal.evaluate.foreign import ranked_rows

__all__ = ["main"]

_LENGTH = 50
_SHOWN = ("recall@10", "recall@20", "recall@50", "ndcg@10", "ndcg@20", "map@20", "mrr")


@dataclass(frozen=True)
class Score:
    """One model's outcome with its figures; None where it failed."""

    outcome: RivalOutcome
    checked: tuple[Agreement, ...]
    about: dict[str, object]


def main() -> int:
    """Run the benchmark; return the exit code."""
    options = _options()
    try:
        return _run(options)
    except TrifocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--part", choices=("validation", "test"), default="test", help="which cases are asked")
    parser.add_argument("--rivals", help="comma-separated; default: all")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _run(options: argparse.Namespace) -> int:
    question = ask(options)
    names = options.rivals.split(",") if options.rivals else None
    outcomes = run_rivals(options.out / "export", options.out, names=names, seed=options.seed)
    scores = [_score(outcome, question) for outcome in outcomes]
    for score in scores:
        if score.outcome.error is None:
            print_agreements(score.outcome.name, score.checked)
    _print_table(scores, question)
    agree = all(one.difference <= TOLERANCE for score in scores for one in score.checked)
    print(json.dumps(_as_json(scores, question, options, agree)))
    return 0 if agree else 1


def _score(outcome: RivalOutcome, question: Question) -> Score:
    if outcome.folder is None:
        return Score(outcome, (), {})
    users = [str(user) for user in question.cases.user_ids]
    rows = ranked_rows(outcome.folder, question.vocabulary, users, _LENGTH)
    about = json.loads((outcome.folder / "about.json").read_text(encoding="utf-8"))
    return Score(outcome, tuple(agreements(rows, question.cases.truths, users)), about)


def _print_table(scores: list[Score], question: Question) -> None:
    print(f"\n{len(question.cases):,} users, {len(question.vocabulary):,} items")
    heads = (*_SHOWN, "train cpu s", "rank cpu s", "parameters")
    print(f"{'model':<18}{'version':<10}" + "".join(f"{head:>12}" for head in heads))
    for score in scores:
        print(f"{score.outcome.name:<18}{score.outcome.version or '-':<10}" + _cells(score))


def _cells(score: Score) -> str:
    if score.outcome.error is not None:
        return f" failed: {score.outcome.error.splitlines()[-1]}"
    means = {one.metric: one.ours for one in score.checked}
    figures = "".join(f"{means[name]:>12.4f}" for name in _SHOWN)
    about = score.about
    seconds = "".join(f"{float(str(about[name])):>12.1f}" for name in ("train_cpu_seconds", "recommend_cpu_seconds"))
    return figures + seconds + f"{about['parameters'] or '-':>12}"


def _as_json(scores: list[Score], question: Question, options: argparse.Namespace, agree: bool) -> dict[str, object]:
    return {
        "split": options.split,
        "part": options.part,
        "fingerprint": question.fingerprint,
        "users": len(question.cases),
        "items": len(question.vocabulary),
        "seed": options.seed,
        "ir_measures_agree": agree,
        "models": [
            {
                **score.about,
                "name": score.outcome.name,
                "error": score.outcome.error,
                "metrics": {one.metric: one.ours for one in score.checked},
            }
            for score in scores
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
