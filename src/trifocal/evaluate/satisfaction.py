"""Lists + logged sessions -> how satisfied those sessions were that a model would have hit.

A session is hit where one of the first 20 items of its user's list was taken in it (a positive event).

What this is not: what would have happened. The sessions ran under the policy that was logged; a model that proposes
what that policy never showed gets no session for it, and showing a list may change the session. A session in which
more was taken is easier to hit. The mean says whether a model finds the sessions that went well, so it is read beside
the share of sessions hit and beside `logged_satisfaction`, the mean of all sessions that could be hit.

Letters: U users, M models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from trifocal import columns as c
from trifocal.data.cases import Cases
from trifocal.data.dataset import Dataset
from trifocal.data.histories import positives
from trifocal.data.splits import Split
from trifocal.errors import DataError
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import KEPT, Result
from trifocal.evaluate.significance import Interval, interval, resampled_means
from trifocal.feedback.config import SatisfactionConfig
from trifocal.feedback.satisfaction import SATISFACTION, DwellNormaliser, session_satisfaction
from trifocal.types import IntArray, Vocabulary

__all__ = ["HitSatisfaction", "hit_satisfaction", "logged_satisfaction", "offline_satisfaction"]

_SESSION = [c.USER_ID, c.SESSION_ID]


@dataclass(frozen=True)
class HitSatisfaction:
    """The satisfaction of the logged sessions that a model would have hit. Stability: caller.

    Attributes:
        name: of the model.
        satisfaction: mean over the sessions hit, 95 % interval over users; None where no session was hit.
        hit: n, sessions hit.
        sessions: that could be hit: of a case's user, with a positive event and a score.
        users: who these sessions are of; they are what the bootstrap draws.
    """

    name: str
    satisfaction: Interval | None
    hit: int
    sessions: int
    users: int

    @property
    def share(self) -> float:
        """The share of the sessions that was hit, in [0, 1]."""
        return self.hit / self.sessions


def offline_satisfaction(
    results: Sequence[Result],
    cases: Cases,
    *,
    vocabulary: Vocabulary,
    events: pl.DataFrame,
    sessions: pl.DataFrame,
    config: EvaluateConfig | None = None,
) -> list[HitSatisfaction]:
    """Return the satisfaction of the sessions that each of `results` would have hit, in their order.

    It is a quantity of the logged policy (see above). One draw of users serves all models. Items that a case leaves out
    because the user knew them are in no list: a session with nothing new cannot be hit, but counts.

    Args:
        results: lists of the `cases`, at most 20 items of each are read.
        cases: who was asked; the part that they are about is that of `events`.
        vocabulary: the items; `Result.item_rows` are its rows.
        events: canonical events of the part, as `Split.test`.
        sessions: columns user_id, session_id, satisfaction, as `session_satisfaction` returns them; it should see
            the whole log. Sessions that are not in `events`, or have no satisfaction, play no part.
        config: seed and number of resamples.

    Raises:
        DataError: when a result is about another number of users, or no session could be hit.
    """
    scored = _sessions(cases, events, sessions)
    taken = _taken(events, vocabulary)
    hits = [scored.join(_hit(result, cases, taken), on=_SESSION, how="semi") for result in results]
    return _figures([result.name for result in results], hits, scored, config or EvaluateConfig())


def hit_satisfaction(
    results: Sequence[Result],
    cases: Cases,
    dataset: Dataset,
    split: Split,
    satisfaction: SatisfactionConfig | None = None,
    config: EvaluateConfig | None = None,
) -> tuple[HitSatisfaction, ...]:
    """Return `logged_satisfaction` of the test part, then that of each of `results`; empty where no dwell was logged.

    What dwell means is learned from `split.train` alone; coming back is looked up in the whole log.
    """
    if split.train[c.DWELL_MS].drop_nulls().is_empty():
        return ()
    settings = satisfaction or SatisfactionConfig()
    normaliser = DwellNormaliser.fit(split.train, dataset.items, min_clicks=settings.min_clicks)
    sessions = session_satisfaction(dataset.events, dataset.items, normaliser, settings)
    whole = logged_satisfaction(cases, events=split.test, sessions=sessions, config=config)
    hits = offline_satisfaction(
        results, cases, vocabulary=dataset.vocabulary(), events=split.test, sessions=sessions, config=config
    )
    return whole, *hits


def logged_satisfaction(
    cases: Cases, *, events: pl.DataFrame, sessions: pl.DataFrame, config: EvaluateConfig | None = None
) -> HitSatisfaction:
    """Return the satisfaction of all sessions that could be hit: what `offline_satisfaction` is compared with.

    Args:
        cases: see `offline_satisfaction`.
        events: likewise.
        sessions: likewise.
        config: likewise.

    Raises:
        DataError: when no session could be hit.
    """
    scored = _sessions(cases, events, sessions)
    return _figures(["all sessions"], [scored], scored, config or EvaluateConfig())[0]


def _sessions(cases: Cases, events: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Return user_id, session_id, satisfaction of the sessions that could be hit."""
    asked = pl.DataFrame({c.USER_ID: list(cases.user_ids)}, schema={c.USER_ID: pl.String()})
    found = (
        sessions.select(*_SESSION, SATISFACTION)
        .drop_nulls()
        .join(asked, on=c.USER_ID, how="semi")
        .join(positives(events), on=_SESSION, how="semi")
    )
    if found.is_empty():
        raise DataError(
            f"none of {sessions.height:,} scored sessions is of one of {len(cases):,} asked users and has a positive "
            "event in this part; score the sessions of the log that the part was cut from"
        )
    return found


