"""The page of a distillation, and how alike two lists are."""

from __future__ import annotations

import numpy as np
from tests.train import report_sample

from trifocal.report import render_report
from trifocal.train.distill_report import agreement, distillation_page


def test_the_page_holds_student_against_teacher() -> None:
    page = render_report(distillation_page(report_sample.distillation()))
    for said in (
        "The student keeps 95.0\u00a0% of the teacher&#39;s nDCG@10 (95\u00a0% interval 93.0\u00a0% to 97.0\u00a0%)",
        "encodes 4.0 times as many items a second.",
        "<td>0.1900</td><td>0.2000</td><td>0.950</td><td>0.930 to 0.970</td>",
        "61.0\u00a0%", "66.0\u00a0%", "50.0\u00a0%", "120.0", "Learning curve of student", "User &lt;u1&gt;",
    ):  # fmt: skip
        assert said in page


def test_lists_agree_by_the_share_of_the_teachers_items() -> None:
    # Of the teacher's three the student has two; the second user gets nothing from the teacher.
    student = np.array([[1, 2, 3], [4, 5, 6]])
    teacher = np.array([[1, 3, 9], [-1, -1, -1]])
    found = agreement(student, teacher)
    assert found.overlap_10 == found.overlap_20 == (2 / 3 + 0) / 2
    assert found.same_first == 0.5


def test_only_the_first_ten_count_among_the_first_ten() -> None:
    student, teacher = np.arange(20)[None], np.arange(10, 30)[None]
    found = agreement(student, teacher)
    assert (found.overlap_10, found.overlap_20, found.same_first) == (0.0, 0.5, 0.0)
