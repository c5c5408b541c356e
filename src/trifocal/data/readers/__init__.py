"""Readers for public data sets: each turns a folder into an `ImportPlan`, little more than a column map."""

from trifocal.data.readers.detect import READERS, detect_plan

__all__ = ["READERS", "detect_plan"]
