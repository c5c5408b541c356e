from __future__ import annotations

import pytest

from trifocal.cli.serve import _beside
from trifocal.errors import ConfigError
from trifocal.settings import load_settings


def test_the_command_adds_bundles_to_those_of_the_settings() -> None:
    plain = load_settings().serve
    assert _beside(plain, []) is plain
    once = _beside(plain, ["Text only=runs/shop/text/bundle"])
    found = _beside(once, ["A=b=c"]).storefront.compare_with
    assert [(one.name, one.bundle) for one in found] == [("Text only", "runs/shop/text/bundle"), ("A", "b=c")]


@pytest.mark.parametrize("pair", ["runs/shop", "=runs/shop", "name=", "n" * 41 + "=b"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(ConfigError, match="is no NAME=BUNDLE"):
        _beside(load_settings().serve, [pair])
