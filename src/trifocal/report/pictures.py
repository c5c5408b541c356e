"""A picture file -> a data URI small enough to stand in a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

__all__ = ["data_uri"]

_QUALITY = 72


def data_uri(path: Path, pixels: int = 96) -> str | None:
    """Return the picture at `path` as a JPEG of at most `pixels` a side; None where it is missing or broken."""
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB")
    except OSError:
        # It shows as its title; the import has counted it already.
        return None
    small.thumbnail((pixels, pixels))
    target = io.BytesIO()
    small.save(target, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(target.getvalue()).decode()}"
