"""Backbones of a few thousand random weights as folders written by `save_pretrained`, tokenizer or processor beside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

WIDTH = 16
SIDE, PATCH = 32, 8
TEXTS = ("black leather boots", "a garden lamp of brass, 40 cm high, for outdoors", "μπότες", "黒い革のブーツ")

_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
_SHAPE: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
_SEES: dict[str, Any] = {"image_size": SIDE, "patch_size": PATCH}


def text_folder(kind: str, folder: Path) -> Path:
    """Write the text backbone `kind`: roberta, gpt2, clip (both towers) or clip-text; byte-pair encoding throughout."""
    tokenizer = _byte_pairs(framed=kind != "gpt2")
    words = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    read = {**_SHAPE, **words, "max_position_embeddings": 80}
    match kind:
        case "roberta":
            config: hf.PretrainedConfig = hf.RobertaConfig(**read)
        case "gpt2":
            tokenizer.pad_token = None
            config = hf.GPT2Config(
                vocab_size=len(tokenizer), n_embd=WIDTH, n_layer=2, n_head=2, n_positions=80, bos_token_id=0,
                eos_token_id=2,
            )  # fmt: skip
        case "clip":
            config = hf.CLIPConfig(text_config=read, vision_config={**_SHAPE, **_SEES}, projection_dim=8)
        case _:
            config = hf.CLIPTextConfig(**read)
    tokenizer.save_pretrained(folder)
    return _saved(config, folder)


def image_folder(kind: str, folder: Path, *, layers: int = 2) -> Path:
    """Write the vision backbone `kind`: vit, dinov2, dinov2-registers, clip (both towers), clip-vision or siglip."""
    shape = {**_SHAPE, "num_hidden_layers": layers}
    square, processor = {"height": SIDE, "width": SIDE}, "ViTImageProcessor"
    size: dict[str, int] = square
    match kind:
        case "vit":
            config: hf.PretrainedConfig = hf.ViTConfig(**shape, **_SEES)
        case "dinov2" | "dinov2-registers":
            # As published: trained on larger pictures than its processor makes, which cuts the middle out.
            kinds = {"dinov2": hf.Dinov2Config, "dinov2-registers": hf.Dinov2WithRegistersConfig}
            config = kinds[kind](**shape, image_size=SIDE + 2 * PATCH, patch_size=PATCH)
            processor, size = "BitImageProcessor", {"shortest_edge": SIDE + 8}
        case "clip":
            config = hf.CLIPConfig(text_config=_SHAPE, vision_config={**shape, **_SEES}, projection_dim=8)
            processor, size = "CLIPImageProcessor", {"shortest_edge": SIDE}
        case "clip-vision":
            config = hf.CLIPVisionConfig(**shape, **_SEES)
            processor, size = "CLIPImageProcessor", {"shortest_edge": SIDE}
        case _:
            config, processor = hf.SiglipVisionConfig(**shape, **_SEES), "SiglipImageProcessor"
    _saved(config, folder)
    settings = {"image_processor_type": processor, "size": size, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    crop = {"do_center_crop": True, "crop_size": square} if "shortest_edge" in size else {}
    (folder / "preprocessor_config.json").write_text(json.dumps({**settings, **crop}))
    return folder


def drawn(path: Path, colours: Sequence[str], side: int = SIDE) -> str:
    """Draw four quarters, left to right and top to bottom, and return the path."""
    picture, half = Image.new("RGB", (side, side)), side // 2
    for place, colour in enumerate(colours):
        left, top = place % 2 * half, place // 2 * half
        picture.paste(colour, (left, top, left + half, top + half))
    picture.save(path)
    return str(path)


def _byte_pairs(*, framed: bool) -> hf.PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if framed:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    return hf.PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers'
        tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def _saved(config: hf.PretrainedConfig, folder: Path) -> Path:
    hf.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers'
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = hf.AutoModel.from_config(config)  # type: ignore[no-untyped-call]  # transformers'
    # As trained weights do, random ones must tell patches and words apart: the usual start of 0.02 hardly does.
    for name, weights in network.named_parameters():
        if weights.dim() > 1 and "position" not in name:
            weights.data.mul_(5)
    network.save_pretrained(folder)
    return folder
