from __future__ import annotations

import pytest
from pydantic import ValidationError

from trifocal.serve.caches import CacheConfig


def test_answers_and_server_are_off_by_default() -> None:
    config = CacheConfig()
    assert config.answer_bytes == 0
    assert config.shared_url.get_secret_value() == ""


def test_the_password_is_not_printed() -> None:
    assert "hunter2" not in repr(CacheConfig(shared_url="redis://ann:hunter2@10.0.0.1"))  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"shared_timeout_ms": 0}, {"session_bytes": -1}, {"cool_down_s": 0}, {"typo": 1}])
def test_what_cannot_be_used_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        CacheConfig.model_validate(wrong)