def _taken(events: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    liked = positives(events).select(*_SESSION, c.ITEM_ID)
    return liked.with_columns(pl.Series("item_row", vocabulary.rows(liked[c.ITEM_ID].to_list()), dtype=pl.Int64))


def _hit(result: Result, cases: Cases, taken: pl.DataFrame) -> pl.DataFrame:
    if len(result.item_rows) != len(cases):
        raise DataError(
            f"result {result.name} is about {len(result.item_rows)} users, the cases about {len(cases)}; evaluate again"
        )
    head: IntArray = result.item_rows[:, :KEPT]
    user = np.repeat(np.arange(len(cases)), head.shape[1])
    listed = pl.DataFrame(
        {
            c.USER_ID: pl.Series(list(cases.user_ids), dtype=pl.String).gather(user),
            "item_row": pl.Series(head.ravel(), dtype=pl.Int64),
        }
    )
    # -1 fills short lists, and is also the row of an item that the vocabulary lacks.
    return taken.join(listed.filter(pl.col("item_row") >= 0), on=[c.USER_ID, "item_row"], how="semi")


def _figures(
    names: Sequence[str], hits: Sequence[pl.DataFrame], scored: pl.DataFrame, config: EvaluateConfig
) -> list[HitSatisfaction]:
    users = scored.select(c.USER_ID).unique(maintain_order=True)
    totals = np.hstack([_totals(hit, users) for hit in hits])
    drawn = resampled_means(totals, samples=config.bootstrap_samples, seed=config.seed)
    return [
        HitSatisfaction(
            name, _ratio(totals[:, at : at + 2], drawn[:, at : at + 2]), hit.height, scored.height, len(users)
        )
        for at, name, hit in zip(range(0, 2 * len(hits), 2), names, hits, strict=True)
    ]


def _totals(hit: pl.DataFrame, users: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Return (U, 2): the sum of satisfaction of each user's sessions in `hit`, and their number."""
    summed = hit.group_by(c.USER_ID).agg(pl.col(SATISFACTION).sum(), pl.len().alias("n"))
    by_user = users.join(summed, on=c.USER_ID, how="left", maintain_order="left")
    return by_user.select(pl.col(SATISFACTION, "n").fill_null(0).cast(pl.Float64)).to_numpy()


def _ratio(totals: npt.NDArray[np.float64], drawn: npt.NDArray[np.float64]) -> Interval | None:
    """Return sum of satisfaction / sum of sessions, with the percentiles of that ratio over the resamples."""
    summed, number = totals.sum(axis=0)
    if number == 0:
        return None
    # A resample without any session that was hit says nothing.
    some = drawn[drawn[:, 1] > 0]
    return replace(interval(totals[:, 0], some[:, 0] / some[:, 1]), mean=float(summed / number))
