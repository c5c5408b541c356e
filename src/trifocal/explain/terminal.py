"""Explanations in a terminal: words coloured by weight, the picture as blocks, shares as bars. Knows no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from trifocal.explain.explanation import Explanation, Nearest, Shares, Word

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

__all__ = ["shown"]

# From nothing to all of the greatest weight, for and against; two levels that a dark and a light terminal both show.
_FOR, _AGAINST = ("green", "bold black on green"), ("red", "bold white on red")
_BLOCKS = " ░▒▓█"
_BAR = 24


def shown(explanation: Explanation, title: str, title_of: Callable[[int], str]) -> RenderableType:
    """Return `explanation` of the item called `title` as a panel.

    Args:
        explanation: R x C cells.
        title: of the item.
        title_of: row of an item of the history -> its title.
    """
    from rich.console import Group
    from rich.markup import escape
    from rich.panel import Panel
    from rich.text import Text

    top = max(
        [abs(w.weight) for w in explanation.words] + [abs(c) for line in explanation.cells for c in line] + [1e-12]
    )
    parts: list[RenderableType] = [Text(explanation.sentence, style="italic"), Text()]
    if explanation.words:
        parts += [_words(explanation.words, top), Text()]
    parts += [_grid(explanation.cells, top), Text()] if explanation.cells else []
    parts.append(_bars(explanation.shares))
    if explanation.nearest is not None:
        parts += [Text(), _nearest(explanation.nearest, title_of(explanation.nearest.item_row))]
    return Panel(Group(*parts), title=escape(title), subtitle=f"score {explanation.score:.2f}", title_align="left")


def _words(words: Sequence[Word], top: float) -> Text:
    from rich.text import Text

    text = Text()
    for place, word in enumerate(words):
        if place and words[place - 1].part != word.part:
            text.append("· ", style="dim")
        text.append(word.text, style=_style(word.weight / top)).append(" ")
    return text


def _style(weight: float) -> str:
    """Of a weight from -1 to 1."""
    faint, strong = _FOR if weight > 0 else _AGAINST
    return strong if abs(weight) >= 0.6 else faint if abs(weight) >= 0.2 else ""


def _grid(cells: Sequence[Sequence[float]], top: float) -> Text:
    from rich.text import Text

    text = Text()
    for line in cells:
        for weight in line:
            strength = min(int(abs(weight) / top * len(_BLOCKS)), len(_BLOCKS) - 1)
            text.append(_BLOCKS[strength] * 4, style="green" if weight > 0 else "red")
        text.append("\n")
    text.right_crop(1)
    return text


def _bars(shares: Shares) -> Text:
    from rich.text import Text

    lines = []
    for field in fields(shares):
        share: float = getattr(shares, field.name)
        lines.append(f"{field.name:<11}{'█' * round(_BAR * share):<{_BAR}} {100 * share:3.0f} %")
    return Text("\n".join(lines))


def _nearest(nearest: Nearest, title: str) -> Text:
    from rich.text import Text

    shared = [*(() if nearest.category is None else (nearest.category,)), *nearest.colours, *nearest.words]
    told = f"; both: {', '.join(shared)}" if shared else ""
    return Text(f"most alike in the history: {title} ({nearest.similarity:.2f}){told}")
