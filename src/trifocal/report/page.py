"""What a report is made of: plain values, in the order of the page. Imports nothing from this package.

A `Page` has headline figures and sections; a section has blocks. `render_report` lays them out.

```
Page     kind, title, verdicts, notes, facts
 Section   title, hint
  Table | Charts | Rows | Grid | Note | Listed | Folded
Page     remarks, origin
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

__all__ = [
    "Block", "Card", "Cell", "Chart", "Charts", "Column", "Fact", "Folded", "Grid", "Listed", "Note", "Origin", "Page",
    "Rows", "Section", "Table",
]  # fmt: skip

Tone = Literal["", "good", "bad", "best", "few", "warning"]


@dataclass(frozen=True)
class Fact:
    """A headline figure.

    Attributes:
        name: what it is, with its unit.
        value: as it is shown.
        tone: good or bad, where it is.
    """

    name: str
    value: str
    tone: Tone = ""


@dataclass(frozen=True)
class Note:
    """A paragraph that stands out, in a verdict or beside figures."""

    text: str
    tone: Tone = ""
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Column:
    """Head of a column: its title, what stands small below it, and whether a line stands before it."""

    title: str
    small: str = ""
    opens: bool = False


@dataclass(frozen=True)
class Cell:
    """What stands in a table: a figure, and small below it where it lies."""

    text: str
    small: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Table:
    """Figures in rows; the first cell of a row is its name.

    Attributes:
        caption: what the table shows; it is read out.
        columns: that of the names first.
        rows: as long as `columns`.
        groups: columns after the first that stand under one more head: its title and how many.
        first: the first row is what the others are compared with.
        wording: cells hold sentences, set to the left.
    """

    caption: str
    columns: Sequence[str | Column]
    rows: Sequence[Sequence[str | Cell]]
    groups: Sequence[tuple[str, int]] = ()
    first: bool = False
    wording: bool = False
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes:
        svg: it takes its colours from the page.
        title: what it shows, written below it.
    """

    svg: str
    title: str


@dataclass(frozen=True)
class Charts:
    """Drawings beside each other where there is room."""

    charts: Sequence[Chart]
    kind: ClassVar[str] = "charts"


@dataclass(frozen=True)
class Card:
    """An item as the page shows it.

    Attributes:
        title: its title, or its id where it has none.
        picture: a data URI, or None where there is no readable picture.
        hit: marked with a frame: the user went on to take it.
        lines: written below it, where cards stand in a grid.
    """

    title: str
    picture: str | None
    hit: bool = False
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows of small cards, each with its name: one user, say.

    Attributes:
        title: of all of them.
        rows: name -> cards.
        more: further rows, which unfold.
        more_title: what they are.
    """

    title: str
    rows: Mapping[str, Sequence[Card]]
    more: Mapping[str, Sequence[Card]] | None = None
    more_title: str = ""
    kind: ClassVar[str] = "rows"


@dataclass(frozen=True)
class Grid:
    """Cards with their titles and lines written below.

    Attributes:
        cards: in their order.
        empty: what is said where there is none.
    """

    cards: Sequence[Card]
    empty: str = "none"
    kind: ClassVar[str] = "grid"


@dataclass(frozen=True)
class Listed:
    """Names, each with its values: settings, say."""

    values: Mapping[str, Sequence[str]]
    kind: ClassVar[str] = "listed"


@dataclass(frozen=True)
class Folded:
    """Blocks that unfold when they are asked for; in print they are open."""

    title: str
    blocks: Sequence[Block]
    kind: ClassVar[str] = "folded"


Block = Table | Charts | Rows | Grid | Note | Listed | Folded


@dataclass(frozen=True)
class Section:
    """A part of the page: its title, blocks, and what a reader must know of them first."""

    title: str
    blocks: Sequence[Block]
    hint: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a page comes from, for its foot; "" = not said.

    Attributes:
        command: that made it.
        made: moment, ISO text.
        fingerprint: of the data.
    """

    command: str = ""
    made: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class Page:
    """A report. Stability: caller.

    Attributes:
        kind: of report, "evaluation", say.
        title: what it is about.
        sections: in their order.
        verdicts: what came out, a sentence each.
        facts: headline figures.
        remarks: how it was made, at the foot.
        origin: command, moment and data.
    """

    kind: str
    title: str
    sections: Sequence[Section]
    verdicts: Sequence[Note] = ()
    facts: Sequence[Fact] = ()
    remarks: Sequence[str] = ()
    origin: Origin = Origin()
