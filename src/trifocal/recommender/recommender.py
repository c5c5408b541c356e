"""`trifocal.Recommender`: train, ask, look, save and load from Python. Joins the stages; decides nothing itself."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from trifocal import columns as c
from trifocal.bundle import Bundle, Manifest, read_bundle
from trifocal.bundle.network import load_recommender
from trifocal.data.rejects import REJECT_SCHEMA
from trifocal.data.splits import Split
from trifocal.errors import ConfigError, DataError
from trifocal.feedback import MemoryEventStore
from trifocal.ports import Recommender as RecommenderPort
from trifocal.recommender import asking
from trifocal.recommender.files import copied, removed_with
from trifocal.recommender.frames import Frame, Ids, Table, as_frame, bytes_of, ids_of, is_pandas, seconds_of, told
from trifocal.recommender.judging import figures
from trifocal.recommender.looking import explained, gallery, line, summary, with_why
from trifocal.recommender.showing import Explained, Gallery
from trifocal.recommender.tables import Columns, imported, read_rejects
from trifocal.recommender.training import Training, quiet, settings_of, trained
from trifocal.serve import Ask, Service, build_service
from trifocal.serve.models import plain_engine
from trifocal.serve.picture_search import SearchAsk

__all__ = ["Recommender"]


class Recommender:
    """A trained model with its catalogue and the histories it knows: frames in, frames out. Stability: full.

    Not to be taken for the Protocol `trifocal.ports.Recommender`, which is what stages meet at (rows and arrays) and
    which a model inside this class fulfils.

    Answers are frames of polars; of pandas where the tables of the training were, or where `as_pandas` is true.

    Attributes:
        as_pandas: whether answers are frames of pandas; may be set.
        rejects: rows of the training's tables that could not be used as they were, each with its reason; empty after
            `load`.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        rejects: pl.DataFrame | None = None,
        split: Split | None = None,
        as_pandas: bool = False,
    ) -> None:
        """Take a bundle that was read; `train` and `load` are the usual ways here."""
        self._bundle, self._split, self.as_pandas = bundle, split, as_pandas
        self._rejects = pl.DataFrame(schema=REJECT_SCHEMA) if rejects is None else rejects

    @classmethod
    def train(
        cls,
        items: Table,
        events: Table,
        *,
        image_root: str | Path | None = None,
        columns: Columns | None = None,
        settings: Mapping[str, object] | str | Path | None = None,
        out: str | Path | None = None,
        split: str | None = None,
        model: str = "trifocal",
        seed: int | None = None,
        progress: bool = True,
    ) -> Recommender:
        """Return a recommender that learned from `items` and `events`.

        Args:
            items: one row a product: a frame of polars or pandas, or a file (CSV, JSON lines, Parquet). `item_id`, and
                `title` or `image`, are a must.
            events: one row a thing that a user did. `user_id` and `item_id` are a must.
            image_root: folder that `image` is relative to; default: that of the item file, else the working folder.
            columns: canonical name -> your column, where they differ: `{"item_id": "sku", "title": ["brand", "name"],
                "attribute.colour": "colour_name"}`; for `image` also a file by id, `"{item_id}.jpg"`.
            settings: a TOML file, or sections as in `configs/default.toml`: `{"train": {"epochs": 5}}`.
            out: folder of data, features and models, gone on with after a kill; None = one that is removed with the
                recommender, so that `save` keeps what matters.
            split: name of a split whose test part is never learned from, for `evaluate`; None = the newest tenth of
                the events chooses the epochs, then all is learned from.
            model: `trifocal`, or with less to go by: `text`, `image`, `ids`.
            seed: of everything that is drawn; None = as the settings say.
            progress: whether bars are drawn on stderr.

        Raises:
            ConfigError: when a setting, column name, split or model is wrong.
            DataError: when a table cannot be used at all; single bad rows are kept in `rejects`.
        """
        sections = settings_of(settings, seed)
        folder = Path(tempfile.mkdtemp(prefix="trifocal-")) if out is None else Path(out)
        with quiet(silent=not progress):
            dataset = imported(items, events, columns, image_root, folder)
            bundle, known = trained(dataset, Training(sections, model, split, folder))
        made = cls(
            read_bundle(bundle),
            rejects=read_rejects(folder),
            split=None if split is None else known,
            as_pandas=is_pandas(items) or is_pandas(events),
        )
        return made if out is not None else removed_with(made, folder)

    @classmethod
    def load(cls, folder: str | Path, *, as_pandas: bool = False) -> Recommender:
        """Return the recommender in the bundle `folder`, from `save`, `train` or `trifocal train`.

        Raises:
            ArtifactError: when it is no whole bundle of this version.
        """
        return cls(read_bundle(Path(folder)), as_pandas=as_pandas)

    def save(self, folder: str | Path) -> Path:
        """Return `folder`, into which the bundle was written; `trifocal serve` reads it too.

        Raises:
            ConfigError: when something is there already.
        """
        return copied(self._bundle.folder, Path(folder))

    def recommend(
        self,
        user_ids: Ids | None = None,
        k: int = 10,
        *,
        sessions: Frame | None = None,
        filters: asking.Limits = None,
        exclude_seen: bool = True,
        query: str | None = None,
        at: datetime | None = None,
        device: str | None = None,
        country: str | None = None,
        explain: bool = False,
    ) -> Frame:
        """Return the `k` best items for each user: `user_id`, `rank`, `item_id`, `score`, `title` ..., `reason`.

        Many users are ranked in batches. A user whom nothing is known of gets what is popular.

        Args:
            user_ids: one id or many; None = those of `sessions`.
            k: how many items, from 1.
            sessions: events that come behind what is known, or are all that is known of a stranger: `user_id`,
                `item_id`, and where known `event`, `timestamp`, `value`; oldest first.
            filters: `category`, `price_min`, `price_max`, or an attribute: `{"colour": ["red", "blue"]}`.
            exclude_seen: leave out what is in the history.
            query: what they look for, in words.
            at: the moment that is asked for; None = now.
            device: such as "phone".
            country: such as "SE".
            explain: add the column `why`, one sentence an item; takes its time.

        Raises:
            ConfigError: when `k` is out of range.
            DataError: when nobody is asked for, or `sessions` cannot be used.
        """
        count = len(self._service.catalogue)
        if not 1 <= k <= count:
            raise ConfigError(f"k is {k}, it must be between 1 and the {count:,} items of the catalogue")
        known = asking.sessions_of(sessions)
        users = list(known) if user_ids is None else ids_of(user_ids)
        if not users:
            raise DataError("nobody is asked for; give user_ids, or sessions with events")
        question = Ask(
            timestamp_s=seconds_of(at), device=device, country=country, query=query, exclude_seen=exclude_seen,
            filters=asking.filters_of(filters),
        )  # fmt: skip
        asks = [replace(question, user_id=user, session=known.get(user, ())) for user in users]
        requests, notes = asking.requests_of(self._service, asks)
        for note in notes:
            warnings.warn(note, stacklevel=2)
        found = asking.batches(self._model, requests, k, count)
        frame = asking.recommended_frame(self._service, self._bundle.contents.items, requests, found, users)
        return told(with_why(self._service, frame, asks) if explain else frame, as_pandas=self.as_pandas)

    def similar(self, item_ids: Ids, k: int = 10, *, filters: asking.Limits = None) -> Frame:
        """Return the `k` items most alike to each of `item_ids`: `of_item_id`, `rank`, `item_id`, `score` ...

        Raises:
            NotFoundError: when the catalogue does not hold an item.
            ServingError: when `k` is out of range.
        """
        limits, items = asking.filters_of(filters), self._bundle.contents.items
        answers = {of: self._service.gateway.similar(of, k, limits) for of in ids_of(item_ids)}
        frames = [
            asking.answer_frame(items, answer).select(pl.lit(of).alias(asking.OF_ITEM), pl.all())
            for of, answer in answers.items()
        ]
        if not frames:
            raise DataError("no item is asked about; give at least one item id")
        return told(pl.concat(frames), as_pandas=self.as_pandas)

    def search(
        self,
        query: str | None = None,
        picture: str | Path | bytes | None = None,
        k: int = 10,
        *,
        filters: asking.Limits = None,
        picture_weight: float = 0.5,
    ) -> Frame:
        """Return the `k` items that fit words, a picture, or both best: `rank`, `item_id`, `score`, `title` ...

        Args:
            query: words.
            picture: file, or its bytes.
            k: how many items.
            filters: as of `recommend`.
            picture_weight: share of the picture where both are given, 0..1.

        Raises:
            ServingError: when there is nothing to look for, or the picture is none.
            DataError: when there is no such file.
        """
        ask = SearchAsk(query, bytes_of(picture), k, asking.filters_of(filters), picture_weight)
        answer = self._service.picture_search.search(ask)
        for note in answer.notes:
            warnings.warn(note, stacklevel=2)
        return told(asking.answer_frame(self._bundle.contents.items, answer), as_pandas=self.as_pandas)

    def explain(self, user_id: str, item_ids: Ids, *, sessions: Frame | None = None) -> list[Explained]:
        """Return why each of `item_ids` fits the user: words, cells of the picture, the nearest item, one sentence.

        Args:
            user_id: whose history counts.
            item_ids: one or many.
            sessions: as of `recommend`.

        Raises:
            ConfigError: when the extra `explain` is not installed, or the model cannot be explained.
            NotFoundError: when the catalogue does not hold an item.
        """
        return explained(self._service, Ask(user_id, asking.sessions_of(sessions).get(user_id, ())), ids_of(item_ids))

    def evaluate(self, events: Frame | None = None) -> dict[str, float]:
        """Return Recall@K, nDCG@K ... of the test part of the training's `split`, or of what users did later, `events`.

        Means over users, by full ranking of the catalogue.

        Raises:
            ConfigError: when nothing is held out.
            DataError: when a column is missing, or no user can be asked about.
        """
        given = None if events is None else as_frame(events, "events")
        return figures(self._model, self._bundle, self._split, given)

    def show(self, frame: Frame, rows: int = 5) -> Gallery:
        """Return the items of an answer with their pictures, for a notebook.

        Args:
            frame: what `recommend`, `similar` or `search` gave, or any frame with the column `item_id`.
            rows: users, or items asked about, at most.

        Raises:
            DataError: when `frame` has no column `item_id`.
        """
        return gallery(self._service, as_frame(frame, "frame"), rows)

    @property
    def items(self) -> Frame:
        """The catalogue."""
        return told(self._bundle.contents.items, as_pandas=self.as_pandas)

    @property
    def rejects(self) -> Frame:
        """Rows of the training's tables that could not be used as they were; empty after `load`."""
        return told(self._rejects, as_pandas=self.as_pandas)

    @property
    def user_ids(self) -> list[str]:
        """Everybody whose history is known."""
        return self._bundle.contents.histories[c.USER_ID].unique(maintain_order=True).to_list()

    @property
    def manifest(self) -> Manifest:
        """Version, counts and figures of the training."""
        return self._bundle.manifest

    def _repr_html_(self) -> str:
        return summary(self.manifest)

    def __repr__(self) -> str:
        return line(self.manifest)

    @cached_property
    def _service(self) -> Service:
        return build_service(self._bundle, MemoryEventStore(), engine=plain_engine(self._bundle))

    @cached_property
    def _model(self) -> RecommenderPort:
        return load_recommender(self._bundle)
