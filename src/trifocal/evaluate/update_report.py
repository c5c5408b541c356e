"""What became of an update -> `update.json` for programs and one self-contained page for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from trifocal.evaluate.gate import Verdict

__all__ = ["UpdateReport", "write_update_report"]


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


def write_update_report(report: UpdateReport, folder: Path) -> None:
    """Write `update.json` and `update.html` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "update.json").write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
    templates = Environment(
        loader=PackageLoader("trifocal.evaluate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = templates.get_template("update.html").render(report=report)
    (folder / "update.html").write_text(page, encoding="utf-8")
