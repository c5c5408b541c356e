"""Explains items of answers: by what ranked them, the model or the search, plainly elsewhere. Sync; knows no HTTP.

```
question ─► request ─► kept explanations ─► explainer of what is missing ─► ids ─► kept
search ───► nobody ──┘
```
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import numpy as np

from trifocal.errors import ConfigError, TrifocalError
from trifocal.explain.explanation import Explanation
from trifocal.ports import CacheStats
from trifocal.serve.asks import ItemExplanation
from trifocal.serve.caches.history_code import columns_of
from trifocal.serve.caches.keys import cache_key, cache_prefix
from trifocal.serve.caches.memory import MemoryCache
from trifocal.serve.explaining.by_search import Searches
from trifocal.serve.explaining.plain import Kind, PlainExplainer
from trifocal.serve.explaining.search_content import SearchContent
from trifocal.serve.explaining.told import decode_told, encode_told, told
from trifocal.serve.explaining.why import Found, QueryExplainer, Why
from trifocal.serve.gateway import Gateway
from trifocal.types import History, Request

__all__ = ["Explanations"]

_LOGGER = logging.getLogger(__name__)

# An explanation may be this old: hour and weekday of a question hardly change in it, and a reload of a page finds it.
_STEP_S = 300
_DIGEST_BYTES = 16
_KINDS: dict[str, Kind] = {"memory": "linked", "last": "last", "popular": "popular", "picture": "picture"}
_BOTH = "the explanations are of the words; the picture that was sent is not kept"

_Picture = Callable[[int], Path | None]


class Explanations:
    """Explanations of one service, and of all that become of it. Safe to use from several threads.

    Stability: caller.
    """

    def __init__(self, limit_bytes: int = 0, content: SearchContent | None = None) -> None:
        """Keep explanations up to `limit_bytes`, and read for searches by `content`; load nothing yet."""
        self._content = content
        self._kept = MemoryCache(limit_bytes, ttl_s=_STEP_S)
        # Model -> version of the items, and its explainer over them: only the newest, or old items stayed in memory.
        self._explainers: dict[str, tuple[int, QueryExplainer]] = {}
        self._lock = Lock()

    def explain(
        self, gateway: Gateway, why: Why, item_ids: Sequence[str], picture: _Picture, searches: Searches | None = None
    ) -> Found:
        """Return an explanation of each of `item_ids`, None for one that is not there or cannot be explained.

        Args:
            gateway: that answered.
            why: what was asked.
            item_ids: of the answer.
            picture: row -> its file, or None.
            searches: explain what they found.

        Raises:
            ConfigError: when a package is not installed, or the model cannot be explained.
        """
        request, notes = gateway.request(why.ask) if why.search is None else (Request(History()), _unsaid(why))
        rows = [gateway.catalogue.vocabulary.row(item_id) for item_id in item_ids]
        digest = _digest(why, request)
        keys = [_key(gateway, why, digest, item_id) for item_id in item_ids]
        found = [self._known(key) for key in keys]
        missing = [place for place, row in enumerate(rows) if row is not None and found[place] is None]
        if missing:
            explainer = self._by_search(why, picture, searches) or self._explainer(gateway, why, picture)
            wanted = [rows[place] or 0 for place in missing]
            for place, explanation in zip(missing, _explained(explainer, request, wanted, why.ask.query), strict=True):
                found[place] = _told(explanation, gateway)
                self._keep(keys[place], found[place])
        return Found(tuple(found), notes)

    def warm_up(self, gateway: Gateway, picture: _Picture) -> None:
        """Load what explains answers of `gateway`, and explain an item of it."""
        ids = gateway.catalogue.vocabulary.ids
        if ids:
            self.explain(gateway, Why.similar(ids[-1], "full"), ids[:1], picture)

    def forget(self, model_version: str, user_id: str) -> bool:
        """Drop what was explained to a user who is deleted; return whether it is gone."""
        return self._kept.drop_matching(cache_prefix("explain", model_version, "", f"user {user_id}"))

    def stats(self) -> tuple[CacheStats, ...]:
        """Return the counts of what is kept."""
        return self._kept.stats()

    def _explainer(self, gateway: Gateway, why: Why, picture: _Picture) -> QueryExplainer:
        kind = _KINDS.get(why.rung)
        if kind is None and gateway.explaining is None:
            kind = "linked" if gateway.personal else "popular"
        if kind is not None:
            return PlainExplainer(kind, gateway.engine.vectors, gateway.catalogue)
        return self._by_model(gateway, picture)

    def _by_search(self, why: Why, picture: _Picture, searches: Searches | None) -> QueryExplainer | None:
        """Return what explains the results of a search; None = the items are none, or the question is not known."""
        search = why.search
        if search is None or searches is None or self._content is None:
            return None
        if not (search.words or "").strip() and search.picture is None:
            return None
        return searches.explainer(search, why.rung, self._content, picture)

    def _by_model(self, gateway: Gateway, picture: _Picture) -> QueryExplainer:
        source = gateway.explaining
        if source is None:
            raise ConfigError(
                f"answers of the model {gateway.model_version} cannot be explained by it; it has no network"
            )
        with self._lock:
            version, explainer = self._explainers.get(gateway.model_version, (-1, None))
            if explainer is None or version != gateway.catalogue_version:
                explainer = source.over(gateway.engine, gateway.catalogue, picture)
                self._explainers[gateway.model_version] = (gateway.catalogue_version, explainer)
            return explainer

    def _known(self, key: str) -> ItemExplanation | None:
        data = self._kept.get(key)
        return None if data is None else decode_told(data)

    def _keep(self, key: str, explanation: ItemExplanation | None) -> None:
        if explanation is not None:
            self._kept.put(key, encode_told(explanation))


def _unsaid(why: Why) -> tuple[str, ...]:
    search = why.search
    alone = search is not None and search.words and search.picture is None
    return (_BOTH,) if alone and why.rung == "picture" else ()


def _explained(
    explainer: QueryExplainer, request: Request, rows: Sequence[int], query: str | None
) -> Sequence[Explanation | None]:
    """Explain all at once; where that fails each by itself, so that one broken picture costs one explanation."""
    try:
        return explainer.explain(request, np.array(rows, dtype=np.int64), query)
    except ConfigError:
        raise
    except TrifocalError as error:
        _LOGGER.warning("explaining the items in rows %s failed: %s", rows, error)
    except Exception:
        # An answer is never lost because its explanation is; the log says what it was.
        _LOGGER.exception("explaining the items in rows %s failed", rows)
    if len(rows) == 1:
        return [None]
    return [_explained(explainer, request, [row], query)[0] for row in rows]


def _told(explanation: Explanation | None, gateway: Gateway) -> ItemExplanation | None:
    if explanation is None:
        return None
    try:
        return told(explanation, gateway.catalogue)
    except TrifocalError as error:
        _LOGGER.warning("an explanation cannot be told: %s", error)
        return None


def _key(gateway: Gateway, why: Why, digest: str, item_id: str) -> str:
    user = "nobody" if why.ask.user_id is None else f"user {why.ask.user_id}"
    return cache_key("explain", gateway.model_version, "", user, str(gateway.catalogue_version), digest, item_id)


def _digest(why: Why, request: Request) -> str:
    """Return 32 hex digits that change with whatever an explanation depends on, and with each step of time."""
    history, context = request.history, request.context
    coarse = replace(history, timestamps_s=history.timestamps_s // _STEP_S)
    search = why.search
    about = (
        why.rung,
        why.ask.query,
        search and (search.picture, search.picture_weight, search.filters),
        context.timestamp_s // _STEP_S,
        context.device_code,
        context.country_code,
    )
    found = blake2b(repr(about).encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES)
    for column in columns_of(coarse):
        found.update(column.tobytes())
    if context.query_vector is not None:
        found.update(context.query_vector.tobytes())
    return found.hexdigest()
