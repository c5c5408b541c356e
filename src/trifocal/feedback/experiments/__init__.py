"""Experiments on the live service: who sees which variant, and what may be concluded, at any time.

Pure: shares, ids, numbers and frames of events in; assignments, intervals and verdicts out. `report` alone writes.
"""

from trifocal.feedback.experiments.assignment import Assignment
from trifocal.feedback.experiments.estimates import MeanEstimate, mean_estimate, ratio_estimate
from trifocal.feedback.experiments.guard_rails import GuardRail, GuardVerdict, check_rail
from trifocal.feedback.experiments.sequential import Difference, SequentialPlan, SequentialTest, compare

__all__ = [
    "Assignment",
    "Difference",
    "GuardRail",
    "GuardVerdict",
    "MeanEstimate",
    "SequentialPlan",
    "SequentialTest",
    "check_rail",
    "compare",
    "mean_estimate",
    "ratio_estimate",
]
