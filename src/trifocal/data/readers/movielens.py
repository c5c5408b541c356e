"""MovieLens: as GroupLens publishes it, or packed with posters and plots.

```
ml-100k             u.item        u.data
ml-1m               movies.dat    ratings.dat
ml-latest, ml-32m   movies.csv    ratings.csv
with posters        items.csv.gz  interactions.parquet  images/   ratings with a time, or only their order (seq)
```

The first genre is the category, all of them are the attribute `genres`; the year leaves the title for `year`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from trifocal.data.column_map import column_map_of
from trifocal.data.importing import ImportPlan, Prepare, unchanged
from trifocal.data.text_blocks import first_line

__all__ = ["movielens_plan"]

_TITLE, _YEAR, _GENRES, _CATEGORY = "__title__", "__year__", "__genres__", "__category__"
_NO_GENRE = "(no genres listed)"
# The order of the 0/1 columns of u.item, as in GroupLens' u.genre.
_FLAG_GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
_RATING_COLUMNS = {"user_id": "user_id", "item_id": "item_id", "value": "rating", "timestamp": "timestamp"}
_MOVIE_COLUMNS: dict[str, Any] = {
    "item_id": "item_id",
    "title": _TITLE,
    "category": _CATEGORY,
    "attributes": {"genres": _GENRES, "year": _YEAR},
}


def movielens_plan(source: Path) -> ImportPlan | None:
    """Return how to import the MovieLens folder `source`, or None where it holds no known layout."""
    layouts: tuple[tuple[str, str, Callable[[Path], ImportPlan | None]], ...] = (
        ("u.item", "u.data", _plan_100k),
        ("movies.dat", "ratings.dat", _plan_1m),
        ("movies.csv", "ratings.csv", _plan_latest),
        ("items.csv.gz", "interactions.parquet", _plan_posters),
    )
    for items, events, plan in layouts:
        if (source / items).is_file() and (source / events).is_file():
            return plan(source)
    return None


def _plan_100k(source: Path) -> ImportPlan:
    header = ("item_id", "title", "released", "released_on_video", "imdb_url", *_FLAG_GENRES)
    items = {"separator": "|", "quoted": False, "encoding": "latin-1", "header": header}
    events = {"format": "csv", "separator": "\t", "header": ("user_id", "item_id", "rating", "timestamp")}
    content = {
        "items": {"file": "u.item", "format": "csv", "columns": _MOVIE_COLUMNS, **items},
        "events": {"file": "u.data", "columns": _RATING_COLUMNS, **events},
    }
    return _plan(source, content, lambda frame: _with_movie_columns(_with_flag_genres(frame)))


def _plan_1m(source: Path) -> ImportPlan:
    layout = {"format": "csv", "separator": "::", "quoted": False, "encoding": "latin-1"}
    events_header = ("user_id", "item_id", "rating", "timestamp")
    content = {
        "items": {
            "file": "movies.dat", "header": ("item_id", "title", "genres"), "columns": _MOVIE_COLUMNS, **layout,
        },
        "events": {"file": "ratings.dat", "header": events_header, "columns": _RATING_COLUMNS, **layout},
    }  # fmt: skip
    return _plan(source, content, _with_movie_columns)


def _plan_latest(source: Path) -> ImportPlan:
    ratings = _RATING_COLUMNS | {"user_id": "userId", "item_id": "movieId"}
    content = {
        "items": {"file": "movies.csv", "columns": _MOVIE_COLUMNS | {"item_id": "movieId"}},
        "events": {"file": "ratings.csv", "columns": ratings},
    }
    return _plan(source, content, _with_movie_columns)


def _plan_posters(source: Path) -> ImportPlan | None:
    names = list(pl.read_parquet_schema(source / "interactions.parquet"))
    if "director" not in first_line(source / "items.csv.gz"):
        return None
    attributes = {"genres": _GENRES, "year": "year", "director": "director", "actors": "actors"}
    items = _MOVIE_COLUMNS | {
        "title": "title",
        "description": "description",
        "image": "image",
        "attributes": attributes,
    }
    content = {
        "items": {"file": "items.csv.gz", "image_root": "images", "columns": items},
        "events": {
            "file": "interactions.parquet",
            "columns": {name: column for name, column in _RATING_COLUMNS.items() if column in names},
        },
    }
    ordered = "seq" in names
    return _plan(source, content, _with_genre_columns, _by_user_and_sequence if ordered else unchanged)


def _plan(
    source: Path, content: dict[str, Any], prepare_items: Prepare, prepare_events: Prepare = unchanged
) -> ImportPlan:
    events = content["events"] | {"default_event": "rating", "timestamp_format": "s"}
    column_map = column_map_of(content | {"events": events}, "the MovieLens reader")
    return ImportPlan(source.resolve().name, source, column_map, prepare_items, prepare_events)


def _with_flag_genres(frame: pl.DataFrame) -> pl.DataFrame:
    named = [pl.when(pl.col(genre) == "1").then(pl.lit(genre)) for genre in _FLAG_GENRES if genre != "unknown"]
    return frame.with_columns(pl.concat_str(named, separator="|", ignore_nulls=True).alias("genres"))


def _with_movie_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Part "Toy Story (1995)" into title and year, and the genres into the first and all."""
    parts = pl.col("title").str.extract_groups(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)\s*$")
    title = pl.coalesce(parts.struct.field("title"), pl.col("title"))
    frame = frame.with_columns(title.alias(_TITLE), parts.struct.field("year").alias(_YEAR))
    return _with_genre_columns(frame.with_columns(pl.col("genres").alias("category")))


def _with_genre_columns(frame: pl.DataFrame) -> pl.DataFrame:
    genres = pl.when(pl.col("category") != _NO_GENRE).then(pl.col("category")).str.split("|")
    return frame.with_columns(genres.list.join(", ").alias(_GENRES), genres.list.first().alias(_CATEGORY))


def _by_user_and_sequence(frame: pl.DataFrame) -> pl.DataFrame:
    user, sequence = (pl.col(name).cast(pl.Int64, strict=False) for name in ("user_id", "seq"))
    return frame.sort(user, sequence, maintain_order=True)
