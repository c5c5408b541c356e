"""A network that goes through a bundle answers as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.bundle.small_bundle import WORDS, small_contents
from tests.model.small_knowledge import small_knowledge
from tests.model.small_text import SHAPE, small_backbone

from trifocal.bundle import Bundle, BundleContents, read_bundle, write_bundle
from trifocal.bundle.network import (
    compact_weights,
    load_compact,
    load_encoder,
    load_recommender,
    network_config,
    network_weights,
)
from trifocal.errors import ArtifactError, ConfigError
from trifocal.features.compact import fit_compact
from trifocal.features.config import FeaturesConfig
from trifocal.feedback import MemoryEventStore
from trifocal.index import NearestRecommender
from trifocal.model import ModelConfig, ModelShapes, TwoStageRecommender, build_model
from trifocal.model.build import start_text
from trifocal.model.evidence import evidence_columns
from trifocal.model.two_stage import Blend
from trifocal.serve import Ask, build_service
from trifocal.serve.config import ServeConfig
from trifocal.types import Context, History, Request

CONFIG = ModelConfig(embedding_size=8, fusion_width=16, user_layers=1, rank_candidates=5, history_length=4)
SHAPES = ModelShapes(
    n_items=12, text_width=len(WORDS), image_width=6, grid_cells=4, attribute_sizes=(3, 4), devices=3, countries=3
)
REQUESTS = [
    Request(History.of_rows([1, 4, 7]), Context(timestamp_s=10**9, device_code=1), exclude=np.array([1, 4, 7])),
    Request(context=Context(query_vector=np.ones(len(WORDS), np.float32))),
]


def original() -> tuple[TwoStageRecommender, BundleContents]:
    torch.manual_seed(3)
    model = build_model(CONFIG, SHAPES)
    torch.nn.init.normal_(model.ranker.out.weight)
    # As training leaves it, a column without variance among them.
    model.ranker.standardise(torch.randn(5, 4, evidence_columns(2)) * (torch.arange(evidence_columns(2)) > 0))
    knowledge = small_knowledge(12, 8, SHAPES.attribute_sizes)
    blend = Blend(retrieval=0.02, ranker=True, ranking=0.5)
    recommender = TwoStageRecommender(
        name="trifocal",
        model=model,
        knowledge=knowledge,
        blend=blend,
        history_length=CONFIG.history_length,
        text_width=SHAPES.text_width,
        rank_candidates=CONFIG.rank_candidates,
    )
    contents = replace(
        small_contents(),
        config=network_config(CONFIG, SHAPES, FeaturesConfig(text_backbone="/no/such/folder"), blend),
        weights=network_weights(model, knowledge),
        item_vectors=knowledge.vectors,
        model_name="trifocal",
    )
    return recommender, contents


def test_trained_text_layers_go_through_a_bundle_and_the_head_that_guesses_tokens_does_not(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"text_trainable_layers": 2, "text_adaptation": "lora", "text_rank": 2})
    shapes = replace(SHAPES, text_width=6, text_layer=SHAPE)
    model = build_model(config, shapes)
    start_text(model, small_backbone(layers=2), masked=True)
    weights = network_weights(model, small_knowledge(12, 8, SHAPES.attribute_sizes))
    assert not [name for name in weights if "masked_text" in name]
    contents = replace(original()[1], config=network_config(config, shapes, FeaturesConfig()), weights=weights)
    after = load_recommender(through_disk(contents, tmp_path))
    assert isinstance(after, TwoStageRecommender)
    layers, again = model.item_tower.text_layers, after.model.item_tower.text_layers
    assert layers is not None
    assert again is not None
    torch.testing.assert_close(again.state_dict(), layers.state_dict())


def through_disk(contents: BundleContents, folder: Path) -> Bundle:
    write_bundle(contents, folder / "bundle")
    return read_bundle(folder / "bundle")


def test_answers_are_those_of_the_network_that_was_written(tmp_path: Path) -> None:
    before, contents = original()
    after = load_recommender(through_disk(contents, tmp_path))
    expected, found = before.recommend(REQUESTS, 6), after.recommend(REQUESTS, 6)
    assert found.item_rows.tolist() == expected.item_rows.tolist()
    assert np.array_equal(found.scores, expected.scores)
    assert isinstance(after, TwoStageRecommender)
    assert after.blend == before.blend
    retrieved = before.with_blend(replace(before.blend, ranker=False)).recommend(REQUESTS, 6)
    assert found.item_rows[0].tolist() != retrieved.item_rows[0].tolist()
    assert after.similar(2, 3).item_rows.tolist() == before.similar(2, 3).item_rows.tolist()


def test_the_service_answers_by_the_network(tmp_path: Path) -> None:
    service = build_service(
        through_disk(original()[1], tmp_path), MemoryEventStore(), config=ServeConfig(limit_ms=60_000)
    )
    answer = service.gateway.recommend(Ask(user_id="ann", k=5, device="phone", query="lamp"))
    assert (answer.rung, len(answer.items)) == ("full", 5)
    assert answer.notes[0].startswith("the query was ignored: text backbone '/no/such/folder'")


def test_projections_go_through_a_bundle_and_an_older_one_has_none(tmp_path: Path) -> None:
    features = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
    fitted = fit_compact(features, 4)
    _, contents = original()
    weights = contents.weights | compact_weights({"image": fitted})
    bundle = through_disk(replace(contents, weights=weights), tmp_path)
    found = load_compact(bundle, "image")
    assert found is not None
    assert np.array_equal(found.vectors(features), fitted.vectors(features))
    assert load_compact(bundle, "text") is None


def test_without_a_network_the_vectors_answer(tmp_path: Path) -> None:
    assert isinstance(load_recommender(through_disk(small_contents(), tmp_path)), NearestRecommender)


def test_weights_that_do_not_fit_the_config_are_refused(tmp_path: Path) -> None:
    contents = original()[1]
    wider = {**contents.config, "model": {**contents.config["model"], "embedding_size": 16}}
    with pytest.raises(ArtifactError, match=r"cannot load \(Error.* size mismatch for \S+: .*\); train and"):
        load_recommender(through_disk(replace(contents, config=wider), tmp_path))


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="text backbone '/no/such/folder'"):
        load_encoder(through_disk(small_contents(), tmp_path))
