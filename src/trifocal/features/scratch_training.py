"""A small RoBERTa, trained on texts by masked language modelling: BERT's task 1 (arXiv 1810.04805, section 3.1).

Letters: B texts, T tokens, P hidden tokens, V vocabulary. Knows no file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from trifocal.errors import ConfigError
from trifocal.features.config import ScratchConfig
from trifocal.features.masking import mask_tokens
from trifocal.progress import progress_bar

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, RobertaModel

__all__ = ["train_encoder"]

_BATCH_SIZE = 32
_HEAD_WIDTH = 32
# Of 1e-3, 2e-3 and 4e-3 the one with the lowest loss after 5 passes over 1,000 texts of H&M: 4.78, 4.53, 5.29 nats.
_LEARNING_RATE = 2e-3
# The first tenth of the steps warms up; then the step size falls to 0 in a straight line (BERT, appendix A.2).
_WARMUP = 0.1
_GRADIENT_NORM = 1.0


def train_encoder(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerFast,
    config: ScratchConfig,
    *,
    max_tokens: int,
    device: str = "cpu",
) -> tuple[RobertaModel, list[float]]:
    """Return an encoder trained on `texts`, and the loss of each step in nats a hidden token.

    The state of torch's generator is as before afterwards; equal arguments give equal weights on one machine.

    Raises:
        ConfigError: when the encoders extra is not installed.
    """
    ids = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    epoch_steps = math.ceil(len(ids) / _BATCH_SIZE)
    steps = min(config.max_steps, max(config.min_steps, config.epochs * epoch_steps))
    losses: list[float] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = _network(len(tokenizer), config, max_tokens).to(device)
        optimiser = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _step_size(step, steps))
        batches = _batches(ids, Generator().manual_seed(config.seed), tokenizer, steps)
        with progress_bar("train a text encoder", steps) as bar:
            for token_ids, hidden, chosen in batches:
                loss = _loss(network, token_ids.to(device), hidden.to(device), chosen.to(device))
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]  # torch's
                nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM)
                optimiser.step()
                schedule.step()
                losses.append(loss.item())
                bar.advance()
                bar.note(f"loss {_recent(losses):.2f}")
    return network.roberta.cpu().eval(), losses


def _network(vocabulary: int, config: ScratchConfig, max_tokens: int) -> Any:
    try:
        from transformers import RobertaConfig, RobertaForMaskedLM, RobertaModel
    except ImportError as error:
        raise ConfigError("transformers is not installed; `pip install 'trifocal[encoders]'`") from error
    shape = RobertaConfig(
        vocab_size=vocabulary,
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.width // _HEAD_WIDTH,
        intermediate_size=4 * config.width,
        # RoBERTa counts positions from the padding token's id, 1, onwards.
        max_position_embeddings=max_tokens + 2,
        type_vocab_size=1,
    )
    network = RobertaForMaskedLM(shape)
    # With the pooler, which no one trains or reads, `AutoModel` finds every weight that it looks for.
    network.roberta = RobertaModel(shape)
    network.tie_weights()
    return network.train()


def _step_size(step: int, steps: int) -> float:
    warmup = max(1, round(_WARMUP * steps))
    return min((step + 1) / warmup, (steps - step) / max(1, steps - warmup))


def _batches(
    ids: Sequence[Sequence[int]], generator: Generator, tokenizer: PreTrainedTokenizerFast, steps: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield `steps` times (B, T) token ids, the same with tokens hidden, and which are to be guessed."""
    padding, special = tokenizer.pad_token_id, tokenizer.all_special_ids
    left: list[int] = []
    for _ in range(steps):
        left = left or torch.randperm(len(ids), generator=generator).tolist()
        rows, left = [ids[place] for place in left[:_BATCH_SIZE]], left[_BATCH_SIZE:]
        longest = max(map(len, rows))
        token_ids = torch.tensor([[*row, *[padding] * (longest - len(row))] for row in rows])
        hidden, chosen = mask_tokens(
            token_ids,
            special_ids=special,
            mask_id=tokenizer.mask_token_id,
            vocabulary=len(tokenizer),
            generator=generator,
        )
        yield token_ids, hidden, chosen


def _loss(network: Any, token_ids: Tensor, hidden: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean cross-entropy of the hidden tokens; 0 where the draw hid none."""
    attention = (token_ids != network.config.pad_token_id).long()
    states = network.roberta(input_ids=hidden, attention_mask=attention).last_hidden_state
    # The scores of the other tokens, most of the work, are never computed.
    scores = network.lm_head(states[chosen])  # (P, V)
    return functional.cross_entropy(scores, token_ids[chosen], reduction="sum") / chosen.sum().clamp(min=1)


def _recent(losses: Sequence[float]) -> float:
    return sum(losses[-50:]) / len(losses[-50:])
