"""What a policy would have reached, estimated from the log of another one that noted its propensities.

- IPS: mean of w r.  Horvitz and Thompson, JASA 1952.
- SNIPS: sum of w r / sum of w.  Swaminathan and Joachims, "The self-normalized estimator for counterfactual
  learning", NeurIPS 2015.
- Doubly robust: mean of q(x) + w (r - q(x, a)).  Dudik, Langford and Li, "Doubly robust policy evaluation and
  learning", ICML 2011.

w = chance of the logged action under the target over its propensity; q = what a model expects, `model_target` its mean
over the target's actions. Letters: V logged decisions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from trifocal.errors import ConfigError, DataError
from trifocal.feedback.experiments.estimates import Numbers
from trifocal.types import IntArray

__all__ = ["Interval", "LoggedDecisions", "Method", "OffPolicyEstimate", "estimate"]

Method = Literal["ips", "snips", "doubly robust"]
Interval = Literal["wilson", "normal", "empirical bernstein"]
# With fewer decisions' worth behind it, an estimate hangs on a handful of lucky draws.
_LEAST_EFFECTIVE = 100.0
# Weights are far from normal: a mean this many standard errors off is no chance.
_ERRORS_OFF = 4.0
# Of one draw of a rate.
_LARGEST_ERROR = 0.5


@dataclass(frozen=True)
class LoggedDecisions:
    """V decisions of the logging policy. Stability: caller.

    Attributes:
        rewards: (V,) what came of each, in 0..1.
        propensities: (V,) chance, in (0, 1], that the logging policy took the action that it took.
        target: (V,) chance, 0..1, that the target policy takes that action.
        model: (V,) reward that a model expects of that action; None = no model. It must not have seen the same
            decision: fit it on other ones, or crosswise on halves.
        model_target: (V,) what the model expects under the target policy, over all actions.
        clusters: (V,) number of the answer or shopper; decisions of one count as one draw. None = each its own.

    Raises:
        DataError: when lengths differ, or a value is out of its range.
    """

    rewards: Numbers
    propensities: Numbers
    target: Numbers
    model: Numbers | None = None
    model_target: Numbers | None = None
    clusters: IntArray | None = None

    def __post_init__(self) -> None:
        columns = (self.rewards, self.propensities, self.target, self.model, self.model_target, self.clusters)
        lengths = {len(column) for column in columns if column is not None}
        if len(lengths) > 1 or not len(self.rewards):
            raise DataError(f"columns of {sorted(lengths)} decisions; give one value a decision, at least one")
        for name, values, least in (("rewards", self.rewards, 0.0), ("target", self.target, 0.0)):
            _check_range(name, values, least)
        _check_range("propensities", self.propensities, np.finfo(np.float64).tiny)

    def weights(self, clip: float | None = None) -> Numbers:
        """Return (V,) target over propensity, none above `clip`."""
        raw = self.target / self.propensities
        return raw if clip is None else np.minimum(raw, clip)


@dataclass(frozen=True)
class OffPolicyEstimate:
    """What the target policy would have reached. Stability: caller.

    Attributes:
        value: mean reward a decision.
        low: end of the interval.
        high: the other end.
        effective_decisions: (sum of w)^2 / sum of w^2: as many decisions of the target policy itself say as much.
        lost_weight: share of the weight, 0..1, that clipping took away: IPS is too low by at most about so much.
        warning: what makes the figure doubtful, or "".
    """

    value: float
    low: float
    high: float
    effective_decisions: float
    lost_weight: float
    warning: str


def estimate(
    logged: LoggedDecisions,
    method: Method = "doubly robust",
    *,
    clip: float | None = None,
    level: float = 0.95,
    interval: Interval = "wilson",
) -> OffPolicyEstimate:
    """Return the estimate of `method` with its interval.

    >>> log = LoggedDecisions(np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([1.0, 0.5]))  # w = 2, 1
    >>> [round(estimate(log, method).value, 4) for method in ("ips", "snips")]
    [1.0, 0.6667]

    Args:
        logged: what was logged.
        method: how; without a model "doubly robust" is refused.
        clip: no weight counts more; less noise, and IPS too low by at most `lost_weight`. The interval does not know
            of that bias. None = no clipping, no bias.
        level: of the interval, 0..1.
        interval: `wilson` = score interval of a rate, with an error that is never below what rewards of 0 or 1 must
            have: where few good rewards were seen, the spread that was seen is too small more often than not.
            `normal` = value and spread alone; too narrow there. `empirical bernstein` holds for every length of the
            log, for "ips" and a `clip` only, and is much wider.

    Raises:
        ConfigError: when the method lacks what it needs.
    """
    weights = logged.weights(clip)
    values = _values(logged, method, weights)
    value = float(values.mean())
    clusters = np.arange(len(values)) if logged.clusters is None else logged.clusters
    error = _cluster_error(values - value, clusters)
    z = float(norm.isf((1 - level) / 2))
    match interval:
        case "wilson":
            low, high = _wilson(value, max(error, _least_error(logged, method, weights, value)), z)
        case "normal":
            low, high = value - z * error, value + z * error
        case "empirical bernstein":
            reach = _bernstein_reach(values, _bernstein_range(method, clip, logged), 1 - level)
            low, high = value - reach, value + reach
    effective = _effective(weights)
    lost = 1 - float(weights.sum() / max(logged.weights().sum(), 1e-300))
    warning = _warning(effective, lost, logged)
    return OffPolicyEstimate(value, low, high, effective, max(lost, 0.0), warning)


def _values(logged: LoggedDecisions, method: Method, weights: Numbers) -> Numbers:
    """Return (V,) values whose mean is the estimate and whose spread is its own."""
    match method:
        case "ips":
            return weights * logged.rewards
        case "snips":
            mean = float(weights.mean())
            if not mean:
                raise DataError(
                    f"the target takes none of the {len(weights)} logged actions; log with more exploration"
                )
            ratio = float((weights * logged.rewards).mean()) / mean
            return np.asarray(ratio + weights * (logged.rewards - ratio) / mean)
        case "doubly robust":
            if logged.model is None or logged.model_target is None:
                raise ConfigError("doubly robust needs `model` and `model_target`; give both, or use snips")
            return logged.model_target + weights * (logged.rewards - logged.model)


def _cluster_error(deviations: Numbers, clusters: IntArray) -> float:
    """Return the standard error of a mean whose terms are alike within a cluster: sqrt(G/(G-1) sum of d_g^2) / V."""
    _, rows = np.unique(clusters, return_inverse=True)
    sums = np.bincount(rows, weights=deviations)
    count = len(sums)
    return math.sqrt(count / (count - 1) * float(sums @ sums)) / len(deviations) if count > 1 else math.inf


def _least_error(logged: LoggedDecisions, method: Method, weights: Numbers, value: float) -> float:
    """Return the standard error that rewards of 0 or 1 have by themselves: a reward of chance q has q (1 - q).

    q is the model's; without one it is the value itself, half a reward at least, and the decisions are the effective
    ones.
    """
    if method == "doubly robust" and logged.model is not None and logged.model_target is not None:
        noise = weights**2 * (logged.model * (1 - logged.model)).clip(min=0)
        return math.sqrt(float(logged.model_target.var() + noise.mean()) / len(weights))
    effective = max(_effective(weights), 1.0)
    rate = min(max(value, 0.5 / effective), 1 - 0.5 / effective)
    return math.sqrt(rate * (1 - rate) / effective)


def _effective(weights: Numbers) -> float:
    return float(weights.sum() ** 2 / (weights @ weights)) if weights.any() else 0.0


def _wilson(value: float, error: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval, JASA 1927, of a rate from as many draws as give `error`: value (1 - value) / error^2.

    >>> low, high = _wilson(0.5, 0.1, 2.0)  # 25 draws: 0.5 +- 2 / 1.16 * sqrt(0.01 + 1 / 625)
    >>> round(low, 4), round(high, 4)
    (0.3143, 0.6857)
    """
    if not error > 0:
        return value, value
    if error >= _LARGEST_ERROR:
        return 0.0, 1.0
    # One reward in n draws has a mean of 1 / n and an error of about as much: fewer cannot be told from one.
    rate = min(max(value, error), 1 - error)
    draws = rate * (1 - rate) / error**2
    middle = (rate + z * z / (2 * draws)) / (1 + z * z / draws)
    reach = z / (1 + z * z / draws) * math.sqrt(error**2 + z * z / (4 * draws * draws))
    return min(middle - reach, value), max(middle + reach, value)


