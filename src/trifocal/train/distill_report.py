"""Student and teacher -> their page: quality, agreement, encoding speed, how the student learned, some users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trifocal.bundle import Manifest
from trifocal.report import (
    Charts,
    Estimate,
    Fact,
    Note,
    Origin,
    Page,
    Rows,
    Section,
    Table,
    bars,
    intervals,
)
from trifocal.report.drawing import metric_label
from trifocal.report.learning_curve import learning_chart, learning_curve
from trifocal.report.wording import counted, fixed, per_cent
from trifocal.train.report_values import USERS_HINT
from trifocal.types import IntArray

__all__ = ["Agreement", "Distillation", "agreement", "distillation_page"]


@dataclass(frozen=True)
class Agreement:
    """How alike the lists of student and teacher are.

    Attributes:
        overlap_10: mean share of the teacher's first 10 that are among the student's first 10.
        overlap_20: the same of the first 20.
        same_first: share of the users who get the same first item.
    """

    overlap_10: float
    overlap_20: float
    same_first: float


def agreement(student: IntArray, teacher: IntArray) -> Agreement:
    """Return how alike two lists (B, K) of the same users are; -1 is no item.

    The first user's lists share one of two items, in other places; the second user's are equal.

    >>> import numpy as np
    >>> agreement(np.array([[1, 2], [3, 4]]), np.array([[2, 5], [3, 4]]))
    Agreement(overlap_10=0.75, overlap_20=0.75, same_first=0.5)
    """
    same_first = float(np.mean((student[:, 0] == teacher[:, 0]) & (teacher[:, 0] >= 0)))
    return Agreement(_overlap(student, teacher, 10), _overlap(student, teacher, 20), same_first)


@dataclass(frozen=True)
class Distillation:
    """A student beside its teacher, as their page tells it.

    Attributes:
        manifest: of the student.
        dataset: its name.
        split: its name.
        part: that both are compared on.
        users: asked.
        figures: metric -> student's and teacher's mean.
        ratios: metric -> student / teacher with its 95 % interval.
        items_per_s: items that student and teacher encode in a second of one core.
        items: encoded to find that out.
        agreement: of their lists.
        shown: rows of cards of some users.
    """

    manifest: Manifest
    dataset: str
    split: str
    part: str
    users: int
    figures: Mapping[str, tuple[float, float]]
    ratios: Mapping[str, tuple[float, float, float]]
    items_per_s: tuple[float, float]
    items: int
    agreement: Agreement
    shown: Sequence[Rows] = ()


def distillation_page(told: Distillation, origin: Origin | None = None) -> Page:
    """Return the page of `told`."""
    origin, (student, teacher) = origin or Origin(), told.items_per_s
    first = next(iter(told.ratios))
    ratio, low, high = told.ratios[first]
    said = (
        f"The student keeps {per_cent(ratio)} of the teacher's {metric_label(first)} (95 % interval {per_cent(low)} to "
        f"{per_cent(high)}) and encodes {fixed(student / teacher, 1)} times as many items a second."
    )
    sections = [_quality(told), _speed(told), *_learned(told.manifest)]
    if told.shown:
        sections.append(Section(f"{counted(len(told.shown), 'user')}, drawn at random", list(told.shown), USERS_HINT))
    return Page(
        "distillation",
        f"{told.dataset}, student and teacher",
        sections,
        verdicts=[Note(said)],
        facts=[
            Fact(f"Users asked ({told.part})", f"{told.users:,}"),
            Fact("Split", told.split),
            Fact("Student's bundle", told.manifest.model_version),
            Fact("Parameters of the student", f"{told.manifest.metrics['parameters']:,}"),
        ],
        remarks=["Ratios of means over the same users; intervals: paired bootstrap over users."],
        origin=Origin(origin.command, origin.made, told.manifest.data_fingerprint),
    )


def _quality(told: Distillation) -> Section:
    rows = [
        [
            metric_label(name),
            *(f"{mean:.4f}" for mean in told.figures[name]),
            f"{ratio:.3f}",
            f"{low:.3f} to {high:.3f}",
        ]
        for name, (ratio, low, high) in told.ratios.items()
    ]
    columns = ["Metric", "Student", "Teacher", "Student / teacher", "95 % interval"]
    estimates = [Estimate(metric_label(name), *ratio) for name, ratio in told.ratios.items()]
    chart = intervals(estimates, "Student / teacher; the line is the teacher", "student / teacher", zero=1.0)
    alike = [
        ["of the teacher's first 10 among the student's", per_cent(told.agreement.overlap_10)],
        ["of the teacher's first 20 among the student's", per_cent(told.agreement.overlap_20)],
        ["users with the same first item", per_cent(told.agreement.same_first)],
    ]
    return Section(
        "Quality and agreement",
        [
            Table("Figures of student and teacher", columns, rows),
            Charts([chart]),
            Table("How alike their lists are", ["Shared", "Share"], alike),
        ],
        "Full ranking of the same items for the same users, whom neither has learned from.",
    )


def _speed(told: Distillation) -> Section:
    named = dict(zip(("student", "teacher"), told.items_per_s, strict=True))
    estimates = [Estimate(name, value) for name, value in named.items()]
    chart = bars(estimates, "Items encoded in a second of one core", "items / s", digits=1)
    table = Table(
        "Encoding speed", ["Model", "Items / s"], [[name, fixed(value, 1)] for name, value in named.items()], first=True
    )
    hint = f"Text and picture to vector, {told.items:,} items, processor time of one thread, both in turns."
    return Section("Encoding speed", [table, Charts([chart])], hint)


def _learned(manifest: Manifest) -> list[Section]:
    curve = learning_curve(manifest.model_name, manifest.metrics)
    return [] if curve is None else [Section("How the student learned", [Charts([learning_chart(curve)])])]


def _overlap(student: IntArray, teacher: IntArray, k: int) -> float:
    shares = [
        len(set(own) & set(other)) / max(len(other), 1)
        for own, other in zip(_items(student, k), _items(teacher, k), strict=True)
    ]
    return float(np.mean(shares))


def _items(lists: IntArray, k: int) -> list[list[int]]:
    return [[int(row) for row in rows if row >= 0] for rows in lists[:, :k]]
