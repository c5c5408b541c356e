"""Explanations as HTTP carries them. Field names are the API: a change here is a breaking change."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from trifocal.serve.asks import ItemExplanation, NearestItem
from trifocal.serve.pictures import image_address

__all__ = ["ExplanationAnswer"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class WordAnswer(_Body):
    """A word of the item's text."""

    text: str
    weight: float
    """Its part of the score; below 0 = it speaks against the item. All words and cells have absolute sum 1 at most."""
    part: Literal["title", "description", "category"]
    """Where it stands."""


class SharesAnswer(_Body):
    """Shares of the score by source, each 0..1, together 1; all 0 where nothing can be said."""

    text: float
    """What the item says."""
    picture: float
    """What its picture shows."""
    attributes: float
    """Category, price and other fields."""
    identity: float
    """Who took it, and what was taken with it."""
    context: float
    """Moment, device and place of the request."""


class NearestAnswer(_Body):
    """The item of the user's own history that is most alike."""

    item_id: str
    title: str
    image: str
    """Address of its picture on this server."""
    similarity: float
    """Cosine of the item vectors, -1..1."""
    words: tuple[str, ...]
    """That both texts hold."""
    colours: tuple[str, ...]
    """That both pictures show, by name."""
    category: str | None
    """That both belong to."""

    @classmethod
    def of(cls, nearest: NearestItem) -> NearestAnswer:
        """Return the wire form of `nearest`."""
        return cls(
            item_id=nearest.item_id,
            title=nearest.title,
            image=image_address(nearest.item_id),
            similarity=nearest.similarity,
            words=nearest.words,
            colours=nearest.colours,
            category=nearest.category,
        )


class ExplanationAnswer(_Body):
    """Why an item is answered."""

    score: float
    """That was explained: the model's, which need not be on the scale of the answer's."""
    words: tuple[WordAnswer, ...]
    """In the order of the text; empty = no text, or the answer did not read it."""
    cells: tuple[tuple[float, ...], ...]
    """Weights over the picture, rows from the top left; empty = no picture, or the answer did not look at it."""
    shares: SharesAnswer
    """By source."""
    nearest: NearestAnswer | None
    """Of the history; null where there is none."""
    sentence: str
    """All of it in one plain sentence."""
    completeness_error: float
    """How far the parts are from their sum, relative to it; 0 = they explain all of it."""

    @classmethod
    def of(cls, told: ItemExplanation) -> ExplanationAnswer:
        """Return the wire form of `told`."""
        shares = told.shares
        return cls(
            score=told.score,
            words=tuple(WordAnswer(text=word.text, weight=word.weight, part=word.part) for word in told.words),
            cells=told.cells,
            shares=SharesAnswer(
                text=shares.text,
                picture=shares.picture,
                attributes=shares.attributes,
                identity=shares.identity,
                context=shares.context,
            ),
            nearest=None if told.nearest is None else NearestAnswer.of(told.nearest),
            sentence=told.sentence,
            completeness_error=told.completeness_error,
        )
