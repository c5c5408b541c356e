from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel, GPT2Config

from trifocal.errors import ConfigError
from trifocal.features.text_backbone import require_trainable, upper_states


def config(**changes: object) -> BertConfig:
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12}
    return BertConfig(vocab_size=10, **(sizes | changes))  # type: ignore[arg-type]  # the sizes are whole numbers


def test_all_layers_of_the_bert_family_can_be_trained() -> None:
    require_trainable(config(), 2)


@pytest.mark.parametrize("kind", [GPT2Config(), config(hidden_act="relu")])
def test_a_backbone_of_another_build_is_refused(kind: BertConfig) -> None:
    message = (
        rf"text_trainable_layers = 1, but layers of a '{kind.model_type}' backbone cannot be trained.* set it to 0"
    )
    with pytest.raises(ConfigError, match=message):
        require_trainable(kind, 1)


def test_more_layers_than_there_are_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"text_trainable_layers = 3, but the text backbone has 2 layers; .* most 2"):
        require_trainable(config(), 3)


def test_the_weights_are_those_of_the_upper_layers() -> None:
    network = BertModel(config())
    (state,) = upper_states(network, 1)
    top = network.encoder.layer[1]
    assert len(state) == 16
    torch.testing.assert_close(state["value.weight"], top.attention.self.value.weight)
    torch.testing.assert_close(state["narrow.bias"], top.output.dense.bias)
