"""Experiments on the live service: who sees which variant, and what may be concluded, at any time.

Pure: shares, ids and numbers in; assignments, intervals and verdicts out.
"""

from trifocal.feedback.experiments.assignment import Assignment

__all__ = ["Assignment"]
