"""The losses, pure functions on scores. Letters: P predictions (user positions), C candidates, M items, D embedding."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "bpr_loss",
    "click_loss",
    "contrastive_loss",
    "listwise_loss",
    "masked_token_loss",
    "rating_loss",
    "sampled_softmax_loss",
]


def sampled_softmax_loss(
    scores: Tensor, targets: Tensor, weights: Tensor, *, log_q: Tensor | None = None, hits: Tensor | None = None
) -> Tensor:
    """Return the weighted mean of -log softmax at the target, over candidates corrected for how they were sampled.

    `loss_p = -log( exp(s_pt) / [exp(s_pt) + sum_{c != t} exp(s_pc - log q_c)] )`: Bengio & Senecal (2008); Yi et al.,
    Sampling-bias-corrected neural modeling (RecSys 2019), equation 3; but the target is there for certain and
    needs no correction: Khrylchenko et al., Correcting the LogQ correction (RecSys 2025, arXiv 2507.09331). An
    accidental hit, a candidate that the user did take, is left out of the sum.

    Args:
        scores: (P, C).
        targets: (P,) int64 column of the positive.
        weights: (P,) float.
        log_q: (C,) log of how likely each candidate is to be drawn; None = all items are candidates.
        hits: (P, C) bool, True = not to be counted as a negative; ignored at the target itself.

    >>> scores = torch.tensor([[0.0, 0.0]])
    >>> round(float(sampled_softmax_loss(scores, torch.tensor([0]), torch.ones(1))), 4)  # log 2
    0.6931
    >>> log_q = torch.log(torch.tensor([0.5, 0.25]))  # the other stands for 1 / .25 = 4 of its kind: -log(1 / 5)
    >>> round(float(sampled_softmax_loss(scores, torch.tensor([0]), torch.ones(1), log_q=log_q)), 4)
    1.6094
    """
    corrected = scores
    if log_q is not None:
        column = targets[:, None]
        corrected = (scores - log_q).scatter(1, column, scores.gather(1, column))
    if hits is not None:
        wrong = hits.clone()
        wrong[torch.arange(len(targets), device=targets.device), targets] = False
        corrected = corrected.masked_fill(wrong, -torch.inf)
    losses = functional.cross_entropy(corrected, targets, reduction="none")
    return (losses * weights).sum() / weights.sum().clamp(min=1e-6)


def listwise_loss(scores: Tensor, taken: Tensor) -> Tensor:
    """Return the mean over lists of -log softmax, averaged over what was taken of the list.

    `-1/Q sum_q 1/|T_q| sum_{t in T_q} log( exp(s_qt) / sum_k exp(s_qk) )`; Cao et al., "Learning to rank: from pairwise
    approach to listwise approach" (ICML 2007), section 4, top one probabilities with equal relevance.

    Args:
        scores: (Q, K).
        taken: (Q, K) float, 1 = taken, else 0; at least one a list.

    >>> scores = torch.tensor([[0.0, 0.0, 0.0]])
    >>> round(float(listwise_loss(scores, torch.tensor([[1.0, 0.0, 1.0]]))), 4)  # log 3
    1.0986
    """
    shares = taken / taken.sum(dim=1, keepdim=True).clamp(min=1e-6)
    return -(functional.log_softmax(scores, dim=1) * shares).sum(dim=1).mean()


def bpr_loss(positive: Tensor, negative: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean of -log sigmoid(positive - negative).

    Rendle et al., BPR (UAI 2009), section 4.1; regularisation is left to weight decay.

    Args:
        positive: (P,) scores of what was taken.
        negative: (P,) scores of sampled items that were not.
        weights: (P,) float.

    >>> zero = torch.zeros(1)
    >>> round(float(bpr_loss(zero, zero, torch.ones(1))), 4)  # log 2
    0.6931
    """
    losses = -functional.logsigmoid(positive - negative)
    return (losses * weights).sum() / weights.sum().clamp(min=1e-6)


