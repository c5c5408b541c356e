"""Where a report comes from: the command that was given, without what is secret in it, and the moment."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from trifocal.report import Origin

__all__ = ["command_line", "origin"]

_HIDDEN = "***"


def origin(fingerprint: str = "") -> Origin:
    """Return the origin of a report that this command makes now, of data with `fingerprint`."""
    return Origin(command_line(sys.argv[1:]), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", fingerprint)


def command_line(words: Sequence[str]) -> str:
    """Return the command with `words` as one would type it; keys and passwords are hidden.

    >>> command_line(["update", "my shop", "--key", "abc", "--key=abc", "--events", "postgresql://me:abc@host/db"])
    "trifocal update 'my shop' --key *** --key=*** --events postgresql://me:***@host/db"
    """
    shown: list[str] = []
    for place, word in enumerate(words):
        key = place > 0 and words[place - 1] == "--key"
        hidden = _HIDDEN if key else re.sub(r"^--key=.*", f"--key={_HIDDEN}", word, flags=re.DOTALL)
        hidden = re.sub(r"(//[^/@\s:]*):[^@\s]*@", rf"\1:{_HIDDEN}@", hidden)
        hidden = re.sub(r"(?i)\b(password=)[^&\s]+", rf"\1{_HIDDEN}", hidden)
        shown.append(hidden if _HIDDEN in hidden else shlex.quote(hidden))
    return " ".join(["trifocal", *shown])
