"""Anything in -> canonical items and events: readers, sessions, splits, cases, the generated sample shop."""

from trifocal.data.dataset import Dataset, read_dataset, write_dataset

__all__ = ["Dataset", "read_dataset", "write_dataset"]
