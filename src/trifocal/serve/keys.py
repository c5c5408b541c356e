"""API keys: who may call a route. Compared in constant time; kept as hashes only.

A router asks for a scope once, for all of its routes:

    APIRouter(tags=["write"], dependencies=keys.needed("write"))
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from fastapi import Depends, Request
from starlette.datastructures import Headers

from trifocal.errors import ConfigError
from trifocal.serve.access_config import AccessConfig, ApiKey, Scope
from trifocal.serve.statuses import ForbiddenError, UnauthorizedError

__all__ = ["Keys", "given_key", "security_schemes"]

_SCOPES: tuple[Scope, ...] = get_args(Scope)
_HEADER, _BEARER = "x-api-key", "bearer "


class Keys:
    """The keys of a process. Safe to use from several threads: nothing changes. Stability: caller."""

    def __init__(self, keys: Sequence[ApiKey] = ()) -> None:
        """Take the keys; with none everything is open.

        Raises:
            ConfigError: when a key is shorter than 16 characters, or cannot stand in a header.
        """
        self._keys = [(_digest(_usable(key.key.get_secret_value())), _SCOPES.index(key.scope)) for key in keys]

    @classmethod
    def of(cls, config: AccessConfig) -> Keys:
        """Return the keys of `config` and of the file that it names.

        Raises:
            ConfigError: when the file cannot be read, or a key cannot be used.
        """
        return cls([*config.keys, *(_read(Path(config.keys_file)) if config.keys_file else [])])

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked for a key."""
        return not self._keys

    def scope_of(self, given: str | None) -> Scope | None:
        """Return what `given` opens, or None for a key that is not known."""
        if given is None:
            return None
        digest = _digest(given)
        found = -1
        # Every key is compared, whatever the first ones say: the time tells nothing of the keys.
        for kept, rank in self._keys:
            found = max(found, rank if hmac.compare_digest(kept, digest) else -1)
        return _SCOPES[found] if found >= 0 else None

    def check(self, given: str | None, needed: Scope) -> None:
        """Pass, or say why not.

        Raises:
            UnauthorizedError: when there is no key, or one that is not known.
            ForbiddenError: when the key opens less than `needed`.
        """
        if self.is_open:
            return
        scope = self.scope_of(given)
        if scope is None:
            fault = "no API key came with the request" if given is None else "the API key is not known here"
            raise UnauthorizedError(f"{fault}; send `Authorization: Bearer KEY` or `X-Api-Key: KEY`")
        if _SCOPES.index(scope) < _SCOPES.index(needed):
            raise ForbiddenError(f"the API key opens `{scope}`, this address needs `{needed}`; use another key")

    def needed(self, scope: Scope) -> list[Any]:
        """Return the `dependencies` of a router, or of one route, that only keys with `scope` may call."""

        async def check(request: Request) -> None:
            self.check(given_key(request.headers), scope)

        return [Depends(check)]


def given_key(headers: Headers) -> str | None:
    """Return the key that came with a request, or None.

    >>> given_key(Headers({"Authorization": "Bearer abc"})), given_key(Headers({"X-Api-Key": "abc"}))
    ('abc', 'abc')
    >>> given_key(Headers({"Authorization": "Basic abc"})) is None
    True
    """
    named = headers.get(_HEADER)
    if named:
        return named.strip()
    value = headers.get("authorization", "")
    return value[len(_BEARER) :].strip() if value.lower().startswith(_BEARER) else None


def security_schemes() -> dict[str, Any]:
    """Return the two ways of sending a key as OpenAPI writes them."""
    return {
        "Bearer": {"type": "http", "scheme": "bearer"},
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    }


def _read(path: Path) -> list[ApiKey]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the keys of {path} cannot be read ({error}); name a text file") from None
    found = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        # The line may hold a secret, so it is not printed.
        if len(words) != 2 or words[0] not in _SCOPES:
            raise ConfigError(f"line {number} of {path} is no `scope key` with a scope of {', '.join(_SCOPES)}")
        found.append(ApiKey.model_validate({"scope": words[0], "key": words[1]}))
    if not found:
        # An empty file would open everything to everybody.
        raise ConfigError(f"{path} holds no key; write lines of `scope key`, or set no serve.access.keys_file")
    return found


_SHORTEST = 16


def _usable(key: str) -> str:
    if len(key) < _SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            f"an API key has {len(key)} characters; it needs {_SHORTEST} or more printable ones of ASCII, no space"
        )
    return key


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
