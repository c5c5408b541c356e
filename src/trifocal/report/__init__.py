"""One look for all reports: a `Page` of plain values and drawings -> one HTML file that stands alone.

A leaf: it knows nothing of data, models or results. Each stage puts its own figures into the values of `page`.
"""

from trifocal.report.charts import Estimate, Line, Point, bars, intervals, lines, points
from trifocal.report.page import (
    Block,
    Card,
    Cell,
    Chart,
    Charts,
    Column,
    Fact,
    Folded,
    Grid,
    Listed,
    Note,
    Origin,
    Page,
    Rows,
    Section,
    Table,
)
from trifocal.report.pictures import data_uri
from trifocal.report.render import render_report, write_report

__all__ = [
    "Block",
    "Card",
    "Cell",
    "Chart",
    "Charts",
    "Column",
    "Estimate",
    "Fact",
    "Folded",
    "Grid",
    "Line",
    "Listed",
    "Note",
    "Origin",
    "Page",
    "Point",
    "Rows",
    "Section",
    "Table",
    "bars",
    "data_uri",
    "intervals",
    "lines",
    "points",
    "render_report",
    "write_report",
]