def _bernstein_range(method: Method, clip: float | None, logged: LoggedDecisions) -> float:
    if method != "ips" or clip is None or logged.clusters is not None:
        raise ConfigError(f"empirical bernstein needs ips, a clip and no clusters, met {method}, {clip}; use normal")
    return clip


def _bernstein_reach(values: Numbers, largest: float, delta: float) -> float:
    """Return the reach of Maurer and Pontil, "Empirical Bernstein bounds and sample variance penalization", COLT 2009.

    sqrt(2 variance log(4 / delta) / n) + 7 * largest * log(4 / delta) / (3 (n - 1)), both sides at once
    """
    count = len(values)
    if count < 2:
        return math.inf
    said = math.log(4 / delta)
    return math.sqrt(2 * float(values.var(ddof=1)) * said / count) + 7 * largest * said / (3 * (count - 1))


def _warning(effective: float, lost: float, logged: LoggedDecisions) -> str:
    said = []
    if effective < _LEAST_EFFECTIVE:
        said.append(
            f"only {effective:.0f} of {len(logged.rewards)} decisions' worth of evidence, want {_LEAST_EFFECTIVE:.0f}"
        )
    if lost > 0.01:
        said.append(f"clipping took {lost:.1%} of the weight, ips is too low by at most about so much")
    raw = logged.weights()
    mean = float(raw.mean())
    error = _cluster_error(raw - mean, np.arange(len(raw)))
    # Where the log tries all that the target does, weights are 1 in the mean.
    if abs(mean - 1) > _ERRORS_OFF * error:
        said.append(f"weights are {mean:.3f} in the mean, not 1: wrong propensities, or actions that are never tried")
    return "; ".join(said)


def _check_range(name: str, values: Numbers, least: float) -> None:
    wrong = values[~((values >= least) & (values <= 1))]
    if len(wrong):
        raise DataError(
            f"{len(wrong)} {name} are outside {least:.3g}..1, the first is {wrong[0]:g}; scale or drop them"
        )
