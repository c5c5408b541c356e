"""RecTools' SASRec with the softmax loss over all items. Runs in its own environment; see ../README.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from benchmarks.peers.exchange import (
    About,
    Export,
    IntArray,
    Options,
    Settings,
    by_popularity,
    parse_options,
    read_export,
    timed,
    write_answer,
)
from pytorch_lightning import seed_everything  # type: ignore[import-not-found]  # only in the rival's environment
from rectools import Columns  # type: ignore[import-not-found]  # only in the rival's environment
from rectools.dataset import Dataset  # type: ignore[import-not-found]  # only in the rival's environment
from rectools.models import SASRecModel  # type: ignore[import-not-found]  # only in the rival's environment

DEFAULTS: Settings = {
    "n_factors": 128,
    "n_blocks": 2,
    "n_heads": 4,
    "dropout_rate": 0.2,
    "session_max_len": 20,
    "loss": "softmax",
    "lr": 0.001,
    "batch_size": 128,
    "epochs": 20,
}


def main() -> None:
    """Train, rank, write."""
    options = parse_options(__doc__, DEFAULTS)
    torch.set_num_threads(1)
    seed_everything(options.seed)
    export = read_export(options.export)
    learned = dataset_of(export.user_rows, export.item_rows)
    model = SASRecModel(**options.settings, deterministic=True)
    training, _ = timed(lambda: model.fit(learned))
    ranking, item_rows = timed(lambda: rank(model, export, options))
    parameters = sum(weights.numel() for weights in model.torch_model.parameters())
    about = About("rectools-sasrec", "RecTools", training, ranking, options.settings, parameters)
    write_answer(options.out, export, item_rows, about)


def dataset_of(user_rows: IntArray, item_rows: IntArray) -> Dataset:
    """Return interactions, oldest first, as RecTools wants them; the place among all stands for the time."""
    place = pd.to_timedelta(np.arange(len(item_rows)), unit="s")
    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: user_rows,
                Columns.Item: item_rows,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.Timestamp("2000-01-01") + place,
            }
        )
    )


def rank(model: SASRecModel, export: Export, options: Options) -> IntArray:
    """Return (B, k) item rows; RecTools ranks so many items that k are left after each request's exclusions.

    It cannot rank an item without interactions, nor answer a history of such items alone: that gets popularity.
    """
    asked = np.flatnonzero(export.with_history())
    histories = [export.histories[row] for row in asked]
    lengths = [len(history) for history in histories]
    allowed = np.intersect1d(export.candidates(), np.unique(export.item_rows))
    excludes = {row: np.intersect1d(export.excludes[row], allowed) for row in asked}
    answer = model.recommend(
        users=asked,
        dataset=dataset_of(np.repeat(asked, lengths), np.concatenate(histories)),
        k=min(options.k + max(len(exclude) for exclude in excludes.values()), len(allowed)),
        filter_viewed=False,
        items_to_recommend=allowed,
    ).sort_values([Columns.User, Columns.Rank])
    item_rows = by_popularity(export, options)
    for row, found in answer.groupby(Columns.User)[Columns.Item]:
        kept = found[~found.isin(excludes[row])].to_numpy()[: options.k]
        item_rows[row] = np.pad(kept, (0, options.k - len(kept)), constant_values=-1)
    return item_rows


if __name__ == "__main__":
    main()
