"""An explanation -> what a page draws of it: marked words, cells over the picture, bars. Pure; knows no HTML."""

from __future__ import annotations

from dataclasses import dataclass

from trifocal.explain.explanation import Shares, Word
from trifocal.serve.asks import ItemExplanation, NearestItem

__all__ = ["Bar", "Cell", "Marked", "ToldWhy", "told_why"]

# The strongest word has level 4; what has less than a twelfth of its weight is not marked.
_LEVELS = (1 / 12, 0.25, 0.5, 0.8)
_NAMED_MOST = 3
# So much of a cell's colour at most, so that the picture is still seen through it; weak cells fade faster than their
# weight, or a picture that speaks everywhere would be covered whole.
_OPAQUE_MOST, _FADING = 0.66, 1.5
_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")


@dataclass(frozen=True)
class Marked:
    """A word: `level` 0..4 = how strongly it is marked; `against` = it speaks against the item."""

    text: str
    level: int
    against: bool


@dataclass(frozen=True)
class Cell:
    """A cell of the picture at column `x`, row `y`, counted from the top left; `opacity` 0..1."""

    x: int
    y: int
    opacity: float
    against: bool


@dataclass(frozen=True)
class Bar:
    """A share by name, 0..1, and in percent."""

    name: str
    share: float
    percent: int


@dataclass(frozen=True)
class ToldWhy:
    """What a page says of why an item is answered. Stability: internal.

    Attributes:
        sentence: all of it.
        parts: name of each part of the text and its words.
        strongest: the words that weigh most, in their order.
        cells: of the picture; empty = it was not looked at.
        columns: cells in a row.
        rows: rows of cells.
        place: where the picture speaks most, in words; empty = nowhere.
        bars: shares by source, the greatest first.
        nearest: of the shopper's own history.
        error_percent: how far the parts are from their sum.
    """

    sentence: str
    parts: tuple[tuple[str, tuple[Marked, ...]], ...]
    strongest: tuple[str, ...]
    cells: tuple[Cell, ...]
    columns: int
    rows: int
    place: str
    bars: tuple[Bar, ...]
    nearest: NearestItem | None
    error_percent: float


def told_why(told: ItemExplanation) -> ToldWhy:
    """Return what a page says of `told`."""
    ordered = sorted(told.words, key=lambda word: -word.weight)
    most = max((abs(word.weight) for word in told.words), default=0.0)
    strongest = [word.text for word in ordered[:_NAMED_MOST] if _level(word, most)]
    names = dict.fromkeys(word.part for word in told.words)
    return ToldWhy(
        sentence=told.sentence,
        parts=tuple((name, tuple(_marked(word, most) for word in told.words if word.part == name)) for name in names),
        strongest=tuple(dict.fromkeys(strongest)),
        cells=_cells(told.cells),
        columns=len(told.cells[0]) if told.cells else 0,
        rows=len(told.cells),
        place=_place(told.cells),
        bars=_bars(told.shares),
        nearest=told.nearest,
        error_percent=100 * told.completeness_error,
    )


def _level(word: Word, most: float) -> int:
    return sum(abs(word.weight) >= limit * most for limit in _LEVELS) if most > 0 else 0


def _marked(word: Word, most: float) -> Marked:
    return Marked(word.text, _level(word, most), word.weight < 0)


def _cells(cells: tuple[tuple[float, ...], ...]) -> tuple[Cell, ...]:
    most = max((abs(weight) for line in cells for weight in line), default=0.0)
    if most <= 0:
        return ()
    return tuple(
        Cell(x, y, round(_OPAQUE_MOST * (abs(weight) / most) ** _FADING, 3), weight < 0)
        for y, line in enumerate(cells)
        for x, weight in enumerate(line)
    )


def _place(cells: tuple[tuple[float, ...], ...]) -> str:
    """Return where the greatest weight stands.

    >>> _place(((0.0, 0.0, 0.3), (0.0, 0.1, 0.0), (0.0, 0.0, 0.0)))
    'upper right'
    """
    weight, y, x = max(
        ((weight, y, x) for y, line in enumerate(cells) for x, weight in enumerate(line)), default=(0.0, 0, 0)
    )
    if weight <= 0:
        return ""
    row, column = _ROWS[3 * y // len(cells)], _COLUMNS[3 * x // len(cells[y])]
    return "middle" if (row, column) == ("middle", "centre") else f"{row} {column}"


def _bars(shares: Shares) -> tuple[Bar, ...]:
    """Return the shares, the greatest first; none where nothing spoke."""
    named = {
        "What it says": shares.text,
        "What its picture shows": shares.picture,
        "Category, price and brand": shares.attributes,
        "What it is taken with": shares.identity,
        "Time and place": shares.context,
    }
    if not any(named.values()):
        return ()
    return tuple(
        Bar(name, share, round(100 * share)) for name, share in sorted(named.items(), key=lambda pair: -pair[1])
    )
