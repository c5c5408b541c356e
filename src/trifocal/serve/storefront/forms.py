"""What a form of a page sends, in either of the two ways of browsers, read without a package of its own."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

__all__ = ["check_own_form", "form_fields"]

_MANY_FIELDS = 20
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})"?')
_NAME = re.compile(rb'[; ]name="([^"]*)"')


def form_fields(content_type: str, body: bytes) -> dict[str, bytes]:
    r"""Return the fields of a form by name; of several with one name the last.

    Args:
        content_type: the header: `application/x-www-form-urlencoded` or `multipart/form-data` (RFC 7578).
        body: what was sent.

    Raises:
        HTTPException: 415 when it is of another kind.

    >>> form_fields("application/x-www-form-urlencoded", b"item=red+1&event=cart")
    {'item': b'red 1', 'event': b'cart'}
    >>> form_fields("multipart/form-data; boundary=b",
    ...     b'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\nred\r\n--b--\r\n')
    {'q': b'red'}
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs = parse_qs(body.decode("ascii", "replace"), max_num_fields=_MANY_FIELDS, keep_blank_values=True)
        return {name: values[-1].encode() for name, values in pairs.items()}
    boundary = _BOUNDARY.search(content_type)
    if kind != "multipart/form-data" or boundary is None:
        raise HTTPException(415, f"a body of the kind {kind!r} is no form; send it from the page")
    # The first part has no line before its boundary.
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1 : _MANY_FIELDS + 1]
    return dict(found for part in parts if (found := _field(part)) is not None)


def check_own_form(headers: Headers) -> None:
    """Refuse a form that stands on another site's page: it would act in the visitor's name.

    Raises:
        HTTPException: 403 when the browser says that it does.
    """
    site = headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none"):
        raise HTTPException(403, f"the form was sent from another site ({site}); open the shop and send it from there")


def _field(part: bytes) -> tuple[str, bytes] | None:
    head, found, content = part.partition(b"\r\n\r\n")
    name = _NAME.search(head)
    return (name[1].decode("utf-8", "replace"), content) if found and name else None
