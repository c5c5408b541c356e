"""Answers by what was asked. Knows neither gateway nor model.

A key holds every field of the question but its clock time, which counts in steps of the time to live, and a digest of
the shopper's history: a new event changes the history, so the old answer is never asked for again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import asdict, fields, is_dataclass, replace
from hashlib import blake2b
from typing import Any

from trifocal.errors import ArtifactError
from trifocal.ports import Cache, CacheStats
from trifocal.serve.asks import Answer, Ask, ItemCard, Reason, ScoredItem
from trifocal.serve.caches.history_code import columns_of
from trifocal.serve.caches.keys import cache_key, cache_prefix
from trifocal.types import History

__all__ = ["AnswerCache", "answer_digest", "decode_answer", "encode_answer", "history_version"]

_LOGGER = logging.getLogger(__name__)

_DIGEST_BYTES = 16


class AnswerCache:
    """Gives an answer again while nothing that it depends on has changed. Stability: caller."""

    def __init__(
        self,
        cache: Cache,
        *,
        model_version: str,
        config_hash: str,
        ttl_s: float,
        rungs: Collection[str] = ("full",),
    ) -> None:
        """Keep answers in `cache`.

        Args:
            cache: where the bytes are; bounded by itself.
            model_version: of the bundle that answers.
            config_hash: of the settings that answers depend on.
            ttl_s: steps in which the clock time of a question counts: an answer is at most this old.
            rungs: answers of other rungs are not kept, so that a fault ends when its cause does.

        Raises:
            ConfigError: when the model version is empty.
        """
        self._cache, self._ttl_s, self._rungs = cache, ttl_s, frozenset(rungs)
        self._versions = (model_version, config_hash)
        cache_prefix("answer", *self._versions)

    def of(self, *, model_version: str, config_hash: str) -> AnswerCache:
        """Return a cache of another variant's answers in the same memory; none reads what the other wrote.

        Raises:
            ConfigError: when the model version is empty.
        """
        return AnswerCache(
            self._cache, model_version=model_version, config_hash=config_hash, ttl_s=self._ttl_s, rungs=self._rungs
        )

    def get(self, ask: Ask, history: History, *, now_s: float, catalogue_version: int = 0) -> Answer | None:
        """Return the answer that was kept, without its times, or None.

        Args:
            ask: the question.
            history: what is known of the shopper, without the session that comes with the question.
            now_s: seconds since 1970, UTC.
            catalogue_version: any number that changes with the items of the running service.
        """
        key = self._key(ask, history, now_s, catalogue_version)
        data = self._cache.get(key)
        if data is None:
            return None
        try:
            answer = decode_answer(data)
        except ArtifactError as error:
            _LOGGER.warning("an answer in the cache cannot be read and is made anew: %s", error)
            self._cache.drop(key)
            return None
        return replace(answer, stages_ms={})

    def put(self, ask: Ask, history: History, answer: Answer, *, now_s: float, catalogue_version: int = 0) -> bool:
        """Keep `answer`; return whether it was. Arguments as in `get`, taken before the answer was made."""
        if answer.rung not in self._rungs or answer.model_version != self._versions[0]:
            return False
        return self._cache.put(self._key(ask, history, now_s, catalogue_version), encode_answer(answer))

    def forget(self, user_id: str) -> bool:
        """Delete every answer to the shopper under this model; return whether every level did."""
        return self._cache.drop_matching(cache_prefix("answer", *self._versions, _user_part(user_id)))

    def stats(self) -> tuple[CacheStats, ...]:
        """Return the counts of each level, nearest first."""
        return self._cache.stats()

    def _key(self, ask: Ask, history: History, now_s: float, catalogue_version: int) -> str:
        digest = answer_digest(ask, history, now_s=now_s, step_s=self._ttl_s)
        return cache_key("answer", *self._versions, _user_part(ask.user_id), str(catalogue_version), digest)


def answer_digest(ask: Ask, history: History, *, now_s: float, step_s: float) -> str:
    """Return 32 hex digits that change with the question, the history, and each `step_s` seconds.

    The order and repetition of excluded items do not count, nor does an empty query.
    """
    asked_s = now_s if ask.timestamp_s is None else ask.timestamp_s
    normal = replace(ask, timestamp_s=None, query=ask.query or None, exclude=tuple(sorted(set(ask.exclude))))
    # Given times belong to the question; a time that is left out means now, and now is in the key already.
    words = [_plain(normal), asked_s // step_s, now_s // step_s, history_version(history)]
    return blake2b(json.dumps(words).encode(), digest_size=_DIGEST_BYTES).hexdigest()


def history_version(history: History) -> str:
    """Return 32 hex digits that change with any event of `history`."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for column in columns_of(history):
        digest.update(column.tobytes())
    return digest.hexdigest()


def encode_answer(answer: Answer) -> bytes:
    """Return `answer` as JSON that `decode_answer` reads."""
    return json.dumps(asdict(answer), separators=(",", ":")).encode()


def decode_answer(data: bytes) -> Answer:
    """Return the answer that `encode_answer` wrote.

    Raises:
        ArtifactError: when the bytes are no answer of this release.
    """
    try:
        values = json.loads(data)
        items = tuple(_item(item) for item in values["items"])
        return Answer(**{**values, "items": items, "notes": tuple(values["notes"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            f"{len(data)} bytes starting with {data[:20]!r} are no answer ({error!r}); drop them from the cache"
        ) from error


def _item(values: dict[str, Any]) -> ScoredItem:
    reason = None if values["reason"] is None else Reason(**values["reason"])
    return ScoredItem(ItemCard(**values["card"]), values["score"], reason, values["propensity"])


def _plain(value: object) -> object:
    """Return `value` as what JSON knows; every field of a dataclass is in it, also one that is added later."""
    if is_dataclass(value):
        return [[field.name, _plain(getattr(value, field.name))] for field in fields(value)]
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value


def _user_part(user_id: str | None) -> str:
    # A visitor without an id is another one than a shopper whose id is empty.
    return "nobody" if user_id is None else f"user {user_id}"
