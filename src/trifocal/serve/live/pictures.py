"""The picture of a live item: from bytes, from the picture folder, or from a host that is allowed -> a checked file.

Nothing is stored that Pillow does not read as PNG, JPEG or WebP of a bearable size. No address is fetched unless its
host is named in the settings, and no redirect is followed: else whoever writes items could make the server call what
only the server can reach.
"""

from __future__ import annotations

import hashlib
import io
import urllib.error
import urllib.request
import warnings
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from PIL import Image

from trifocal.errors import ServingError
from trifocal.serve.live.config import LiveConfig

__all__ = ["checked_picture", "fetched_picture", "kept_picture", "read_picture"]

_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
_SCHEMES = ("http", "https")


def read_picture(address: str, root: Path, config: LiveConfig) -> bytes:
    """Return the bytes of the picture at `address`: a path inside the picture folder `root`, or http(s).

    Raises:
        ServingError: when it is not there, not allowed, or too large.
    """
    if "://" in address:
        return fetched_picture(address, config)
    path = (root / address).resolve() if "\0" not in address else root
    if not path.is_relative_to(root) or not path.is_file():
        raise ServingError(f"{address!r} is no file inside the picture folder; name one by its path in there")
    _check_size(path.stat().st_size, config)
    return path.read_bytes()


def fetched_picture(address: str, config: LiveConfig) -> bytes:
    """Return the bytes at the http(s) `address`.

    Raises:
        ServingError: when its host is not allowed, or it does not give a picture of a bearable size in time.
    """
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES or parts.hostname is None or parts.hostname not in config.picture_hosts:
        allowed = ", ".join(config.picture_hosts) or "none"
        raise ServingError(
            f"pictures are not fetched from {parts.scheme}://{parts.hostname}; allowed hosts: {allowed} "
            "(serve.live.picture_hosts); send the bytes instead"
        )
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=config.picture_timeout_s) as answer:
            data: bytes = answer.read(config.picture_bytes + 1)
    except (TimeoutError, urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise ServingError(f"the picture at {address} cannot be fetched ({error}); send its bytes instead") from error
    _check_size(len(data), config)
    return data


def checked_picture(data: bytes, config: LiveConfig) -> str:
    """Return the suffix of the picture `data`, once it was unpacked as a whole.

    Raises:
        ServingError: when it is too large, or no PNG, JPEG or WebP.
    """
    _check_size(len(data), config)
    try:
        with warnings.catch_warnings():
            # The limit below is ours, and is said as an error.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(_SUFFIXES)) as picture:
                pixels, name = picture.width * picture.height, str(picture.format)
                if pixels <= config.picture_pixels:
                    picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ServingError(
            f"the picture is no PNG, JPEG or WebP that can be read ({error}); send a whole one"
        ) from error
    if pixels > config.picture_pixels:
        raise ServingError(
            f"the picture has {pixels:,} pixels, the limit is {config.picture_pixels:,}; send a smaller one"
        )
    return _SUFFIXES[name]


def kept_picture(data: bytes, suffix: str, item_id: str, folder: Path) -> str:
    """Write `data` to `folder`, whole or not at all, and return its name there."""
    owner, content = (hashlib.sha256(part).hexdigest()[:20] for part in (item_id.encode(), data))
    name = f"{owner}-{content}{suffix}"
    beside = folder / f".{name}.new"
    beside.write_bytes(data)
    beside.replace(folder / name)
    return name


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib asks for a subclass: a redirect could lead to a host that is not allowed."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def _check_size(size: int, config: LiveConfig) -> None:
    if size > config.picture_bytes:
        raise ServingError(
            f"the picture has {size:,} bytes or more, the limit is {config.picture_bytes:,}; send a smaller one"
        )
