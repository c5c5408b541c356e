"""Whether the variants got the shoppers that they should: if not, something loses shoppers, and no figure counts.

The always-valid test may be looked at after every shopper: Lindon and Malek, "Anytime-valid inference for multinomial
count data", NeurIPS 2022. The chi-square test of Fabijan et al., "Diagnosing sample ratio mismatch in online controlled
experiments", KDD 2019, is for one look at the end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import gammaln
from scipy.stats import chisquare

from trifocal.errors import DataError

__all__ = ["MISMATCH_P", "always_valid_mismatch_p", "chi_square_p"]

# So small a p says that the assignment is broken, not that chance was odd.
MISMATCH_P = 0.001
# Weight of the shares that were meant, in shoppers: looks for deviations of about sqrt(share * (1 - share) / 200),
# and finds smaller ones later.
_CONCENTRATION = 200.0


def chi_square_p(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Return the p of Pearson's chi-square test, good for one look only; 1 without a shopper.

        sum over variants of (count - n * share)^2 / (n * share)

    >>> p = chi_square_p({"a": 60, "b": 40}, {"a": 0.5, "b": 0.5})  # (100 + 100) / 50 = 4
    >>> round(p, 4)
    0.0455

    Raises:
        DataError: when a variant has shoppers and no share.
    """
    seen, meant = _checked(counts, shares)
    if not seen.sum() or len(seen) < 2:
        return 1.0
    return float(chisquare(seen, meant * seen.sum()).pvalue)


def always_valid_mismatch_p(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Return the p of this look; over all looks its least one is below x with chance x at most.

    One over the Bayes factor of a Dirichlet around the shares, concentration c, against the shares s themselves:

        prod s^count * Gamma(c + n) / Gamma(c) * prod Gamma(c s) / Gamma(c s + count), at most 1

    With one shopper the Dirichlet says the same as the shares:

    >>> round(always_valid_mismatch_p({"a": 1, "b": 0}, {"a": 0.5, "b": 0.5}), 9)
    1.0

    Raises:
        DataError: when a variant has shoppers and no share.
    """
    seen, meant = _checked(counts, shares)
    prior = _CONCENTRATION * meant
    log_factor = (
        gammaln(_CONCENTRATION)
        - gammaln(_CONCENTRATION + seen.sum())
        + (gammaln(prior + seen) - gammaln(prior)).sum()
        - (seen * np.log(meant)).sum()
    )
    return min(1.0, math.exp(-float(log_factor))) if log_factor > -700 else 1.0


def _checked(counts: Mapping[str, int], shares: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return counts and shares of the variants that have a share, as arrays of float64."""
    astray = [variant for variant, count in counts.items() if count and not shares.get(variant)]
    if astray:
        raise DataError(f"{counts[astray[0]]} shoppers saw {astray[0]!r}, which has no share; give it one")
    names = [variant for variant, share in shares.items() if share > 0]
    seen = np.array([counts.get(name, 0) for name in names], dtype=np.float64)
    meant = np.array([shares[name] for name in names], dtype=np.float64)
    return seen, meant / meant.sum()
