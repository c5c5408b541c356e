from __future__ import annotations

import math

import pytest
import torch
from transformers import RobertaModel

from trifocal.features.config import ScratchConfig
from trifocal.features.scratch_tokenizer import train_tokenizer
from trifocal.features.scratch_training import _step_size, train_encoder

# Who sees one word of a text knows the other; who sees none is left with one of four, ln 4 nats.
TEXTS = ["red boots", "blue lamps", "green chairs", "black shirts"] * 12
CONFIG = ScratchConfig(width=64, layers=2, epochs=100, max_steps=120)
TOKENIZER = train_tokenizer(TEXTS, vocabulary_size=330, max_tokens=16)


def trained(config: ScratchConfig = CONFIG) -> tuple[RobertaModel, list[float]]:
    return train_encoder(TEXTS, TOKENIZER, config, max_tokens=16)


def test_the_loss_falls_from_that_of_guessing() -> None:
    network, losses = trained()
    assert losses[0] == pytest.approx(math.log(len(TOKENIZER)), abs=0.5)
    assert sum(losses[-10:]) / 10 < 0.8 * math.log(4)
    assert not network.training


@pytest.mark.parametrize(("epochs", "min_steps", "max_steps", "steps"), [(2, 1, 100, 4), (2, 5, 100, 5), (9, 1, 3, 3)])
def test_steps_are_bounded(epochs: int, min_steps: int, max_steps: int, steps: int) -> None:
    # 48 texts are two steps of 32.
    config = CONFIG.model_copy(update={"epochs": epochs, "min_steps": min_steps, "max_steps": max_steps})
    assert len(trained(config)[1]) == steps


def test_one_seed_one_encoder_and_no_trace_in_the_generator() -> None:
    short = CONFIG.model_copy(update={"max_steps": 3})
    torch.manual_seed(1)
    before = torch.get_rng_state()
    (first, losses), (second, again) = trained(short), trained(short)
    assert torch.equal(torch.get_rng_state(), before)
    assert losses == again
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert trained(short.model_copy(update={"seed": 1}))[1] != losses


def test_the_step_size_rises_and_falls() -> None:
    # 20 steps, 2 of them to warm up, then 18 down to nothing.
    sizes = [_step_size(step, 20) for step in (0, 1, 2, 11, 20)]
    assert sizes == pytest.approx([0.5, 1, 1, 0.5, 0])
