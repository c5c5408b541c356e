"""Text -> moments in UTC; null where a text is no moment between 1970 and 2100, for the caller to record."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

__all__ = ["parse_timestamps"]

_MOMENT = pl.Datetime("us", "UTC")
# A shop's log lies between these; outside, the unit was mistaken (milliseconds read as seconds: the year 52,000).
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_MICROSECONDS = 1_000_000


def parse_timestamps(text: pl.Expr, layout: str) -> pl.Expr:
    """Return the moments that `text` names; a local time without offset is taken as UTC.

    Args:
        text: text expression.
        layout: `auto` (ISO 8601, compact dates such as 20200916, or seconds to nanoseconds since 1970, told apart by
            their size), `iso`, a unit `s`, `ms`, `us`, `ns`, or a strptime pattern.
    """
    match layout:
        case "auto":
            moment = pl.coalesce(_iso(text), _compact_date(text), _of_any_unit(text))
        case "iso":
            moment = _iso(text)
        case "s" | "ms" | "us" | "ns":
            moment = _since_1970(_number(text), _PER_SECOND[layout])
        case _:
            moment = _of_pattern(text, layout)
    return pl.when(moment.is_between(_EARLIEST, _LATEST)).then(moment)


def _iso(text: pl.Expr) -> pl.Expr:
    plain = text.str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "${1} ").str.replace(r"(?i)(z| utc)$", "+00:00")
    return pl.coalesce(
        plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us").dt.replace_time_zone("UTC"),
        plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", strict=False, time_unit="us", time_zone="UTC"),
        plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        plain.str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us").dt.replace_time_zone("UTC"),
    )


def _compact_date(text: pl.Expr) -> pl.Expr:
    eight = pl.when(text.str.contains(r"^(19|20)\d{6}$")).then(text)
    return eight.str.to_date("%Y%m%d", strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _of_any_unit(text: pl.Expr) -> pl.Expr:
    # From 1973 to 5138 a count of seconds has 9 to 11 digits, and each finer unit three more.
    number = _number(text)
    return (
        pl.when(number.is_between(1e8, 1e11))
        .then(_since_1970(number, _PER_SECOND["s"]))
        .when(number.is_between(1e11, 1e14))
        .then(_since_1970(number, _PER_SECOND["ms"]))
        .when(number.is_between(1e14, 1e17))
        .then(_since_1970(number, _PER_SECOND["us"]))
        .when(number.is_between(1e17, 1e20))
        .then(_since_1970(number, _PER_SECOND["ns"]))
    )


def _number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Float64, strict=False)


def _since_1970(number: pl.Expr, per_second: int) -> pl.Expr:
    microseconds = (number * (_MICROSECONDS / per_second)).round().cast(pl.Int64, strict=False)
    return microseconds.cast(_MOMENT)


def _of_pattern(text: pl.Expr, pattern: str) -> pl.Expr:
    if "z" in pattern.replace("%%", ""):
        return text.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC")
    if any(part in pattern for part in ("%H", "%I", "%T", "%R", "%s", "%X", "%c")):
        return text.str.to_datetime(pattern, strict=False, time_unit="us").dt.replace_time_zone("UTC")
    return text.str.to_date(pattern, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
