"""Figures as a page writes them; what is not known is a dash."""

from __future__ import annotations

import math

__all__ = ["UNKNOWN", "counted", "fixed", "p_value", "per_cent", "seconds", "signed_per_cent"]

UNKNOWN = "–"


def fixed(value: float | None, digits: int) -> str:
    """Return `value` with so many digits.

    >>> fixed(1234.5, 1), fixed(None, 1)
    ('1,234.5', '–')
    """
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def counted(number: int, what: str) -> str:
    """Return how many of `what` there are.

    >>> counted(1, "user"), counted(1200, "user")
    ('1 user', '1,200 users')
    """
    return f"{number:,} {what}{'s' * (number != 1)}"


def per_cent(share: float | None, digits: int = 1) -> str:
    """Return `share`, 0 to 1, in per cent.

    >>> per_cent(0.123)
    '12.3 %'
    """
    return UNKNOWN if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f} %"


def signed_per_cent(share: float) -> str:
    """Return the relative change `share` in per cent.

    >>> signed_per_cent(0.5), signed_per_cent(float("nan"))
    ('+50.0 %', '–')
    """
    return f"{100 * share:+.1f} %" if math.isfinite(share) else UNKNOWN


def p_value(value: float) -> str:
    """Return a probability, no lower than people ask for.

    >>> p_value(0.0123), p_value(0.0001)
    ('.012', '< .001')
    """
    return "< .001" if value < 0.001 else f"{value:.3f}".replace("0.", ".", 1)


def seconds(value: float | None) -> str:
    """Return a duration in seconds, finer where it is short.

    >>> seconds(0.234), seconds(1234.5), seconds(None)
    ('0.23', '1,234.5', '–')
    """
    return fixed(value, 2 if value is not None and value < 1 else 1)
