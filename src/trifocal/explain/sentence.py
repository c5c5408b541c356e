"""All of an explanation in one plain sentence. Pure; knows no model. R x C cells."""

from __future__ import annotations

from collections.abc import Sequence

from trifocal.explain.explanation import Nearest, Shares, Word
from trifocal.explain.words import says_something

__all__ = ["place_name", "search_sentence", "sentence"]

# A source that adds less than this share is not spoken of.
_LEAST_SHARE = 0.1
_MOST_WORDS = 2


def sentence(
    *,
    words: Sequence[Word],
    cells: Sequence[Sequence[float]],
    shares: Shares,
    nearest: Nearest | None,
    title: str | None = None,
    query: str | None = None,
) -> str:
    """Return why the item, in one sentence.

    Args:
        words, cells, shares, nearest: of the explanation.
        title: of the nearest item; None = it has none.
        query: what was searched for, empty where only its vector is known; None = nothing was.
    """
    searched = query is not None
    counts = _counts(words, cells, shares, known=nearest is not None, searched=searched)
    if searched:
        asked = f"For «{query}»" if query else "For this search"
        return f"{asked}: {counts} most." if counts else f"{asked}: nothing stands out, it fits as a whole."
    if nearest is None:
        return f"You are new here; {f'{counts} most' if counts else 'nothing about it stands out'}."
    start = f"Close to “{title}”, which you chose before" if title else "Close to something you chose before"
    shared = _shared(nearest)
    start = f"{start}: both {shared}" if shared else start
    return f"{start}; {counts} most." if counts else f"{start}."


def search_sentence(
    query: str | None,
    *,
    sent: bool = False,
    said: Sequence[str] = (),
    near: Sequence[str] = (),
    shown: Sequence[str] = (),
    lacking: Sequence[str] = (),
    look: str | None = None,
) -> str:
    """Return why a search found the item, in one sentence.

    Args:
        query: as typed, or None.
        sent: whether a picture was sent.
        said: words that the item's text says as well.
        near: words that bring it near, where it says none.
        shown: asked colours that its picture shows.
        lacking: asked colours that it does not show.
        look: where its picture looks as it should; None = nowhere.

    >>> search_sentence("black leather boots", said=["boots", "leather"], shown=["black"])
    'For «black leather boots»: its text says “boots” and “leather”, and its picture shows black.'
    >>> search_sentence(None, sent=True, look="the middle of the picture")
    'For the picture that was sent: it looks alike, most in the middle of the picture.'
    >>> search_sentence("red hat", near=["cap"], lacking=["red"])
    'For «red hat»: its text comes near by “cap”, but its picture does not show red.'
    """
    asked = [f"«{query}»"] if query else []
    start = f"For {_listed([*asked, 'the picture that was sent'] if sent else asked)}"
    found = []
    if said or near:
        found.append(
            f"its text {'says' if said else 'comes near by'} {_listed([f'“{word}”' for word in said or near])}"
        )
    if shown:
        found.append(f"its picture shows {_listed(shown)}")
    if look and sent:
        found.append(f"it looks alike, most in {look}")
    elif look and not shown:
        found.append("its picture looks as asked for")
    but = f"its picture does not show {_listed(lacking)}" if lacking else ""
    told = ", and ".join(found) or ("" if but else "nothing stands out, it fits as a whole")
    return f"{start}: {', but '.join(part for part in (told, but) if part)}."


def place_name(row: int, column: int, rows: int, columns: int) -> str:
    """Return where a cell lies in the picture.

    >>> place_name(0, 0, 3, 3), place_name(1, 1, 3, 3), place_name(2, 1, 3, 3)
    ('the upper left of the picture', 'the middle of the picture', 'the lower part of the picture')
    """
    high = ("upper", "", "lower")[_third(row, rows)]
    wide = ("left", "", "right")[_third(column, columns)]
    if high and not wide:
        return f"the {high} part of the picture"
    return f"the {' '.join(part for part in (high, wide) if part) or 'middle'} of the picture"


def _third(place: int, of: int) -> int:
    return min(int(3 * (place + 0.5) / of), 2)


def _shared(nearest: Nearest) -> str:
    """What follows "both"."""
    found = []
    if nearest.category:
        found.append(f"are in “{nearest.category}”")
    if nearest.colours:
        found.append(f"show {_listed(nearest.colours)}")
    if nearest.words:
        found.append(f"say {_listed([f'“{word}”' for word in nearest.words[:_MOST_WORDS]])}")
    return _listed(found)


def _counts(
    words: Sequence[Word], cells: Sequence[Sequence[float]], shares: Shares, *, known: bool, searched: bool
) -> str:
    """The two sources that add most, with their verb: "its price and ... count"; empty = none."""
    told = {
        "text": _best_words(words),
        "picture": _best_cell(cells),
        "attributes": "its category and other details",
        "identity": "what people with your taste choose" if known else "how others choose it",
        "context": "the moment and place you ask from",
    }
    if searched:
        told["identity"] = "what others thought of it"
    ranked = sorted(told, key=lambda name: -float(getattr(shares, name)))
    spoken = [told[name] for name in ranked if getattr(shares, name) >= _LEAST_SHARE and told[name]][:2]
    if not spoken:
        return ""
    plural = len(spoken) > 1 or spoken[0].startswith(("the words", "its category"))
    return f"{_listed(spoken)} {'count' if plural else 'counts'}"


def _best_words(words: Sequence[Word]) -> str:
    weights: dict[str, float] = {}
    for word in words:
        small = word.text.lower()
        if says_something(small):
            weights[small] = weights.get(small, 0.0) + word.weight
    best = [w for w in sorted(weights, key=lambda w: -weights[w]) if weights[w] > 0][:_MOST_WORDS]
    if not best:
        return "its words"
    return f"the word{'s' if len(best) > 1 else ''} {_listed([f'“{word}”' for word in best])}"


def _best_cell(cells: Sequence[Sequence[float]]) -> str:
    places = [(weight, -row, -column) for row, line in enumerate(cells) for column, weight in enumerate(line)]
    weight, row, column = max(places, default=(0.0, 0, 0))
    return place_name(-row, -column, len(cells), len(cells[0])) if weight > 0 else "its picture"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