def click_loss(logits: Tensor, clicked: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean binary cross-entropy of what was shown: clicked, or shown and passed over.

    `-[y log sigmoid(z) + (1 - y) log(1 - sigmoid(z))]`, the logistic loss of click models: Covington et al., Deep
    neural networks for YouTube recommendations (RecSys 2016), section 4.2, without its weights of watch time; Cheng
    et al., Wide & Deep (DLRS 2016), equation 3.

    Args:
        logits: (P,) log odds of a click, from the click head.
        clicked: (P,) float, 1 = clicked, 0 = not.
        weights: (P,) float.

    >>> even = click_loss(torch.zeros(2), torch.tensor([1.0, 0.0]), torch.ones(2))  # both log 2
    >>> round(float(even), 4)
    0.6931
    >>> logits = torch.log(torch.tensor([3.0, 3.0]))  # sigmoid 3/4: -log(3/4) and, twice as heavy, -log(1/4)
    >>> round(float(click_loss(logits, torch.tensor([1.0, 0.0]), torch.tensor([1.0, 2.0]))), 4)  # (.2877 + 2.7726) / 3
    1.0201
    """
    losses = functional.binary_cross_entropy_with_logits(logits, clicked, reduction="none")
    return (losses * weights).sum() / weights.sum().clamp(min=1e-6)


def rating_loss(predicted: Tensor, ratings: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean of (rating - predicted)^2.

    Koren, Bell and Volinsky, Matrix factorization techniques for recommender systems (Computer 42, 2009), equation 5;
    regularisation is left to weight decay.

    Args:
        predicted: (P,) what the rating head says.
        ratings: (P,) what the user said, in the log's own unit.
        weights: (P,) float.

    >>> predicted, ratings = torch.tensor([3.0, 4.0]), torch.tensor([5.0, 4.0])
    >>> float(rating_loss(predicted, ratings, torch.ones(2)))  # (2^2 + 0) / 2
    2.0
    >>> float(rating_loss(predicted, ratings, torch.tensor([1.0, 3.0])))  # 2^2 / 4
    1.0
    """
    return ((ratings - predicted).square() * weights).sum() / weights.sum().clamp(min=1e-6)


def contrastive_loss(text: Tensor, image: Tensor, temperature: Tensor) -> Tensor:
    """Return the symmetric InfoNCE between texts and pictures of the same items.

    `-1/2M sum_m [log softmax_n(cos(t_m, i_n) / tau)_m + log softmax_n(cos(t_n, i_m) / tau)_m]`; Radford et al., CLIP
    (ICML 2021), section 2.3; the paper, section 3.2, "contrastive loss for multimodal alignment".

    Args:
        text: (M, D) vectors from the text alone.
        image: (M, D) vectors from the picture alone.
        temperature: tau, a positive scalar.

    >>> same = torch.eye(2)  # cosines 1 and 0, tau 1: log(1 + e^-1)
    >>> round(float(contrastive_loss(same, same, torch.ones(()))), 4)
    0.3133
    """
    cosines = functional.normalize(text, dim=1) @ functional.normalize(image, dim=1).T / temperature
    same = torch.arange(len(text), device=text.device)
    return (functional.cross_entropy(cosines, same) + functional.cross_entropy(cosines.T, same)) / 2


def masked_token_loss(scores: Tensor, tokens: Tensor) -> Tensor:
    """Return the mean of -log softmax at the tokens that were hidden; zero where none was.

    `-1/P sum_p log softmax_v(s_p)_{t_p}`; Devlin et al., BERT (arXiv 1810.04805), section 3.1, task 1.

    Args:
        scores: (P, V) over the vocabulary.
        tokens: (P,) int64, what stood there.

    >>> scores = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    >>> round(float(masked_token_loss(scores, torch.tensor([0, 1]))), 4)  # log 2
    0.6931
    >>> float(masked_token_loss(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)))
    0.0
    """
    return functional.cross_entropy(scores, tokens, reduction="sum") / max(len(tokens), 1)
