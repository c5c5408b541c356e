"""A recommender that knows other items, devices and countries, asked in the terms of a case: rows and codes translated.

Two bundles over different catalogues can so be asked the same questions. An item that the recommender does not know is
left out of the history, and never recommended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trifocal import columns as c
from trifocal.bundle import Bundle
from trifocal.features.items import FeatureState
from trifocal.ports import Recommender
from trifocal.types import Context, History, IntArray, Rankings, Request, Vocabulary

__all__ = ["Terms", "TranslatedRecommender", "bundle_terms"]


@dataclass(frozen=True)
class Terms:
    """What rows and codes mean. Stability: caller.

    Attributes:
        items: row -> item id.
        devices: code - 1 -> device.
        countries: code - 1 -> country.
    """

    items: Vocabulary
    devices: Vocabulary
    countries: Vocabulary


class TranslatedRecommender:
    """Answers questions in the terms of the cases by a recommender with terms of its own. Stability: caller."""

    def __init__(self, recommender: Recommender, own: Terms, cases: Terms) -> None:
        """Take the recommender, what its rows and codes mean, and what those of the cases mean."""
        self._recommender = recommender
        self._rows = own.items.rows(cases.items.ids)
        self._back = cases.items.rows(own.items.ids)
        self._devices = _codes(cases.devices, own.devices)
        self._countries = _codes(cases.countries, own.countries)

    @property
    def name(self) -> str:
        """Short name of the recommender."""
        return self._recommender.name

    def recommend(self, requests: Sequence[Request], k: int) -> Rankings:
        """Return the `k` best items for each request that the cases know, never one that the request excludes."""
        foreign = np.flatnonzero(self._back < 0)
        found = self._recommender.recommend([self._translated(request, foreign) for request in requests], k)
        filled = found.item_rows < 0
        rows = np.where(filled, -1, self._back[np.where(filled, 0, found.item_rows)])
        return Rankings(rows, found.scores)

    def _translated(self, request: Request, foreign: IntArray) -> Request:
        excluded = self._rows[request.exclude]
        return replace(
            request,
            history=self._history(request.history),
            context=self._context(request.context),
            exclude=np.union1d(excluded[excluded >= 0], foreign),
        )

    def _history(self, history: History) -> History:
        rows = self._rows[history.item_rows]
        known = rows >= 0
        return History(
            rows[known],
            history.event_codes[known],
            history.timestamps_s[known],
            self._devices[history.device_codes[known]],
            self._countries[history.country_codes[known]],
        )

    def _context(self, context: Context) -> Context:
        device, country = self._devices[context.device_code], self._countries[context.country_code]
        return replace(context, device_code=int(device), country_code=int(country))


def _codes(cases: Vocabulary, own: Vocabulary) -> IntArray:
    """(codes of the cases,): the recommender's code of each, 0 = unknown."""
    return np.concatenate([[0], own.rows(cases.ids) + 1]).astype(np.int64)


def bundle_terms(bundle: Bundle) -> Terms:
    """Return what rows and codes mean to the recommender of `bundle`."""
    contents = bundle.contents
    context = FeatureState.from_json(contents.feature_state).context
    return Terms(Vocabulary.of(contents.items[c.ITEM_ID].to_list()), context.devices, context.countries)
