"""Write the table of an evaluation into README.md, between its markers.

    python scripts/fill_results.py shop runs/demo-visual-1.0/evaluation.txt
    python scripts/fill_results.py hm-random docs/results/hm-random.md

The file is what `trifocal evaluate` printed, whose last line is JSON, or a table that `trifocal compare` wrote.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any


def table(figures: dict[str, Any]) -> str:
    """Return the Markdown table of what `trifocal evaluate` printed on its last line."""
    models = figures["models"]
    best = {m: max(model[m] for model in models.values()) for m in ("recall@20", "ndcg@10", "map@20")}
    rows = [
        f"| {name} | "
        + " | ".join(f"**{model[m]:.4f}**" if model[m] == best[m] else f"{model[m]:.4f}" for m in best)
        + f" | {model['latency_ms']:.1f} |"
        for name, model in models.items()
    ]
    head = ["| model | Recall@20 | nDCG@10 | MAP@20 | one answer, p50 ms |", "|---|---|---|---|---|"]
    note = f"{figures['users']:,} test users, {figures['candidates']:,} items ranked in full; fingerprint "
    return "\n".join([*head, *rows, "", note + f"`{figures['fingerprint'][:12]}`."])


def main(name: str, printed: Path) -> None:
    """Replace the table called `name`."""
    text = printed.read_text(encoding="utf-8")
    filling = text.strip() if printed.suffix == ".md" else table(json.loads(text.splitlines()[-1]))
    readme = Path("README.md")
    pattern = re.compile(rf"<!-- results:{re.escape(name)} -->.*?<!-- /results -->", re.DOTALL)
    filled = f"<!-- results:{name} -->\n{filling}\n<!-- /results -->"
    readme.write_text(pattern.sub(lambda _: filled, readme.read_text(encoding="utf-8"), count=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
