"""The weights of a served bundle for a model over a grown catalogue: rows follow ids and values, not places.

```
id table, rating bias        by item id;        a new item starts as untrained
attribute tables             by name and value; a new value starts as untrained
device, country tables       by value;          likewise
price tables                 by bucket;         edges move with the catalogue, buckets keep their rank
everything else              as it is, the principal components of the shortcut included
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trifocal.features.attributes import AttributeEncoder
from trifocal.features.items import FeatureState
from trifocal.model.build import TrifocalModel
from trifocal.types import IntArray, Vocabulary

__all__ = ["WarmStart", "warm_start"]

_IDS = ("item_tower.id_table.weight", "rating_head.bias.weight")
_ATTRIBUTES = ("item_tower.attribute_table.weight", "item_tower.attribute_shortcut.weight")
_CONTEXT = "user_tower.context.{}.weight"
# What a new run sets from its own catalogue.
_OWN = ("item_tower.id_trust", "user_tower.price_codes")


@dataclass(frozen=True)
class WarmStart:
    """What a training starts from, and what it looks at. Stability: internal.

    Attributes:
        model: of the bundle.
        rows: weight -> for each of its rows in the new model the row of `model` that it continues, -1 = none.
        ranker: whether the ranker reads the same columns, so that its weights are kept.
        since_s: what happened from here on is new to `model`, seconds since 1970.
        replay: share of the older windows that an epoch draws, 0..1.
        fingerprint: of the bundle and of the two figures before; a checkpoint of another start is refused.
    """

    model: TrifocalModel
    rows: Mapping[str, IntArray]
    ranker: bool
    since_s: int
    replay: float
    fingerprint: str

    def start(self, model: TrifocalModel) -> None:
        """Give `model` the weights."""
        own, known = model.state_dict(), self.model.state_dict()
        kept = {
            name: _carried(tensor, known[name], self.rows.get(name))
            for name, tensor in own.items()
            if name in known and name not in _OWN and (self.ranker or not name.startswith("ranker."))
        }
        model.load_state_dict({**own, **kept})


def warm_start(
    model: TrifocalModel,
    old: tuple[FeatureState, Vocabulary],
    new: tuple[FeatureState, Vocabulary],
    *,
    since_s: int,
    replay: float,
    version: str,
) -> WarmStart:
    """Return how a model for the state and items of `new` starts from `model`, which was made for those of `old`.

    Args:
        model: of the bundle.
        old: what its features were fitted to, and its items.
        new: likewise, of the model that is to be trained.
        since_s: see `WarmStart`.
        replay: see `WarmStart`.
        version: model version of the bundle.
    """
    (before, known), (after, items) = old, new
    rows = dict.fromkeys(_IDS, _codes(known, items))
    rows |= dict.fromkeys(_ATTRIBUTES, _attribute_rows(before.attributes, after.attributes))
    rows[_CONTEXT.format("device")] = _codes(before.context.devices, after.context.devices)
    rows[_CONTEXT.format("country")] = _codes(before.context.countries, after.context.countries)
    sizes = before.attributes.sizes[-1], after.attributes.sizes[-1]
    rows[_CONTEXT.format("price")] = _buckets(*sizes)
    same = before.attributes.names == after.attributes.names
    return WarmStart(model, rows, same, since_s, replay, f"{version} {since_s} {replay}")


def _carried(own: Tensor, known: Tensor, rows: IntArray | None) -> Tensor:
    """`own`, with the rows of `known` where there are such."""
    if rows is None:
        return known.clone()
    found = torch.from_numpy(rows)
    carried = own.clone()
    carried[found >= 0] = known[found[found >= 0]]
    return carried


def _codes(old: Vocabulary, new: Vocabulary) -> IntArray:
    """(codes of `new`,): the code of each of its values in `old`, -1 = unknown there; 0 stays 0."""
    found = old.rows(new.ids)
    return np.concatenate([[0], np.where(found >= 0, found + 1, -1)]).astype(np.int64)


def _buckets(old: int, new: int) -> IntArray:
    """(new,): codes of price buckets, the dearest ones sharing one where there were fewer."""
    return np.minimum(np.arange(new), old - 1).astype(np.int64)


def _attribute_rows(old: AttributeEncoder, new: AttributeEncoder) -> IntArray:
    """(all codes of `new`,): rows of a table over all attributes, one behind the other."""
    starts = dict(zip(old.names, np.concatenate([[0], np.cumsum(old.sizes)]).tolist(), strict=False))
    values = dict(zip(old.names, old.vocabularies, strict=False))
    blocks = []
    for name, vocabulary in zip(new.names, new.vocabularies, strict=False):
        codes = _codes(values[name], vocabulary) if name in values else np.full(len(vocabulary) + 1, -1)
        blocks.append(np.where(codes >= 0, codes + starts.get(name, 0), -1))
    prices = _buckets(old.sizes[-1], new.sizes[-1]) + starts[old.names[-1]]
    return np.concatenate([*blocks, prices]).astype(np.int64)
