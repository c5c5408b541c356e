"""Text -> moments in UTC; null where a text is no moment between 1970 and 2100, for the caller to record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

__all__ = ["parse_timestamps"]

# A shop's log lies between these; outside, the unit was mistaken (milliseconds read as seconds: the year 52,000).
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_MICROSECONDS = 1_000_000
# From 1973 to 5138 a count of seconds has 9 to 11 digits, and each finer unit three more.
_LEAST_COUNT = {"s": 1e8, "ms": 1e11, "us": 1e14, "ns": 1e17}

_Parse = Callable[[pl.Expr], pl.Expr]


def parse_timestamps(text: pl.Series, layout: str) -> pl.Series:
    """Return the moments that `text` names; a local time without offset is taken as UTC.

    Args:
        text: trimmed text, null = unknown.
        layout: `auto` (ISO 8601, compact dates such as 20200916, or seconds to nanoseconds since 1970, told apart by
            their size), `iso`, a unit `s`, `ms`, `us`, `ns`, or a strptime pattern.

    >>> parse_timestamps(pl.Series(["1970-01-02", "1600250401000", "soon"]), "auto").dt.epoch("s").to_list()
    [86400, 1600250401, None]
    """
    match layout:
        case "auto":
            parsers = [_any_unit, *_ISO, _compact_date]
        case "iso":
            parsers = list(_ISO)
        case "s" | "ms" | "us" | "ns":
            parsers = [lambda column: _since_1970(_number(column), layout)]
        case _:
            parsers = [lambda column: _of_pattern(column, layout)]
    return _first_success(text, parsers)


def _first_success(text: pl.Series, parsers: list[_Parse]) -> pl.Series:
    """Each parser sees only what the ones before it could not read: most files need one pass."""
    column = pl.col("text")
    table = pl.DataFrame({"text": text}).with_row_index("place")
    rest = table.filter(column.is_not_null())
    parts = [pl.DataFrame(schema={"place": pl.UInt32, "moment": pl.Datetime("us", "UTC")})]
    for parser in parsers:
        if not len(rest):
            break
        moment = parser(column)
        read = rest.select("place", "text", pl.when(moment.is_between(_EARLIEST, _LATEST)).then(moment).alias("moment"))
        parts.append(read.filter(pl.col("moment").is_not_null()).select("place", "moment"))
        rest = read.filter(pl.col("moment").is_null()).select("place", "text")
    found = pl.concat(parts)
    return table.join(found, on="place", how="left", maintain_order="left")["moment"]


def _plain(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "${1} ").str.replace(r"(?i)(z| utc)$", "+00:00")


def _iso_seconds(text: pl.Expr) -> pl.Expr:
    moment = _plain(text).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    return moment.dt.replace_time_zone("UTC")


def _iso_offset(text: pl.Expr) -> pl.Expr:
    return _plain(text).str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", strict=False, time_unit="us", time_zone="UTC")


def _iso_minutes(text: pl.Expr) -> pl.Expr:
    return _plain(text).str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us").dt.replace_time_zone("UTC")


def _date(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.to_date(pattern, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _iso_date(text: pl.Expr) -> pl.Expr:
    return _date(text, "%Y-%m-%d")


_ISO: tuple[_Parse, ...] = (_iso_seconds, _iso_offset, _iso_date, _iso_minutes)


def _compact_date(text: pl.Expr) -> pl.Expr:
    return _date(pl.when(text.str.contains(r"^(19|20)\d{6}$")).then(text), "%Y%m%d")


def _any_unit(text: pl.Expr) -> pl.Expr:
    number = _number(text)
    moment = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    for unit, least in _LEAST_COUNT.items():
        moment = pl.when(number >= least).then(_since_1970(number, unit)).otherwise(moment)
    return moment


def _number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Float64, strict=False)


def _since_1970(number: pl.Expr, unit: str) -> pl.Expr:
    microseconds = (number * (_MICROSECONDS / _PER_SECOND[unit])).round().cast(pl.Int64, strict=False)
    return microseconds.cast(pl.Datetime("us", "UTC"))


def _of_pattern(text: pl.Expr, pattern: str) -> pl.Expr:
    if "z" in pattern.replace("%%", ""):
        return text.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC")
    if any(part in pattern for part in ("%H", "%I", "%T", "%R", "%s", "%X", "%c")):
        return text.str.to_datetime(pattern, strict=False, time_unit="us").dt.replace_time_zone("UTC")
    return _date(text, pattern)
