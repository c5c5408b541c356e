"""Texts -> a byte-level byte-pair tokenizer (Sennrich et al., arXiv 1508.07909): any language, no unknown token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trifocal.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["train_tokenizer", "vocabulary_limit"]

# The ids of these are their places, as RoBERTa has them: its positions count from the padding token's id.
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_BYTES = 256

# A token that a text holds once in a while is learned; one that all texts hold twice is not. Bytes of text a token.
_BYTES_A_TOKEN = 100


def vocabulary_limit(texts: Sequence[str], largest: int) -> int:
    """Return how many tokens `texts` are enough for: the bytes, and one more for every 100 bytes of text.

    >>> vocabulary_limit(["x" * 1000], 8000)  # 5 special tokens, 256 bytes, 10 merges
    271
    >>> vocabulary_limit(["x" * 1000_000], 8000)
    8000
    """
    total = sum(len(text.encode()) for text in texts)
    return min(largest, len(_SPECIAL) + _BYTES + total // _BYTES_A_TOKEN)


def train_tokenizer(texts: Sequence[str], *, vocabulary_size: int, max_tokens: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer of at most `vocabulary_size` tokens, in small letters, that frames a text by <s> and </s>.

    Small letters and compatible characters (NFKC) are made first: a shopper types neither capitals nor wide letters.

    Raises:
        ConfigError: when the encoders extra is not installed.
    """
    try:
        from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise ConfigError("tokenizers is not installed; `pip install 'trifocal[encoders]'`") from error
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    # With the space before, a word is the same token at the start of a text and within it.
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=2,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    named = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), _SPECIAL, strict=True))
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers'
        tokenizer_object=tokenizer, model_max_length=max_tokens, **named
    )
