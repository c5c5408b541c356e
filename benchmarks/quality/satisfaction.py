"""The satisfaction score on a sample shop: does it order sessions as the true satisfaction does?

The normaliser of dwell learns from the events of the first 70 % by time; sessions that start later are scored. Rank
agreement is Spearman's rho and Kendall's tau-b, with a 95 % percentile interval over resampled users. Raw dwell, not
normalised, stands beside the score. The truth is read for this comparison only; the default weights were not
chosen by it.
Prints a table, and one JSON object on the last line.

    trifocal shop generate runs/shop
    python benchmarks/quality/satisfaction.py runs/shop
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import kendalltau, spearmanr

from trifocal import columns as c
from trifocal.data.dataset import read_dataset
from trifocal.feedback.config import SatisfactionConfig
from trifocal.feedback.satisfaction import SATISFACTION, START, DwellNormaliser, session_satisfaction

TRAIN_SHARE = 0.7
DEFAULT = SatisfactionConfig()
SCORES = {
    "dwell only": SatisfactionConfig(dwell=1, repeat=0, conversion=0),
    "repeat only": SatisfactionConfig(dwell=0, repeat=1, conversion=0),
    "conversion only": SatisfactionConfig(dwell=0, repeat=0, conversion=1),
    "dwell, conversion": DEFAULT.model_copy(update={"repeat": 0.0}),
    "dwell, repeat": DEFAULT.model_copy(update={"conversion": 0.0}),
    "all parts, default": DEFAULT,
}
RAW = "raw dwell, mean ms"
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Rank agreement of one score with the truth; (value, low, high) each."""

    score: str
    population: str
    sessions: int
    spearman: tuple[float, float, float]
    kendall: tuple[float, float, float]


def scored_sessions(folder: Path) -> pl.DataFrame:
    """Return user_id, clicks, truth and a column a score, for the sessions after the cut."""
    dataset = read_dataset(folder)
    events = dataset.events.sort(c.TIMESTAMP, maintain_order=True)
    cut = events[c.TIMESTAMP][int(TRAIN_SHARE * events.height)]
    early = events.filter(pl.col(c.TIMESTAMP) < cut)
    normaliser = DwellNormaliser.fit(early, dataset.items, min_clicks=DEFAULT.min_clicks)
    truth = pl.read_parquet(folder / "truth" / "sessions.parquet").select(
        c.SESSION_ID, "clicks", pl.col("satisfaction").cast(pl.Float64).alias("truth")
    )
    dwell = events.group_by(c.SESSION_ID).agg(pl.col(c.DWELL_MS).mean().fill_null(0).alias(RAW))
    table = truth.join(dwell, on=c.SESSION_ID)
    for name, config in SCORES.items():
        sessions = session_satisfaction(events, dataset.items, normaliser, config).filter(pl.col(START) >= cut)
        score = sessions.select(c.SESSION_ID, c.USER_ID, pl.col(SATISFACTION).alias(name))
        table = table.join(score if c.USER_ID not in table.columns else score.drop(c.USER_ID), on=c.SESSION_ID)
    return table.sort(c.SESSION_ID)


def resampled_rows(users: pl.Series, samples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of as many users as there are, drawn with replacement, all sessions of each."""
    generator = np.random.default_rng(seed)
    codes = users.rank("dense").to_numpy() - 1
    order, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
    rows = np.split(order, np.cumsum(counts)[:-1])
    for _ in range(samples):
        yield np.concatenate([rows[user] for user in generator.integers(0, len(rows), len(rows))])


def agreement(table: pl.DataFrame, score: str, population: str, samples: int, seed: int) -> Agreement:
    """Return the rank agreement of the column `score` with the truth, where there is a score."""
    known = table.drop_nulls(score)
    values, truth = known[score].to_numpy(), known["truth"].to_numpy()
    drawn = [both(values[rows], truth[rows]) for rows in resampled_rows(known[c.USER_ID], samples, seed)]
    low, high = np.percentile(np.array(drawn), (2.5, 97.5), axis=0)
    rho, tau = both(values, truth)
    return Agreement(
        score, population, known.height, (rho, float(low[0]), float(high[0])), (tau, float(low[1]), float(high[1]))
    )


def both(values: Values, truth: Values) -> tuple[float, float]:
    """Return Spearman's rho and Kendall's tau-b."""
    return float(spearmanr(values, truth).statistic), float(kendalltau(values, truth, variant="b").statistic)


def main() -> None:
    """Score the sessions, print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shop", type=Path, help="a folder that `trifocal shop generate` wrote")
    parser.add_argument("--samples", type=int, default=200, help="bootstrap resamples of the users")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    table = scored_sessions(options.shop)
    populations = {"with a click": table.filter(pl.col("clicks") > 0), "all": table}
    found = [
        agreement(sessions, score, population, options.samples, options.seed)
        for population, sessions in populations.items()
        for score in (RAW, *SCORES)
    ]
    print(f"{'score':<20}{'sessions':<14}{'n':>7}  {'Spearman':<24}{'Kendall tau-b':<24}")
    for row in found:
        rho, tau = ("{:.3f} [{:.3f}, {:.3f}]".format(*figures) for figures in (row.spearman, row.kendall))
        print(f"{row.score:<20}{row.population:<14}{row.sessions:>7,}  {rho:<24}{tau:<24}")
    rounded = [
        asdict(row) | {name: [round(x, 4) for x in getattr(row, name)] for name in ("spearman", "kendall")}
        for row in found
    ]
    weights = DEFAULT.model_dump()
    print(json.dumps({"shop": options.shop.name, "samples": options.samples, "config": weights, "agreement": rounded}))


if __name__ == "__main__":
    main()
