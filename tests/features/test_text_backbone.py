from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.features.tiny_backbones import TEXTS, text_folder
from transformers import BertConfig, BertModel

from trifocal.errors import ConfigError
from trifocal.features.text import TransformerTextSource
from trifocal.features.text_backbone import require_trainable, upper_states
from trifocal.model.text_layers import TextLayers


def test_all_layers_of_the_bert_family_can_be_trained() -> None:
    require_trainable(2, family="roberta", activation="gelu", available=2)


@pytest.mark.parametrize(("family", "activation"), [("gpt2", "gelu"), ("bert", "relu")])
def test_a_backbone_of_another_build_is_refused(family: str, activation: str) -> None:
    message = rf"layers = 1, but layers of a '{family}' backbone with {activation} cannot be trained.* set it to 0"
    with pytest.raises(ConfigError, match=message):
        require_trainable(1, family=family, activation=activation, available=2)


def test_more_layers_than_there_are_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"text_trainable_layers = 3, but the text backbone has 2 layers; .* most 2"):
        require_trainable(3, family="bert", activation="gelu", available=2)


@pytest.mark.parametrize("kind", ["gpt2", "clip-text"])
def test_a_folder_of_another_build_is_refused(kind: str, tmp_path: Path) -> None:
    source = TransformerTextSource("tiny", text_folder(kind, tmp_path / "tiny"), max_tokens=16)
    with pytest.raises(ConfigError, match=r"features\.text_backbone"):
        source.lower(1)


def test_the_weights_are_those_of_the_upper_layers() -> None:
    network = BertModel(
        BertConfig(vocab_size=10, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12)
    )
    (state,) = upper_states(network, 1)
    top = network.encoder.layer[1].state_dict()
    assert len(state) == 16
    torch.testing.assert_close(state["value.weight"], top["attention.self.value.weight"])
    torch.testing.assert_close(state["narrow.bias"], top["output.dense.bias"])


def test_the_lower_layers_and_ours_above_them_are_the_whole_encoder(tmp_path: Path) -> None:
    source = TransformerTextSource("tiny", text_folder("roberta", tmp_path / "tiny"), max_tokens=16)
    lower, backbone = source.lower(1), source.backbone(1)
    assert (source.name, lower.name) == ("text-tiny", "text-tiny-layer1")
    assert lower.fingerprint != source.fingerprint
    layers = TextLayers(
        layers=1,
        width=source.width,
        heads=backbone.shape.heads,
        feed_forward=backbone.shape.feed_forward,
        epsilon=backbone.shape.epsilon,
        dropout=0.0,
        rank=0,
    )
    layers.load(backbone.states)
    for text in TEXTS:
        (hidden,), (expected,) = lower.encode([text]), source.encode([text])
        (ids,) = source.token_ids([text])
        mask = torch.ones(1, len(ids), dtype=torch.bool)
        torch.testing.assert_close(layers(torch.tensor(hidden)[None], mask)[0].detach(), torch.tensor(expected))
        torch.testing.assert_close(backbone.lower(torch.tensor([ids]), mask)[0], torch.tensor(hidden))
    assert len(backbone.word_embeddings) == backbone.shape.vocabulary
    assert 1 in backbone.special_ids


def test_all_layers_can_be_trained_from_the_embeddings_on(tmp_path: Path) -> None:
    source = TransformerTextSource("tiny", text_folder("roberta", tmp_path / "tiny"), max_tokens=16)
    assert source.lower(2).name == "text-tiny-layer0"
    assert len(source.backbone(2).states) == 2
