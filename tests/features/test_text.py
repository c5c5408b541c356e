"""Text backbones by path, each a tiny random one of its family, with a byte-pair tokenizer of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.features.tiny_backbones import TEXTS, WIDTH, text_folder
from transformers import AutoModel, AutoTokenizer

from trifocal.errors import ConfigError
from trifocal.features.text import TransformerTextSource, text_source

KINDS = ("roberta", "gpt2", "clip", "clip-text")


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return text_folder(request.param, tmp_path_factory.mktemp("text") / request.param)


@pytest.fixture
def source(folder: Path) -> TransformerTextSource:
    return text_source(str(folder))


def test_the_tokens_are_those_of_the_last_layer(source: TransformerTextSource, folder: Path) -> None:
    # One text at a time needs no padding: what transformers says of it is the reference.
    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    network = getattr(network, "text_model", network)
    assert (source.width, source.name) == (WIDTH, f"text-{folder.name}")
    for text, found in zip(TEXTS, source.encode(TEXTS), strict=True):
        with torch.inference_mode():
            expected = network(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
        assert found.shape == expected.shape == (len(tokenizer(text)["input_ids"]), WIDTH)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_text_has_the_same_features_alone_and_beside_longer_ones(source: TransformerTextSource) -> None:
    together = source.encode(TEXTS)
    assert len({len(tokens) for tokens in together}) > 1
    for text, beside in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(source.encode([text])[0], beside, atol=1e-4)


def test_an_empty_text_has_a_token(source: TransformerTextSource) -> None:
    empty, _ = source.encode(["", TEXTS[0]])
    assert len(empty) >= 1
    assert np.isfinite(source.pooled([""])).all()


def test_words_matter(source: TransformerTextSource) -> None:
    pooled = source.pooled(TEXTS[:2])
    assert pooled.dtype == np.float32
    assert np.abs(pooled[0] - pooled[1]).max() > 0.05


def test_long_texts_are_cut(folder: Path) -> None:
    short = text_source(str(folder), max_tokens=8)
    assert len(short.encode([TEXTS[1]])[0]) == 8
    assert short.fingerprint != text_source(str(folder)).fingerprint


def test_more_tokens_than_positions_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"reads at most 80 tokens, features\.max_tokens is 96; set it to 80"):
        text_source(str(folder), max_tokens=96)


def test_a_tokenizer_that_pads_on_the_left_changes_nothing(tmp_path: Path) -> None:
    folder = text_folder("gpt2", tmp_path / "gpt2")
    before = text_source(str(folder)).encode(TEXTS)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "padding_side": "left"}))
    for expected, found in zip(before, text_source(str(folder)).encode(TEXTS), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_in_half_precision_are_read_as_single(tmp_path: Path) -> None:
    folder = text_folder("roberta", tmp_path / "roberta")
    AutoModel.from_pretrained(folder).half().save_pretrained(folder)
    (tokens,) = text_source(str(folder)).encode([TEXTS[0]])
    assert tokens.dtype == np.float32


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = text_folder("roberta", tmp_path / "roberta")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ConfigError, match=r"tokenizer in .*roberta knows \d+ tokens and no word; write the tokenizer"):
        text_source(str(folder))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    folder = text_folder("roberta", tmp_path / "roberta")
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ConfigError, match=r"AutoModel cannot read the folder"):
        text_source(str(folder))
