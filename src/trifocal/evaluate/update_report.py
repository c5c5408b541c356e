"""What became of an update -> `update.json` for programs and one self-contained page for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trifocal.evaluate.gate import Verdict
from trifocal.report import (
    Cell,
    Charts,
    Estimate,
    Fact,
    Note,
    Origin,
    Page,
    Section,
    Table,
    intervals,
    write_report,
)
from trifocal.report.drawing import metric_label
from trifocal.report.wording import fixed

__all__ = ["UpdateReport", "update_page", "write_update_report"]


@dataclass(frozen=True)
class UpdateReport:
    """One update, as it stands in its report.

    Attributes:
        dataset: name of the data set.
        serving: model version of the bundle that served.
        updated: model version of the one that may follow.
        verdict: both on the newest slice.
        since: moment up to which the serving bundle had learned, ISO text.
        held_out_from: where the newest slice begins, ISO text.
        until: moment of the newest event, ISO text.
        new_events: events since then.
        new_items: items that the serving bundle does not know.
        forgotten_users: users whose past was left out.
        seconds: from the data to the bundle.
    """

    dataset: str
    serving: str
    updated: str
    verdict: Verdict
    since: str
    held_out_from: str
    until: str
    new_events: int
    new_items: int
    forgotten_users: int
    seconds: float

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        whole = self.verdict.whole
        figures = (
            f"{whole.metric} {whole.updated:.4f} against {whole.serving:.4f} of the serving bundle, difference "
            f"{whole.gap:+.4f} (95 % interval {whole.low:+.4f} to {whole.high:+.4f}, {whole.cases:,} users)"
        )
        least = f"the interval must not begin below {self.verdict.least:+.4f}"
        return f"promoted: {figures}" if self.verdict.promoted else f"kept back: {figures}; {least}"

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        about = {name: value for name, value in vars(self).items() if name != "verdict"}
        return {**about, "seconds": round(self.seconds, 1), **self.verdict.to_json()}


def write_update_report(report: UpdateReport, folder: Path, origin: Origin | None = None) -> None:
    """Write `update.json` and `update.html` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "update.json").write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
    write_report(folder / "update.html", update_page(report, origin))


def update_page(report: UpdateReport, origin: Origin | None = None) -> Page:
    """Return the page: the verdict, what was learned from, and both bundles on the newest slice."""
    return Page(
        "update",
        f"{report.dataset}, {report.serving} → {report.updated}",
        [_newest_slice(report.verdict)],
        verdicts=[Note(report.sentence, "good" if report.verdict.promoted else "bad")],
        facts=[
            Fact("New events", f"{report.new_events:,}"),
            Fact("New items", f"{report.new_items:,}"),
            Fact("Forgotten users", f"{report.forgotten_users:,}"),
            Fact("Learned before up to", report.since),
            Fact("Held out from", report.held_out_from),
            Fact("Newest event", report.until),
            Fact("Seconds", fixed(report.seconds, 0)),
        ],
        origin=origin or Origin(),
    )


def _newest_slice(verdict: Verdict) -> Section:
    asked = {"all": verdict.whole} | ({} if verdict.known is None else {"known to both": verdict.known})
    rows: list[list[str | Cell]] = [
        [
            name,
            f"{one.cases:,}",
            f"{one.updated:.4f}",
            f"{one.serving:.4f}",
            Cell(f"{one.gap:+.4f}", tone="good" if one.low > 0 else "bad" if one.high < 0 else ""),
            f"{one.low:+.4f} to {one.high:+.4f}",
        ]
        for name, one in asked.items()
    ]
    columns = ["Items", "Users", "Updated", "Serving", "Difference", "95 % interval"]
    metric = metric_label(verdict.whole.metric)
    chart = intervals(
        [Estimate(f"{name} items", one.gap, one.low, one.high) for name, one in asked.items()],
        f"Updated minus serving; that of all items may not begin left of the dashed line ({verdict.least:+.4f})",
        f"difference of {metric}",
        least=verdict.least,
        digits=4,
    )
    hint = (
        f"Mean {metric} over the same users, full ranking; neither model has learned from these days. Items that the "
        "serving bundle does not know are misses for it; the second line asks for the others alone."
    )
    return Section("Both on the newest slice", [Table("Both bundles", columns, rows), Charts([chart])], hint)
