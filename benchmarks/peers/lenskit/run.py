"""LensKit's ALS for implicit feedback. Runs in its own environment; see ../README.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from benchmarks.peers.exchange import (
    About,
    Export,
    FloatArray,
    IntArray,
    Settings,
    parse_options,
    ranked,
    read_export,
    timed,
    write_answer,
)
from lenskit.als import ImplicitMFScorer  # type: ignore[import-not-found]  # only in the rival's environment
from lenskit.data import ItemList, RecQuery, from_interactions_df  # type: ignore[import-not-found]  # as above
from lenskit.training import TrainingOptions  # type: ignore[import-not-found]  # only in the rival's environment

DEFAULTS: Settings = {
    "embedding_size": 128,
    "epochs": 15,
    "regularization": 0.1,
    "weight": 10.0,
}


def main() -> None:
    """Train, rank, write."""
    options = parse_options(__doc__, DEFAULTS)
    export = read_export(options.export)
    data = from_interactions_df(pd.DataFrame({"user_id": export.user_rows, "item_id": export.item_rows}))
    scorer = ImplicitMFScorer(**options.settings)
    training, _ = timed(lambda: scorer.train(data, TrainingOptions(rng=options.seed)))

    def score(asked: IntArray) -> FloatArray:
        return np.stack([score_history(scorer, export, row) for row in asked])

    ranking, item_rows = timed(lambda: ranked(score, export, options, export.with_history()))
    parameters = scorer.user_embeddings.size + scorer.item_embeddings.size
    about = About("lenskit-als", "lenskit", training, ranking, options.settings, parameters)
    write_answer(options.out, export, item_rows, about)


def score_history(scorer: ImplicitMFScorer, export: Export, row: int) -> FloatArray:
    """Return (N,) scores; LensKit solves for the user of this history. NaN for items without interactions."""
    items = ItemList(item_ids=np.arange(len(export.item_ids)))
    query = RecQuery(history_items=ItemList(item_ids=np.intersect1d(export.histories[row], export.item_rows)))
    scores: FloatArray = scorer(query, items).scores("numpy")
    return scores


if __name__ == "__main__":
    main()
