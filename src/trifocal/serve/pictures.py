"""Item -> picture file, never outside the picture folder; a drawn placeholder where there is none."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

__all__ = ["image_address", "picture_file", "placeholder"]

# Name of the format by its first bytes: a name can lie, and a file that is no picture is never sent.
_SIGNATURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))


def picture_file(root: Path, name: str | None) -> tuple[Path, str] | None:
    """Return the file and media type of picture `name`, or None where there is none that may be sent.

    Args:
        root: the picture folder, resolved.
        name: as it stands in the catalogue, which may come from anywhere: links and `..` are followed, and what
            ends outside `root`, or is no picture by its first bytes, is not sent.
    """
    if name is None or "\0" in name:
        return None
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        return None
    media_type = _media_type(path)
    return None if media_type is None else (path, media_type)


def image_address(item_id: str) -> str:
    """Return the address of the item's picture on this server.

    >>> image_address("red/dress 1")
    '/images/red%2Fdress%201'
    """
    return f"/images/{quote(item_id, safe='')}"


def _media_type(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(12)
    if start[:4] == b"RIFF" and start[8:] == b"WEBP":
        return "image/webp"
    return next((media_type for signature, media_type in _SIGNATURES if start.startswith(signature)), None)


def placeholder(title: str) -> str:
    """Return an SVG with the first letter of `title`."""
    letter = escape(title.strip()[:1].upper() or "?")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400" viewBox="0 0 400 400">'
        '<rect width="400" height="400" fill="#e7e3dc"/>'
        '<circle cx="200" cy="200" r="92" fill="none" stroke="#b9b2a6" stroke-width="3"/>'
        '<text x="200" y="204" fill="#8d8577" font-family="Georgia, serif" font-size="96" text-anchor="middle" '
        f'dominant-baseline="central">{letter}</text></svg>'
    )
