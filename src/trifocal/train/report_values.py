"""What pages of a training and of a distillation show beside figures: settings, logs, users."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from trifocal.data.cards import ItemCards
from trifocal.data.cases import Cases
from trifocal.data.dataset import Dataset
from trifocal.ports import Recommender
from trifocal.report import Card, Rows

__all__ = ["USERS_HINT", "changed_settings", "log_rows", "user_rows"]

USERS_HINT = (
    "The newest items they had, what they went on to take, and what is proposed first. A green frame = a hit. Drawn by "
    "a seed, not chosen for their looks."
)
"""What `user_rows` shows, in words."""

_HISTORY_SHOWN = 6
_TAKEN_SHOWN = 8
_PROPOSED_SHOWN = 8


def changed_settings(sections: Mapping[str, BaseModel]) -> dict[str, list[str]]:
    """Return section -> `name = value` of its settings that are not the defaults; sections without are left out."""
    found = {}
    for section, settings in sections.items():
        defaults = dict(_flat(type(settings)().model_dump()))
        found[section] = [
            f"{name} = {json.dumps(value)}"
            for name, value in _flat(settings.model_dump())
            if value != defaults.get(name)
        ]
    return {section: changed for section, changed in found.items() if changed}


def log_rows(path: Path) -> list[dict[str, float]]:
    """Return the rows of a log with one JSON line each; none where there is no file."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def user_rows(
    recommenders: Mapping[str, Recommender], cases: Cases, dataset: Dataset, *, size: int = 5, seed: int = 0
) -> list[Rows]:
    """Return `size` users drawn at random, rather with a history, as rows of cards; fewer where there are fewer.

    Args:
        recommenders: name -> what proposes; a row each.
        cases: the users, and what they went on to take.
        dataset: its items are in the order of the recommenders' rows.
        size: of the draw.
        seed: of the draw.
    """
    known = np.flatnonzero([len(request.history) > 0 for request in cases.requests])
    pool = known if len(known) else np.arange(len(cases))
    places = [int(place) for place in np.random.default_rng(seed).permutation(pool)[:size]]
    cards = ItemCards(dataset)
    requests = [cases.requests[place] for place in places]
    proposed = {
        name: one.recommend(requests, _PROPOSED_SHOWN).item_rows for name, one in recommenders.items() if places
    }
    return [
        _user(cases, place, cards, {name: rows[number] for name, rows in proposed.items()})
        for number, place in enumerate(places)
    ]


def _user(cases: Cases, place: int, cards: ItemCards, proposed: Mapping[str, Sequence[int]]) -> Rows:
    taken = cases.truths[place]
    wanted = frozenset(int(row) for row in taken)
    rows: dict[str, Sequence[Card]] = {
        "had": cards.of_rows(cases.requests[place].history.item_rows[-_HISTORY_SHOWN:]),
        "went on to take": cards.of_rows(taken[:_TAKEN_SHOWN]),
    }
    rows |= {name: cards.of_rows(found, wanted) for name, found in proposed.items()}
    return Rows(f"User {cases.user_ids[place]}", rows)


def _flat(values: Mapping[str, object], start: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{start}{name}.")
        else:
            yield f"{start}{name}", list(value) if isinstance(value, tuple) else value
