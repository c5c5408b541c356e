from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from trifocal.errors import ConfigError
from trifocal.serve.access_config import AccessConfig, ApiKey, Scope
from trifocal.serve.keys import Keys
from trifocal.serve.statuses import ForbiddenError, UnauthorizedError

READ, WRITE, ADMIN = "read-" + "r" * 16, "write-" + "w" * 16, "admin-" + "a" * 16


def keys() -> Keys:
    pairs: list[tuple[Scope, str]] = [("read", READ), ("write", WRITE), ("admin", ADMIN)]
    return Keys([ApiKey(key=SecretStr(key), scope=scope) for scope, key in pairs])


def test_each_scope_holds_those_before_it() -> None:
    opens = {
        needed: [key for key in (READ, WRITE, ADMIN) if _passes(keys(), key, needed)]
        for needed in ("read", "write", "admin")
    }
    assert opens == {"read": [READ, WRITE, ADMIN], "write": [WRITE, ADMIN], "admin": [ADMIN]}


def _passes(keys: Keys, key: str, needed: Scope) -> bool:
    try:
        keys.check(key, needed)
    except ForbiddenError:
        return False
    return True


def test_without_keys_everything_is_open() -> None:
    assert Keys().is_open
    Keys().check(None, "admin")


def test_no_key_and_an_unknown_key_are_told_apart() -> None:
    with pytest.raises(UnauthorizedError, match="no API key came with the request; send `Authorization: Bearer KEY`"):
        keys().check(None, "read")
    with pytest.raises(UnauthorizedError, match="the API key is not known here"):
        keys().check(READ[:-1], "read")
    with pytest.raises(ForbiddenError, match="the API key opens `read`, this address needs `admin`"):
        keys().check(READ, "admin")


def test_every_key_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    found = keys()
    monkeypatch.setattr("trifocal.serve.keys.hmac.compare_digest", compare)
    assert found.scope_of(READ) == "read"
    assert len(compared) == 3


def test_a_file_holds_more_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# of the shop\nread {READ}\n\nadmin {ADMIN}\n")
    config = AccessConfig(keys=(ApiKey(key=SecretStr(WRITE), scope="write"),), keys_file=str(path))
    found = Keys.of(config)
    assert [found.scope_of(key) for key in (READ, WRITE, ADMIN)] == ["read", "write", "admin"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("root secret-secret-secret", r"line 1 of .*keys is no `scope key` with a scope of read, write, admin$"),
        ("read secret secret secret", "line 1 of"),
        ("read short", "an API key has 5 characters; it needs 16 or more"),
        ("# nothing\n", "holds no key; write lines of `scope key`"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_without_its_secrets(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        Keys.of(AccessConfig(keys_file=str(path)))
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the keys of .*none cannot be read"):
        Keys.of(AccessConfig(keys_file=str(tmp_path / "none")))


def test_secrets_are_not_shown() -> None:
    config = AccessConfig(keys=(ApiKey(key=SecretStr(READ)),))
    assert READ not in repr(config)
