from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from trifocal.serve.storefront.forms import check_own_form, form_fields


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=20))
def test_a_form_with_a_file_is_read_as_it_was_sent(content: bytes, words: str) -> None:
    words = words.encode("utf-8", "ignore").decode()
    request = httpx.Request("POST", "http://shop/search", data={"q": words}, files={"picture": ("a.jpg", content)})
    found = form_fields(request.headers["content-type"], request.read())
    assert found == {"q": words.encode(), "picture": content}


def test_lines_and_dashes_of_a_file_end_nothing() -> None:
    content = b"\r\n--\r\n--other\r\n\r\n"
    request = httpx.Request("POST", "http://shop/search", files={"picture": ("a", content)})
    assert form_fields(request.headers["content-type"], request.read()) == {"picture": content}


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "", "text/plain; boundary=b"])
def test_what_is_no_form_is_refused(kind: str) -> None:
    with pytest.raises(HTTPException, match="is no form"):
        form_fields(kind, b"{}")


@pytest.mark.parametrize("body", [b"", b"--b", b"--b\r\n\r\n--b--", b"--b\r\nname=q\r\n\r\nred\r\n--b--", b"\xff" * 9])
def test_a_broken_form_has_no_fields(body: bytes) -> None:
    assert form_fields("multipart/form-data; boundary=b", body) == {}


def test_a_form_on_another_site_is_refused() -> None:
    check_own_form(Headers({"sec-fetch-site": "same-origin"}))
    check_own_form(Headers({}))
    with pytest.raises(HTTPException, match="from another site"):
        check_own_form(Headers({"sec-fetch-site": "cross-site"}))
