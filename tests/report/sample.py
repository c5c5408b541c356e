"""A page with one of everything."""

from __future__ import annotations

import base64
import io

from PIL import Image

from trifocal.report import (
    Card,
    Cell,
    Charts,
    Column,
    Estimate,
    Fact,
    Folded,
    Grid,
    Line,
    Listed,
    Note,
    Origin,
    Page,
    Point,
    Rows,
    Section,
    Table,
    bars,
    intervals,
    lines,
    points,
)


def red() -> str:
    target = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(target, "PNG")
    return f"data:image/png;base64,{base64.b64encode(target.getvalue()).decode()}"


def page() -> Page:
    found = [Estimate("<b>one", 0.5, 0.4, 0.6), Estimate("two", 0.3, 0.2, 0.4), Estimate("three", 0.1)]
    drawings = Charts(
        [
            bars(found, "Bars & more", "Recall"),
            intervals(found[:2], "Differences", "to the other", least=-0.1),
            points([Point("one", 1.0, 0.5, 0.4, 0.6), Point("two", 30.0, 0.3)], "Points", "ms", log=True),
            lines(
                [
                    Line("one", [1, 2, 3], [3.0, 2.0, 1.0], [2.5, 1.5, 0.5], [3.5, 2.5, 1.5]),
                    Line("two", [1, 3], [1, 2]),
                ],
                "Lines",
                "epoch",
                levels={"meant": 1.5},
            ),
        ]
    )
    table = Table(
        "Figures of two",
        ["Model", Column("A", "n = 3"), Column("B", opens=True)],
        [["<b>one", Cell("1.0", "0.9 to 1.1", "best"), "2"], ["two", Cell("0.5", tone="bad"), Cell("1", tone="few")]],
        groups=[("of one", 1), ("of two", 1)],
        first=True,
    )
    cards = [Card("<i>dress", red(), hit=True, lines=("picture of a shoe", "score .12")), Card("lost", None)]
    return Page(
        "sample",
        "One of <everything>",
        [
            Section("Figures", [table, drawings], "Means, 95 % intervals."),
            Section("Users", [Rows("User 7", {"had": cards, "took": []}, {"als": cards}, "1 more model")]),
            Section("Pictures", [Grid(cards), Grid([], "no pair looks wrong"), Note("Look closely.", "warning")]),
            Section(
                "Settings",
                [
                    Folded(
                        "All",
                        [
                            Listed({"one": ["a = 1", "b = 2"]}),
                            Table("Words", ["a", "b"], [["x", "a sentence"]], wording=True),
                        ],
                    )
                ],
            ),
        ],
        verdicts=[Note("one is above two (+3 %).", "good"), Note("This split is leaky.", "warning")],
        facts=[Fact("Users", "1,234"), Fact("Broken", "3", "bad")],
        remarks=["Intervals: bootstrap."],
        origin=Origin("trifocal sample <x>", "2026-05-01 10:00 UTC", "abc123"),
    )
