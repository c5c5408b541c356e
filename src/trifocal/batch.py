"""The tensor contract between whoever prepares data (features) and the model. No file, no id, no config.

Letters: B users, L history length, M items, T text tokens, G image cells, A attributes, Q queries, S judged lists,
J items of a judged list.

Position j of a user's sequence holds what is known after j events, and predicts event j + 1:

```
position   0        1      2      3
holds      [START]  e1     e2     e3
context    of e1    of e2  of e3  of the request
target     e1       e2     e3     what comes next
```
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

__all__ = ["CONTEXT_FIELDS", "Batch", "ItemBatch", "JudgedBatch", "UserBatch"]

# The context columns of a `UserBatch`, in the order of its last axis.
CONTEXT_FIELDS = ("gap", "device", "country", "hour", "weekday")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class ItemBatch:
    """Everything that the item tower reads of M items.

    Attributes:
        text: (M, T, text width) float, token features of the frozen text layers.
        text_mask: (M, T) bool, True = a token; a row without any = the text is missing.
        image: (M, G, image width) float, cells of the frozen image network's feature map.
        image_mask: (M,) bool, False = the picture is missing.
        attributes: (M, A) int64 codes, 0 = missing.
        id_codes: (M,) int64, row + 1 in the id table; 0 = no id (a new item, or id dropout).
        text_mean: (M, text width) float, mean of the token features of the last text layer; None = `text` is of that
            layer, so that its mean is meant.
        token_ids: (M, T) int64, what the texts were cut into; None where no text layer is trained.
    """

    text: Tensor
    text_mask: Tensor
    image: Tensor
    image_mask: Tensor
    attributes: Tensor
    id_codes: Tensor
    text_mean: Tensor | None = None
    token_ids: Tensor | None = None

    def __len__(self) -> int:
        return self.text.shape[0]

    def validate(self) -> None:
        """Check shapes and types.

        Raises:
            ValueError: naming the tensor, its shape and the shape that was needed.
        """
        size, tokens = self.text.shape[:2]
        _require(self.text.dim() == 3, f"text has shape {tuple(self.text.shape)}, needs (M, T, width)")
        _require(self.image.dim() == 3, f"image has shape {tuple(self.image.shape)}, needs (M, G, width)")
        for name, shape in (("text_mask", (size, tokens)), ("image_mask", (size,)), ("id_codes", (size,))):
            found = tuple(getattr(self, name).shape)
            _require(found == shape, f"{name} has shape {found}, needs {shape}")
        _require(self.image.shape[0] == size, f"image has {self.image.shape[0]} items, text has {size}")
        _require(self.attributes.shape[0] == size, f"attributes has {self.attributes.shape[0]} items, needs {size}")
        for name in ("text_mask", "image_mask"):
            _require(getattr(self, name).dtype == torch.bool, f"{name} is not bool")
        for name in ("attributes", "id_codes"):
            _require(getattr(self, name).dtype == torch.int64, f"{name} is not int64")
        for name, shape in (("text_mean", (size, self.text.shape[2])), ("token_ids", (size, tokens))):
            found = tuple(getattr(getattr(self, name), "shape", shape))
            _require(found == shape, f"{name} has shape {found}, needs {shape}")

    def to(self, device: torch.device) -> ItemBatch:
        """Return the batch on `device`, with float32 features."""
        moved = {name: tensor.to(device) for name, tensor in self._tensors().items()}
        return ItemBatch(**{n: v.float() if v.is_floating_point() else v for n, v in moved.items()})

    def without(
        self, *, text: Tensor | None = None, image: Tensor | None = None, ids: Tensor | None = None
    ) -> ItemBatch:
        """Return the batch with the text, picture or id of the items marked True in (M,) taken away."""
        batch = self
        if text is not None:
            batch = replace(batch, text_mask=batch.text_mask & ~text[:, None])
        if image is not None:
            batch = replace(batch, image_mask=batch.image_mask & ~image)
        if ids is not None:
            batch = replace(batch, id_codes=batch.id_codes.masked_fill(ids, 0))
        return batch

    def without_attributes(self) -> ItemBatch:
        """Return the batch with every attribute missing."""
        return replace(self, attributes=torch.zeros_like(self.attributes))

    def text_only(self) -> ItemBatch:
        """Return the batch with every picture missing."""
        return replace(self, image_mask=torch.zeros_like(self.image_mask))

    def image_only(self) -> ItemBatch:
        """Return the batch with every text missing, cut to the one place that a missing text takes."""
        first = None if self.token_ids is None else self.token_ids[:, :1]
        return replace(self, text=self.text[:, :1], text_mask=torch.zeros_like(self.text_mask[:, :1]), token_ids=first)

    def select(self, rows: Tensor) -> ItemBatch:
        """Return the items at `rows` (m,) int64."""
        return ItemBatch(**{name: tensor[rows] for name, tensor in self._tensors().items()})

    def _tensors(self) -> dict[str, Tensor]:
        everything: dict[str, Tensor | None] = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: tensor for name, tensor in everything.items() if tensor is not None}


@dataclass(frozen=True)
class UserBatch:
    """Everything that the user tower reads of B users, beside the item vectors.

    Attributes:
        item_rows: (B, L) int64 rows of the item vector table, oldest first, left-aligned; 0 where padded.
        mask: (B, L) bool, True = an event.
        event_codes: (B, L) int64, 0 = unknown or padded.
        context: (B, L + 1, len(CONTEXT_FIELDS)) int64 codes, 0 = unknown; see the drawing above.
        query_rows: (B, L + 1) int64 rows of `query_vectors`, 0 = no query.
        query_vectors: (Q, text width) float pooled text features; row 0 is zero.
    """

    item_rows: Tensor
    mask: Tensor
    event_codes: Tensor
    context: Tensor
    query_rows: Tensor
    query_vectors: Tensor

    def __len__(self) -> int:
        return self.item_rows.shape[0]

    def validate(self) -> None:
        """Check shapes, types and that every mask is left-aligned.

        Raises:
            ValueError: naming the tensor, its shape and the shape that was needed.
        """
        size, length = self.item_rows.shape
        shapes = {
            "mask": (size, length),
            "event_codes": (size, length),
            "context": (size, length + 1, len(CONTEXT_FIELDS)),
            "query_rows": (size, length + 1),
        }
        for name, shape in shapes.items():
            found = tuple(getattr(self, name).shape)
            _require(found == shape, f"{name} has shape {found}, needs {shape}")
        _require(self.mask.dtype == torch.bool, "mask is not bool")
        _require(not bool((self.mask[:, 1:] & ~self.mask[:, :-1]).any()), "mask is not left-aligned")
        for name in ("item_rows", "event_codes", "context", "query_rows"):
            _require(getattr(self, name).dtype == torch.int64, f"{name} is not int64")

    def to(self, device: torch.device) -> UserBatch:
        """Return the batch on `device`."""
        return UserBatch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


@dataclass(frozen=True)
class JudgedBatch:
    """S lists of items that a user judged at one moment: clicked or passed over, or rated.

    Attributes:
        users: S requests; what a user is asked about is the last position, before anything of the list was judged.
        item_rows: (S, J) int64 rows of the item vector table; 0 where padded.
        values: (S, J) float, 1 = clicked and 0 = passed over, or the rating.
        mask: (S, J) bool, True = an item.
    """

    users: UserBatch
    item_rows: Tensor
    values: Tensor
    mask: Tensor

    def validate(self) -> None:
        """Check shapes and types.

        Raises:
            ValueError: naming the tensor, its shape and the shape that was needed.
        """
        self.users.validate()
        shape = tuple(self.item_rows.shape)
        _require(shape[0] == len(self.users), f"item_rows has {shape[0]} lists for {len(self.users)} users")
        for name in ("values", "mask"):
            found = tuple(getattr(self, name).shape)
            _require(found == shape, f"{name} has shape {found}, needs {shape}")
        _require(self.mask.dtype == torch.bool, "mask is not bool")
        _require(self.item_rows.dtype == torch.int64, "item_rows is not int64")

    def to(self, device: torch.device) -> JudgedBatch:
        """Return the batch on `device`."""
        return JudgedBatch(
            self.users.to(device), self.item_rows.to(device), self.values.to(device), self.mask.to(device)
        )


@dataclass(frozen=True)
class Batch:
    """One training step: users, what each position should predict, and the items encoded with gradient.

    Attributes:
        users: B sequences.
        targets: (B, L + 1) int64 item rows; -1 = nothing to predict at this position.
        weights: (B, L + 1) float, the weight of each target (a purchase says more than a click).
        items: M items whose vectors are computed in this step; all others come from the vector table.
        item_rows: (M,) int64 rows of `items` in the vector table, no row twice.
        shown: what was shown, and clicked or not; None where the log has no impressions.
        rated: what was rated; None where the log has no ratings.
    """

    users: UserBatch
    targets: Tensor
    weights: Tensor
    items: ItemBatch
    item_rows: Tensor
    shown: JudgedBatch | None = None
    rated: JudgedBatch | None = None

    def validate(self) -> None:
        """Check all parts and that they fit together.

        Raises:
            ValueError: naming what does not fit.
        """
        self.users.validate()
        self.items.validate()
        for judged in (self.shown, self.rated):
            if judged is not None:
                judged.validate()
        shape = tuple(self.users.query_rows.shape)
        _require(
            tuple(self.targets.shape) == shape,
            f"targets has shape {tuple(self.targets.shape)}, needs {shape}",
        )
        _require(
            tuple(self.weights.shape) == shape,
            f"weights has shape {tuple(self.weights.shape)}, needs {shape}",
        )
        _require(
            len(self.item_rows) == len(self.items),
            f"{len(self.item_rows)} item_rows for {len(self.items)} items",
        )
        _require(len(torch.unique(self.item_rows)) == len(self.item_rows), "item_rows holds a row twice")

    def to(self, device: torch.device) -> Batch:
        """Return the batch on `device`."""
        return Batch(
            self.users.to(device),
            self.targets.to(device),
            self.weights.to(device),
            self.items.to(device),
            self.item_rows.to(device),
            None if self.shown is None else self.shown.to(device),
            None if self.rated is None else self.rated.to(device),
        )
